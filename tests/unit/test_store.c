/* Opening, and the indexes. */
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
    assert_int_equal(unit_store_at("mongodb://127.0.0.1/?socketTimeoutMS=100", unit->pool)->patience_ms, 80);
    assert_int_equal(unit_store_at("mongodb://127.0.0.1/?socketTimeoutMS=1", unit->pool)->patience_ms, 1);
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
    assert_null(mm_store_totals_name(store, "users", unit->pool));
    assert_null(mm_store_totals_name(store, "days", unit->pool));
    assert_null(mm_store_totals_name(store, "meta", unit->pool));
    assert_null(mm_store_totals_name(store, "a$", unit->pool));
    assert_null(mm_store_totals_name(store, NULL, unit->pool));
}

/* "name:path+1,path-1; …" */
static const char *indexes_of(mm_store_t *store, const char *collection, apr_pool_t *pool)
{
    mongoc_collection_t *coll = mm_store_collection(store, collection);
    mongoc_cursor_t *cursor = mongoc_collection_find_indexes_with_opts(coll, NULL);
    const char *text = "";
    const bson_t *doc;

    while (mongoc_cursor_next(cursor, &doc)) {
        bson_iter_t name, key, field;

        assert_true(bson_iter_init_find(&name, doc, "name") && bson_iter_init_find(&key, doc, "key"));
        text = apr_psprintf(pool, "%s%s:", text, bson_iter_utf8(&name, NULL));
        bson_iter_recurse(&key, &field);
        while (bson_iter_next(&field)) {
            text = apr_psprintf(pool, "%s%s%+d,", text, bson_iter_key(&field), (int)bson_iter_as_int64(&field));
        }
        text = apr_pstrcat(pool, text, "; ", NULL);
    }
    mongoc_cursor_destroy(cursor);
    mongoc_collection_destroy(coll);
    return text;
}

static void test_prepare_makes_the_indexes_and_may_be_repeated(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    const char *types[] = {"datasets", "files"}, *users;
    mm_err_t err = {0};
    int i;

    for (i = 0; i < 2; i++) {
        assert_int_equal(mm_store_prepare(store, types, 2, &err), APR_SUCCESS);
        assert_string_equal(indexes_of(store, "metrics_datasets", unit->pool),
                            "_id_:_id+1,; totals:views-1,downloads-1,_id+1,; ");
        assert_string_equal(indexes_of(store, "metrics_files", unit->pool),
                            "_id_:_id+1,; totals:views-1,downloads-1,_id+1,; ");
        users = indexes_of(store, "metrics_users", unit->pool);
        assert_non_null(strstr(users, "by_use:type+1,views-1,downloads-1,resource+1,user+1,; "));
        assert_non_null(strstr(users, "by_resource:resource+1,type+1,; "));
        assert_non_null(strstr(users, "by_user:user+1,type+1,; "));
    }
    assert_int_equal(unit_count(store, "metrics_users"), 0);
}

static void test_prepare_says_what_is_wrong(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    const char *reserved[] = {"users"}, *types[] = {"files"};
    bson_error_t error = {0};
    mm_err_t err = {0};
    bson_t *command = BCON_NEW("createIndexes", "metrics_files", "indexes", "[", "{", "key", "{", "other",
                               BCON_INT32(1), "}", "name", "totals", "}", "]");

    assert_int_equal(mm_store_prepare(store, reserved, 1, &err), APR_EINVAL);
    assert_non_null(strstr(err.text, "users"));
    /* somebody has an index of that name for something else */
    assert_true(unit_command(store, command, &error));
    bson_destroy(command);
    assert_int_equal(mm_store_prepare(store, types, 1, &err), APR_EGENERAL);
    assert_non_null(strstr(err.text, "metrics_files"));
}

static void test_prepare_away(void **state)
{
    unit_t *unit = *state;
    int port, fd = unit_deaf_port(0, &port);
    mm_store_t *store = unit_store_at(apr_psprintf(unit->pool, "mongodb://127.0.0.1:%d/x", port), unit->pool);
    const char *types[] = {"files"};
    mm_err_t err = {0};

    assert_int_equal(mm_store_prepare(store, types, 1, &err), MM_STORE_AWAY);
    close(fd);
}

/* The plan, for those who wonder: the order of a report comes out of the index, without a sort. */
static void test_report_needs_no_sort(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    mongoc_database_t *database = mongoc_client_get_database(store->client, store->database);
    const char *types[] = {"files"};
    bson_error_t error = {0};
    bson_t reply, *command = BCON_NEW("explain", "{", "find", "metrics_files", "filter", "{", "}", "sort", "{", "views",
                                      BCON_INT32(-1), "downloads", BCON_INT32(-1), "_id", BCON_INT32(1), "}", "}");
    char *json;

    assert_int_equal(mm_store_prepare(store, types, 1, NULL), APR_SUCCESS);
    unit_insert(store, "metrics_files", "{'_id': 'a', 'views': 1, 'downloads': 0}");
    assert_true(mongoc_database_read_command_with_opts(database, command, NULL, NULL, &reply, &error));
    json = bson_as_canonical_extended_json(&reply, NULL);
    assert_non_null(strstr(json, "IXSCAN"));
    assert_null(strstr(json, "\"SORT\""));
    bson_free(json);
    bson_destroy(&reply);
    bson_destroy(command);
    mongoc_database_destroy(database);
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
        TEST(test_malformed_is_refused),           TEST(test_prefix),
        TEST(test_names_of_collections),           TEST(test_prepare_makes_the_indexes_and_may_be_repeated),
        TEST(test_prepare_says_what_is_wrong),     TEST(test_prepare_away),
        TEST(test_report_needs_no_sort),           TEST(test_pool_closes_the_connection),
    };

    return cmocka_run_group_tests(tests, unit_store_group, NULL);
}
