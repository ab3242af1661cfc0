/* CRC-32C against the vectors of RFC 3720 B.4, and both ways of computing it against a third, bit by bit. */
#include "unit.h"

#include "base/crc32c.h"

static uint32_t bit_by_bit(uint32_t crc, const unsigned char *data, size_t len)
{
    size_t i;
    int bit;

    crc = ~crc;
    for (i = 0; i < len; i++) {
        crc ^= data[i];
        for (bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ (crc & 1 ? 0x82F63B78u : 0);
        }
    }
    return ~crc;
}

/* An iSCSI read command, the last vector of the RFC. */
static const unsigned char scsi[48] = {0x01, 0xc0, 0,    0,    0,    0, 0, 0, 0,    0, 0, 0, 0,   0,
                                       0,    0,    0x14, 0,    0,    0, 0, 0, 0x04, 0, 0, 0, 0,   0x14,
                                       0,    0,    0,    0x18, 0x28, 0, 0, 0, 0,    0, 0, 0, 0x02};

static void rfc_3720(void **state)
{
    unsigned char data[32];
    int i;

    (void)state;
    memset(data, 0, sizeof(data));
    assert_int_equal(mm_crc32c(0, data, sizeof(data)), 0x8A9136AA);
    assert_int_equal(mm_crc32c_portable(0, data, sizeof(data)), 0x8A9136AA);
    memset(data, 0xFF, sizeof(data));
    assert_int_equal(mm_crc32c(0, data, sizeof(data)), 0x62A8AB43);
    assert_int_equal(mm_crc32c_portable(0, data, sizeof(data)), 0x62A8AB43);
    for (i = 0; i < 32; i++) {
        data[i] = (unsigned char)i;
    }
    assert_int_equal(mm_crc32c(0, data, sizeof(data)), 0x46DD794E);
    assert_int_equal(mm_crc32c_portable(0, data, sizeof(data)), 0x46DD794E);
    for (i = 0; i < 32; i++) {
        data[i] = (unsigned char)(31 - i);
    }
    assert_int_equal(mm_crc32c(0, data, sizeof(data)), 0x113FDB5C);
    assert_int_equal(mm_crc32c_portable(0, data, sizeof(data)), 0x113FDB5C);
    assert_int_equal(mm_crc32c(0, scsi, sizeof(scsi)), 0xD9963A56);
    assert_int_equal(mm_crc32c_portable(0, scsi, sizeof(scsi)), 0xD9963A56);
    assert_int_equal(mm_crc32c(0, "123456789", 9), 0xE3069283);
    assert_int_equal(mm_crc32c(0, "", 0), 0);
}

static void every_length_and_alignment(void **state)
{
    unsigned char data[80];
    size_t i, from, len;
    uint32_t seed = 0xDEADBEEF;

    (void)state;
    for (i = 0; i < sizeof(data); i++) {
        data[i] = (unsigned char)(i * 167 + 13);
    }
    for (from = 0; from < 9; from++) {
        for (len = 0; len + from <= sizeof(data); len++) {
            uint32_t expected = bit_by_bit(seed, data + from, len);

            assert_int_equal(mm_crc32c(seed, data + from, len), expected);
            assert_int_equal(mm_crc32c_portable(seed, data + from, len), expected);
        }
    }
}

static void goes_on_from_a_part(void **state)
{
    size_t part;

    (void)state;
    for (part = 0; part <= sizeof(scsi); part++) {
        assert_int_equal(mm_crc32c(mm_crc32c(0, scsi, part), scsi + part, sizeof(scsi) - part), 0xD9963A56);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc_3720),
        cmocka_unit_test(every_length_and_alignment),
        cmocka_unit_test(goes_on_from_a_part),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
