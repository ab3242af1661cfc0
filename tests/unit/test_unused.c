/* What nobody used: the catalogue without what has a use, however the two lie in the batches. */
#include "unit_report.h"

#include "report/unused.h"

static mm_unused_t *unused_of(fixture_t *fixture, const mm_uses_query_t *query)
{
    mm_unused_t *unused = NULL;
    mm_err_t err = {0};

    if (mm_unused_open(&unused, &fixture->report, query, fixture->pool, &err) != APR_SUCCESS) {
        fail_msg("%s", err.text);
    }
    return unused;
}

static void only_used_by_n(fixture_t *fixture, int n)
{
    mongoc_collection_t *collection = mm_store_collection(fixture->report.store, "metrics_datasets");
    bson_t *filter = BCON_NEW("views", "{", "$mod", "[", BCON_INT32(n), BCON_INT32(0), "]", "}");

    assert_true(mongoc_collection_delete_many(collection, filter, NULL, NULL, NULL));
    bson_destroy(filter);
    mongoc_collection_destroy(collection);
}

/* d0000 to d1199, viewed 1200 to 1 times; every third was not. */
static void test_each_once(void **state)
{
    static const mm_uses_query_t query = {.type = "datasets", .per_user = false};
    fixture_t *fixture = fixture_make(*state);
    mm_use_t rows[MM_REPORT_BATCH];
    mm_err_t err = {0};
    size_t n, all = 0;
    bool ended;

    fixture_named(fixture, 1200, "x");
    only_used_by_n(fixture, 3);
    mm_unused_t *unused = unused_of(fixture, &query);
    do {
        assert_int_equal(mm_unused_next(unused, rows, &n, &ended, fixture->pool, &err), APR_SUCCESS);
        for (size_t i = 0; i < n; i++, all++) {
            assert_string_equal(rows[i].id, apr_psprintf(fixture->pool, "d%04d", (int)all * 3));
            assert_int_equal(rows[i].views + rows[i].downloads, 0);
            assert_int_equal(rows[i].last_viewed_ms, MM_TIME_NONE);
        }
    } while (!ended);
    assert_int_equal(all, 400);
    assert_int_equal(mm_unused_next(unused, rows, &n, &ended, fixture->pool, &err), APR_SUCCESS);
    assert_true(ended && n == 0);
}

/* A batch in which everything was used is no end. */
static void test_batches_without_any(void **state)
{
    static const mm_uses_query_t query = {.type = "datasets", .backwards = true};
    fixture_t *fixture = fixture_make(*state);
    mm_use_t rows[MM_REPORT_BATCH];
    mm_err_t err = {0};
    size_t n;
    bool ended;

    fixture_named(fixture, MM_REPORT_BATCH, "x");
    unit_insert(fixture->report.store, "app_datasets", "{'_id': 'a'}");
    mm_unused_t *unused = unused_of(fixture, &query);
    assert_int_equal(mm_unused_next(unused, rows, &n, &ended, fixture->pool, &err), APR_SUCCESS);
    assert_true(n == 0 && !ended);
    assert_int_equal(mm_unused_next(unused, rows, &n, &ended, fixture->pool, &err), APR_SUCCESS);
    assert_true(n == 1 && ended);
    assert_string_equal(rows[0].id, "a");
}

static void test_either_database_away(void **state)
{
    static const mm_uses_query_t query = {.type = "datasets"};
    fixture_t *fixture = fixture_make(*state);
    mm_store_t *store = fixture->report.store;
    mm_use_t rows[MM_REPORT_BATCH];
    mm_err_t err = {0};
    size_t n;
    bool ended;

    unit_insert(store, "app_datasets", "{'_id': 'a'}");
    fixture->report.store = fixture_store_away(fixture->pool);
    assert_int_equal(mm_unused_next(unused_of(fixture, &query), rows, &n, &ended, fixture->pool, &err), MM_STORE_AWAY);
    assert_int_equal(n, 0);
    fixture->report.catalog_store = fixture->report.store;
    fixture->report.store = store;
    assert_int_equal(mm_unused_next(unused_of(fixture, &query), rows, &n, &ended, fixture->pool, &err), MM_STORE_AWAY);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, unit_setup, unit_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_each_once),
        TEST(test_batches_without_any),
        TEST(test_either_database_away),
    };

    return cmocka_run_group_tests(tests, unit_store_group, NULL);
}
