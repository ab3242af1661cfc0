/* Totals out: a cursor in the report's order, a batch at a time.
 *
 * The query has no filter on purpose: with none, the index on (views, downloads, _id) gives the order without a sort in
 * memory and without a hint. Documents in which nobody viewed or downloaded anything are few (what was only seen by
 * somebody else's tools) and are passed over here.
 */
#include "store/store_private.h"

#include <string.h>
#include <apr_strings.h>
#include "store/value.h"

/* A batch of a cursor is held in memory on both sides; a row is some 150 bytes. */
#define BATCH_MAX 5000

struct mm_totals {
    mm_store_t *store;
    mongoc_collection_t *collection;
    mongoc_cursor_t *cursor; /* NULL before the first batch */
    const char *doing;       /* for errors */
    bool ended;
};

static const char *const row_fields[] = {
    "views", "downloads", "machine_views", "machine_downloads", "last_viewed", "last_downloaded", NULL};

static apr_status_t close_totals(void *data)
{
    mm_totals_t *totals = data;

    if (totals->cursor) {
        mongoc_cursor_destroy(totals->cursor);
    }
    mongoc_collection_destroy(totals->collection);
    return APR_SUCCESS;
}

apr_status_t mm_totals_open(mm_totals_t **totals, mm_store_t *store, const char *type, apr_pool_t *pool, mm_err_t *err)
{
    const char *name = mm_store_totals_name(store, type, pool);
    mm_totals_t *opened;

    if (!name) {
        return mm_err_set(err, APR_EINVAL, "\"%s\" cannot name a type of resources", type ? type : "");
    }
    opened = apr_pcalloc(pool, sizeof(*opened));
    opened->store = store;
    opened->doing = apr_psprintf(pool, "Reading %s", name);
    opened->collection = mm_store_collection(store, name);
    apr_pool_cleanup_register(pool, opened, close_totals, apr_pool_cleanup_null);
    *totals = opened;
    return APR_SUCCESS;
}

static mongoc_cursor_t *start(const mm_totals_t *totals, size_t max)
{
    bson_t filter = BSON_INITIALIZER, opts = BSON_INITIALIZER, part;
    mongoc_cursor_t *cursor;
    size_t i;

    BSON_APPEND_DOCUMENT_BEGIN(&opts, "sort", &part);
    BSON_APPEND_INT32(&part, "views", -1);
    BSON_APPEND_INT32(&part, "downloads", -1);
    BSON_APPEND_INT32(&part, "_id", 1);
    bson_append_document_end(&opts, &part);
    BSON_APPEND_DOCUMENT_BEGIN(&opts, "projection", &part);
    for (i = 0; row_fields[i]; i++) {
        BSON_APPEND_INT32(&part, row_fields[i], 1);
    }
    bson_append_document_end(&opts, &part);
    BSON_APPEND_INT32(&opts, "batchSize", (int32_t)(max < BATCH_MAX ? max : BATCH_MAX));
    cursor = mongoc_collection_find_with_opts(totals->collection, &filter, &opts, NULL);
    bson_destroy(&opts);
    bson_destroy(&filter);
    return cursor;
}

static int64_t time_of(const bson_iter_t *value)
{
    return BSON_ITER_HOLDS_DATE_TIME(value) ? bson_iter_date_time(value) : MM_TIME_NONE;
}

/* False for a document that is no row: without views and downloads, or with an _id that has no text form. */
static bool read_row(const bson_t *doc, mm_totals_row_t *row, apr_pool_t *pool)
{
    char id[MM_VALUE_ID_SIZE];
    bson_iter_t iter;

    *row = (mm_totals_row_t){.last_viewed_ms = MM_TIME_NONE, .last_downloaded_ms = MM_TIME_NONE};
    if (!bson_iter_init_find(&iter, doc, "_id") || BSON_ITER_HOLDS_DOCUMENT(&iter) || !mm_value_id(&iter, id) ||
        !bson_iter_init(&iter, doc)) {
        return false;
    }
    while (bson_iter_next(&iter)) {
        if (BSON_ITER_IS_KEY(&iter, "views")) {
            row->views = mm_value_count(&iter);
        }
        else if (BSON_ITER_IS_KEY(&iter, "downloads")) {
            row->downloads = mm_value_count(&iter);
        }
        else if (BSON_ITER_IS_KEY(&iter, "machine_views")) {
            row->machine_views = mm_value_count(&iter);
        }
        else if (BSON_ITER_IS_KEY(&iter, "machine_downloads")) {
            row->machine_downloads = mm_value_count(&iter);
        }
        else if (BSON_ITER_IS_KEY(&iter, "last_viewed")) {
            row->last_viewed_ms = time_of(&iter);
        }
        else if (BSON_ITER_IS_KEY(&iter, "last_downloaded")) {
            row->last_downloaded_ms = time_of(&iter);
        }
    }
    if (row->views == 0 && row->downloads == 0) {
        return false;
    }
    row->id = apr_pstrdup(pool, id);
    return true;
}

apr_status_t mm_totals_next(mm_totals_t *totals, mm_totals_row_t *rows, size_t max, size_t *n, apr_pool_t *pool,
                            mm_err_t *err)
{
    bson_error_t error = {0};
    const bson_t *doc;
    size_t got = 0;

    if (max == 0) {
        return mm_err_set(err, APR_EINVAL, "%s: a batch holds at least one row", totals->doing);
    }
    if (!totals->cursor) {
        totals->cursor = start(totals, max);
    }
    while (got < max && !totals->ended) {
        if (mongoc_cursor_next(totals->cursor, &doc)) {
            got += read_row(doc, &rows[got], pool);
        }
        else if (mongoc_cursor_error(totals->cursor, &error)) {
            return mm_store_fail(err, &error, totals->doing);
        }
        else {
            totals->ended = true;
        }
    }
    *n = got;
    return APR_SUCCESS;
}
