/* Frames: whole, partial, broken, and the way back. */
#include "unit.h"

#include "spool/frame.h"

#define SEED UINT32_C(0x12345678)

static size_t frame(uint8_t *to, const char *text, uint32_t seed)
{
    size_t len = strlen(text);

    memcpy(to + MM_FRAME_HEADER, text, len);
    return mm_frame_seal(to, len, seed);
}

static void byte_form(void **state)
{
    /* Worked out apart from this program: CRC-32C over 02000000 6162. */
    static const uint8_t expected[] = {'M', 'M', 'F', '1', 2, 0, 0, 0, 0xAD, 0x82, 0x65, 0x9F, 'a', 'b'};
    uint8_t buf[64];

    (void)state;
    assert_int_equal(frame(buf, "ab", 0), sizeof(expected));
    assert_memory_equal(buf, expected, sizeof(expected));
    frame(buf, "ab", SEED);
    assert_int_equal(buf[0], 'M' ^ 0x78);
    assert_int_equal(buf[3], '1' ^ 0x12);
}

static void whole(void **state)
{
    uint8_t buf[64];
    const uint8_t *payload = NULL;
    size_t len = 0, total = frame(buf, "hello", SEED);

    (void)state;
    assert_int_equal(total, MM_FRAME_HEADER + 5);
    assert_int_equal(mm_frame_parse(buf, sizeof(buf), SEED, &payload, &len), MM_FRAME_WHOLE);
    assert_int_equal(len, 5);
    assert_ptr_equal(payload, buf + MM_FRAME_HEADER);
    total = frame(buf, "", SEED);
    assert_int_equal(mm_frame_parse(buf, total, SEED, &payload, &len), MM_FRAME_WHOLE);
    assert_int_equal(len, 0);
}

static void every_prefix_is_partial(void **state)
{
    uint8_t buf[64];
    const uint8_t *payload = NULL;
    size_t len = 77, i, total = frame(buf, "hello", SEED);

    (void)state;
    for (i = 0; i < total; i++) {
        uint8_t *copy = malloc(i + 1);

        memcpy(copy, buf, i);
        assert_int_equal(mm_frame_parse(copy, i, SEED, &payload, &len), MM_FRAME_PARTIAL);
        free(copy);
    }
    assert_null(payload);
    assert_int_equal(len, 77);
}

/* Whatever bit flips, the frame is no longer taken for whole. */
static void every_flipped_bit(void **state)
{
    uint8_t buf[64];
    const uint8_t *payload;
    size_t len, i, total = frame(buf, "hello", SEED);

    (void)state;
    for (i = 0; i < total * 8; i++) {
        buf[i / 8] ^= (uint8_t)(1 << i % 8);
        assert_int_not_equal(mm_frame_parse(buf, total, SEED, &payload, &len), MM_FRAME_WHOLE);
        buf[i / 8] ^= (uint8_t)(1 << i % 8);
    }
    assert_int_equal(mm_frame_parse(buf, total, SEED, &payload, &len), MM_FRAME_WHOLE);
}

static void broken(void **state)
{
    uint8_t buf[64], other[64];
    const uint8_t *payload;
    size_t len, total = frame(buf, "hello", SEED);
    uint32_t too_long = MM_FRAME_PAYLOAD_MAX + 1;

    (void)state;
    assert_int_equal(mm_frame_parse(buf, total, SEED + 1, &payload, &len), MM_FRAME_BROKEN);
    /* The magic alone does not make it one of this segment's. */
    frame(other, "hello", SEED + 1);
    memcpy(other, buf, 4);
    assert_int_equal(mm_frame_parse(other, total, SEED, &payload, &len), MM_FRAME_BROKEN);
    assert_int_equal(mm_frame_parse((const uint8_t *)"x", 1, SEED, &payload, &len), MM_FRAME_BROKEN);
    buf[4] = (uint8_t)too_long;
    buf[5] = (uint8_t)(too_long >> 8);
    buf[6] = (uint8_t)(too_long >> 16);
    buf[7] = (uint8_t)(too_long >> 24);
    assert_int_equal(mm_frame_parse(buf, 8, SEED, &payload, &len), MM_FRAME_BROKEN);
    buf[4] = 0;
    buf[5] = 0;
    buf[6] = 0x40;
    assert_int_equal(mm_frame_parse(buf, total, SEED, &payload, &len), MM_FRAME_PARTIAL);
}

static void the_largest(void **state)
{
    uint8_t *buf = calloc(1, MM_FRAME_HEADER + MM_FRAME_PAYLOAD_MAX);
    const uint8_t *payload;
    size_t len, total = mm_frame_seal(buf, MM_FRAME_PAYLOAD_MAX, SEED);

    (void)state;
    assert_int_equal(total, MM_FRAME_HEADER + MM_FRAME_PAYLOAD_MAX);
    assert_int_equal(mm_frame_parse(buf, total - 1, SEED, &payload, &len), MM_FRAME_PARTIAL);
    assert_int_equal(mm_frame_parse(buf, total, SEED, &payload, &len), MM_FRAME_WHOLE);
    assert_int_equal(len, MM_FRAME_PAYLOAD_MAX);
    free(buf);
}

static void finds_the_next(void **state)
{
    uint8_t buf[256];
    size_t first, second, total;

    (void)state;
    memset(buf, 'M', sizeof(buf));
    first = 7;
    second = first + frame(buf + first, "first", SEED);
    total = second + frame(buf + second, "second", SEED);
    assert_int_equal(mm_frame_resync(buf, total, 0, SEED), first);
    assert_int_equal(mm_frame_resync(buf, total, first, SEED), first);
    assert_int_equal(mm_frame_resync(buf, total, first + 1, SEED), second);
    assert_int_equal(mm_frame_resync(buf, total, second + 1, SEED), total);
    assert_int_equal(mm_frame_resync(buf, total - 1, second, SEED), total - 1);
    assert_int_equal(mm_frame_resync(buf, total, 0, SEED ^ 1), total);
    assert_int_equal(mm_frame_resync(buf, 0, 0, SEED), 0);
    assert_int_equal(mm_frame_resync(buf, 5, 9, SEED), 5);
    buf[first + 13] ^= 1;
    assert_int_equal(mm_frame_resync(buf, total, 0, SEED), second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(byte_form),         cmocka_unit_test(whole),  cmocka_unit_test(every_prefix_is_partial),
        cmocka_unit_test(every_flipped_bit), cmocka_unit_test(broken), cmocka_unit_test(the_largest),
        cmocka_unit_test(finds_the_next),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
