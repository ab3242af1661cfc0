/* Days: the same sums whoever adds up, of what may be seen only; months, borders, orders, many resources. */
#include "unit_report.h"

#include "report/day_stream.h"
#include "report/days.h"

#define DAY INT64_C(86400000)
/* 2026-01-31 */
#define LAST_OF_JANUARY INT64_C(1769817600000)

static void use_on(fixture_t *fixture, int64_t day_ms, const char *type, const char *id, const char *user,
                   int64_t views, int64_t downloads)
{
    fixture->deltas[fixture->n_deltas++] = (mm_delta_t){.kind = MM_DELTA_DAY,
                                                        .type = type,
                                                        .id = id,
                                                        .user = user,
                                                        .day_ms = day_ms,
                                                        .views = views,
                                                        .downloads = downloads,
                                                        .machine_views = views > 2 ? 1 : 0,
                                                        .unique_views = views > 1 ? 1 : 0,
                                                        .last_viewed_ms = MM_TIME_NONE,
                                                        .last_downloaded_ms = MM_TIME_NONE,
                                                        .first_seen_ms = MM_TIME_NONE};
}

static fixture_t *filled(unit_t *unit)
{
    fixture_t *fixture = fixture_make(unit);

    use_on(fixture, LAST_OF_JANUARY - DAY, "datasets", "d1", NULL, 1, 0);
    use_on(fixture, LAST_OF_JANUARY, "datasets", "d1", NULL, 4, 1);
    use_on(fixture, LAST_OF_JANUARY, "datasets", "d1", "ann", 3, 0);
    use_on(fixture, LAST_OF_JANUARY, "datasets", "d2", "ann", 10, 0);
    use_on(fixture, LAST_OF_JANUARY, "files", "d1", NULL, 0, 7);
    use_on(fixture, LAST_OF_JANUARY + DAY, "datasets", "d2", NULL, 20, 0);
    use_on(fixture, LAST_OF_JANUARY + 5 * DAY, "files", "f1", NULL, 2, 0);
    fixture_store(fixture);
    fixture->route.endpoint = MM_ENDPOINT_DAYS_ALL;
    fixture->route.type = NULL;
    return fixture;
}

/* "+DAY type views/downloads; …", days counted from the last of January, or months. Cursors that were not read for
 * idle_us are opened anew. */
static const char *all_with(fixture_t *fixture, int64_t idle_us)
{
    const char *text = "";
    mm_days_t *days = NULL;
    mm_day_t *rows;
    size_t n;
    bool ended;
    mm_err_t err = {0};

    fixture_forget(fixture);
    if (mm_days_open_idle(&days, &fixture->report, fixture->route.type ? &fixture->route.type : fixture->report.types,
                          fixture->route.type ? 1 : 3, idle_us, fixture->pool, &err) != APR_SUCCESS) {
        return err.text[0] ? apr_pstrdup(fixture->pool, err.text) : "?";
    }
    do {
        assert_int_equal(mm_days_next(days, &rows, &n, &ended, fixture->pool, &err), APR_SUCCESS);
        assert_in_range(n, 0, ended ? 0 : MM_REPORT_BATCH);
        for (size_t i = 0; i < n; i++) {
            const char *when =
                rows[i].month ? rows[i].month
                              : apr_psprintf(fixture->pool, "%+d", (int)((rows[i].use.day_ms - LAST_OF_JANUARY) / DAY));
            text = apr_psprintf(fixture->pool, "%s%s %.1s %ld/%ld; ", text, when, rows[i].type, (long)rows[i].use.views,
                                (long)rows[i].use.downloads);
        }
    } while (!ended);
    return text;
}

static const char *all(fixture_t *fixture)
{
    return all_with(fixture, MM_DAY_STREAM_IDLE_US);
}

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

