/* The connection, and the names of our collections.
 *
 * One single-threaded client for each store: it starts no threads, holds one socket, and fails at once where nobody
 * listens. A pool of clients would start monitor threads in every httpd child and make each caller wait for the whole
 * selection timeout. The client belongs to the process and thread that opened the store.
 */
#include "store/store_private.h"

#include <string.h>
#include <apr_strings.h>
#include "base/text.h"

/* Collections of ours that are no type's totals. */
static const char *const reserved_names[] = {"users", "days", "meta"};

#define PREFIX_MAX       64
#define DATABASE_DEFAULT "metrics"
#define PATIENCE_MIN_MS  2000

void mm_store_init(void)
{
    mongoc_init();
    mongoc_log_set_handler(NULL, NULL);
}

static apr_status_t close_client(void *data)
{
    mm_store_t *store = data;

    mongoc_client_destroy(store->client);
    store->client = NULL;
    return APR_SUCCESS;
}

static bool is_prefix(const char *prefix)
{
    size_t len = strlen(prefix);

    return len <= PREFIX_MAX && prefix[0] != '.' && strncmp(prefix, "system.", strlen("system.")) != 0 &&
           strspn(prefix, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.") == len &&
           !strstr(prefix, "..");
}

/* Four fifths of the socket's time-out: then the answer "too slow" still arrives, and the connection stays. But a
 * server that is given less than a write takes would never get one done. */
static int64_t patience_of(const mongoc_uri_t *uri)
{
    int64_t ms = (int64_t)mongoc_uri_get_option_as_int32(uri, MONGOC_URI_SOCKETTIMEOUTMS, 0) * 4 / 5;

    return ms > PATIENCE_MIN_MS ? ms : PATIENCE_MIN_MS;
}

/* An answer that is worth waiting for must not be cut off by the socket. */
static void wait_longer(mongoc_uri_t *uri, int32_t times)
{
    int64_t ms = (int64_t)mongoc_uri_get_option_as_int32(uri, MONGOC_URI_SOCKETTIMEOUTMS, 0) * times;

    mongoc_uri_set_option_as_int32(uri, MONGOC_URI_SOCKETTIMEOUTMS, ms < INT32_MAX ? (int32_t)ms : INT32_MAX);
}

static apr_status_t open_store(mm_store_t **store, const char *text, const char *prefix, int32_t times,
                               apr_pool_t *pool, mm_err_t *err)
{
    bson_error_t error = {0};
    mongoc_uri_t *uri;
    mm_store_t *opened;
    const char *database;
    apr_status_t status = APR_SUCCESS;

    if (!is_prefix(prefix)) {
        return mm_err_set(err, APR_EINVAL,
                          "The collection prefix \"%s\" must be at most %d of A-Z a-z 0-9 _ - and single dots", prefix,
                          PREFIX_MAX);
    }
    uri = mm_store_uri_parse(text, err);
    if (!uri) {
        return APR_EINVAL;
    }
    database = mongoc_uri_get_database(uri);
    opened = apr_pcalloc(pool, sizeof(*opened));
    opened->pool = pool;
    opened->database = apr_pstrdup(pool, database && *database ? database : DATABASE_DEFAULT);
    opened->prefix = apr_pstrdup(pool, prefix);
    opened->patience_ms = patience_of(uri);
    wait_longer(uri, times);
    opened->client = mongoc_client_new_from_uri_with_error(uri, &error);
    if (!opened->client) {
        status = mm_err_set(err, APR_EINVAL, "The MongoDB URI cannot be used%s%s",
                            strchr(error.message, '"') ? "" : ": ", strchr(error.message, '"') ? "" : error.message);
        goto out;
    }
    mongoc_client_set_error_api(opened->client, MONGOC_ERROR_API_VERSION_2);
    apr_pool_cleanup_register(pool, opened, close_client, apr_pool_cleanup_null);
    *store = opened;
out:
    mongoc_uri_destroy(uri);
    return status;
}

apr_status_t mm_store_open(mm_store_t **store, const char *uri, const char *prefix, apr_pool_t *pool, mm_err_t *err)
{
    return open_store(store, uri, prefix, 1, pool, err);
}

apr_status_t mm_store_open_patient(mm_store_t **store, const char *uri, const char *prefix, apr_pool_t *pool,
                                   mm_err_t *err)
{
    return open_store(store, uri, prefix, MM_STORE_SORT_PATIENCE, pool, err);
}

const char *mm_store_totals_name(const mm_store_t *store, const char *type, apr_pool_t *pool)
{
    size_t i;

    if (!type || !mm_text_is_type_name(type, strlen(type))) {
        return NULL;
    }
    for (i = 0; i < sizeof(reserved_names) / sizeof(reserved_names[0]); i++) {
        if (strcmp(type, reserved_names[i]) == 0) {
            return NULL;
        }
    }
    return apr_pstrcat(pool, store->prefix, type, NULL);
}

void mm_store_expect_new(mm_store_t *store, bool expected)
{
    store->expects_new = expected;
}

const char *mm_store_users_name(const mm_store_t *store, apr_pool_t *pool)
{
    return apr_pstrcat(pool, store->prefix, "users", NULL);
}

const char *mm_store_days_name(const mm_store_t *store, apr_pool_t *pool)
{
    return apr_pstrcat(pool, store->prefix, "days", NULL);
}

const char *mm_store_meta_name(const mm_store_t *store, apr_pool_t *pool)
{
    return apr_pstrcat(pool, store->prefix, "meta", NULL);
}

void mm_store_append_concern(const mm_store_t *store, bson_t *opts)
{
    mongoc_write_concern_t *concern = mongoc_write_concern_new();

    mongoc_write_concern_set_wmajority(concern, (int32_t)store->patience_ms);
    mongoc_write_concern_set_journal(concern, true);
    mongoc_write_concern_append(concern, opts);
    mongoc_write_concern_destroy(concern);
}

mongoc_read_prefs_t *mm_store_primary(void)
{
    return mongoc_read_prefs_new(MONGOC_READ_PRIMARY);
}

mongoc_collection_t *mm_store_collection(const mm_store_t *store, const char *name)
{
    return mongoc_client_get_collection(store->client, store->database, name);
}
