/* Whose numbers a spool's batches have.
 *
 * The fence in each document takes a number it has reached for "applied already". That is right as long as one number
 * means one batch, and wrong in silence as soon as two drainers give out the numbers of one spool, or one of them
 * begins again with old ones. So the number of a batch is claimed, together with its nonce, before anything of it is
 * applied: one document for each spool, which only moves on to larger numbers.
 */
#include "store/store_private.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include <apr_time.h>
#include "store/value.h"

#define SPOOL_ID_LEN       24
#define CODE_DUPLICATE_KEY 11000
#define HOST_MAX           256
#define DOING              "Claiming a batch in MongoDB"

typedef struct claim {
    mm_store_t *store;
    mongoc_collection_t *collection;
    const char *spool_id, *nonce;
    int64_t seq;
    bson_t key, filter, update;
} claim_t;

bool mm_store_is_spool_id(const char *id)
{
    size_t i;

    for (i = 0; id && i < SPOOL_ID_LEN; i++) {
        if (!apr_isxdigit(id[i])) {
            return false;
        }
    }
    return id && !id[i];
}

/* {_id: "spool:ID"} */
static void build_key(bson_t *key, const claim_t *claim)
{
    char id[sizeof("spool:") + SPOOL_ID_LEN];

    apr_snprintf(id, sizeof(id), "spool:%s", claim->spool_id);
    BSON_APPEND_UTF8(key, "_id", id);
}

/* Nobody asks for a pause, or did so too long ago. */
static void append_not_paused(bson_t *filter)
{
    bson_t paused, later;

    BSON_APPEND_DOCUMENT_BEGIN(filter, "paused_until", &paused);
    BSON_APPEND_DOCUMENT_BEGIN(&paused, "$not", &later);
    BSON_APPEND_DATE_TIME(&later, "$gt", apr_time_as_msec(apr_time_now()));
    bson_append_document_end(&paused, &later);
    bson_append_document_end(filter, &paused);
}

/* The key, no pause, and $or: [{seq: {$lt: n}}, {seq: n, nonce: N}] */
static void build_filter(bson_t *filter, const claim_t *claim)
{
    bson_t either, earlier, same, condition;

    build_key(filter, claim);
    append_not_paused(filter);
    BSON_APPEND_ARRAY_BEGIN(filter, "$or", &either);
    BSON_APPEND_DOCUMENT_BEGIN(&either, "0", &earlier);
    BSON_APPEND_DOCUMENT_BEGIN(&earlier, "seq", &condition);
    BSON_APPEND_INT64(&condition, "$lt", claim->seq);
    bson_append_document_end(&earlier, &condition);
    bson_append_document_end(&either, &earlier);
    BSON_APPEND_DOCUMENT_BEGIN(&either, "1", &same);
    BSON_APPEND_INT64(&same, "seq", claim->seq);
    mm_value_append_text(&same, "nonce", claim->nonce);
    bson_append_document_end(&either, &same);
    bson_append_array_end(filter, &either);
}

static void build_update(bson_t *update, const claim_t *claim)
{
    char host[HOST_MAX];
    bson_t set;

    if (gethostname(host, sizeof(host)) != 0) {
        host[0] = '\0';
    }
    host[sizeof(host) - 1] = '\0';
    BSON_APPEND_DOCUMENT_BEGIN(update, "$set", &set);
    BSON_APPEND_INT64(&set, "seq", claim->seq);
    mm_value_append_text(&set, "nonce", claim->nonce);
    mm_value_append_text(&set, "host", host);
    BSON_APPEND_DATE_TIME(&set, "claimed", apr_time_as_msec(apr_time_now()));
    bson_append_document_end(update, &set);
}

