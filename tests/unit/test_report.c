/* Reports: their exact bytes, across types and batches, and how they end when something fails. */
#include "unit_report.h"

#define TOTALS  "resource_id,resource_name,views,downloads,last_viewed,last_downloaded"
#define PARENTS ",parent_type,parent_id,parent_name\r\n"
#define ROWS    1700

static apr_status_t begin_and_write(fixture_t *fixture, mm_err_t *err)
{
    mm_report_run_t *run = NULL;
    apr_pool_t *pool;

    memset(err, 0, sizeof(*err));
    fixture_forget(fixture);
    fixture_write_csv(fixture);
    assert_int_equal(apr_pool_create(&pool, fixture->pool), APR_SUCCESS);
    apr_status_t rv = mm_report_begin(&run, &fixture->report, pool, err);
    assert_int_equal(fixture->sink_calls, 0);
    if (rv == APR_SUCCESS) {
        rv = mm_report_write(run, err);
    }
    apr_pool_destroy(pool);
    assert_true((rv == APR_SUCCESS) == (err->text[0] == '\0'));
    return rv;
}

static const char *report_of(fixture_t *fixture)
{
    mm_err_t err;

    if (begin_and_write(fixture, &err) != APR_SUCCESS) {
        fail_msg("%s", err.text);
    }
    return apr_pstrmemdup(fixture->pool, fixture->out, fixture->out_len);
}

static void test_header_without_rows(void **state)
{
    fixture_t *fixture = fixture_make(*state);

    assert_string_equal(report_of(fixture), TOTALS PARENTS);
    assert_int_equal(fixture->questions, 0);
    fixture->route.parents = MM_PARENTS_ROWS;
    assert_string_equal(report_of(fixture), TOTALS PARENTS);
    fixture->route.parents = MM_PARENTS_NONE;
    fixture->route.bom = 1;
    assert_string_equal(report_of(fixture), "\xEF\xBB\xBF" TOTALS "\r\n");
    fixture->route = (mm_route_t){.endpoint = MM_ENDPOINT_TOTALS_ALL, .limit = -1};
    assert_string_equal(report_of(fixture), "resource_type," TOTALS PARENTS);
    fixture->report.n_types = 0;
    assert_string_equal(report_of(fixture), "resource_type," TOTALS PARENTS);
}

/* Two parents of one type and one of another; none; gone from the catalogue; not UTF-8; a formula for a name. */
static fixture_t *some_datasets(unit_t *unit)
{
    fixture_t *fixture = fixture_make(unit);
    mm_store_t *store = fixture->report.store;

    fixture_use(fixture, "datasets", "gone", 5, 5, MM_TIME_NONE, 1000);
    fixture_use(fixture, "datasets", "10.5072/FK2", 9, 1, INT64_C(1769860800123), INT64_C(951782400000));
    fixture_use(fixture, "datasets", "plain", 0, 8, MM_TIME_NONE, 86400000);
    fixture_use(fixture, "datasets", "b\xFF", 5, 6, 0, MM_TIME_NONE);
    fixture_use(fixture, "datasets", "formula", 5, 5, INT64_C(253402300799000), 1000);
    fixture_use(fixture, "collections", "c1", 2, 0, 1000, MM_TIME_NONE);
    fixture_store(fixture);
    unit_insert(store, "app_datasets",
                "{'_id':'10.5072/FK2','name':'Rain, hourly','collections':['c2','c1'],'spaces':['s1']}");
    unit_insert(store, "app_datasets", "{'_id':'plain','name':'Plain','collections':[],'spaces':['s2']}");
    unit_insert(store, "app_datasets", "{'_id':'formula','name':'=1+1'}");
    unit_insert(store, "app_collections", "{'_id':'c1','title':'One \\\"1\\\"'}");
    unit_insert(store, "app_collections", "{'_id':'c2','title':'Two'}");
    return fixture;
}

