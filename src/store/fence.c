/* Which batch a document has taken last, read back: where the server's answers to the updates leave a doubt. */
#include "store/store_private.h"

#include <string.h>
#include <apr_hash.h>
#include "store/value.h"

static void build_filter(bson_t *filter, const char *const *ids, size_t n)
{
    bson_t condition, list;
    const char *key;
    char buf[16];
    size_t i;

    BSON_APPEND_DOCUMENT_BEGIN(filter, "_id", &condition);
    BSON_APPEND_ARRAY_BEGIN(&condition, "$in", &list);
    for (i = 0; i < n; i++) {
        bson_uint32_to_string((uint32_t)i, &key, buf, sizeof(buf));
        mm_value_append_text(&list, key, ids[i]);
    }
    bson_append_array_end(&condition, &list);
    bson_append_document_end(filter, &condition);
}

static void build_opts(bson_t *opts, const mm_store_t *store, const char *seq_path)
{
    bson_t projection;

    BSON_APPEND_DOCUMENT_BEGIN(opts, "projection", &projection);
    BSON_APPEND_INT32(&projection, "_id", 1);
    BSON_APPEND_INT32(&projection, seq_path, 1);
    bson_append_document_end(opts, &projection);
    BSON_APPEND_INT64(opts, "maxTimeMS", store->patience_ms);
}

/* The bytes of an _id of ours, which are no visitor's to choose the type of: text is UTF-8 or else binary. */
static const void *id_bytes(const bson_t *doc, uint32_t *len)
{
    bson_subtype_t subtype;
    const uint8_t *data;
    bson_iter_t iter;

    if (!bson_iter_init_find(&iter, doc, "_id")) {
        return NULL;
    }
    if (BSON_ITER_HOLDS_UTF8(&iter)) {
        return bson_iter_utf8(&iter, len);
    }
    if (!BSON_ITER_HOLDS_BINARY(&iter)) {
        return NULL;
    }
    bson_iter_binary(&iter, &subtype, len, &data);
    return data;
}

static void read_document(const bson_t *doc, const char *seq_path, const apr_hash_t *places)
{
    bson_iter_t iter, found;
    uint32_t len = 0;
    const void *id = id_bytes(doc, &len);
    int64_t *place = id ? apr_hash_get((apr_hash_t *)places, id, (apr_ssize_t)len) : NULL;

    if (place) {
        *place = 0;
    }
    if (place && bson_iter_init(&iter, doc) && bson_iter_find_descendant(&iter, seq_path, &found) &&
        BSON_ITER_HOLDS_NUMBER(&found)) {
        *place = bson_iter_as_int64(&found);
    }
}

bool mm_fence_read(const mm_store_t *store, mongoc_collection_t *collection, const mm_delta_t *deltas, const size_t *at,
                   size_t n, const char *seq_path, int64_t *seqs, apr_pool_t *pool, bson_error_t *error)
{
    const char **ids = apr_palloc(pool, sizeof(*ids) * n);
    apr_hash_t *places = apr_hash_make(pool);
    bson_t filter = BSON_INITIALIZER, opts = BSON_INITIALIZER;
    mongoc_read_prefs_t *primary = mm_store_primary();
    mongoc_cursor_t *cursor;
    const bson_t *doc;
    bool ok;
    size_t i;

    for (i = 0; i < n; i++) {
        seqs[i] = MM_FENCE_ABSENT;
        ids[i] = mm_update_id(&deltas[at[i]], pool);
        apr_hash_set(places, ids[i], (apr_ssize_t)strlen(ids[i]), &seqs[i]);
    }
    build_filter(&filter, ids, n);
    build_opts(&opts, store, seq_path);
    cursor = mongoc_collection_find_with_opts(collection, &filter, &opts, primary);
    while (mongoc_cursor_next(cursor, &doc)) {
        read_document(doc, seq_path, places);
    }
    ok = !mongoc_cursor_error(cursor, error);
    mongoc_cursor_destroy(cursor);
    mongoc_read_prefs_destroy(primary);
    bson_destroy(&opts);
    bson_destroy(&filter);
    return ok;
}
