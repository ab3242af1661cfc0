/* Which format a log is read in, and which logs are not read. */
#include "unit_import.h"

#define COMMON   "192.0.2.1 - - [31/Jan/2026:12:00:00 +0000] \"GET /datasets/d HTTP/1.1\" 200 5"
#define COMBINED COMMON " \"-\" \"Firefox\""

static apr_status_t end_of(setting_t *setting, const char *format, const char *text, mm_import_t **import)
{
    mm_import_end_t end;

    setting->options.dir = setting->options.mongo_uri = NULL;
    setting->options.format = format;
    *import = started(setting, setting->unit->pool);
    return mm_import_log(*import, log_with(setting->unit, "bad.log", text), &end, NULL);
}

static void most_lines_decide(void **state)
{
    setting_t *setting = setting_of(state);
    mm_import_t *import;

    setting->options.on_bad = NULL;
    assert_int_equal(end_of(setting, NULL, "nonsense\n" COMMON "\n" COMBINED "\n" COMBINED "\n", &import), APR_SUCCESS);
    assert_string_equal(mm_import_format(import), "combined");
    assert_int_equal(mm_import_tally(import)->sifted[MM_SIFTED_BAD], 2);
    assert_int_equal(end_of(setting, NULL, COMBINED "\r\n" COMMON "\r\n", &import), APR_SUCCESS);
    assert_string_equal(mm_import_format(import), "combined");
    assert_int_equal(end_of(setting, NULL, "vhost:80 " COMBINED "\n", &import), APR_SUCCESS);
    assert_string_equal(mm_import_format(import), "vhost_combined");
}

static void where_most_are_bad_none_is_read(void **state)
{
    setting_t *setting = setting_of(state);
    mm_import_t *import;

    assert_int_equal(end_of(setting, "common", COMBINED "\n" COMBINED "\n" COMMON "\n", &import), APR_EINVAL);
    assert_int_equal(mm_import_tally(import)->lines, 0);
    assert_int_equal(end_of(setting, NULL, "nonsense\n", &import), APR_EINVAL);
    assert_int_equal(end_of(setting, "common", COMMON "\n" COMBINED "\n", &import), APR_SUCCESS);
    assert_int_equal(mm_import_tally(import)->lines, 2);
}

#define test(f) cmocka_unit_test_setup_teardown(f, unit_setup, unit_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(most_lines_decide),
        test(where_most_are_bad_none_is_read),
    };

    return cmocka_run_group_tests(tests, group_setup, NULL);
}
