/* A document of a day goes in four steps, each of which may be the last of a process that is killed:
 *
 *   it gets a token; the day's document of nobody takes its counts and the token, unless it has that; it is removed;
 *   the token is removed
 *
 * so whoever begins again finds in the token what was done already. The token is random and says nothing of anybody.
 * Documents of metrics_users are only removed: their counts are in the totals of the resource, too.
 */
#include "store/forget.h"

#include <string.h>
#include <apr_strings.h>
#include <apr_time.h>
#include "store/store_private.h"
#include "store/value.h"

#define CODE_DUPLICATE_KEY 11000
#define SHOWN_MAX          64
/* Documents between two renewals of the pause. */
#define RENEW_EVERY 200
#define DOING       "Forgetting a user in MongoDB"

typedef struct forget {
    mm_store_t *store;
    const char *user;
    mongoc_collection_t *days;
    apr_pool_t *pool;
    mm_err_t *err;
} forget_t;

static apr_status_t with_pool(apr_pool_t **pool, const mm_store_t *store, mm_err_t *err)
{
    apr_status_t rv = apr_pool_create(pool, store->pool);

    return rv == APR_SUCCESS ? rv : mm_err_set_os(err, rv, DOING);
}

/* --- the pause -----------------------------------------------------------------------------------------------------
 */

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

apr_status_t mm_forget_pause(mm_store_t *store, mm_err_t *err)
{
    bson_t update = BSON_INITIALIZER, set;
    apr_status_t rv;

    BSON_APPEND_DOCUMENT_BEGIN(&update, "$set", &set);
    BSON_APPEND_DATE_TIME(&set, "paused_until", apr_time_as_msec(apr_time_now()) + MM_FORGET_PAUSE_MS);
    bson_append_document_end(&update, &set);
    rv = update_spools(store, &update, err);
    bson_destroy(&update);
    return rv;
}

apr_status_t mm_forget_resume(mm_store_t *store, mm_err_t *err)
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

static const char *shown(const bson_t *doc, const char *key, apr_pool_t *pool)
{
    bson_iter_t iter;
    const char *text = bson_iter_init_find(&iter, doc, key) ? mm_value_show(&iter, SHOWN_MAX, pool) : NULL;

    return text && *text ? text : "?";
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
                   shown(doc, "host", look->pool), shown(doc, "claimed", look->pool), shown(doc, "_id", look->pool),
                   (long long)seq);
    }
    return !look->found;
}

apr_status_t mm_forget_is_quiet(mm_store_t *store, bool *quiet, mm_err_t *err)
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

/* Goes on asking, unless somebody may have begun a batch in between. */
static apr_status_t renew(mm_store_t *store, mm_err_t *err)
{
    look_t look = {.err = err};
    apr_status_t rv = each_spool(store, has_run_out, &look, err);

    if (rv == APR_SUCCESS && look.found) {
        return mm_err_set(err, APR_TIMEUP, "it took too long, and counting has gone on meanwhile");
    }
    return rv == APR_SUCCESS ? mm_forget_pause(store, err) : rv;
}

/* --- one day's document --------------------------------------------------------------------------------------------
 */

static bool update_day(const forget_t *forget, const bson_t *filter, const bson_t *update, bool upsert,
                       bson_error_t *error)
{
    bson_t opts = BSON_INITIALIZER;
    bool ok;

    mm_store_append_concern(forget->store, &opts);
    BSON_APPEND_BOOL(&opts, "upsert", upsert);
    ok = mongoc_collection_update_one(forget->days, filter, update, &opts, NULL, error);
    bson_destroy(&opts);
    return ok;
}

/* {_id: that of doc} */
static void append_id_of(bson_t *filter, const bson_t *doc)
{
    bson_iter_t iter;

    if (bson_iter_init_find(&iter, doc, "_id")) {
        bson_append_iter(filter, "_id", -1, &iter);
    }
}

/* The _id of the day's document of nobody: the same without the user, which is its end. NULL: it is none of ours. */
static const char *nobodys_id(const forget_t *forget, const bson_t *doc)
{
    char id[MM_VALUE_ID_SIZE];
    size_t len, user_len = strlen(forget->user);
    bson_iter_t iter;

    if (!bson_iter_init_find(&iter, doc, "_id") || !mm_value_id(&iter, id)) {
        return NULL;
    }
    len = strlen(id);
    if (len <= user_len || strcmp(id + len - user_len, forget->user) != 0 || id[len - user_len - 1] != ':') {
        return NULL;
    }
    return apr_pstrmemdup(forget->pool, id, len - user_len);
}

