/* The connection: opened once, replaced when it keeps failing. */
#include "drain_unit.h"
#include "drain/connection.h"

/* Nobody listens on the discard port of this machine. */
#define NOWHERE "mongodb://127.0.0.1:9/unit?serverSelectionTimeoutMS=200&connectTimeoutMS=200"

static const char *const types[] = {"datasets", "files"};

static mm_connection_t connection_to(const char *uri, const unit_t *unit)
{
    mm_store_init();
    return (mm_connection_t){
        .uri = uri, .prefix = MM_STORE_PREFIX_DEFAULT, .types = types, .n_types = 2, .pool = unit->pool};
}

static void opens_and_prepares_once(void **state)
{
    unit_t *unit = *state;
    mm_connection_t connection = connection_to(unit_mongo_uri(unit->pool), unit);
    mm_store_t *store;
    mm_err_t err;

    assert_int_equal(mm_connection_open(&connection, &err), APR_SUCCESS);
    assert_false(connection.prepared);
    assert_int_equal(mm_connection_used(&connection, mm_connection_ready(&connection, &err)), APR_SUCCESS);
    assert_true(connection.prepared);
    store = connection.store;
    assert_int_equal(mm_connection_ready(&connection, &err), APR_SUCCESS);
    assert_int_equal(mm_connection_open(&connection, &err), APR_SUCCESS);
    assert_ptr_equal(connection.store, store);
}

static void refuses_what_will_never_do(void **state)
{
    unit_t *unit = *state;
    mm_connection_t connection = connection_to("mongodb:/nonsense", unit);
    mm_err_t err = {.text = ""};

    assert_int_equal(mm_connection_open(&connection, &err), APR_EINVAL);
    assert_string_not_equal(err.text, "");
    assert_null(connection.store);
    assert_int_equal(mm_connection_ready(&connection, &err), APR_EGENERAL);
    connection = connection_to(NOWHERE, unit);
    connection.prefix = "no good $";
    assert_int_equal(mm_connection_open(&connection, &err), APR_EINVAL);
}

static void is_replaced_after_several_failures(void **state)
{
    unit_t *unit = *state;
    mm_connection_t connection = connection_to(NOWHERE, unit);
    mm_err_t err = {.text = ""};

    for (int i = 1; i < MM_CONNECTION_FAILURES_MAX; i++) {
        apr_status_t rv = mm_connection_ready(&connection, &err);

        assert_int_not_equal(rv, APR_SUCCESS);
        assert_int_equal(mm_connection_used(&connection, rv), rv);
        assert_non_null(connection.store);
    }
    connection.prepared = true;
    assert_int_equal(mm_connection_used(&connection, APR_EGENERAL), APR_EGENERAL);
    assert_null(connection.store);
    assert_false(connection.prepared);
    assert_int_equal(connection.failures, 0);
    assert_int_equal(mm_connection_open(&connection, &err), APR_SUCCESS);
    assert_non_null(connection.store);
}

static void a_success_between_failures_keeps_it(void **state)
{
    unit_t *unit = *state;
    mm_connection_t connection = connection_to(NOWHERE, unit);
    mm_err_t err;

    assert_int_equal(mm_connection_open(&connection, &err), APR_SUCCESS);
    for (int i = 0; i < 10; i++) {
        mm_connection_used(&connection, i % 3 == 2 ? APR_SUCCESS : APR_EGENERAL);
        assert_non_null(connection.store);
    }
}

static void command(const char *uri, bson_t *doc)
{
    mongoc_client_t *client = mongoc_client_new(uri);
    mongoc_uri_t *parsed = mongoc_uri_new(uri);
    bson_error_t error;

    if (!mongoc_client_command_simple(client, mongoc_uri_get_database(parsed), doc, NULL, NULL, &error)) {
        fail_msg("%s", error.message);
    }
    bson_destroy(doc);
    mongoc_uri_destroy(parsed);
    mongoc_client_destroy(client);
}

/* An index that cannot be made is no reason not to count; it is asked for again, but not all the time. */
static void goes_on_without_its_indexes(void **state)
{
    const int64_t second = 1000000, begin = 5 * second;
    unit_t *unit = *state;
    mm_connection_t connection = connection_to(unit_mongo_uri(unit->pool), unit);
    mm_err_t err = {.text = ""};

    command(connection.uri, BCON_NEW("createIndexes", "metrics_files", "indexes", "[", "{", "key", "{", "other",
                                     BCON_INT32(1), "}", "name", "totals", "}", "]"));
    for (int i = 0; i < 2; i++) {
        assert_int_equal(mm_connection_ready_at(&connection, begin + i, &err), APR_SUCCESS);
        assert_false(connection.prepared);
        assert_int_equal(connection.unprepared.status, APR_EGENERAL);
        assert_non_null(strstr(connection.unprepared.text, "metrics_files"));
    }
    command(connection.uri, BCON_NEW("dropIndexes", "metrics_files", "index", "totals"));
    assert_int_equal(mm_connection_ready_at(&connection, begin + 59 * second, &err), APR_SUCCESS);
    assert_false(connection.prepared);
    assert_int_equal(mm_connection_ready_at(&connection, begin + 60 * second, &err), APR_SUCCESS);
    assert_true(connection.prepared);
    assert_int_equal(connection.unprepared.status, APR_SUCCESS);
}

/* No answer is no refusal: a fresh database gets its indexes before its documents. */
static void waits_for_a_database_that_is_away(void **state)
{
    unit_t *unit = *state;
    mm_connection_t connection = connection_to(NOWHERE, unit);
    mm_err_t err = {.text = ""};

    assert_int_equal(mm_connection_ready_at(&connection, 1, &err), MM_STORE_AWAY);
    assert_false(connection.prepared);
    assert_int_equal(connection.unprepared.status, APR_SUCCESS);
    assert_int_equal(mm_connection_ready_at(&connection, 2, &err), MM_STORE_AWAY);
}

static void refuses_collections_that_mix_up_ids(void **state)
{
    unit_t *unit = *state;
    mm_connection_t connection = connection_to(unit_mongo_uri(unit->pool), unit);
    mm_err_t err = {.text = ""};

    command(connection.uri,
            BCON_NEW("create", "metrics_files", "collation", "{", "locale", "en", "strength", BCON_INT32(2), "}"));
    for (int i = 0; i < 2; i++) {
        assert_int_equal(mm_connection_ready_at(&connection, 1 + i, &err), MM_STORE_UNFIT);
        assert_non_null(strstr(err.text, "metrics_files"));
    }
    command(connection.uri, BCON_NEW("drop", "metrics_files"));
    assert_int_equal(mm_connection_ready_at(&connection, 3, &err), APR_SUCCESS);
    assert_true(connection.prepared);
}

#define test(f) cmocka_unit_test_setup_teardown(f, unit_setup, unit_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(opens_and_prepares_once),
        test(refuses_what_will_never_do),
        test(is_replaced_after_several_failures),
        test(goes_on_without_its_indexes),
        test(waits_for_a_database_that_is_away),
        test(refuses_collections_that_mix_up_ids),
        test(a_success_between_failures_keeps_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
