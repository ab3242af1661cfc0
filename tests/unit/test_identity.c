/* Credentials as an event carries them: what is written is read, anything else is nobody. */
#include "unit.h"
#include "event/identity.h"

static mm_credential_t credential(mm_credential_kind_t kind, const char *secret)
{
    mm_credential_t made = {.kind = kind};

    if (kind != MM_CREDENTIAL_MASTER) {
        assert_true(mm_sha256_hex(made.hash, secret, strlen(secret)));
    }
    return made;
}

static void what_is_written_is_read(void **state)
{
    mm_credential_t list[MM_IDENTITY_CREDENTIALS_MAX] = {{.kind = 0}}, read[MM_IDENTITY_CREDENTIALS_MAX];
    char text[MM_EVENT_IDENTITY_MAX];
    size_t len;

    (void)state;
    assert_int_equal(mm_identity_write(text, list, 0), 0);
    for (size_t n = 1; n <= MM_IDENTITY_CREDENTIALS_MAX; n++) {
        list[n - 1] = credential(n == 1   ? MM_CREDENTIAL_COOKIE
                                 : n == 3 ? MM_CREDENTIAL_MASTER
                                          : MM_CREDENTIAL_KEY,
                                 n % 2 ? "a" : "b");
        len = mm_identity_write(text, list, n);
        assert_in_range(len, 9, MM_EVENT_IDENTITY_MAX);
        assert_int_equal(mm_identity_read(read, (mm_bytes_t){text, len}), n);
        for (size_t i = 0; i < n; i++) {
            assert_int_equal(read[i].kind, list[i].kind);
            assert_string_equal(read[i].hash, list[i].hash);
        }
    }
}

static void what_is_malformed_is_nobody(void **state)
{
    static const char *const wrong[] = {"",          "clowder",      "clowder:",        "other:x",  "clowder:y",
                                        "clowder:c", "clowder:cabc", "clowder:xxxxxxx", "Clowder:x"};
    mm_credential_t read[MM_IDENTITY_CREDENTIALS_MAX], one = credential(MM_CREDENTIAL_KEY, "a");
    char text[MM_EVENT_IDENTITY_MAX];
    size_t len = mm_identity_write(text, &one, 1);

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_int_equal(mm_identity_read(read, mm_bytes_of(wrong[i])), 0);
    }
    assert_int_equal(mm_identity_read(read, (mm_bytes_t){text, len - 1}), 0);
    text[len - 1] = 'G';
    assert_int_equal(mm_identity_read(read, (mm_bytes_t){text, len}), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_is_written_is_read),
                                       cmocka_unit_test(what_is_malformed_is_nobody)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
