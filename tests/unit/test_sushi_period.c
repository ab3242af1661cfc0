/* Which days make a month that there can be a report of, and which is a month's last. */
#include "unit_sushi.h"

static void test_months(void **state)
{
    static const struct {
        const char *args;
        int64_t begin_s, end_s;
    } months[] = {{"begin_date=2024-02&end_date=2024-02", 1706745600, 1709251200},
                  {"end_date=2023-02&begin_date=2023-02-01", 1675209600, 1677628800},
                  {"begin_date=2024-12-01&end_date=2024-12-31", 1733011200, 1735689600},
                  {"begin_date=2024-12&end_date=2024-12-01", 1733011200, 1733097600},
                  {"begin_date=1970-01&end_date=1970-01&", 0, 2678400}};

    (void)state;
    for (size_t i = 0; i < sizeof(months) / sizeof(months[0]); i++) {
        assert_int_equal(parse(months[i].args), 0);
        assert_int_equal(sushi.begin_ms, months[i].begin_s * 1000);
        assert_int_equal(sushi.end_ms, months[i].end_s * 1000);
        assert_int_equal(sushi.exceptions->nelts, 0);
        assert_int_equal(sushi.filters->nelts, 2);
    }
}

static void test_days_that_make_no_report(void **state)
{
    static const char *const bad[] = {
        "2024-2",     "2024",       "2024-13",    "2024-00",    "2024-02-30", "2023-02-29", "2024-04-31",
        "2024-02-00", "1969-12",    "9999-01",    "2024-02-1",  "2024/02/01", "",           "2024-02-01T00:00:00Z",
        "-024-02",    "2024-02-2x", "9999-12-31", "2024-02T01", "2024-0x"};

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_refused(apr_psprintf(unit->pool, "begin_date=2024-02&end_date=%s", bad[i]), MM_SUSHI_BAD_DATES);
        assert_refused(apr_psprintf(unit->pool, "begin_date=%s&end_date=2024-02", bad[i]), MM_SUSHI_BAD_DATES);
    }
    assert_refused("begin_date=2024-02-02&end_date=2024-02", MM_SUSHI_BAD_DATES);
    assert_refused("begin_date=2024-02&end_date=2024-03-01", MM_SUSHI_BAD_DATES);
    assert_refused("begin_date=2024-02&end_date=2024-01-31", MM_SUSHI_BAD_DATES);
    assert_refused(NULL, MM_SUSHI_FILTER_MISSING);
    assert_refused("begin_date=2024-02", MM_SUSHI_FILTER_MISSING);
    assert_refused("end_date=2024-02", MM_SUSHI_FILTER_MISSING);
}

static void test_months_that_are_not_over(void **state)
{
    (void)state;
    assert_int_equal(parse("begin_date=2026-01&end_date=2026-01-31"), 0);
    assert_int_equal(last()->code, MM_SUSHI_PARTIAL);
    assert_int_equal(parse("begin_date=2026-01&end_date=2026-01-30"), 0);
    assert_int_equal(sushi.exceptions->nelts, 0);
    assert_int_equal(parse("begin_date=2026-02&end_date=2026-02"), 0);
    assert_int_equal(last()->code, MM_SUSHI_NOT_READY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_months, setup, unit_teardown),
        cmocka_unit_test_setup_teardown(test_days_that_make_no_report, setup, unit_teardown),
        cmocka_unit_test_setup_teardown(test_months_that_are_not_over, setup, unit_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