/* False: not done, error says why; *matched is whether there was a document that let itself be changed. */
static bool send_update(const claim_t *claim, bool upsert, bool *matched, bson_error_t *error)
{
    bson_t opts = BSON_INITIALIZER, reply;
    bool ok;

    mm_store_append_concern(claim->store, &opts);
    BSON_APPEND_BOOL(&opts, "upsert", upsert);
    ok = mongoc_collection_update_one(claim->collection, &claim->filter, &claim->update, &opts, &reply, error);
    *matched = ok && mm_reply_int(&reply, "matchedCount") > 0;
    bson_destroy(&reply);
    bson_destroy(&opts);
    return ok;
}

/* Whether the batch would have been taken but for a pause. */
static bool is_paused(const bson_t *doc, const claim_t *claim)
{
    int64_t known = mm_reply_int(doc, "seq");
    bson_iter_t iter;

    return bson_iter_init_find(&iter, doc, "paused_until") && BSON_ITER_HOLDS_DATE_TIME(&iter) &&
           (known < claim->seq ||
            (known == claim->seq && bson_iter_init_find(&iter, doc, "nonce") && BSON_ITER_HOLDS_UTF8(&iter) &&
             strcmp(bson_iter_utf8(&iter, NULL), claim->nonce) == 0));
}

/* The database knows something else; says what, if it is still there to be read. */
static apr_status_t describe(const claim_t *claim, apr_pool_t *pool, mm_err_t *err)
{
    mongoc_read_prefs_t *primary = mm_store_primary();
    bson_t opts = BSON_INITIALIZER;
    mongoc_cursor_t *cursor;
    bson_error_t error = {0};
    apr_status_t status;
    const bson_t *doc;

    BSON_APPEND_INT64(&opts, "maxTimeMS", claim->store->patience_ms);
    cursor = mongoc_collection_find_with_opts(claim->collection, &claim->key, &opts, primary);
    if (mongoc_cursor_next(cursor, &doc)) {
        int64_t known = mm_reply_int(doc, "seq");

        status = is_paused(doc, claim)
                     ? mm_err_set(err, MM_STORE_PAUSED,
                                  "a user is being forgotten (metricsctl forget-user); counting goes on behind that")
                     : mm_err_set(err, MM_STORE_FOREIGN,
                                  "The database knows %s %" PRId64
                                  " of spool %s (from host %s, %s), so it takes no batch %" PRId64 " of this one",
                                  known == claim->seq ? "another batch" : "batch", known, claim->spool_id,
                                  mm_value_show_field(doc, "host", pool), mm_value_show_field(doc, "claimed", pool),
                                  claim->seq);
    }
    else if (mongoc_cursor_error(cursor, &error)) {
        status = mm_store_fail(err, &error, DOING);
    }
    else {
        status = mm_err_set(err, APR_EGENERAL, DOING ": somebody removed spool:%s from the collection meanwhile",
                            claim->spool_id);
    }
    mongoc_cursor_destroy(cursor);
    mongoc_read_prefs_destroy(primary);
    bson_destroy(&opts);
    return status;
}

/* A duplicate key: the document is there and did not match; or it was made in this very moment, which the second try
 * tells. */
static apr_status_t make(const claim_t *claim, apr_pool_t *pool, mm_err_t *err)
{
    bson_error_t error = {0};
    bool matched;

    if (send_update(claim, true, &matched, &error)) {
        return APR_SUCCESS;
    }
    if (error.domain != MONGOC_ERROR_SERVER || error.code != CODE_DUPLICATE_KEY) {
        return mm_store_fail(err, &error, DOING);
    }
    if (!send_update(claim, false, &matched, &error)) {
        return mm_store_fail(err, &error, DOING);
    }
    return matched ? APR_SUCCESS : describe(claim, pool, err);
}