/* More resources than a batch holds, on several days, a third of them hidden. */
static fixture_t *many(unit_t *unit)
{
    fixture_t *fixture = fixture_make(unit);
    mongoc_collection_t *collection;
    bson_error_t error;
    const int n = 1800;
    bson_t **docs = apr_palloc(fixture->pool, (size_t)n * sizeof(*docs));
    const char **denied = apr_pcalloc(fixture->pool, 201 * sizeof(*denied));

    for (int i = 0; i < n; i++) {
        docs[i] = BCON_NEW("type", "datasets", "resource", BCON_UTF8(apr_psprintf(fixture->pool, "d%d", i % 600)),
                           "day", BCON_DATE_TIME(LAST_OF_JANUARY + i / 600 * DAY), "views", BCON_INT64(1));
    }
    for (int i = 0; i < 200; i++) {
        denied[i] = apr_psprintf(fixture->pool, "datasets:d%d", 3 * i);
    }
    collection = mm_store_collection(fixture->report.store, mm_store_days_name(fixture->report.store, fixture->pool));
    assert_true(mongoc_collection_insert_many(collection, (const bson_t **)docs, (size_t)n, NULL, NULL, &error));
    for (int i = 0; i < n; i++) {
        bson_destroy(docs[i]);
    }
    mongoc_collection_destroy(collection);
    fixture->route.endpoint = MM_ENDPOINT_DAYS;
    fixture->route.type = "datasets";
    fixture->denied = denied;
    return fixture;
}

static void test_many(void **state)
{
    fixture_t *fixture = many(*state);

    assert_string_equal(all(fixture), "+0 d 400/0; +1 d 400/0; +2 d 400/0; ");
}

/* Before each batch: nothing is added twice, whoever adds up, whatever is hidden, from both ends. */
static void test_cursors_that_are_opened_anew(void **state)
{
    static const char *const no_d2[] = {"datasets:d2", NULL};
    fixture_t *fixture = filled(*state);

    for (int i = 0; i < 16; i++) {
        fixture->sees_all = i & 1;
        fixture->route.direction = i & 2 ? MM_DIRECTION_DESC : MM_DIRECTION_DEFAULT;
        fixture->route.per = i & 4 ? MM_PER_MONTH : MM_PER_DAY;
        fixture->denied = i & 8 ? no_d2 : NULL;
        const char *expected = all(fixture);
        assert_string_equal(all_with(fixture, 0), expected);
    }
}

/* 1800 documents of three days, a day in more than a batch. */
static void test_many_that_are_read_anew(void **state)
{
    fixture_t *fixture = many(*state);

    assert_string_equal(all_with(fixture, 0), "+0 d 400/0; +1 d 400/0; +2 d 400/0; ");
    fixture->route.direction = MM_DIRECTION_DESC;
    assert_string_equal(all_with(fixture, 0), "+2 d 400/0; +1 d 400/0; +0 d 400/0; ");
    fixture->route.per = MM_PER_MONTH;
    assert_string_equal(all_with(fixture, 0), "2026-02 d 800/0; 2026-01 d 400/0; ");
}

/* A day for each row, in more than a batch: read anew from the last one of each batch. */
static void test_sums_that_are_read_anew(void **state)
{
    fixture_t *fixture = fixture_make(*state);
    int rows = 0;

    for (int i = 0; i < 1200; i++) {
        use_on(fixture, LAST_OF_JANUARY + i * DAY, "datasets", "d1", NULL, 1, 0);
    }
    fixture_store(fixture);
    fixture->route.endpoint = MM_ENDPOINT_DAYS;
    fixture->sees_all = true;
    for (const char *at = all_with(fixture, 0); (at = strstr(at, " d 1/0; ")) != NULL; at++) {
        rows++;
    }
    assert_int_equal(rows, 1200);
    fixture->route.per = MM_PER_MONTH;
    assert_string_equal(all_with(fixture, 0), all(fixture));
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
        cmocka_unit_test_setup_teardown(test_cursors_that_are_opened_anew, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(test_many_that_are_read_anew, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(test_sums_that_are_read_anew, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(test_a_call_reads_a_batch_and_not_a_day, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(test_odd_counters, unit_setup, unit_teardown),
    };

    return cmocka_run_group_tests(tests, unit_store_group, NULL);
}
