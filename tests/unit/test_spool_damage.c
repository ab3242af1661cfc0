/* What the reader makes of segments that are torn, flipped, forged or full of junk. */
#include "unit_reader.h"

static char *corrupt_bytes(unit_t *unit, const char *name, size_t *len)
{
    char *data = NULL;

    assert_int_equal(mm_file_slurp(&data, len, unit_path(unit, apr_pstrcat(unit->pool, name, ".corrupt", NULL)),
                                   64 * 1024 * 1024, unit->pool, NULL),
                     APR_SUCCESS);
    return data;
}

static void a_torn_tail(void **state)
{
    unit_t *unit = *state;
    unit_log_t *log = unit_log(unit);
    mm_spool_reader_t *reader = reader_of(unit, log);
    char *name = unit_segment_name(unit, 1, 5), *data;
    uint8_t frame[64];
    size_t len;
    int fd = live(unit, name);

    unit_frame(frame, "torn", 5);
    put_frame(fd, "a", 5);
    put(fd, frame, 14);
    assert_round(unit, reader, "a,"); /* its writer may go on */
    assert_int_equal(log->n, 0);
    assert_true(positions_of(reader).offsets[0] == 13);
    close(fd);
    assert_round(unit, reader, "");
    assert_int_equal(log->n, 1);
    assert_string_equal(log->tag, "MM0101");
    assert_non_null(strstr(log->text, name));
    assert_non_null(strstr(log->text, "14 bytes at offset 13"));
    assert_true(positions_of(reader).offsets[0] == 27);
    data = corrupt_bytes(unit, name, &len);
    assert_int_equal(len, 27);
    assert_memory_equal(data + 13, frame, 14);
    assert_round(unit, reader, "");
    assert_int_equal(log->n, 1);
    release(reader);
    assert_false(unit_exists(unit, name));
    assert_int_equal(unit_count(unit, ".corrupt", NULL), 1);
}

/* As a short write leaves it: torn, then frames of other threads, the writer alive. */
static void a_torn_frame_in_a_live_segment(void **state)
{
    unit_t *unit = *state;
    unit_log_t *log = unit_log(unit);
    mm_spool_reader_t *reader = reader_of(unit, log);
    char *name = unit_segment_name(unit, 1, 5);
    uint8_t frame[4096];
    int fd = live(unit, name);

    unit_frame(frame, "a text that is long enough to cover what follows it in the file, all of it, and more", 5);
    put(fd, frame, 20);
    assert_round(unit, reader, "");
    put_frame(fd, "b", 5);
    put_frame(fd, "c", 5);
    assert_round(unit, reader, "b,c,");
    assert_int_equal(log->n, 1);
    assert_non_null(strstr(log->text, "20 bytes at offset 0"));
    /* Damage without a frame behind it is waited for. */
    put(fd, "MMMM", 4);
    assert_round(unit, reader, "");
    assert_int_equal(log->n, 1);
    put_frame(fd, "d", 5);
    assert_round(unit, reader, "d,");
    assert_int_equal(log->n, 2);
    close(fd);
}

static void a_flipped_bit(void **state)
{
    unit_t *unit = *state;
    size_t byte;

    /* In every byte of the middle one of three frames: magic, length, sum and payload. */
    for (byte = 0; byte < 13; byte++) {
        unit_log_t *log = unit_log(unit);
        mm_spool_reader_t *reader = reader_of(unit, log);
        char *name = unit_segment_name(unit, (uint32_t)byte, 5);
        uint8_t frames[64];
        size_t len = unit_frame(frames, "a", 5);

        len += unit_frame(frames + len, "b", 5);
        len += unit_frame(frames + len, "c", 5);
        frames[13 + byte] ^= 0x10;
        close(unit_append(unit, name, frames, len));
        assert_round(unit, reader, "a,c,");
        assert_int_equal(log->n, 1);
        assert_non_null(strstr(log->text, "13 bytes at offset 13"));
        release(reader);
    }
    assert_int_equal(unit_count(unit, ".corrupt", NULL), 13);
}

