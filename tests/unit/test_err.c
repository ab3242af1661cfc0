/* Errors as sentences. */
#include "unit.h"

#include <errno.h>

#include "base/err.h"

static void fills_and_returns(void **state)
{
    mm_err_t err = {0};

    (void)state;
    assert_int_equal(mm_err_set(&err, APR_EINVAL, "line %d: %s", 3, "no id"), APR_EINVAL);
    assert_int_equal(err.status, APR_EINVAL);
    assert_string_equal(err.text, "line 3: no id");
}

static void takes_null(void **state)
{
    (void)state;
    assert_int_equal(mm_err_set(NULL, APR_EGENERAL, "x"), APR_EGENERAL);
    assert_int_equal(mm_err_set_os(NULL, ENOENT, "x"), ENOENT);
}

static void appends_system_text(void **state)
{
    mm_err_t err = {0};
    char why[100], *expected;
    unit_t *unit = *state;

    assert_int_equal(mm_err_set_os(&err, ENOENT, "%s cannot be opened", "/x"), ENOENT);
    apr_strerror(ENOENT, why, sizeof(why));
    expected = apr_pstrcat(unit->pool, "/x cannot be opened: ", why, NULL);
    assert_string_equal(err.text, expected);
    assert_int_equal(err.status, ENOENT);
}

static void cuts_at_the_limit(void **state)
{
    struct {
        mm_err_t err;
        char guard;
    } box = {.guard = 'g'};
    char text[2 * MM_ERR_TEXT_MAX];

    (void)state;
    memset(text, 'a', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    mm_err_set(&box.err, 1, "%s", text);
    assert_int_equal(strlen(box.err.text), MM_ERR_TEXT_MAX - 1);
    memset(&box.err, 0, sizeof(box.err));
    mm_err_set_os(&box.err, ENOENT, "%s", text);
    assert_int_equal(strlen(box.err.text), MM_ERR_TEXT_MAX - 1);
    text[MM_ERR_TEXT_MAX - 4] = '\0';
    mm_err_set_os(&box.err, ENOENT, "%s", text);
    assert_int_equal(strlen(box.err.text), MM_ERR_TEXT_MAX - 1);
    assert_int_equal(box.guard, 'g');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fills_and_returns),
        cmocka_unit_test(takes_null),
        cmocka_unit_test_setup_teardown(appends_system_text, unit_setup, unit_teardown),
        cmocka_unit_test(cuts_at_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
