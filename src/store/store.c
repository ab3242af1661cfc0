/* The connection, and the indexes.
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

/* Four fifths of the socket's time-out: then the answer "too slow" still arrives, and the connection stays. */
static int64_t patience_of(const mongoc_uri_t *uri)
{
    int32_t ms = mongoc_uri_get_option_as_int32(uri, MONGOC_URI_SOCKETTIMEOUTMS, 0);

    return ms > 1 ? (int64_t)ms * 4 / 5 : 1;
}

apr_status_t mm_store_open(mm_store_t **store, const char *text, const char *prefix, apr_pool_t *pool, mm_err_t *err)
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

const char *mm_store_users_name(const mm_store_t *store, apr_pool_t *pool)
{
    return apr_pstrcat(pool, store->prefix, "users", NULL);
}

mongoc_collection_t *mm_store_collection(const mm_store_t *store, const char *name)
{
    return mongoc_client_get_collection(store->client, store->database, name);
}

/* --- indexes: which and why is in docs/data-model.md ------------------------------------------------------------- */

typedef struct index_field {
    const char *path;
    int32_t direction;
} index_field_t;

#define INDEX_FIELDS_MAX 5

typedef struct index_spec {
    const char *name;
    index_field_t fields[INDEX_FIELDS_MAX + 1]; /* ends with a NULL path */
} index_spec_t;

static const index_spec_t totals_indexes[] = {
    {"totals", {{"views", -1}, {"downloads", -1}, {"_id", 1}}},
};

static const index_spec_t users_indexes[] = {
    {"by_use", {{"type", 1}, {"views", -1}, {"downloads", -1}, {"resource", 1}, {"user", 1}}},
    {"by_resource", {{"resource", 1}, {"type", 1}}},
    {"by_user", {{"user", 1}, {"type", 1}}},
};

static void append_index(bson_t *indexes, uint32_t i, const index_spec_t *spec)
{
    const index_field_t *field;
    const char *key;
    char buf[16];
    bson_t index, keys;

    bson_uint32_to_string(i, &key, buf, sizeof(buf));
    BSON_APPEND_DOCUMENT_BEGIN(indexes, key, &index);
    BSON_APPEND_DOCUMENT_BEGIN(&index, "key", &keys);
    for (field = spec->fields; field->path; field++) {
        BSON_APPEND_INT32(&keys, field->path, field->direction);
    }
    bson_append_document_end(&index, &keys);
    BSON_APPEND_UTF8(&index, "name", spec->name);
    bson_append_document_end(indexes, &index);
}

static apr_status_t create_indexes(mm_store_t *store, const char *collection, const index_spec_t *specs, uint32_t n,
                                   apr_pool_t *pool, mm_err_t *err)
{
    mongoc_database_t *database = mongoc_client_get_database(store->client, store->database);
    bson_error_t error = {0};
    bson_t command = BSON_INITIALIZER, indexes, reply;
    apr_status_t status = APR_SUCCESS;
    uint32_t i;

    BSON_APPEND_UTF8(&command, "createIndexes", collection);
    BSON_APPEND_ARRAY_BEGIN(&command, "indexes", &indexes);
    for (i = 0; i < n; i++) {
        append_index(&indexes, i, &specs[i]);
    }
    bson_append_array_end(&command, &indexes);
    if (!mongoc_database_write_command_with_opts(database, &command, NULL, &reply, &error)) {
        status = mm_store_fail(err, &error, apr_psprintf(pool, "Making the indexes of %s", collection));
    }
    bson_destroy(&reply);
    bson_destroy(&command);
    mongoc_database_destroy(database);
    return status;
}

apr_status_t mm_store_prepare(mm_store_t *store, const char *const *types, size_t n, mm_err_t *err)
{
    apr_pool_t *scratch;
    apr_status_t status = apr_pool_create(&scratch, store->pool);
    size_t i;

    if (status != APR_SUCCESS) {
        return mm_err_set_os(err, status, "Making indexes");
    }
    for (i = 0; i < n && status == APR_SUCCESS; i++) {
        const char *name = mm_store_totals_name(store, types[i], scratch);

        status = name ? create_indexes(store, name, totals_indexes, 1, scratch, err)
                      : mm_err_set(err, APR_EINVAL, "\"%s\" cannot name a type of resources", types[i] ? types[i] : "");
    }
    if (status == APR_SUCCESS) {
        status = create_indexes(store, mm_store_users_name(store, scratch), users_indexes,
                                sizeof(users_indexes) / sizeof(users_indexes[0]), scratch, err);
    }
    apr_pool_destroy(scratch);
    return status;
}
