/* SHA-256: the vectors of FIPS 180-4's examples, and that any bytes go in. */
#include "unit.h"
#include "base/sha256.h"

static void known_answers(void **state)
{
    char hex[MM_SHA256_HEX + 1];

    (void)state;
    assert_true(mm_sha256_hex(hex, "abc", 3));
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_true(mm_sha256_hex(hex, "", 0));
    assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

static void zero_bytes_are_bytes(void **state)
{
    char one[MM_SHA256_HEX + 1], other[MM_SHA256_HEX + 1];

    (void)state;
    assert_true(mm_sha256_hex(one, "a\0b", 3));
    assert_true(mm_sha256_hex(other, "a\0c", 3));
    assert_string_not_equal(one, other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(known_answers), cmocka_unit_test(zero_bytes_are_bytes)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
