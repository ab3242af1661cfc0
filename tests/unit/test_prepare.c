/* The collections before the first count: what they must be, and their indexes. */
#include "unit_store.h"

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

static void check_totals_indexes(mm_store_t *store, const char *collection, apr_pool_t *pool)
{
    const char *indexes = indexes_of(store, collection, pool);

    assert_non_null(strstr(indexes, "totals:views-1,downloads-1,_id+1,; "));
    assert_non_null(strstr(indexes, "by_downloads:downloads-1,_id+1,; "));
    assert_non_null(strstr(indexes, "by_last_viewed:last_viewed-1,_id+1,; "));
    assert_non_null(strstr(indexes, "by_last_downloaded:last_downloaded-1,_id+1,; "));
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
        check_totals_indexes(store, "metrics_datasets", unit->pool);
        check_totals_indexes(store, "metrics_files", unit->pool);
        users = indexes_of(store, "metrics_users", unit->pool);
        assert_non_null(strstr(users, "by_use:type+1,views-1,downloads-1,resource+1,user+1,; "));
        assert_non_null(strstr(users, "users_of:type+1,resource+1,user+1,; "));
        assert_non_null(strstr(users, "uses_by:user+1,type+1,resource+1,; "));
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

static void run(mm_store_t *store, bson_t *command)
{
    bson_error_t error = {0};

    if (!unit_command(store, command, &error)) {
        fail_msg("%s", error.message);
    }
    bson_destroy(command);
}

/* An index that cannot be made does not keep the others from being made. */
static void test_prepare_makes_what_it_can(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    const char *types[] = {"datasets", "files"}, *users;
    mm_err_t err = {0};

    run(store, BCON_NEW("createIndexes", "metrics_datasets", "indexes", "[", "{", "key", "{", "other", BCON_INT32(1),
                        "}", "name", "totals", "}", "]"));
    run(store, BCON_NEW("createIndexes", "metrics_users", "indexes", "[", "{", "key", "{", "other", BCON_INT32(1), "}",
                        "name", "by_use", "}", "]"));
    assert_int_equal(mm_store_prepare(store, types, 2, &err), APR_EGENERAL);
    assert_non_null(strstr(err.text, "totals of metrics_datasets"));
    assert_non_null(strstr(indexes_of(store, "metrics_files", unit->pool), "totals:views-1,downloads-1,_id+1,"));
    users = indexes_of(store, "metrics_users", unit->pool);
    assert_non_null(strstr(users, "users_of:type+1,resource+1,user+1,; "));
    assert_non_null(strstr(users, "uses_by:user+1,type+1,resource+1,; "));
}

/* In a collection that compares without case, "A" and "a" would be one document. */
static void test_collation_is_refused(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    const char *types[] = {"datasets", "files"};
    mm_err_t err = {0};

    run(store, BCON_NEW("create", "metrics_files", "collation", "{", "locale", "en", "strength", BCON_INT32(2), "}"));
    assert_int_equal(mm_store_prepare(store, types, 2, &err), MM_STORE_UNFIT);
    assert_non_null(strstr(err.text, "metrics_files"));
    assert_non_null(strstr(err.text, "collation \"en\""));
    /* a type that nobody asks for may be as it likes */
    assert_int_equal(mm_store_prepare(store, types, 1, &err), APR_SUCCESS);
}

static void test_collation_of_the_users_is_refused(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    mm_err_t err = {0};

    run(store, BCON_NEW("create", "metrics_users", "collation", "{", "locale", "de", "}"));
    assert_int_equal(mm_store_prepare(store, NULL, 0, &err), MM_STORE_UNFIT);
    assert_non_null(strstr(err.text, "metrics_users"));
}

static void test_simple_collation_is_none(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    const char *types[] = {"files"};
    mm_err_t err = {0};

    run(store, BCON_NEW("create", "metrics_files", "collation", "{", "locale", "simple", "}"));
    assert_int_equal(mm_store_prepare(store, types, 1, &err), APR_SUCCESS);
}

static void test_view_is_refused(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    const char *types[] = {"files"};
    mm_err_t err = {0};

    unit_insert(store, "things", "{'_id': 1}");
    run(store, BCON_NEW("create", "metrics_files", "viewOn", "things", "pipeline", "[", "]"));
    assert_int_equal(mm_store_prepare(store, types, 1, &err), MM_STORE_UNFIT);
    assert_non_null(strstr(err.text, "metrics_files is a view"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, unit_setup, unit_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_prepare_makes_the_indexes_and_may_be_repeated),
        TEST(test_prepare_says_what_is_wrong),
        TEST(test_prepare_makes_what_it_can),
        TEST(test_prepare_away),
        TEST(test_report_needs_no_sort),
        TEST(test_collation_is_refused),
        TEST(test_collation_of_the_users_is_refused),
        TEST(test_simple_collation_is_none),
        TEST(test_view_is_refused),
    };

    return cmocka_run_group_tests(tests, unit_store_group, NULL);
}
