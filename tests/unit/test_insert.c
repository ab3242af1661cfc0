/* Documents that are inserted rather than upserted: the same documents, in a real database. */
#include "unit_store.h"

#include "store/value.h"

static const mm_delta_t deltas[] = {
    {.kind = MM_DELTA_RESOURCE,
     .type = "datasets",
     .id = "a.$b",
     .views = 3,
     .machine_views = 1,
     .last_viewed_ms = 5000,
     .last_downloaded_ms = MM_TIME_NONE,
     .first_seen_ms = 1000},
    {.kind = MM_DELTA_RESOURCE,
     .type = "datasets",
     .id = "\xff",
     .downloads = 2,
     .last_viewed_ms = MM_TIME_NONE,
     .last_downloaded_ms = 7000,
     .first_seen_ms = 2000},
    {.kind = MM_DELTA_USER,
     .type = "datasets",
     .id = "a.$b",
     .user = "ada",
     .views = 2,
     .last_viewed_ms = 5000,
     .last_downloaded_ms = MM_TIME_NONE,
     .first_seen_ms = 1000},
};
#define N (sizeof(deltas) / sizeof(deltas[0]))

static void apply(mm_store_t *store, int64_t seq)
{
    mm_outcome_t outcomes[N];
    mm_err_t err = {.text = ""};

    if (mm_store_apply(store, SPOOL, seq, deltas, N, outcomes, &err) != MM_APPLIED) {
        fail_msg("%s", err.text);
    }
}

/* All documents of a collection by their _id, as JSON. */
static const char *all_of(mm_store_t *store, const char *name, apr_pool_t *pool)
{
    mongoc_collection_t *collection = mm_store_collection(store, name);
    bson_t filter = BSON_INITIALIZER, *opts = BCON_NEW("sort", "{", "_id", BCON_INT32(1), "}");
    mongoc_cursor_t *cursor = mongoc_collection_find_with_opts(collection, &filter, opts, NULL);
    const char *text = "";
    const bson_t *doc;

    while (mongoc_cursor_next(cursor, &doc)) {
        bson_t sorted = BSON_INITIALIZER;
        static const char *const keys[] = {"_id",           "type",
                                           "resource",      "user",
                                           "views",         "downloads",
                                           "machine_views", "machine_downloads",
                                           "last_viewed",   "last_downloaded",
                                           "first_seen",    "seq"};
        bson_iter_t iter;
        char *json;

        for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
            if (bson_iter_init_find(&iter, doc, keys[i])) {
                bson_append_iter(&sorted, keys[i], -1, &iter);
            }
        }
        assert_int_equal(bson_count_keys(&sorted), bson_count_keys(doc));
        json = bson_as_canonical_extended_json(&sorted, NULL);
        text = apr_pstrcat(pool, text, json, "\n", NULL);
        bson_free(json);
        bson_destroy(&sorted);
    }
    mongoc_cursor_destroy(cursor);
    mongoc_collection_destroy(collection);
    bson_destroy(opts);
    return text;
}

static void makes_the_same_documents(void **state)
{
    unit_t *unit = *state;
    mm_store_t *upserting = unit_store(unit->pool), *inserting = unit_store(unit->pool);

    mm_store_expect_new(inserting, true);
    for (int64_t seq = 1; seq <= 2; seq++) { /* new ones, and then the same once more */
        apply(upserting, seq);
        apply(inserting, seq);
        assert_string_equal(all_of(inserting, "metrics_datasets", unit->pool),
                            all_of(upserting, "metrics_datasets", unit->pool));
        assert_string_equal(all_of(inserting, "metrics_users", unit->pool),
                            all_of(upserting, "metrics_users", unit->pool));
    }
    assert_int_equal(unit_count(inserting, "metrics_datasets"), 2);
}

static void takes_a_batch_once(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    const char *before;

    mm_store_expect_new(store, true);
    apply(store, 1);
    before = all_of(store, "metrics_datasets", unit->pool);
    apply(store, 1);
    mm_store_expect_new(store, false);
    apply(store, 1);
    assert_string_equal(all_of(store, "metrics_datasets", unit->pool), before);
}

static void adds_to_what_is_there(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);

    unit_insert(store, "metrics_datasets", "{'_id': 'a.$b', 'views': {'$numberLong': '10'}, 'seq': {'x': 1}}");
    mm_store_expect_new(store, true);
    apply(store, 1);
    assert_non_null(
        strstr(unit_find(store, "metrics_datasets", "a.$b", unit->pool), "'views' : { '$numberLong' : '13' }"));
    assert_int_equal(unit_count(store, "metrics_datasets"), 2);
}

static void tells_when_the_database_is_away(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store =
        unit_store_at("mongodb://127.0.0.1:1/x?serverSelectionTimeoutMS=50&connectTimeoutMS=50", unit->pool);
    mm_outcome_t outcomes[N];
    mm_err_t err;

    mm_store_expect_new(store, true);
    assert_int_equal(mm_store_apply(store, SPOOL, 1, deltas, N, outcomes, &err), MM_RETRY);
    assert_int_equal(err.status, MM_STORE_AWAY);
    assert_int_equal(outcomes[0], MM_RETRY);
    assert_int_equal(outcomes[N - 1], MM_RETRY);
}

#define test(f) cmocka_unit_test_setup_teardown(f, unit_setup, unit_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(makes_the_same_documents),
        test(takes_a_batch_once),
        test(adds_to_what_is_there),
        test(tells_when_the_database_is_away),
    };

    return cmocka_run_group_tests(tests, unit_store_group, NULL);
}
