/* A field of each spool's document, paused_until, which a claim (claim.c) does not match while it lies ahead. So
 * whether a batch was claimed before or behind it is one document's history, and nothing falls between.
 */
#include "store/pause.h"

#include <apr_time.h>
#include "store/store_private.h"
#include "store/value.h"

#define DOING "Asking the spools for a pause in MongoDB"

static apr_status_t with_pool(apr_pool_t **pool, const mm_store_t *store, mm_err_t *err)
{
    apr_status_t rv = apr_pool_create(pool, store->pool);

    return rv == APR_SUCCESS ? rv : mm_err_set_os(err, rv, DOING);
}

/* The documents of spools: "spool:…", and ";" is what comes behind ":". */
static void append_spools(bson_t *filter)
{
    bson_t range;

    BSON_APPEND_DOCUMENT_BEGIN(filter, "_id", &range);
    BSON_APPEND_UTF8(&range, "$gte", "spool:");
    BSON_APPEND_UTF8(&range, "$lt", "spool;");
    bson_append_document_end(filter, &range);
}

static apr_status_t update_spools(mm_store_t *store, const bson_t *update, mm_err_t *err)
{
    bson_t filter = BSON_INITIALIZER, opts = BSON_INITIALIZER;
    mongoc_collection_t *meta;
    bson_error_t error = {0};
    apr_pool_t *pool;
    apr_status_t rv = with_pool(&pool, store, err);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    meta = mm_store_collection(store, mm_store_meta_name(store, pool));
    append_spools(&filter);
    mm_store_append_concern(store, &opts);
    if (!mongoc_collection_update_many(meta, &filter, update, &opts, NULL, &error)) {
        rv = mm_store_fail(err, &error, DOING);
    }
    bson_destroy(&opts);
    bson_destroy(&filter);
    mongoc_collection_destroy(meta);
    apr_pool_destroy(pool);
    return rv;
}

apr_status_t mm_pause_begin(mm_store_t *store, mm_err_t *err)
{
    bson_t update = BSON_INITIALIZER, set;
    apr_status_t rv;

    BSON_APPEND_DOCUMENT_BEGIN(&update, "$set", &set);
    BSON_APPEND_DATE_TIME(&set, "paused_until", apr_time_as_msec(apr_time_now()) + MM_PAUSE_MS);
    bson_append_document_end(&update, &set);
    rv = update_spools(store, &update, err);
    bson_destroy(&update);
    return rv;
}

apr_status_t mm_pause_end(mm_store_t *store, mm_err_t *err)
{
    bson_t update = BSON_INITIALIZER, unset;
    apr_status_t rv;

    BSON_APPEND_DOCUMENT_BEGIN(&update, "$unset", &unset);
    BSON_APPEND_UTF8(&unset, "paused_until", "");
    bson_append_document_end(&update, &unset);
    rv = update_spools(store, &update, err);
    bson_destroy(&update);
    return rv;
}

/* Calls fn for the spools' documents until it says false. */
static apr_status_t each_spool(mm_store_t *store, bool (*fn)(void *baton, const bson_t *doc), void *baton,
                               mm_err_t *err)
{
    mongoc_read_prefs_t *primary = mm_store_primary();
    bson_t filter = BSON_INITIALIZER, opts = BSON_INITIALIZER;
    mongoc_collection_t *meta;
    mongoc_cursor_t *cursor;
    bson_error_t error = {0};
    const bson_t *doc;
    apr_pool_t *pool;
    apr_status_t rv = with_pool(&pool, store, err);

    if (rv == APR_SUCCESS) {
        meta = mm_store_collection(store, mm_store_meta_name(store, pool));
        append_spools(&filter);
        BSON_APPEND_INT64(&opts, "maxTimeMS", store->patience_ms);
        cursor = mongoc_collection_find_with_opts(meta, &filter, &opts, primary);
        while (mongoc_cursor_next(cursor, &doc) && fn(baton, doc)) {
        }
        if (mongoc_cursor_error(cursor, &error)) {
            rv = mm_store_fail(err, &error, DOING);
        }
        mongoc_cursor_destroy(cursor);
        mongoc_collection_destroy(meta);
        apr_pool_destroy(pool);
    }
    bson_destroy(&opts);
    bson_destroy(&filter);
    mongoc_read_prefs_destroy(primary);
    return rv;
}

typedef struct look {
    bool found;
    apr_pool_t *pool;
    mm_err_t *err;
} look_t;

static bool is_under_way(void *baton, const bson_t *doc)
{
    look_t *look = baton;
    int64_t seq = mm_reply_int(doc, "seq");

    look->found = seq > 0 && mm_reply_int(doc, "settled") != seq;
    if (look->found) {
        mm_err_set(look->err, APR_EAGAIN, "host %s has a batch under way since %s (%s, number %lld)",
                   mm_value_show_field(doc, "host", look->pool), mm_value_show_field(doc, "claimed", look->pool),
                   mm_value_show_field(doc, "_id", look->pool), (long long)seq);
    }
    return !look->found;
}

apr_status_t mm_pause_is_quiet(mm_store_t *store, bool *quiet, mm_err_t *err)
{
    look_t look = {.err = err};
    apr_status_t rv = with_pool(&look.pool, store, err);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = each_spool(store, is_under_way, &look, err);
    *quiet = rv == APR_SUCCESS && !look.found;
    apr_pool_destroy(look.pool);
    return rv;
}

static bool has_run_out(void *baton, const bson_t *doc)
{
    look_t *look = baton;
    bson_iter_t iter;

    look->found = bson_iter_init_find(&iter, doc, "paused_until") && BSON_ITER_HOLDS_DATE_TIME(&iter) &&
                  bson_iter_date_time(&iter) <= apr_time_as_msec(apr_time_now());
    return !look->found;
}

apr_status_t mm_pause_renew(mm_store_t *store, mm_err_t *err)
{
    look_t look = {.err = err};
    apr_status_t rv = each_spool(store, has_run_out, &look, err);

    if (rv == APR_SUCCESS && look.found) {
        return mm_err_set(err, APR_TIMEUP, "it took too long, and counting has gone on meanwhile");
    }
    return rv == APR_SUCCESS ? mm_pause_begin(store, err) : rv;
}