static apr_status_t begin(claim_t *claim, apr_pool_t **pool, mm_err_t *err)
{
    const char *nonce = claim->nonce;
    apr_status_t status;

    if (!mm_store_is_spool_id(claim->spool_id) || claim->seq < 1 || !nonce || !*nonce ||
        strlen(nonce) > MM_STORE_TEXT_MAX) {
        return mm_err_set(err, APR_EINVAL, "\"%.32s\" %" PRId64 " is no spool id and batch number",
                          claim->spool_id ? claim->spool_id : "", claim->seq);
    }
    status = apr_pool_create(pool, claim->store->pool);
    if (status != APR_SUCCESS) {
        return mm_err_set_os(err, status, DOING);
    }
    claim->collection = mm_store_collection(claim->store, mm_store_meta_name(claim->store, *pool));
    bson_init(&claim->key);
    bson_init(&claim->filter);
    bson_init(&claim->update);
    build_key(&claim->key, claim);
    return APR_SUCCESS;
}

static void end(claim_t *claim, apr_pool_t *pool)
{
    bson_destroy(&claim->update);
    bson_destroy(&claim->filter);
    bson_destroy(&claim->key);
    mongoc_collection_destroy(claim->collection);
    apr_pool_destroy(pool);
}

apr_status_t mm_store_claim(mm_store_t *store, const char *spool_id, int64_t seq, const char *nonce, mm_err_t *err)
{
    claim_t claim = {.store = store, .spool_id = spool_id, .nonce = nonce, .seq = seq};
    apr_pool_t *pool;
    apr_status_t status = begin(&claim, &pool, err);

    if (status != APR_SUCCESS) {
        return status;
    }
    build_filter(&claim.filter, &claim);
    build_update(&claim.update, &claim);
    status = make(&claim, pool, err);
    end(&claim, pool);
    return status;
}

/* --- behind the batch ----------------------------------------------------------------------------------------------
 */

/* The key with this very batch. */
static void build_same(bson_t *filter, const claim_t *claim)
{
    build_key(filter, claim);
    BSON_APPEND_INT64(filter, "seq", claim->seq);
    mm_value_append_text(filter, "nonce", claim->nonce);
}

apr_status_t mm_store_settle(mm_store_t *store, const char *spool_id, int64_t seq, const char *nonce, mm_err_t *err)
{
    claim_t claim = {.store = store, .spool_id = spool_id, .nonce = nonce, .seq = seq};
    bson_error_t error = {0};
    apr_pool_t *pool;
    apr_status_t status = begin(&claim, &pool, err);
    bool matched;
    bson_t set;

    if (status != APR_SUCCESS) {
        return status;
    }
    build_same(&claim.filter, &claim);
    BSON_APPEND_DOCUMENT_BEGIN(&claim.update, "$set", &set);
    BSON_APPEND_INT64(&set, "settled", seq);
    bson_append_document_end(&claim.update, &set);
    status = send_update(&claim, false, &matched, &error) ? APR_SUCCESS : mm_store_fail(err, &error, DOING);
    end(&claim, pool);
    return status;
}

apr_status_t mm_store_settled(mm_store_t *store, const char *spool_id, int64_t seq, const char *nonce, bool *settled,
                              mm_err_t *err)
{
    claim_t claim = {.store = store, .spool_id = spool_id, .nonce = nonce, .seq = seq};
    mongoc_read_prefs_t *primary;
    bson_t opts = BSON_INITIALIZER;
    mongoc_cursor_t *cursor;
    bson_error_t error = {0};
    apr_pool_t *pool;
    const bson_t *doc;
    apr_status_t status = begin(&claim, &pool, err);

    *settled = false;
    if (status != APR_SUCCESS) {
        return status;
    }
    primary = mm_store_primary();
    build_same(&claim.filter, &claim);
    BSON_APPEND_INT64(&claim.filter, "settled", seq);
    BSON_APPEND_INT64(&opts, "maxTimeMS", store->patience_ms);
    cursor = mongoc_collection_find_with_opts(claim.collection, &claim.filter, &opts, primary);
    *settled = mongoc_cursor_next(cursor, &doc);
    status = mongoc_cursor_error(cursor, &error) ? mm_store_fail(err, &error, DOING) : APR_SUCCESS;
    mongoc_cursor_destroy(cursor);
    mongoc_read_prefs_destroy(primary);
    bson_destroy(&opts);
    end(&claim, pool);
    return status;
}
