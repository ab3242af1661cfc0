/* Passwords as Clowder's API takes them. */
#include "unit.h"
#include <apr_base64.h>
#include "clowder/password.h"

static const char *authorization(unit_t *unit, const char *text)
{
    char *coded = apr_palloc(unit->pool, (apr_size_t)apr_base64_encode_len((int)strlen(text)));

    apr_base64_encode(coded, text, (int)strlen(text));
    return apr_pstrcat(unit->pool, "Basic ", coded, NULL);
}

static void reads_a_header(void **state)
{
    unit_t *unit = *state;
    mm_clowder_basic_t basic;
    char *much = apr_pstrdup(unit->pool, authorization(unit, "a@x:b"));

    assert_true(mm_clowder_basic_read(&basic, authorization(unit, "Ada@Example.org:p w"), unit->pool));
    assert_string_equal(basic.email, "Ada@Example.org");
    assert_string_equal(basic.password, "p w");
    memcpy(much, "bASIC", 5);
    assert_true(mm_clowder_basic_read(&basic, much, unit->pool));
    assert_true(mm_clowder_basic_read(&basic, authorization(unit, "a:"), unit->pool));
    assert_string_equal(basic.password, "");

    const char *const bad[] = {NULL,
                               "",
                               "Basic",
                               "Basic ",
                               "Basic ====",
                               "Basic \xff",
                               "Bearer YTpi",
                               "Basic YQ==", /* no colon */
                               "Basic OmI=", /* no name */
                               "Basic YTpiAA==" /* a zero byte */};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(mm_clowder_basic_read(&basic, bad[i], unit->pool));
    }
    assert_false(mm_clowder_basic_read(&basic, authorization(unit, "a:b:c"), unit->pool));
    much = apr_palloc(unit->pool, MM_CLOWDER_BASIC_MAX + 2);
    memset(much, 'A', MM_CLOWDER_BASIC_MAX + 1);
    memcpy(much, "Basic YTpi", 10);
    much[MM_CLOWDER_BASIC_MAX + 1] = '\0';
    assert_false(mm_clowder_basic_read(&basic, much, unit->pool));
}

/* Of the password "secret", at the least cost. */
#define HASH_OF_SECRET "$2a$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"

static void compares_with_bcrypt(void **state)
{
    (void)state;
    assert_true(mm_clowder_password_fits(HASH_OF_SECRET, "secret"));
    assert_false(mm_clowder_password_fits(HASH_OF_SECRET, "Secret"));
    assert_false(mm_clowder_password_fits(HASH_OF_SECRET, ""));
    assert_false(mm_clowder_password_fits("", "secret"));
    assert_false(mm_clowder_password_fits("secret", "secret"));
    /* Too dear: 2^31 rounds would take days. */
    assert_false(mm_clowder_password_fits("$2a$31$abcdefghijklmnopqrstuuMFdJu9yVgmagVAIC24fOZkaFqd3s9JC", "a"));
    assert_false(mm_clowder_password_fits("$6$04$abcdefghijklmnopqrstuuMFdJu9yVgmagVAIC24fOZkaFqd3s9JC1", "a"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(reads_a_header, unit_setup, unit_teardown),
        cmocka_unit_test(compares_with_bcrypt),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