static void test_every_byte(void **state)
{
    fixture_t *fixture = some_datasets(*state);

    assert_string_equal(report_of(fixture),
                        TOTALS PARENTS "10.5072/FK2,\"Rain, hourly\",9,1,2026-01-31 12:00:00,2000-02-29 00:00:00,"
                                       "collections; collections; spaces,c1; c2; s1,\"One \"\"1\"\"; Two; \"\r\n"
                                       "b%FF,,5,6,1970-01-01 00:00:00,,,,\r\n"
                                       "formula,'=1+1,5,5,9999-12-31 23:59:59,1970-01-01 00:00:01,,,\r\n"
                                       "gone,,5,5,,1970-01-01 00:00:01,,,\r\n"
                                       "plain,Plain,0,8,,1970-01-02 00:00:00,spaces,s2,\r\n");
}

static void test_parents_in_rows(void **state)
{
    fixture_t *fixture = some_datasets(*state);

    fixture->route.parents = MM_PARENTS_ROWS;
    fixture->route.raw = 1;
    fixture->route.limit = 3; /* resources, not lines */
    assert_string_equal(report_of(fixture),
                        TOTALS PARENTS "10.5072/FK2,\"Rain, hourly\",9,1,2026-01-31 12:00:00,2000-02-29 00:00:00,"
                                       "collections,c1,\"One \"\"1\"\"\"\r\n"
                                       "10.5072/FK2,\"Rain, hourly\",9,1,2026-01-31 12:00:00,2000-02-29 00:00:00,"
                                       "collections,c2,Two\r\n"
                                       "10.5072/FK2,\"Rain, hourly\",9,1,2026-01-31 12:00:00,2000-02-29 00:00:00,"
                                       "spaces,s1,\r\n"
                                       "b%FF,,5,6,1970-01-01 00:00:00,,,,\r\n"
                                       "formula,=1+1,5,5,9999-12-31 23:59:59,1970-01-01 00:00:01,,,\r\n");
}

static void test_parents_left_out(void **state)
{
    static const char *const denied[] = {"collections:c1", "spaces:", NULL};
    fixture_t *fixture = some_datasets(*state);

    fixture->denied = denied;
    fixture->route.limit = 1;
    assert_string_equal(report_of(fixture),
                        TOTALS PARENTS "10.5072/FK2,\"Rain, hourly\",9,1,2026-01-31 12:00:00,2000-02-29 00:00:00,"
                                       "collections,c2,Two\r\n");
    fixture->route.parents = MM_PARENTS_ROWS;
    assert_string_equal(report_of(fixture),
                        TOTALS PARENTS "10.5072/FK2,\"Rain, hourly\",9,1,2026-01-31 12:00:00,2000-02-29 00:00:00,"
                                       "collections,c2,Two\r\n");
    fixture->route.parents = MM_PARENTS_NONE;
    assert_string_equal(report_of(fixture),
                        TOTALS "\r\n10.5072/FK2,\"Rain, hourly\",9,1,2026-01-31 12:00:00,2000-02-29 00:00:00\r\n");
}

static void test_two_parents_in_rows(void **state)
{
    static const char *const denied[] = {"spaces:", NULL};
    fixture_t *fixture = some_datasets(*state);

    fixture->denied = denied;
    fixture->route.limit = 1;
    fixture->route.parents = MM_PARENTS_ROWS;
    assert_string_equal(report_of(fixture),
                        TOTALS PARENTS "10.5072/FK2,\"Rain, hourly\",9,1,2026-01-31 12:00:00,2000-02-29 00:00:00,"
                                       "collections,c1,\"One \"\"1\"\"\"\r\n"
                                       "10.5072/FK2,\"Rain, hourly\",9,1,2026-01-31 12:00:00,2000-02-29 00:00:00,"
                                       "collections,c2,Two\r\n");
}