/* A visitor's text that is a frame is found when the frame around it is torn; without the seed it is no frame. */
static void a_forged_frame(void **state)
{
    static const uint32_t guesses[] = {0, 5 ^ 1, 0xFFFFFFFF};
    unit_t *unit = *state;
    unit_log_t *log = unit_log(unit);
    mm_spool_reader_t *reader = reader_of(unit, log);
    uint8_t outer[256], inner[64];
    char *name = unit_segment_name(unit, 1, 5);
    size_t i, inner_len;

    for (i = 0; i < sizeof(guesses) / sizeof(guesses[0]); i++) {
        inner_len = unit_frame(inner, "forged", guesses[i]);
        memcpy(outer + MM_FRAME_HEADER, inner, inner_len);
        mm_frame_seal(outer, inner_len + 100, 5);
        close(unit_append(unit, name, outer, MM_FRAME_HEADER + inner_len));
        unit_append_frame(unit, name, "honest", 5);
    }
    assert_round(unit, reader, "honest,honest,honest,");
    assert_int_equal(log->n, 3);
    /* With the right one it would have been: the test above is worth something. */
    inner_len = unit_frame(inner, "forged", 6);
    name = unit_segment_name(unit, 2, 6);
    memcpy(outer + MM_FRAME_HEADER, inner, inner_len);
    mm_frame_seal(outer, inner_len + 100, 6);
    close(unit_append(unit, name, outer, MM_FRAME_HEADER + inner_len));
    assert_round(unit, reader, "forged,");
}

/* More junk than the reader ever holds, in one piece: one message, and all frames around it. */
static void a_sea_of_junk(void **state)
{
    enum { JUNK = 9 * 1024 * 1024 + 12345 };
    unit_t *unit = *state;
    unit_log_t *log = unit_log(unit);
    mm_spool_reader_t *reader = reader_of(unit, log);
    char *name = unit_segment_name(unit, 1, 5), *data;
    uint8_t *junk = malloc(JUNK);
    uint32_t x = 1;
    size_t i, len;

    for (i = 0; i < JUNK; i++) {
        x = x * 1664525 + 1013904223;
        junk[i] = (uint8_t)(x >> 24);
    }
    unit_append_frame(unit, name, "a", 5);
    close(unit_append(unit, name, junk, JUNK));
    unit_append_frame(unit, name, "b", 5);
    assert_round(unit, reader, "a,b,");
    assert_int_equal(log->n, 1);
    assert_non_null(strstr(log->text, apr_psprintf(unit->pool, "%d bytes at offset 13", JUNK)));
    data = corrupt_bytes(unit, name, &len);
    assert_int_equal(len, JUNK + 13);
    assert_memory_equal(data + 13, junk, JUNK);
    free(junk);
}

/* The reader holds the longest frame and 64 KiB more; a frame that lies across the end of that is found all the same.
 */
static void junk_up_to_what_is_held(void **state)
{
    unit_t *unit = *state;
    const size_t held = MM_FRAME_HEADER + MM_FRAME_PAYLOAD_MAX + 64 * 1024;
    uint8_t *junk = malloc(held);
    size_t before;

    memset(junk, 'M', held);
    for (before = 0; before <= 16; before += 2) {
        unit_log_t *log = unit_log(unit);
        mm_spool_reader_t *reader = reader_of(unit, log);
        char *name = unit_segment_name(unit, 1, (uint32_t)before);

        close(unit_append(unit, name, junk, held - before));
        unit_append_frame(unit, name, "a", (uint32_t)before);
        assert_round(unit, reader, "a,");
        assert_int_equal(log->n, 1);
        release(reader);
    }
    /* The longest frame, which begins where it is last held whole, and one byte behind that. */
    for (before = 64 * 1024; before <= 64 * 1024 + 1; before++) {
        unit_log_t *log = unit_log(unit);
        mm_spool_reader_t *reader = reader_of(unit, log);
        char *name = unit_segment_name(unit, 1, 7);
        uint8_t *frame = calloc(1, held);

        close(unit_append(unit, name, junk, before));
        close(unit_append(unit, name, frame, mm_frame_seal(frame, MM_FRAME_PAYLOAD_MAX, 7)));
        assert_round(unit, reader, ",");
        assert_non_null(strstr(log->text, apr_psprintf(unit->pool, "%d bytes at offset 0 ", (int)before)));
        release(reader);
        free(frame);
    }
    free(junk);
}