/* The token that the document has, or gets now. */
static bool stamp(const forget_t *forget, const bson_t *doc, bson_oid_t *token, bson_error_t *error)
{
    bson_t filter = BSON_INITIALIZER, update = BSON_INITIALIZER, set;
    bson_iter_t iter;
    bool ok = true;

    if (bson_iter_init_find(&iter, doc, "forget") && BSON_ITER_HOLDS_OID(&iter)) {
        bson_oid_copy(bson_iter_oid(&iter), token);
    }
    else {
        bson_oid_init(token, NULL);
        append_id_of(&filter, doc);
        BSON_APPEND_DOCUMENT_BEGIN(&update, "$set", &set);
        BSON_APPEND_OID(&set, "forget", token);
        bson_append_document_end(&update, &set);
        ok = update_day(forget, &filter, &update, false, error);
    }
    bson_destroy(&update);
    bson_destroy(&filter);
    return ok;
}

/* Every number of the document that is a count. */
static void append_counts(bson_t *update, const bson_t *doc)
{
    bson_t inc = BSON_INITIALIZER;
    bson_iter_t iter;

    bson_iter_init(&iter, doc);
    while (bson_iter_next(&iter)) {
        if (BSON_ITER_HOLDS_INT(&iter) && bson_iter_as_int64(&iter) != 0) {
            bson_append_int64(&inc, bson_iter_key(&iter), -1, bson_iter_as_int64(&iter));
        }
    }
    if (!bson_empty(&inc)) { /* some servers refuse an empty one */
        BSON_APPEND_DOCUMENT(update, "$inc", &inc);
    }
    bson_destroy(&inc);
}

static void append_names(bson_t *set, const bson_t *doc)
{
    static const char *const keys[] = {"type", "resource", "day"};
    bson_iter_t iter;

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        if (bson_iter_init_find(&iter, doc, keys[i])) {
            bson_append_iter(set, keys[i], -1, &iter);
        }
    }
}

static void build_merge(bson_t *filter, bson_t *update, const char *id, const bson_t *doc, const bson_oid_t *token)
{
    bson_t part;

    mm_value_append_text(filter, "_id", id);
    BSON_APPEND_DOCUMENT_BEGIN(filter, "forgot", &part);
    BSON_APPEND_OID(&part, "$ne", token);
    bson_append_document_end(filter, &part);
    append_counts(update, doc);
    BSON_APPEND_DOCUMENT_BEGIN(update, "$push", &part);
    BSON_APPEND_OID(&part, "forgot", token);
    bson_append_document_end(update, &part);
    BSON_APPEND_DOCUMENT_BEGIN(update, "$setOnInsert", &part);
    append_names(&part, doc);
    bson_append_document_end(update, &part);
}

/* A duplicate key: it has the token, or was made in this instant, which the second update tells. */
static bool merge(const forget_t *forget, const char *id, const bson_t *doc, const bson_oid_t *token,
                  bson_error_t *error)
{
    bson_t filter = BSON_INITIALIZER, update = BSON_INITIALIZER;
    bool ok;

    build_merge(&filter, &update, id, doc, token);
    ok = update_day(forget, &filter, &update, true, error) ||
         (error->code == CODE_DUPLICATE_KEY && update_day(forget, &filter, &update, false, error));
    bson_destroy(&update);
    bson_destroy(&filter);
    return ok;
}

static bool remove_doc(const forget_t *forget, const bson_t *doc, bson_error_t *error)
{
    bson_t filter = BSON_INITIALIZER, opts = BSON_INITIALIZER;
    bool ok;

    append_id_of(&filter, doc);
    mm_store_append_concern(forget->store, &opts);
    ok = mongoc_collection_delete_one(forget->days, &filter, &opts, NULL, error);
    bson_destroy(&opts);
    bson_destroy(&filter);
    return ok;
}

