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
#include "store/pause.h"
#include "store/store_private.h"
#include "store/value.h"

#define CODE_DUPLICATE_KEY 11000
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
        rv = forgotten->days % RENEW_EVERY == 0 ? mm_pause_renew(forget->store, forget->err) : APR_SUCCESS;
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
    rv = mm_pause_renew(store, err);
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