static void test_all_types_in_their_order(void **state)
{
    static const char *const denied[] = {"datasets:10.5072/FK2", "datasets:b\xFF", "datasets:plain", NULL};
    fixture_t *fixture = some_datasets(*state);
    static const char *const other_order[] = {"files", "collections", "datasets"};

    fixture->route = (mm_route_t){.endpoint = MM_ENDPOINT_TOTALS_ALL, .limit = -1, .parents = MM_PARENTS_NONE};
    fixture->denied = denied;
    assert_string_equal(report_of(fixture), "resource_type," TOTALS "\r\n"
                                            "datasets,formula,'=1+1,5,5,9999-12-31 23:59:59,1970-01-01 00:00:01\r\n"
                                            "datasets,gone,,5,5,,1970-01-01 00:00:01\r\n"
                                            "collections,c1,\"One \"\"1\"\"\",2,0,1970-01-01 00:00:01,\r\n");
    fixture->report.types = other_order;
    fixture->route.limit = 2; /* goes on across types */
    assert_string_equal(report_of(fixture), "resource_type," TOTALS "\r\n"
                                            "collections,c1,\"One \"\"1\"\"\",2,0,1970-01-01 00:00:01,\r\n"
                                            "datasets,formula,'=1+1,5,5,9999-12-31 23:59:59,1970-01-01 00:00:01\r\n");
    fixture->route.offset = 2;
    assert_string_equal(report_of(fixture), "resource_type," TOTALS "\r\n"
                                            "datasets,gone,,5,5,,1970-01-01 00:00:01\r\n");
}

/* ROWS datasets in an order that all three keys decide: views falls every 100 rows, downloads every 10. Reports do not
 * change them, so they are made once for all tests. */
static fixture_t *many_datasets(unit_t *unit)
{
    static char uri[512];
    bool made = uri[0];

    if (!made) {
        apr_cpystrn(uri, unit_mongo_uri(unit->pool), sizeof(uri));
    }
    fixture_t *fixture = fixture_make_at(unit, uri);
    for (int i = 0; i < ROWS && !made; i++) {
        int at = (i * 1237) % ROWS; /* stored in another order than the report's; 1237 is prime */
        fixture_use(fixture, "datasets", apr_psprintf(unit->pool, "d%04d", at), 1 + (ROWS - 1 - at) / 100,
                    (99 - at % 100) / 10, 1000, MM_TIME_NONE);
    }
    if (!made) {
        fixture_store(fixture);
    }
    fixture->route.parents = MM_PARENTS_NONE;
    return fixture;
}

static const char *row(fixture_t *fixture, int at)
{
    return apr_psprintf(fixture->pool, "d%04d,,%d,%d,1970-01-01 00:00:01,\r\n", at, 1 + (ROWS - 1 - at) / 100,
                        (99 - at % 100) / 10);
}

/* The report is the header and the rows from `from` on, n of them, of those that are shown. */
static void assert_rows(fixture_t *fixture, const char *report, int from, int n, bool (*shown)(int at))
{
    assert_memory_equal(report, TOTALS "\r\n", strlen(TOTALS "\r\n"));
    report += strlen(TOTALS "\r\n");
    for (int at = from; n > 0; at++) {
        if (!shown || shown(at)) {
            const char *line = row(fixture, at);
            if (strncmp(report, line, strlen(line)) != 0) {
                fail_msg("expected %s, got %.60s", line, report);
            }
            report += strlen(line);
            n--;
        }
    }
    assert_string_equal(report, "");
}

static void test_many_rows_in_order_and_twice(void **state)
{
    fixture_t *fixture = many_datasets(*state);
    const char *first = report_of(fixture);

    assert_rows(fixture, first, 0, ROWS, NULL);
    assert_int_equal(fixture->questions, 4);
    assert_int_equal(fixture->asked[0], MM_REPORT_BATCH);
    assert_int_equal(fixture->asked[3], ROWS - 3 * MM_REPORT_BATCH);
    assert_string_equal(report_of(fixture), first);
}

