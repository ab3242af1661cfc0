/* One log after the other, into a real database: each line once. */
#include "unit_import.h"

static void counts_logs_once(void **state)
{
    setting_t *setting = setting_of(state);
    mm_import_t *import = started(setting, setting->unit->pool);

    assert_int_equal(read_log(import, log_of(setting->unit, "a.log", 0, 300)), MM_IMPORT_READ);
    assert_int_equal(read_log(import, log_of(setting->unit, "b.log", 300, 100)), MM_IMPORT_READ);
    assert_int_equal(read_log(import, log_of(setting->unit, "again.log", 0, 300)), MM_IMPORT_KNOWN);
    assert_int_equal(read_log(import, log_of(setting->unit, "longer.log", 0, 310)), MM_IMPORT_READ);
    assert_int_equal(read_log(import, log_with(setting->unit, "empty.log", "")), MM_IMPORT_EMPTY);
    finished(import);
    assert_int_equal(mm_import_tally(import)->lines, 410);
    assert_int_equal(mm_import_tally(import)->verdicts[MM_COUNTED], 410);
    assert_int_equal(documents(setting, "metrics_datasets"), 400);
    assert_string_equal(mm_import_format(import), "combined");
}

static void a_dry_run_needs_nothing(void **state)
{
    setting_t *setting = setting_of(state);
    mm_import_t *import;

    setting->options.dir = setting->options.mongo_uri = NULL;
    import = started(setting, setting->unit->pool);
    assert_int_equal(
        read_log(import,
                 log_with(setting->unit, "bad.log",
                          "192.0.2.1 - - [31/Jan/2026:12:00:00 +0000] \"GET /datasets/d HTTP/1.1\" 200 5\nnonsense\n")),
        MM_IMPORT_READ);
    finished(import);
    assert_int_equal(setting->bad, 1);
    assert_int_equal(mm_import_tally(import)->sifted[MM_SIFTED_BAD], 1);
    assert_int_equal(mm_import_tally(import)->sifted[MM_SIFTED_EVENT], 1);
}

static void tells_when_a_log_begins(void **state)
{
    setting_t *setting = setting_of(state);
    mm_logfile_t *file;
    mm_import_t *import;

    setting->options.dir = NULL;
    import = started(setting, setting->unit->pool);
    file = log_of(setting->unit, "a.log", 250, 2);
    assert_true(mm_import_first_us(import, file) == INT64_C(1769860860000000));
    assert_int_equal(read_log(import, file), MM_IMPORT_READ);
    assert_int_equal(mm_import_tally(import)->lines, 2);
    assert_true(mm_import_first_us(import, log_with(setting->unit, "b", "nonsense\n")) == INT64_MAX);
}

#define test(f) cmocka_unit_test_setup_teardown(f, unit_setup, unit_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(counts_logs_once),
        test(a_dry_run_needs_nothing),
        test(tells_when_a_log_begins),
    };

    return cmocka_run_group_tests(tests, group_setup, NULL);
}
