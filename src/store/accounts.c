/* One scan of one collection, with a projection: bounded in documents and time, and deaf to what documents hold besides
 * (a field of another type, missing or of 10 MB makes the document an odd one, not an error).
 */
#include "store/accounts.h"

#include <string.h>
#include "store/accounts_private.h"
#include "store/catalog_private.h"
#include "store/store_private.h"

#define BATCH_SIZE 1000

typedef struct kind {
    const char *collection;
    const char *secret; /* the field that holds it */
    const char *paths[5];
} kind_t;

static const kind_t kinds[] = {
    [MM_ACCOUNTS_USERS] = {"social.users", NULL, {"_id", "identityId.userId", "identityId.providerId"}},
    [MM_ACCOUNTS_SESSIONS] = {"social.authenticator",
                              "authenticatorId",
                              {"authenticatorId", "identityId.userId", "identityId.providerId", "lastUsed",
                               "expirationDate"}},
    [MM_ACCOUNTS_KEYS] = {"users.apikey", "key", {"key", "name", "identityId.userId", "identityId.providerId"}},
};

const char *mm_accounts_collection(mm_accounts_kind_t kind)
{
    return kinds[kind].collection;
}

/* --- one document --- */

/* Text that is neither empty nor too long, and holds no zero byte. */
static bool text_at(const bson_t *doc, const char *path, char buf[MM_ACCOUNTS_TEXT_MAX + 1])
{
    bson_iter_t iter, value;
    uint32_t len;

    if (!bson_iter_init(&iter, doc) || !bson_iter_find_descendant(&iter, path, &value) ||
        !BSON_ITER_HOLDS_UTF8(&value)) {
        return false;
    }
    const char *text = bson_iter_utf8(&value, &len);
    if (len == 0 || len > MM_ACCOUNTS_TEXT_MAX || memchr(text, '\0', len)) {
        return false;
    }
    memcpy(buf, text, len);
    buf[len] = '\0';
    return true;
}

static bool time_at(const bson_t *doc, const char *key, int64_t *ms)
{
    bson_iter_t iter;

    if (!bson_iter_init_find(&iter, doc, key) || !BSON_ITER_HOLDS_DATE_TIME(&iter)) {
        return false;
    }
    *ms = bson_iter_date_time(&iter);
    return true;
}

/* A name may be missing; only its first character is of interest. */
static bool begins_with_underscore(const bson_t *doc)
{
    bson_iter_t iter;
    uint32_t len;

    return bson_iter_init_find(&iter, doc, "name") && BSON_ITER_HOLDS_UTF8(&iter) &&
           *bson_iter_utf8(&iter, &len) == '_';
}

bool mm_account_parse(mm_account_t *account, mm_account_text_t *text, mm_accounts_kind_t kind, const bson_t *doc)
{
    mm_account_t found = {.login = text->login, .provider = text->provider};
    bson_iter_t iter;

    if (!text_at(doc, "identityId.userId", text->login) || !text_at(doc, "identityId.providerId", text->provider)) {
        return false;
    }
    if (kind == MM_ACCOUNTS_USERS) {
        found.user = text->user;
        if (!bson_iter_init_find(&iter, doc, "_id") || !mm_value_id(&iter, text->user) || !text->user[0]) {
            return false;
        }
    }
    else {
        found.secret = text->secret;
        if (!text_at(doc, kinds[kind].secret, text->secret)) {
            return false;
        }
    }
    if (kind == MM_ACCOUNTS_SESSIONS &&
        (!time_at(doc, "lastUsed", &found.used_ms) || !time_at(doc, "expirationDate", &found.expires_ms))) {
        return false;
    }
    found.is_extractor = kind == MM_ACCOUNTS_KEYS && begins_with_underscore(doc);
    *account = found;
    return true;
}

/* --- all of them --- */

static void append_opts(bson_t *opts, const mm_store_t *store, mm_accounts_kind_t kind, int64_t limit)
{
    bson_t projection;
    size_t n = 0;

    while (n < sizeof(kinds[kind].paths) / sizeof(kinds[kind].paths[0]) && kinds[kind].paths[n]) {
        n++;
    }
    BSON_APPEND_DOCUMENT_BEGIN(opts, "projection", &projection);
    mm_catalog_project(&projection, kinds[kind].paths, n);
    bson_append_document_end(opts, &projection);
    BSON_APPEND_INT64(opts, "limit", limit);
    BSON_APPEND_INT32(opts, "batchSize", BATCH_SIZE);
    BSON_APPEND_INT64(opts, "maxTimeMS", store->patience_ms);
}