static bool is_odd(int at)
{
    return at % 2 == 1;
}

static void test_windows_across_batches(void **state)
{
    static const char *even[ROWS / 2 + 1];
    fixture_t *fixture = many_datasets(*state);

    fixture->route.offset = 499;
    fixture->route.limit = 502;
    assert_rows(fixture, report_of(fixture), 499, 502, NULL);
    assert_int_equal(fixture->questions, 3);
    fixture->route.offset = ROWS - 1;
    assert_rows(fixture, report_of(fixture), ROWS - 1, 1, NULL);
    fixture->route.offset = ROWS;
    assert_rows(fixture, report_of(fixture), 0, 0, NULL);

    for (int i = 0; i < ROWS / 2; i++) {
        even[i] = apr_psprintf(fixture->pool, "datasets:d%04d", 2 * i);
    }
    fixture->denied = even;
    fixture->route.offset = 0;
    fixture->route.limit = -1;
    assert_rows(fixture, report_of(fixture), 0, ROWS / 2, is_odd);
    fixture->route.offset = 200;
    fixture->route.limit = 300; /* the visible ones from 400 to 999 */
    assert_rows(fixture, report_of(fixture), 400, 300, is_odd);
    assert_int_equal(fixture->questions, 2);
}

static void test_limit_stops_the_cursor(void **state)
{
    fixture_t *fixture = many_datasets(*state);

    fixture->route.limit = MM_REPORT_BATCH;
    assert_rows(fixture, report_of(fixture), 0, MM_REPORT_BATCH, NULL);
    assert_int_equal(fixture->questions, 1);
    fixture->route.limit = 0;
    assert_rows(fixture, report_of(fixture), 0, 0, NULL);
    assert_int_equal(fixture->questions, 1);
}

static void test_gate_fails(void **state)
{
    fixture_t *fixture = many_datasets(*state);
    mm_err_t err;

    fixture->fail_at = 1;
    assert_int_equal(begin_and_write(fixture, &err), APR_EGENERAL);
    assert_string_equal(err.text, "the gate fell");
    assert_int_equal(fixture->out_len, 0);
    fixture->fail_at = 3;
    assert_int_equal(begin_and_write(fixture, &err), APR_EGENERAL);
    assert_string_equal(err.text, "the gate fell");
    /* nothing of the third batch, nor of the second, which was fetched with it */
    assert_rows(fixture, fixture->out, 0, MM_REPORT_BATCH, NULL);
}

/* Counts connections; the baton is the fixture. */
static int opened;

static apr_status_t open_second(void *baton, mm_store_t **store, apr_pool_t *pool, mm_err_t *err)
{
    const fixture_t *fixture = baton;

    opened++;
    return mm_store_open(store, fixture->uri, MM_STORE_PREFIX_DEFAULT, pool, err);
}

