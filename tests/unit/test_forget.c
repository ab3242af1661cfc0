/* Forgetting a user, in a real database: sums stay, whatever interrupts it. */
#include "unit_store.h"
#include "store/forget.h"
#include "store/value.h"

#define NONCE "aaaaaaaaaaaaaaaaaaaaaaaa"

static mm_err_t err;

/* Of all documents of metrics_days with this day, or all days for NULL. */
static int64_t sum(mm_store_t *store, const char *field)
{
    mongoc_collection_t *days = mm_store_collection(store, "metrics_days");
    bson_t filter = BSON_INITIALIZER;
    mongoc_cursor_t *cursor = mongoc_collection_find_with_opts(days, &filter, NULL, NULL);
    const bson_t *doc;
    int64_t total = 0;

    while (mongoc_cursor_next(cursor, &doc)) {
        total += mm_reply_int(doc, field);
    }
    mongoc_cursor_destroy(cursor);
    mongoc_collection_destroy(days);
    bson_destroy(&filter);
    return total;
}

static void fill(mm_store_t *store)
{
    unit_insert(store, "metrics_users",
                "{'_id': 'datasets:1:a:ada', 'type': 'datasets', 'resource': 'a', 'user': 'ada', 'views': 3}");
    unit_insert(store, "metrics_users",
                "{'_id': 'datasets:1:a:bob', 'type': 'datasets', 'resource': 'a', 'user': 'bob', 'views': 4}");
    unit_insert(
        store, "metrics_days",
        "{'_id': '2026-01-01:datasets:1:a:', 'type': 'datasets', 'resource': 'a', 'day': {'$date': 1767225600000}, "
        "'views': 10, 'unique_views': 2, 'seq': {'" SPOOL "': 5}}");
    unit_insert(store, "metrics_days",
                "{'_id': '2026-01-01:datasets:1:a:ada', 'type': 'datasets', 'resource': 'a', 'user': 'ada', 'day': "
                "{'$date': 1767225600000}, 'views': 2, 'unique_views': 1, 'machine_views': 1, 'seq': {'" SPOOL
                "': 5}}");
    unit_insert(store, "metrics_days",
                "{'_id': '2026-01-02:datasets:1:a:ada', 'type': 'datasets', 'resource': 'a', 'user': 'ada', 'day': "
                "{'$date': 1767312000000}, 'views': 1, 'seq': {'" SPOOL "': 5}}");
    unit_insert(store, "metrics_days",
                "{'_id': '2026-01-02:datasets:1:a:bob', 'type': 'datasets', 'resource': 'a', 'user': 'bob', 'day': "
                "{'$date': 1767312000000}, 'views': 4, 'seq': {'" SPOOL "': 5}}");
}

static mm_forgotten_t forgotten(mm_store_t *store, const char *user)
{
    mm_forgotten_t result;

    if (mm_forget_user(store, user, &result, &err) != APR_SUCCESS) {
        fail_msg("%s", err.text);
    }
    return result;
}

static void assert_sums(mm_store_t *store)
{
    assert_int_equal(sum(store, "views"), 17);
    assert_int_equal(sum(store, "unique_views"), 3);
    assert_int_equal(sum(store, "machine_views"), 1);
}

static void days_keep_their_sums(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    mm_forgotten_t result;
    const char *json;

    fill(store);
    assert_sums(store);
    result = forgotten(store, "ada");
    assert_int_equal(result.resources, 1);
    assert_int_equal(result.days, 2);
    assert_sums(store);
    assert_int_equal(unit_count(store, "metrics_days"), 3);
    assert_int_equal(unit_count(store, "metrics_users"), 1);
    json = unit_find(store, "metrics_days", "2026-01-01:datasets:1:a:", unit->pool);
    assert_non_null(strstr(json, "'views' : { '$numberLong' : '12' }"));
    assert_non_null(strstr(json, "'" SPOOL "'"));
    json = unit_find(store, "metrics_days", "2026-01-02:datasets:1:a:", unit->pool);
    assert_non_null(strstr(json, "'resource' : 'a'"));
    assert_non_null(strstr(json, "'day' : { '$date'"));
    assert_null(strstr(json, "user"));
    /* Once more there is nothing to do, and nothing changes. */
    result = forgotten(store, "ada");
    assert_int_equal(result.resources + result.days, 0);
    assert_sums(store);
}

