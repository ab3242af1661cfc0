/* Documents of the application, by ids: what is asked of the server, and how much of a document comes back.
 *
 * Only the paths that are needed are read, so a description of 10 MB stays where it is. A query is bounded in time (the
 * server gives up before we do) and in documents. Ids are asked for in the forms that catalog_forms.c chooses.
 */
#include "store/catalog_private.h"

#include <stdlib.h>
#include <string.h>
#include <apr_strings.h>
#include "store/store_private.h"

/* Of one query: a file in this many datasets. More are left out. */
#define DOCUMENTS_MAX 100000
/* Of one round trip; the server also stops at 16 MB. */
#define BATCH_SIZE 500

void mm_catalog_want(mm_catalog_query_t *query, const char *path)
{
    if (path && query->n_wanted < MM_CATALOG_PATHS_MAX) {
        query->wanted[query->n_wanted++] = path;
    }
}

/* Whether path is outer, or below it: "author._id" is below "author". */
static bool is_within(const char *path, const char *outer)
{
    size_t len = strlen(outer);

    return strncmp(path, outer, len) == 0 && (path[len] == 0 || path[len] == '.');
}

/* Whether another of the paths, or an earlier one that is the same, brings this one along. */
static bool is_covered(const char *const *paths, size_t n, size_t i)
{
    size_t j;

    for (j = 0; j < n; j++) {
        if (j != i && is_within(paths[i], paths[j]) && (j < i || strcmp(paths[i], paths[j]) != 0)) {
            return true;
        }
    }
    return false;
}

void mm_catalog_project(bson_t *projection, const char *const *paths, size_t n)
{
    bool with_id = false;
    size_t i;

    for (i = 0; i < n; i++) {
        if (is_within(paths[i], "_id")) {
            with_id = true; /* whole: parts of _id cannot be asked for beside _id */
        }
        else if (!is_covered(paths, n, i)) {
            BSON_APPEND_INT32(projection, paths[i], 1);
        }
    }
    BSON_APPEND_INT32(projection, "_id", with_id);
}

static void append_opts(bson_t *opts, const mm_store_t *store, const mm_catalog_query_t *query)
{
    const char *paths[MM_CATALOG_PATHS_MAX + 1];
    bson_t projection;
    size_t i;

    paths[0] = query->path;
    for (i = 0; i < query->n_wanted; i++) {
        paths[i + 1] = query->wanted[i];
    }
    BSON_APPEND_DOCUMENT_BEGIN(opts, "projection", &projection);
    mm_catalog_project(&projection, paths, query->n_wanted + 1);
    bson_append_document_end(opts, &projection);
    if (!query->unlimited) {
        BSON_APPEND_INT64(opts, "limit", DOCUMENTS_MAX);
    }
    BSON_APPEND_INT32(opts, "batchSize", BATCH_SIZE);
    BSON_APPEND_INT64(opts, "maxTimeMS", store->patience_ms);
}

/* How many values there are to be found. */
static size_t append_filter(bson_t *filter, const char *path, const char *const *ids, size_t n, unsigned forms)
{
    bson_t condition, values;

    BSON_APPEND_DOCUMENT_BEGIN(filter, path, &condition);
    BSON_APPEND_ARRAY_BEGIN(&condition, "$in", &values);
    size_t n_values = mm_value_append_forms(&values, ids, n, forms);
    bson_append_array_end(&condition, &values);
    bson_append_document_end(filter, &condition);
    return n_values;
}

/* *ended: on_document wants no more. */
static apr_status_t read_all(mongoc_cursor_t *cursor, const mm_catalog_query_t *query, bool *ended, apr_pool_t *scratch,
                             mm_err_t *err)
{
    bson_error_t error = {0};
    const bson_t *doc;

    while (!*ended && mongoc_cursor_next(cursor, &doc)) {
        *ended = !query->on_document(query->baton, doc);
    }
    if (*ended || !mongoc_cursor_error(cursor, &error)) {
        return APR_SUCCESS;
    }
    if (query->too_slow) {
        *query->too_slow = mm_store_is_slow(&error);
    }
    return mm_store_fail(err, &error, apr_psprintf(scratch, "Reading the catalogue %s", query->collection));
}

static apr_status_t run(mm_store_t *store, mongoc_collection_t *collection, const mm_catalog_query_t *query,
                        const char *const *ids, size_t n, bool *ended, apr_pool_t *scratch, mm_err_t *err)
{
    bson_t filter = BSON_INITIALIZER, opts = BSON_INITIALIZER;
    unsigned forms;
    apr_status_t status = mm_forms_choose(query->forms, store, query, ids, n, &forms, err);

    if (status == APR_SUCCESS && append_filter(&filter, query->path, ids, n, forms) > 0) {
        append_opts(&opts, store, query);
        mongoc_cursor_t *cursor = mongoc_collection_find_with_opts(collection, &filter, &opts, NULL);

        status = read_all(cursor, query, ended, scratch, err);
        mongoc_cursor_destroy(cursor);
    }
    bson_destroy(&opts);
    bson_destroy(&filter);
    return status;
}

static int in_order(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/* The ids in order, each once: a report of users names a resource as often as it has users. */
static const char **order_ids(const mm_catalog_query_t *query, size_t *n, apr_pool_t *scratch)
{
    const char **ids = apr_palloc(scratch, (query->n + 1) * sizeof(*ids));

    *n = 0;
    for (size_t i = 0; i < query->n; i++) {
        ids[i] = query->ids[i];
    }
    qsort(ids, query->n, sizeof(*ids), in_order);
    for (size_t i = 0; i < query->n; i++) {
        if (*n == 0 || strcmp(ids[*n - 1], ids[i]) != 0) {
            ids[(*n)++] = ids[i];
        }
    }
    return ids;
}

apr_status_t mm_catalog_query(mm_store_t *store, const mm_catalog_query_t *query, apr_pool_t *scratch, mm_err_t *err)
{
    mongoc_collection_t *collection = mm_store_collection(store, query->collection);
    apr_status_t status = APR_SUCCESS;
    bool ended = false;
    size_t n, from;
    const char **ids = order_ids(query, &n, scratch);

    for (from = 0; from < n && status == APR_SUCCESS && !ended; from += MM_CATALOG_QUERY_MAX) {
        size_t left = n - from;

        status = run(store, collection, query, ids + from, left < MM_CATALOG_QUERY_MAX ? left : MM_CATALOG_QUERY_MAX,
                     &ended, scratch, err);
    }
    mongoc_collection_destroy(collection);
    return status;
}