/* The longest frame, torn at its last byte, and another behind it. */
static void a_large_torn_frame(void **state)
{
    unit_t *unit = *state;
    unit_log_t *log = unit_log(unit);
    mm_spool_reader_t *reader = reader_of(unit, log);
    uint8_t *buf = calloc(1, MM_FRAME_HEADER + MM_FRAME_PAYLOAD_MAX);
    char *name = unit_segment_name(unit, 1, 1);
    size_t len = mm_frame_seal(buf, MM_FRAME_PAYLOAD_MAX, 1);
    int fd = live(unit, name);

    put(fd, buf, len - 1);
    assert_round(unit, reader, "");
    put_frame(fd, "b", 1);
    assert_round(unit, reader, "b,");
    put(fd, buf, len - 1);
    assert_round(unit, reader, "");
    assert_int_equal(log->n, 1);
    close(fd);
    assert_round(unit, reader, "");
    assert_int_equal(log->n, 2);
    assert_non_null(strstr(log->text, apr_psprintf(unit->pool, "%d bytes at offset %d ", (int)len - 1, (int)len + 12)));
    free(buf);
}

static void set_aside_again_after_a_restart(void **state)
{
    unit_t *unit = *state;
    char *name = unit_segment_name(unit, 1, 5), *first, *again;
    size_t first_len, again_len;
    int runs;

    unit_append_frame(unit, name, "a", 5);
    close(unit_append(unit, name, "junk!", 5));
    unit_append_frame(unit, name, "b", 5);
    for (runs = 0; runs < 3; runs++) {
        unit_log_t *log = unit_log(unit);
        mm_spool_reader_t *reader = reader_of(unit, log);

        mm_spool_reader_restore(reader, name, 13);
        assert_round(unit, reader, "b,");
        assert_round(unit, reader, "");
        assert_int_equal(log->n, 1);
        again = corrupt_bytes(unit, name, &again_len);
        if (runs == 0) {
            first = again;
            first_len = again_len;
        }
        assert_int_equal(again_len, first_len);
        assert_memory_equal(again, first, first_len);
    }
}

/* Where the bytes cannot be kept (say, the disk that tore them is full), the frames behind them still come. */
static void set_aside_in_vain(void **state)
{
    unit_t *unit = *state;
    unit_log_t *log = unit_log(unit);
    mm_spool_reader_t *reader = reader_of(unit, log);
    char *name = unit_segment_name(unit, 1, 5);

    close(unit_append(unit, name, "junk!", 5));
    unit_append_frame(unit, name, "b", 5);
    assert_int_equal(mkdir(unit_path(unit, apr_pstrcat(unit->pool, name, ".corrupt", NULL)), 0700), 0);
    assert_round(unit, reader, "b,");
    assert_int_equal(log->n, 1);
    assert_string_equal(log->tag, "MM0102");
    assert_non_null(strstr(log->text, "5 bytes at offset 0"));
    release(reader);
    assert_false(unit_exists(unit, name));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_torn_tail),        TEST(a_torn_frame_in_a_live_segment),
        TEST(a_flipped_bit),      TEST(a_forged_frame),
        TEST(a_sea_of_junk),      TEST(junk_up_to_what_is_held),
        TEST(a_large_torn_frame), TEST(set_aside_again_after_a_restart),
        TEST(set_aside_in_vain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