/* Killed behind each of the four steps. */
static void what_was_interrupted_is_not_added_twice(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);

    fill(store);
    /* Its counts have been added to nobody's, and it is still there. */
    unit_insert(store, "metrics_days",
                "{'_id': '2026-01-03:files:1:b:', 'views': 7, 'forgot': [{'$oid': '0123456789abcdef01234567'}]}");
    unit_insert(store, "metrics_days",
                "{'_id': '2026-01-03:files:1:b:ada', 'user': 'ada', 'views': 7, 'forget': {'$oid': "
                "'0123456789abcdef01234567'}}");
    /* It has its token, and nothing more. */
    unit_insert(store, "metrics_days",
                "{'_id': '2026-01-04:files:1:b:ada', 'user': 'ada', 'type': 'files', 'views': 5, 'forget': {'$oid': "
                "'1123456789abcdef01234567'}}");
    forgotten(store, "ada");
    assert_int_equal(sum(store, "views"), 17 + 7 + 5);
    assert_null(
        strstr(unit_find(store, "metrics_days", "2026-01-03:files:1:b:", unit->pool), "0123456789abcdef01234567"));
}

static void an_id_may_be_any_bytes(void **state)
{
    static const char *const users[] = {"$where", "a:b", "\xff\xfe", "x.y"};
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);

    for (size_t i = 0; i < sizeof(users) / sizeof(users[0]); i++) {
        bson_t doc = BSON_INITIALIZER;

        mm_value_append_text(&doc, "_id", apr_pstrcat(unit->pool, "2026-01-01:files:1:b:", users[i], NULL));
        BSON_APPEND_UTF8(&doc, "type", "files");
        mm_value_append_text(&doc, "user", users[i]);
        BSON_APPEND_INT64(&doc, "views", 3);
        unit_insert_doc(store, "metrics_days", &doc);
        bson_destroy(&doc);
        assert_int_equal(forgotten(store, users[i]).days, 1);
        assert_int_equal(sum(store, "views"), 3 * (int64_t)(i + 1));
    }
    assert_int_equal(unit_count(store, "metrics_days"), 1);
}

static void a_strange_document_is_left_alone(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    mm_forgotten_t result;

    unit_insert(store, "metrics_days", "{'_id': 'by hand', 'user': 'ada', 'views': 7}");
    assert_int_equal(mm_forget_user(store, "ada", &result, &err), APR_EGENERAL);
    assert_int_equal(sum(store, "views"), 7);
    assert_int_equal(mm_forget_user(store, "", &result, &err), APR_EINVAL);
}

/* Of a process that stood still for longer than the pause. */
static void a_pause_that_ran_out_ends_it(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    mm_forgotten_t result;

    fill(store);
    unit_insert(store, "metrics_meta",
                "{'_id': 'spool:" SPOOL "', 'seq': {'$numberLong': '1'}, 'nonce': '" NONCE
                "', 'paused_until': {'$date': 1}}");
    assert_int_equal(mm_forget_user(store, "ada", &result, &err), APR_TIMEUP);
    assert_int_equal(unit_count(store, "metrics_days"), 4);
    assert_int_equal(mm_store_claim(store, SPOOL, 1, NONCE, &err), APR_SUCCESS);
}

#define test(f) cmocka_unit_test_setup_teardown(f, unit_setup, unit_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(days_keep_their_sums),         test(what_was_interrupted_is_not_added_twice),
        test(an_id_may_be_any_bytes),       test(a_strange_document_is_left_alone),
        test(a_pause_that_ran_out_ends_it),
    };

    return cmocka_run_group_tests(tests, unit_store_group, NULL);
}