/* Datasets with owners, uses by users, parents, and people's names: all that is looked up. */
static fixture_t *with_all(unit_t *unit, int n)
{
    fixture_t *fixture = fixture_make(unit);
    apr_array_header_t *catalogs = apr_array_make(unit->pool, 2, sizeof(mm_catalog_t *));
    apr_array_header_t *people = apr_array_make(unit->pool, 1, sizeof(mm_catalog_t *));

    fixture_catalog(fixture, catalogs, "datasets",
                    "app_datasets name=name owner=owner parents=collections:app_collections:datasets");
    fixture_catalog(fixture, catalogs, "collections", "app_collections name=title parents=collections:up");
    fixture_catalog(fixture, people, MM_CATALOG_PEOPLE, "people name=name");
    fixture->report.catalogs = catalogs;
    fixture->report.people = people;
    for (int i = 0; i < n; i++) {
        const char *id = apr_psprintf(unit->pool, "%024x", (unsigned)i);

        fixture_use(fixture, "datasets", id, 1 + (n - i), 0, 1000, MM_TIME_NONE);
        fixture->deltas[i].kind = MM_DELTA_USER;
        fixture->deltas[i].user = apr_psprintf(unit->pool, "u%d", i % 7);
        bson_t *doc = BCON_NEW("name", BCON_UTF8(apr_psprintf(unit->pool, "name %d", i)), "owner",
                               BCON_UTF8(apr_psprintf(unit->pool, "u%d", i % 5)));
        bson_oid_t oid;
        bson_oid_init_from_string(&oid, id);
        BSON_APPEND_OID(doc, "_id", &oid);
        unit_insert_doc(fixture->report.store, "app_datasets", doc);
        bson_destroy(doc);
        if (i % 3 == 0) {
            const char *up = i % 9 == 0 ? apr_psprintf(unit->pool, "c%d", i - 3) : "none";

            unit_insert(
                fixture->report.store, "app_collections",
                apr_psprintf(unit->pool, "{'_id':'c%d','title':'C%d','datasets':['%s'],'up':'%s'}", i, i, id, up));
        }
    }
    for (int i = 0; i < 6; i++) {
        unit_insert(fixture->report.store, "people", apr_psprintf(unit->pool, "{'_id':'u%d','name':'P%d'}", i, i));
    }
    fixture_store(fixture);
    fixture->route.endpoint = MM_ENDPOINT_USERS;
    fixture->route.extras[0] = MM_EXTRA_OWNER;
    fixture->route.extras[1] = MM_EXTRA_OWNER_NAME;
    fixture->route.n_extras = 2;
    fixture->route.ancestors[0] = (mm_ancestor_column_t){.name = "parent_collections", .type = "collections"};
    fixture->route.n_ancestors = 1;
    return fixture;
}

static void test_two_connections_give_the_same_bytes(void **state)
{
    static const char *const denied[] = {"collections:c600", "collections:c1200", "users:u3", NULL};
    const int64_t limits[] = {-1, 1500, 1499, 1001, 1000, 501, 500, 1};
    fixture_t *fixture = with_all(*state, 1700);

    fixture->denied = denied;
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        opened = 0;
        fixture->route.limit = limits[i];
        fixture->route.offset = i % 2 ? 70 : 0;
        fixture->report.open_second = NULL;
        const char *alone = report_of(fixture);
        fixture->report.open_second = open_second;
        fixture->report.second_baton = fixture;
        assert_string_equal(report_of(fixture), alone);
        assert_int_equal(opened, limits[i] < 0 || limits[i] >= 1000); /* once, and not for two batches */
    }
    /* nor where nothing can be looked up */
    opened = 0;
    fixture->report.catalogs = apr_array_make(fixture->pool, 1, sizeof(mm_catalog_t *));
    fixture->report.people = NULL;
    fixture->route.limit = -1;
    assert_true(strlen(report_of(fixture)) > 0);
    assert_int_equal(opened, 0);
}

/* The first type has no rows: the second one's first batch is what begin must have made ready. */
static void test_begin_looks_for_the_first_rows(void **state)
{
    static const char *const order[] = {"files", "collections", "datasets"};
    fixture_t *fixture = some_datasets(*state);
    mm_report_run_t *run = NULL;
    mm_err_t err;

    fixture->route.endpoint = MM_ENDPOINT_TOTALS_ALL;
    fixture->route.type = NULL;
    fixture->report.types = order;
    fixture->fail_at = 1;
    assert_int_equal(mm_report_begin(&run, &fixture->report, fixture->pool, &err), APR_EGENERAL);
    assert_null(run);
    assert_string_equal(fixture->asked_type[0], "collections");
}

static void test_sink_fails(void **state)
{
    fixture_t *fixture = many_datasets(*state);
    mm_err_t err;

    fixture->sink_fails_at = 2;
    assert_int_equal(begin_and_write(fixture, &err), APR_ECONNABORTED);
    assert_int_equal(fixture->sink_calls, 2);
    assert_int_equal(fixture->questions, 1); /* and no further batch is fetched */
    assert_int_equal(err.status, APR_ECONNABORTED);
    fixture->sink_fails_at = 1;
    fixture->route.limit = 0;
    assert_int_equal(begin_and_write(fixture, &err), APR_ECONNABORTED);
}

