/* Keys in a log that only the application's database knows the things of, in a real database. */
#include "unit_import.h"

#include "import/import_private.h"

#define USE "192.0.2.1 - user%d [31/Jan/2026:12:00:00 +0000] \"GET /datasets/%s HTTP/1.1\" 200 5 \"-\" \"Firefox\"\n"

static void insert_link(const setting_t *setting, const char *key, const char *id)
{
    mongoc_client_t *client = mongoc_client_new(setting->options.mongo_uri);
    const char *database = mongoc_uri_get_database(mongoc_client_get_uri(client));
    mongoc_collection_t *coll = mongoc_client_get_collection(client, database, "links");
    bson_t *doc = BCON_NEW("key", BCON_UTF8(key), "id", BCON_UTF8(id));

    assert_true(mongoc_collection_insert_one(coll, doc, NULL, NULL, NULL));
    bson_destroy(doc);
    mongoc_collection_destroy(coll);
    mongoc_client_destroy(client);
}

/* A key that leads to n things, t0 and so on. */
static void insert_folder(const setting_t *setting, const char *key, int n)
{
    mongoc_client_t *client = mongoc_client_new(setting->options.mongo_uri);
    const char *database = mongoc_uri_get_database(mongoc_client_get_uri(client));
    mongoc_collection_t *coll = mongoc_client_get_collection(client, database, "links");
    bson_t doc = BSON_INITIALIZER, ids;

    BSON_APPEND_UTF8(&doc, "key", key);
    BSON_APPEND_ARRAY_BEGIN(&doc, "id", &ids);
    for (int i = 0; i < n; i++) {
        BSON_APPEND_UTF8(&ids, apr_itoa(setting->unit->pool, i), apr_psprintf(setting->unit->pool, "t%d", i));
    }
    bson_append_array_end(&doc, &ids);
    assert_true(mongoc_collection_insert_one(coll, &doc, NULL, NULL, NULL));
    bson_destroy(&doc);
    mongoc_collection_destroy(coll);
    mongoc_client_destroy(client);
}

/* Only the application's database is away: none of the log counts, nor of the next one, then all of it, once. */
static void keys_that_cannot_be_looked_up_end_it_and_cost_nothing(void **state)
{
    static const mm_rule_spec_t links = {
        .type = "datasets", .action = MM_ACTION_VIEW, .pattern = "^/datasets/d([0-9]+)$", .via = "links:key:id"};
    setting_t *setting = setting_of(state);
    unit_t *unit = setting->unit;
    mm_rules_t *rules = mm_rules_create(unit->pool);
    mm_import_t *import;
    mm_import_end_t end;
    apr_pool_t *pool;
    mm_err_t err;

    assert_int_equal(mm_rules_add_spec(rules, &links, NULL), APR_SUCCESS);
    assert_int_equal(mm_rules_add(rules, "datasets", MM_ACTION_VIEW, "^/datasets/([^/]+)$", NULL), APR_SUCCESS);
    setting->options.rules = rules;
    setting->options.catalog_uri = "mongodb://127.0.0.1:9/x?serverSelectionTimeoutMS=100&connectTimeoutMS=100";
    apr_pool_create(&pool, unit->pool);
    import = started(setting, pool);
    import->options.patience_us = 0;
    assert_int_equal(mm_import_log(import, log_of(unit, "a.log", 0, 50), &end, &err), MM_STORE_AWAY);
    assert_int_equal(mm_import_log(import, log_of(unit, "b.log", 50, 50), &end, &err), MM_STORE_AWAY);
    assert_int_equal(mm_import_finish(import, &err), MM_STORE_AWAY);
    apr_pool_destroy(pool);
    assert_int_equal(documents(setting, "metrics_datasets"), 0);

    setting->options.catalog_uri = NULL;
    insert_link(setting, "7", "seven");
    insert_link(setting, "8", "eight");
    import = started(setting, unit->pool);
    assert_int_equal(read_log(import, log_of(unit, "a.log", 0, 50)), MM_IMPORT_READ);
    finished(import);
    assert_int_equal(documents(setting, "metrics_datasets"), 2);
    assert_int_equal(mm_import_tally(import)->verdicts[MM_IGNORED_KEY], 48);
}

/* One key that stands for many things, by many users, and other uses in between: as many batches as that takes, each
 * with the ledger where its last line ends, so that the next import goes on there. */
static void what_keys_stand_for_is_counted_in_batches_of_their_size(void **state)
{
    static const mm_rule_spec_t links = {
        .type = "datasets", .action = MM_ACTION_VIEW, .pattern = "^/datasets/d([0-9]+)$", .via = "links:key:id"};
    enum { THINGS = 100, USES = 12 };
    setting_t *setting = setting_of(state);
    apr_pool_t *pool = setting->unit->pool;
    mm_rules_t *rules = mm_rules_create(pool);
    const char *text = "";
    mm_import_t *import;
    apr_pool_t *first;

    assert_int_equal(mm_rules_add_spec(rules, &links, NULL), APR_SUCCESS);
    assert_int_equal(mm_rules_add(rules, "datasets", MM_ACTION_VIEW, "^/datasets/([^/]+)$", NULL), APR_SUCCESS);
    setting->options.rules = rules;
    setting->options.deltas_max = 400;
    insert_folder(setting, "7", THINGS);
    for (int i = 0; i < USES; i++) {
        text = apr_psprintf(pool, "%s" USE USE, text, i, "d7", i, "page");
    }
    apr_pool_create(&first, pool);
    import = started(setting, first);
    assert_int_equal(read_log(import, log_with(setting->unit, "a.log", text)), MM_IMPORT_READ);
    assert_in_range(import->seq, USES / 2, USES);
    apr_pool_destroy(first); /* what is in no batch yet is lost with it */
    import = started(setting, pool);
    assert_int_equal(read_log(import, log_with(setting->unit, "a.log", text)), MM_IMPORT_READ);
    assert_in_range(mm_import_tally(import)->lines, 1, USES);
    finished(import);
    assert_int_equal(documents(setting, "metrics_datasets"), THINGS + 1);
    assert_int_equal(documents(setting, "metrics_users"), (THINGS + 1) * USES);
    assert_int_equal(views_of(setting, "page"), USES);
    assert_int_equal(views_of(setting, "t99"), USES);
}

#define test(f) cmocka_unit_test_setup_teardown(f, unit_setup, unit_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(keys_that_cannot_be_looked_up_end_it_and_cost_nothing),
        test(what_keys_stand_for_is_counted_in_batches_of_their_size),
    };

    return cmocka_run_group_tests(tests, group_setup, NULL);
}
