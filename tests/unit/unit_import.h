/* For the tests of src/import: an import into a database of its own, and logs for it. */
#ifndef UNIT_IMPORT_H
#define UNIT_IMPORT_H

#include "drain_unit.h"

#include "import/import.h"
#include "store/store.h"

#define LINE "192.0.2.%d - - [31/Jan/2026:12:%02d:00 +0000] \"GET /datasets/d%d HTTP/1.1\" 200 5 \"-\" \"Firefox\"\n"

typedef struct setting {
    unit_t *unit;
    mm_import_options_t options;
    sig_atomic_t stop;
    int64_t bad;
} setting_t;

static inline int group_setup(void **state)
{
    (void)state;
    mm_store_init();
    return 0;
}

static inline void on_bad(void *baton, const char *log, int64_t number, const char *wrong)
{
    setting_t *setting = baton;

    assert_string_equal(log, "bad.log");
    assert_int_equal(number, 2);
    assert_non_null(wrong);
    setting->bad++;
}

static inline setting_t *setting_of(void **state)
{
    static const char *const types[] = {"datasets"};
    unit_t *unit = *state;
    setting_t *setting = apr_pcalloc(unit->pool, sizeof(*setting));
    mm_rules_t *rules = mm_rules_create(unit->pool);

    assert_int_equal(mm_rules_add(rules, "datasets", MM_ACTION_VIEW, "^/datasets/([^/]+)$", NULL), APR_SUCCESS);
    setting->unit = unit;
    setting->options = (mm_import_options_t){.dir = apr_pstrcat(unit->pool, unit->dir, "/import", NULL),
                                             .mongo_uri = unit_mongo_uri(unit->pool),
                                             .prefix = MM_STORE_PREFIX_DEFAULT,
                                             .types = types,
                                             .n_types = 1,
                                             .rules = rules,
                                             .patience_us = 20000000,
                                             .stop = &setting->stop,
                                             .on_bad = on_bad,
                                             .baton = setting};
    return setting;
}

static inline mm_import_t *started(setting_t *setting, apr_pool_t *pool)
{
    mm_import_t *import = NULL;
    mm_err_t err = {.text = ""};

    if (mm_import_create(&import, &setting->options, NULL, pool, &err) != APR_SUCCESS) {
        fail_msg("%s", err.text);
    }
    return import;
}

static inline mm_logfile_t *log_with(unit_t *unit, const char *name, const char *text)
{
    const char *path = apr_pstrcat(unit->pool, unit->dir, "/", name, NULL);
    FILE *out = fopen(path, "w");
    mm_logfile_t *file = NULL;

    assert_non_null(out);
    fputs(text, out);
    fclose(out);
    assert_int_equal(mm_logfile_open(&file, path, unit->pool, NULL), APR_SUCCESS);
    return file;
}

/* n lines, each the view of a dataset of its own. */
static inline mm_logfile_t *log_of(unit_t *unit, const char *name, int from, int n)
{
    const char *path = apr_pstrcat(unit->pool, unit->dir, "/", name, NULL);
    FILE *out = fopen(path, "w");
    mm_logfile_t *file = NULL;

    assert_non_null(out);
    for (int i = from; i < from + n; i++) {
        fprintf(out, LINE, i % 250, i / 250 % 60, i);
    }
    fclose(out);
    assert_int_equal(mm_logfile_open(&file, path, unit->pool, NULL), APR_SUCCESS);
    return file;
}

static inline mm_import_end_t read_log(mm_import_t *import, mm_logfile_t *file)
{
    mm_import_end_t end;
    mm_err_t err = {.text = ""};

    if (mm_import_log(import, file, &end, &err) != APR_SUCCESS) {
        fail_msg("%s", err.text);
    }
    return end;
}

static inline void finished(mm_import_t *import)
{
    mm_err_t err = {.text = ""};

    if (mm_import_finish(import, &err) != APR_SUCCESS) {
        fail_msg("%s", err.text);
    }
}

static inline int64_t documents(const setting_t *setting, const char *collection)
{
    mongoc_client_t *client = mongoc_client_new(setting->options.mongo_uri);
    const char *database = mongoc_uri_get_database(mongoc_client_get_uri(client));
    mongoc_collection_t *coll = mongoc_client_get_collection(client, database, collection);
    bson_t filter = BSON_INITIALIZER;
    int64_t n = mongoc_collection_count_documents(coll, &filter, NULL, NULL, NULL, NULL);

    mongoc_collection_destroy(coll);
    mongoc_client_destroy(client);
    return n;
}

static inline int64_t views_of(const setting_t *setting, const char *id)
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

#endif
