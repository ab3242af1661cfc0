/* The batches of an import, in a real database: what they take along, and what a failure leaves. */
#include "unit_import.h"

#include "drain/batch.h"
#include "import/import_private.h"

/* How long it goes on trying from now on. */
static void import_patience(mm_import_t *import, int64_t us)
{
    import->options.patience_us = us;
}

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

/* More documents than fit into a batch: the ledger stands within the log in between. */
static void a_long_log_takes_several_batches(void **state)
{
    setting_t *setting = setting_of(state);
    mm_import_t *import;

    setting->options.events_max = 100;
    import = started(setting, setting->unit->pool);
    assert_int_equal(read_log(import, log_of(setting->unit, "long.log", 0, 550)), MM_IMPORT_READ);
    finished(import);
    assert_int_equal(documents(setting, "metrics_datasets"), 550);
}

/* The database goes away behind the first batch's writing: the batch stays, nothing is written over it, and whoever
 * comes next applies it before anything else. */
static void a_batch_that_could_not_be_delivered_is_the_next_imports_first(void **state)
{
    setting_t *setting = setting_of(state);
    const char *batch = apr_pstrcat(setting->unit->pool, setting->options.dir, "/" MM_BATCH_FILE, NULL);
    apr_pool_t *pool;
    mm_import_t *import;
    mm_import_end_t end;
    mm_err_t err;

    apr_pool_create(&pool, setting->unit->pool);
    import = started(setting, pool);
    assert_int_equal(read_log(import, log_of(setting->unit, "a.log", 0, 50)), MM_IMPORT_READ);
    setting->stop = 1; /* the courier is told to stop before it has begun */
    assert_int_equal(mm_import_finish(import, &err), APR_EINTR);
    assert_int_equal(mm_import_finish(import, &err), APR_EINTR);
    assert_int_equal(access(batch, F_OK), 0);
    assert_int_equal(documents(setting, "metrics_datasets"), 0);
    apr_pool_destroy(pool);

    setting->stop = 0;
    import = started(setting, setting->unit->pool);
    assert_int_equal(documents(setting, "metrics_datasets"), 50);
    assert_int_not_equal(access(batch, F_OK), 0);
    assert_int_equal(mm_import_log(import, log_of(setting->unit, "a.log", 0, 50), &end, &err), APR_SUCCESS);
    assert_int_equal(end, MM_IMPORT_KNOWN);
    finished(import);
}

/* Keys of share links, while only the application's database is away: none of the log counts, then all of it, once. */
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
    import_patience(import, 0);
    assert_int_equal(mm_import_log(import, log_of(unit, "a.log", 0, 50), &end, &err), MM_STORE_AWAY);
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

static void stops_when_it_is_told(void **state)
{
    setting_t *setting = setting_of(state);
    mm_import_t *import = started(setting, setting->unit->pool);
    mm_import_end_t end;
    mm_err_t err;

    setting->stop = 1;
    assert_int_equal(mm_import_log(import, log_of(setting->unit, "a.log", 0, 9000), &end, &err), APR_EINTR);
    assert_int_equal(documents(setting, "metrics_datasets"), 0);
}

static void two_do_not_share_a_directory(void **state)
{
    setting_t *setting = setting_of(state);
    mm_import_t *second;
    mm_err_t err = {.text = ""};

    started(setting, setting->unit->pool);
    assert_true(APR_STATUS_IS_EAGAIN(mm_import_create(&second, &setting->options, NULL, setting->unit->pool, &err)));
}

static int64_t views_of(const setting_t *setting, const char *id)
{
    mongoc_client_t *client = mongoc_client_new(setting->options.mongo_uri);
    const char *database = mongoc_uri_get_database(mongoc_client_get_uri(client));
    mongoc_collection_t *coll = mongoc_client_get_collection(client, database, "metrics_datasets");
    bson_t *filter = BCON_NEW("_id", BCON_UTF8(id));
    mongoc_cursor_t *cursor = mongoc_collection_find_with_opts(coll, filter, NULL, NULL);
    const bson_t *doc;
    bson_iter_t iter;
    int64_t views = -1;

    if (mongoc_cursor_next(cursor, &doc) && bson_iter_init_find(&iter, doc, "views")) {
        views = bson_iter_as_int64(&iter);
    }
    mongoc_cursor_destroy(cursor);
    bson_destroy(filter);
    mongoc_collection_destroy(coll);
    mongoc_client_destroy(client);
    return views;
}

/* Clicks at 0, 20 and 60 s are two uses, whether they stand in one log or in three, each imported by another process.
 */
static void a_double_click_is_one_across_imports(void **state)
{
    setting_t *setting = setting_of(state);

    setting->options.policy.double_click_ms = 30000;
    for (int i = 0; i < 3; i++) {
        static const int seconds[] = {0, 20, 60};
        const char *text =
            apr_psprintf(setting->unit->pool,
                         "192.0.2.1 - ada [31/Jan/2026:12:%02d:%02d +0000] \"GET /datasets/d HTTP/1.1\" 200 "
                         "5 \"-\" \"Firefox\"\n",
                         seconds[i] / 60, seconds[i] % 60);
        apr_pool_t *pool;
        mm_import_t *import;

        apr_pool_create(&pool, setting->unit->pool);
        import = started(setting, pool);
        assert_int_equal(read_log(import, log_with(setting->unit, apr_psprintf(pool, "%d.log", i), text)),
                         MM_IMPORT_READ);
        finished(import);
        apr_pool_destroy(pool);
    }
    assert_int_equal(views_of(setting, "d"), 2);
}

#define test(f) cmocka_unit_test_setup_teardown(f, unit_setup, unit_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(a_double_click_is_one_across_imports),
        test(a_long_log_takes_several_batches),
        test(a_batch_that_could_not_be_delivered_is_the_next_imports_first),
        test(keys_that_cannot_be_looked_up_end_it_and_cost_nothing),
        test(stops_when_it_is_told),
        test(two_do_not_share_a_directory),
    };

    return cmocka_run_group_tests(tests, group_setup, NULL);
}