static bool drop_token(const forget_t *forget, const char *id, const bson_oid_t *token, bson_error_t *error)
{
    bson_t filter = BSON_INITIALIZER, update = BSON_INITIALIZER, pull;
    bool ok;

    mm_value_append_text(&filter, "_id", id);
    BSON_APPEND_DOCUMENT_BEGIN(&update, "$pull", &pull);
    BSON_APPEND_OID(&pull, "forgot", token);
    bson_append_document_end(&update, &pull);
    ok = update_day(forget, &filter, &update, false, error);
    bson_destroy(&update);
    bson_destroy(&filter);
    return ok;
}

static apr_status_t forget_day(const forget_t *forget, const bson_t *doc)
{
    const char *id = nobodys_id(forget, doc);
    bson_error_t error = {0};
    bson_oid_t token;

    if (!id) {
        return mm_err_set(
            forget->err, APR_EGENERAL,
            "a document of metrics_days with this user has an _id that is not of ours; look at it by hand");
    }
    if (!stamp(forget, doc, &token, &error) || !merge(forget, id, doc, &token, &error) ||
        !remove_doc(forget, doc, &error) || !drop_token(forget, id, &token, &error)) {
        return mm_store_fail(forget->err, &error, DOING);
    }
    return APR_SUCCESS;
}

/* --- all of them ---------------------------------------------------------------------------------------------------
 */

static apr_status_t forget_days(forget_t *forget, mm_forgotten_t *forgotten)
{
    mongoc_read_prefs_t *primary = mm_store_primary();
    bson_t filter = BSON_INITIALIZER;
    mongoc_cursor_t *cursor;
    bson_error_t error = {0};
    const bson_t *doc;
    apr_status_t rv = APR_SUCCESS;

    mm_value_append_text(&filter, "user", forget->user);
    cursor = mongoc_collection_find_with_opts(forget->days, &filter, NULL, primary);
    while (rv == APR_SUCCESS && mongoc_cursor_next(cursor, &doc)) {
        rv = forgotten->days % RENEW_EVERY == 0 ? renew(forget->store, forget->err) : APR_SUCCESS;
        if (rv == APR_SUCCESS) {
            rv = forget_day(forget, doc);
            forgotten->days++;
        }
    }
    if (rv == APR_SUCCESS && mongoc_cursor_error(cursor, &error)) {
        rv = mm_store_fail(forget->err, &error, DOING);
    }
    mongoc_cursor_destroy(cursor);
    bson_destroy(&filter);
    mongoc_read_prefs_destroy(primary);
    return rv;
}

static apr_status_t forget_resources(forget_t *forget, mm_forgotten_t *forgotten)
{
    mongoc_collection_t *users = mm_store_collection(forget->store, mm_store_users_name(forget->store, forget->pool));
    bson_t filter = BSON_INITIALIZER, opts = BSON_INITIALIZER, reply;
    bson_error_t error = {0};
    apr_status_t rv = APR_SUCCESS;

    mm_value_append_text(&filter, "user", forget->user);
    mm_store_append_concern(forget->store, &opts);
    if (!mongoc_collection_delete_many(users, &filter, &opts, &reply, &error)) {
        rv = mm_store_fail(forget->err, &error, DOING);
    }
    forgotten->resources += mm_reply_int(&reply, "deletedCount");
    bson_destroy(&reply);
    bson_destroy(&opts);
    bson_destroy(&filter);
    mongoc_collection_destroy(users);
    return rv;
}

apr_status_t mm_forget_user(mm_store_t *store, const char *user, mm_forgotten_t *forgotten, mm_err_t *err)
{
    forget_t forget = {.store = store, .user = user, .err = err};
    apr_status_t rv;

    *forgotten = (mm_forgotten_t){.days = 0};
    if (!*user || strlen(user) > MM_STORE_TEXT_MAX) {
        return mm_err_set(err, APR_EINVAL, "this can be nobody's id");
    }
    rv = with_pool(&forget.pool, store, err);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    forget.days = mm_store_collection(store, apr_pstrcat(forget.pool, store->prefix, "days", NULL));
    rv = renew(store, err);
    if (rv == APR_SUCCESS) {
        rv = forget_days(&forget, forgotten);
    }
    if (rv == APR_SUCCESS) {
        rv = forget_resources(&forget, forgotten);
    }
    mongoc_collection_destroy(forget.days);
    apr_pool_destroy(forget.pool);
    return rv;
}