static mongoc_cursor_t *find(const mm_store_t *store, mongoc_collection_t *collection, mm_accounts_kind_t kind,
                             int64_t from_ms)
{
    bson_t filter = BSON_INITIALIZER, opts = BSON_INITIALIZER, after;

    if (kind == MM_ACCOUNTS_SESSIONS) {
        BSON_APPEND_DOCUMENT_BEGIN(&filter, "expirationDate", &after);
        BSON_APPEND_DATE_TIME(&after, "$gt", from_ms);
        bson_append_document_end(&filter, &after);
    }
    append_opts(&opts, store, kind, MM_ACCOUNTS_MAX + 1);
    mongoc_cursor_t *cursor = mongoc_collection_find_with_opts(collection, &filter, &opts, NULL);
    bson_destroy(&opts);
    bson_destroy(&filter);
    return cursor;
}

static void read_all(mongoc_cursor_t *cursor, const mm_accounts_limits_t *limits, mm_accounts_kind_t kind,
                     mm_accounts_fn on_account, void *baton, mm_accounts_tally_t *tally)
{
    int64_t until_us = mm_budget_clock_us() + limits->time_us;
    mm_account_text_t text;
    mm_account_t account;
    const bson_t *doc;

    while (mongoc_cursor_next(cursor, &doc)) {
        if (tally->read + tally->odd >= limits->documents || mm_budget_clock_us() >= until_us) {
            tally->cut = true;
            return;
        }
        if (mm_account_parse(&account, &text, kind, doc)) {
            tally->read++;
            on_account(baton, &account);
        }
        else {
            tally->odd++;
        }
    }
}

apr_status_t mm_accounts_read_within(const mm_accounts_limits_t *limits, mm_store_t *store, mm_accounts_kind_t kind,
                                     int64_t from_ms, mm_accounts_fn on_account, void *baton,
                                     mm_accounts_tally_t *tally, mm_err_t *err)
{
    mongoc_collection_t *collection = mm_store_collection(store, kinds[kind].collection);
    mongoc_cursor_t *cursor = find(store, collection, kind, from_ms);
    bson_error_t error = {0};
    apr_status_t rv = APR_SUCCESS;

    *tally = (mm_accounts_tally_t){.read = 0};
    read_all(cursor, limits, kind, on_account, baton, tally);
    if (!tally->cut && mongoc_cursor_error(cursor, &error)) {
        rv = mm_store_fail(err, &error, kinds[kind].collection);
        /* A server that takes too long for a scan will do so the next time, too. */
        tally->cut = mm_store_is_slow(&error);
        rv = tally->cut ? APR_SUCCESS : rv;
    }
    mongoc_cursor_destroy(cursor);
    mongoc_collection_destroy(collection);
    return rv;
}

apr_status_t mm_accounts_read(mm_store_t *store, mm_accounts_kind_t kind, int64_t from_ms, mm_accounts_fn on_account,
                              void *baton, mm_accounts_tally_t *tally, mm_err_t *err)
{
    const mm_accounts_limits_t limits = {MM_ACCOUNTS_MAX, MM_ACCOUNTS_TIME_US};

    return mm_accounts_read_within(&limits, store, kind, from_ms, on_account, baton, tally, err);
}

apr_status_t mm_accounts_find(mm_store_t *store, mm_accounts_kind_t kind, const char *secret, mm_accounts_fn on_account,
                              void *baton, mm_err_t *err)
{
    mongoc_collection_t *collection = mm_store_collection(store, kinds[kind].collection);
    bson_t filter = BSON_INITIALIZER, opts = BSON_INITIALIZER;
    bson_error_t error = {0};
    mm_account_text_t text;
    mm_account_t account;
    const bson_t *doc;
    apr_status_t rv = APR_SUCCESS;

    mm_value_append_text(&filter, kinds[kind].secret, secret);
    append_opts(&opts, store, kind, 1);
    mongoc_cursor_t *cursor = mongoc_collection_find_with_opts(collection, &filter, &opts, NULL);
    if (mongoc_cursor_next(cursor, &doc) && mm_account_parse(&account, &text, kind, doc)) {
        on_account(baton, &account);
    }
    if (mongoc_cursor_error(cursor, &error)) {
        rv = mm_store_fail(err, &error, kinds[kind].collection);
    }
    mongoc_cursor_destroy(cursor);
    bson_destroy(&opts);
    bson_destroy(&filter);
    mongoc_collection_destroy(collection);
    return rv;
}
