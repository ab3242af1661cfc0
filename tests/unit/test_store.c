/* Opening. */
#include "unit_store.h"

static void test_database_of_the_uri_or_metrics(void **state)
{
    unit_t *unit = *state;

    assert_string_equal(unit_store_at("mongodb://127.0.0.1/elsewhere", unit->pool)->database, "elsewhere");
    assert_string_equal(unit_store_at("mongodb://127.0.0.1", unit->pool)->database, "metrics");
    assert_string_equal(unit_store_at("mongodb://127.0.0.1/", unit->pool)->database, "metrics");
}

static void test_patience_is_shorter_than_the_socket(void **state)
{
    unit_t *unit = *state;

    assert_int_equal(unit_store_at("mongodb://127.0.0.1/", unit->pool)->patience_ms, 8000);
    assert_int_equal(unit_store_at("mongodb://127.0.0.1/?socketTimeoutMS=60000", unit->pool)->patience_ms, 48000);
    assert_int_equal(unit_store_at("mongodb://127.0.0.1/?socketTimeoutMS=2501", unit->pool)->patience_ms, 2000);
}

/* No time-out is not no patience, and with less than a write takes none would ever be done. */
static void test_patience_has_a_floor(void **state)
{
    unit_t *unit = *state;

    assert_int_equal(unit_store_at("mongodb://127.0.0.1/?socketTimeoutMS=0", unit->pool)->patience_ms, 8000);
    assert_int_equal(unit_store_at("mongodb://127.0.0.1/?socketTimeoutMS=-1", unit->pool)->patience_ms, 8000);
    assert_int_equal(unit_store_at("mongodb://127.0.0.1/?socketTimeoutMS=100", unit->pool)->patience_ms, 2000);
    assert_int_equal(unit_store_at("mongodb://127.0.0.1/?socketTimeoutMS=1", unit->pool)->patience_ms, 2000);
}

static int32_t socket_ms_of_patient(const char *uri, apr_pool_t *pool)
{
    mm_store_t *store = NULL;

    mm_store_init();
    assert_int_equal(mm_store_open_patient(&store, uri, MM_STORE_PREFIX_DEFAULT, pool, NULL), APR_SUCCESS);
    return mongoc_uri_get_option_as_int32(mongoc_client_get_uri(store->client), MONGOC_URI_SOCKETTIMEOUTMS, 0);
}

/* What one answer may take is not what any other may. */
static void test_patient_with_a_sum(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = NULL;

    assert_int_equal(socket_ms_of_patient("mongodb://127.0.0.1/", unit->pool), 60000);
    assert_int_equal(socket_ms_of_patient("mongodb://127.0.0.1/?socketTimeoutMS=2000000000", unit->pool), INT32_MAX);
    assert_int_equal(mm_store_open_patient(&store, "mongodb://127.0.0.1/", MM_STORE_PREFIX_DEFAULT, unit->pool, NULL),
                     APR_SUCCESS);
    assert_int_equal(store->patience_ms, 8000);
}

static void test_malformed_is_refused(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = NULL;
    mm_err_t err = {0};

    assert_int_equal(mm_store_open(&store, "127.0.0.1", "metrics_", unit->pool, &err), APR_EINVAL);
    assert_null(store);
    assert_non_null(strstr(err.text, "mongodb://"));
}

static void test_prefix(void **state)
{
    unit_t *unit = *state;
    const char *good[] = {"", "m.", "Repo-1_"};
    const char *bad[] = {"$",    "a b",     ".x",
                         "a..b", "system.", "0123456789012345678901234567890123456789012345678901234567890123456789"};
    mm_store_t *store;
    mm_err_t err;
    size_t i;

    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_int_equal(mm_store_open(&store, "mongodb://h", good[i], unit->pool, &err), APR_SUCCESS);
        assert_string_equal(mm_store_totals_name(store, "files", unit->pool),
                            apr_pstrcat(unit->pool, good[i], "files", NULL));
    }
    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(mm_store_open(&store, "mongodb://h", bad[i], unit->pool, &err), APR_EINVAL);
    }
}

static void test_names_of_collections(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store_at("mongodb://h", unit->pool);

    assert_string_equal(mm_store_totals_name(store, "datasets", unit->pool), "metrics_datasets");
    assert_string_equal(mm_store_users_name(store, unit->pool), "metrics_users");
    assert_string_equal(mm_store_meta_name(store, unit->pool), "metrics_meta");
    assert_null(mm_store_totals_name(store, "users", unit->pool));
    assert_null(mm_store_totals_name(store, "days", unit->pool));
    assert_null(mm_store_totals_name(store, "meta", unit->pool));
    assert_null(mm_store_totals_name(store, "a$", unit->pool));
    assert_null(mm_store_totals_name(store, NULL, unit->pool));
}

static void test_pool_closes_the_connection(void **state)
{
    unit_t *unit = *state;
    const char *uri = unit_mongo_uri(unit->pool);
    const char *types[] = {"files"};
    int i, lowest = dup(0);

    close(lowest);
    for (i = 0; i < 5; i++) {
        apr_pool_t *pool;

        apr_pool_create(&pool, unit->pool);
        assert_int_equal(mm_store_prepare(unit_store_at(uri, pool), types, 1, NULL), APR_SUCCESS);
        apr_pool_destroy(pool);
    }
    /* the lowest free descriptor is what it was: no socket was left open */
    assert_int_equal(dup(0), lowest);
    close(lowest);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, unit_setup, unit_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_database_of_the_uri_or_metrics), TEST(test_patience_is_shorter_than_the_socket),
        TEST(test_patience_has_a_floor),           TEST(test_patient_with_a_sum),
        TEST(test_malformed_is_refused),           TEST(test_prefix),
        TEST(test_names_of_collections),           TEST(test_pool_closes_the_connection),
    };

    return cmocka_run_group_tests(tests, unit_store_group, NULL);
}
