/* Days: the same sums whoever adds up, of what may be seen only; months, borders, orders, many resources. */
#include "unit_days.h"

static const char everything[] = "-1 d 1/0; +0 d 17/1; +0 f 0/7; +1 d 20/0; +5 f 2/0; ";

static void test_whoever_adds_up(void **state)
{
    fixture_t *fixture = filled(*state);

    assert_string_equal(all(fixture), everything);
    fixture->sees_all = true;
    assert_string_equal(all(fixture), everything);
    fixture->route.direction = MM_DIRECTION_DESC;
    assert_string_equal(all(fixture), "+5 f 2/0; +1 d 20/0; +0 d 17/1; +0 f 0/7; -1 d 1/0; ");
    fixture->sees_all = false;
    assert_string_equal(all(fixture), "+5 f 2/0; +1 d 20/0; +0 d 17/1; +0 f 0/7; -1 d 1/0; ");
}

static void test_months(void **state)
{
    static const char months[] = "2026-01 d 18/1; 2026-01 f 0/7; 2026-02 d 20/0; 2026-02 f 2/0; ";
    fixture_t *fixture = filled(*state);

    fixture->route.per = MM_PER_MONTH;
    assert_string_equal(all(fixture), months);
    fixture->sees_all = true;
    assert_string_equal(all(fixture), months);
}

static void test_period(void **state)
{
    fixture_t *fixture = filled(*state);

    fixture->route.has_since = fixture->route.has_until = 1;
    fixture->route.since_ms = LAST_OF_JANUARY;
    fixture->route.until_ms = LAST_OF_JANUARY + DAY;
    assert_string_equal(all(fixture), "+0 d 17/1; +0 f 0/7; ");
    fixture->sees_all = true;
    assert_string_equal(all(fixture), "+0 d 17/1; +0 f 0/7; ");
    fixture->route.since_ms = LAST_OF_JANUARY + 2 * DAY;
    fixture->route.has_until = 0;
    assert_string_equal(all(fixture), "+5 f 2/0; ");
}

static void test_rights(void **state)
{
    static const char *const no_d2[] = {"datasets:d2", NULL}, *const no_d1[] = {"datasets:d1", NULL};
    static const char *const two[] = {"d1", "d2"};
    fixture_t *fixture = filled(*state);

    fixture->denied = no_d2;
    assert_string_equal(all(fixture), "-1 d 1/0; +0 d 7/1; +0 f 0/7; +5 f 2/0; ");
    fixture->denied = no_d1;
    assert_string_equal(all(fixture), "+0 d 10/0; +0 f 0/7; +1 d 20/0; +5 f 2/0; ");
    /* Where it is known beforehand what may be seen, that is asked about all the same. */
    fixture->narrowed = two;
    fixture->n_narrowed = 2;
    fixture->route.type = "datasets";
    assert_string_equal(all(fixture), "+0 d 10/0; +1 d 20/0; ");
    fixture->n_narrowed = 0;
    assert_string_equal(all(fixture), "");
    fixture->narrow_fails = true;
    assert_string_equal(all(fixture), "the gate fell");
}

static void test_one_resource(void **state)
{
    static const char *const no_d2[] = {"datasets:d2", NULL};
    fixture_t *fixture = filled(*state);

    fixture->route.endpoint = MM_ENDPOINT_DAYS;
    fixture->route.type = "datasets";
    fixture->route.id = "d2";
    assert_string_equal(all(fixture), "+0 d 10/0; +1 d 20/0; ");
    fixture->denied = no_d2;
    fixture->sees_all = true; /* what is asked about has its own answer */
    assert_string_equal(all(fixture), "");
}

static void test_agents(void **state)
{
    fixture_t *fixture = filled(*state);

    fixture->route.agent = MM_AGENT_MACHINE;
    assert_string_equal(all(fixture), "+0 d 17/1; +1 d 20/0; ");
    fixture->sees_all = true;
    assert_string_equal(all(fixture), "+0 d 17/1; +1 d 20/0; ");
}

static void test_many(void **state)
{
    fixture_t *fixture = many(*state);

    assert_string_equal(all(fixture), "+0 d 400/0; +1 d 400/0; +2 d 400/0; ");
}

/* Else somebody who left would not be noticed before the whole period was read. */
static void test_a_call_reads_a_batch_and_not_a_day(void **state)
{
    fixture_t *fixture = many(*state);
    mm_days_t *days = NULL;
    mm_day_t *rows;
    size_t n;
    bool ended;
    mm_err_t err = {0};

    assert_int_equal(mm_days_open(&days, &fixture->report, &fixture->route.type, 1, fixture->pool, &err), APR_SUCCESS);
    assert_int_equal(fixture->questions, 0);
    assert_int_equal(mm_days_next(days, &rows, &n, &ended, fixture->pool, &err), APR_SUCCESS);
    assert_int_equal(n, 0);
    assert_false(ended);
    assert_int_equal(fixture->questions, 1);
    assert_int_equal(fixture->asked[0], MM_REPORT_BATCH);
    assert_int_equal(mm_days_next(days, &rows, &n, &ended, fixture->pool, &err), APR_SUCCESS);
    assert_int_equal(n, 1);
    assert_int_equal(fixture->questions, 2);
}

/* Counters that somebody wrote by hand: a sum stays a number, and no document takes anything away from others. */
static void test_odd_counters(void **state)
{
    static const char *const odd[] = {"{'$numberLong': '-7'}",
                                      "{'$numberDouble': 'NaN'}",
                                      "'many'",
                                      "[1, 2]",
                                      "null",
                                      "{'$numberDouble': '-Infinity'}",
                                      "{'a': 1}"};
    static const char expected[] = "+0 d 9007199254740992/3; +1 d 9007199254740992/0; +2 d 4/0; ";
    fixture_t *fixture = fixture_make(*state);

    for (int i = 0; i < 2; i++) {
        use_on(fixture, LAST_OF_JANUARY, "datasets", i ? "d1" : "d2", NULL, INT64_MAX, 1 + i);
    }
    use_on(fixture, LAST_OF_JANUARY + 2 * DAY, "datasets", "d1", NULL, 4, 0);
    fixture_store(fixture);
    unit_insert(fixture->report.store, "metrics_days",
                apr_psprintf(fixture->pool,
                             "{'type': 'datasets', 'resource': 'd', 'day': {'$date': %ld}, 'views': "
                             "{'$numberDouble': 'Infinity'}}",
                             (long)(LAST_OF_JANUARY + DAY)));
    for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
        unit_insert(fixture->report.store, "metrics_days",
                    apr_psprintf(fixture->pool,
                                 "{'type': 'datasets', 'resource': 'd%d', 'day': {'$date': %ld}, 'views': %s}", (int)i,
                                 (long)(LAST_OF_JANUARY + 2 * DAY), odd[i]));
    }
    fixture->route.endpoint = MM_ENDPOINT_DAYS;
    assert_string_equal(all(fixture), expected);
    fixture->sees_all = true;
    assert_string_equal(all(fixture), expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_whoever_adds_up, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(test_months, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(test_period, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(test_rights, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(test_one_resource, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(test_agents, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(test_many, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(test_a_call_reads_a_batch_and_not_a_day, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(test_odd_counters, unit_setup, unit_teardown),
    };

    return cmocka_run_group_tests(tests, unit_store_group, NULL);
}