static void test_database_away(void **state)
{
    fixture_t *fixture = some_datasets(*state);
    mm_store_t *away = fixture_store_away(fixture->pool);
    mm_store_t *here = fixture->report.store;
    mm_err_t err;

    fixture->report.store = away;
    assert_int_equal(begin_and_write(fixture, &err), MM_STORE_AWAY);
    assert_int_equal(fixture->sink_calls, 0);
    fixture->route.limit = 0;
    assert_int_equal(begin_and_write(fixture, &err), MM_STORE_AWAY);
    fixture->route.limit = -1;
    fixture->report.store = here;
    fixture->report.catalog_store = away;
    assert_int_equal(begin_and_write(fixture, &err), MM_STORE_AWAY);
    assert_int_equal(fixture->sink_calls, 0);
}

/* AddressSanitizer keeps freed memory for a while, so there is nothing to measure under it. */
#ifndef UNIT_SANITIZED
#define LONG_ROWS 4000

static long resident_at[QUESTIONS_MAX];

static long resident_bytes(void)
{
    long size = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");

    assert_non_null(file);
    assert_int_equal(fscanf(file, "%ld %ld", &size, &resident), 2);
    fclose(file);
    return resident * sysconf(_SC_PAGESIZE);
}

static apr_status_t measuring_gate(void *baton, const char *type, const char *const *ids, size_t n,
                                   unsigned char *verdicts, mm_err_t *err)
{
    fixture_t *fixture = baton;

    resident_at[fixture->questions] = resident_bytes();
    return fixture_gate(baton, type, ids, n, verdicts, err);
}

/* Names of 4 KiB: a batch holds 2 MB of them, and the report needs the same memory at its last batch as when it had two
 * of them for the first time. */
static void test_memory_is_that_of_two_batches(void **state)
{
    unit_t *unit = *state;
    fixture_t *fixture = fixture_make(unit);
    char name[MM_CATALOG_NAME_MAX + 1];
    mm_report_run_t *run;
    mm_err_t err;

    memset(name, 'n', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    fixture_named(fixture, LONG_ROWS, name);
    fixture->report.gate.see_resources = measuring_gate;
    fixture->sink = fixture_count;
    fixture->route.parents = MM_PARENTS_NONE;
    fixture_write_csv(fixture);
    assert_int_equal(mm_report_begin(&run, &fixture->report, unit->pool, &err), APR_SUCCESS);
    assert_int_equal(mm_report_write(run, &err), APR_SUCCESS);
    assert_true(fixture->out_len > LONG_ROWS * (size_t)MM_CATALOG_NAME_MAX);
    assert_int_equal(fixture->questions, LONG_ROWS / MM_REPORT_BATCH);
    assert_true(resident_at[LONG_ROWS / MM_REPORT_BATCH - 1] - resident_at[3] < 2 * 1024 * 1024);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_header_without_rows, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(test_every_byte, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(test_parents_in_rows, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(test_parents_left_out, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(test_two_parents_in_rows, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(test_all_types_in_their_order, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(test_many_rows_in_order_and_twice, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(test_windows_across_batches, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(test_limit_stops_the_cursor, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(test_gate_fails, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(test_two_connections_give_the_same_bytes, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(test_begin_looks_for_the_first_rows, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(test_sink_fails, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(test_database_away, unit_setup, unit_teardown),
#ifndef UNIT_SANITIZED
        cmocka_unit_test_setup_teardown(test_memory_is_that_of_two_batches, unit_setup, unit_teardown),
#endif
    };

    return cmocka_run_group_tests(tests, unit_store_group, NULL);
}
