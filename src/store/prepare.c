/* The collections before the first count: that they are what they must be, and their indexes.
 *
 * Two kinds of failure. A collection that cannot keep counts apart stops everything, since what it mixes up nobody can
 * take apart again. An index that cannot be made makes reports slow, and nothing else.
 */
#include "store/store_private.h"

#include <string.h>
#include <apr_strings.h>
#include <apr_tables.h>

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
    {"by_downloads", {{"downloads", -1}, {"_id", 1}}},
    {"by_last_viewed", {{"last_viewed", -1}, {"_id", 1}}},
    {"by_last_downloaded", {{"last_downloaded", -1}, {"_id", 1}}},
};

static const index_spec_t days_indexes[] = {
    {"by_resource", {{"resource", 1}, {"type", 1}, {"day", 1}}},
    {"by_day", {{"day", 1}, {"type", 1}}},
    {"by_user", {{"user", 1}, {"day", 1}}},
};

static const index_spec_t users_indexes[] = {
    {"by_use", {{"type", 1}, {"views", -1}, {"downloads", -1}, {"resource", 1}, {"user", 1}}},
    {"users_of", {{"type", 1}, {"resource", 1}, {"user", 1}}},
    {"uses_by", {{"user", 1}, {"type", 1}, {"resource", 1}}},
};

#define N_OF(specs) (sizeof(specs) / sizeof((specs)[0]))

/* One command for each index: a command that is refused for one of them makes none. */
static apr_status_t create_index(mm_store_t *store, const char *collection, const index_spec_t *spec, apr_pool_t *pool,
                                 mm_err_t *err)
{
    mongoc_database_t *database = mongoc_client_get_database(store->client, store->database);
    bson_t command = BSON_INITIALIZER, indexes, index, keys, reply;
    const index_field_t *field;
    bson_error_t error = {0};
    apr_status_t status = APR_SUCCESS;

    BSON_APPEND_UTF8(&command, "createIndexes", collection);
    BSON_APPEND_ARRAY_BEGIN(&command, "indexes", &indexes);
    BSON_APPEND_DOCUMENT_BEGIN(&indexes, "0", &index);
    BSON_APPEND_DOCUMENT_BEGIN(&index, "key", &keys);
    for (field = spec->fields; field->path; field++) {
        BSON_APPEND_INT32(&keys, field->path, field->direction);
    }
    bson_append_document_end(&index, &keys);
    BSON_APPEND_UTF8(&index, "name", spec->name);
    bson_append_document_end(&indexes, &index);
    bson_append_array_end(&command, &indexes);
    if (!mongoc_database_write_command_with_opts(database, &command, NULL, &reply, &error)) {
        status = mm_store_fail(err, &error, apr_psprintf(pool, "Making the index %s of %s", spec->name, collection));
    }
    bson_destroy(&reply);
    bson_destroy(&command);
    mongoc_database_destroy(database);
    return status;
}

/* --- what the collections must be -------------------------------------------------------------------------------- */

static bool text_in(const bson_t *doc, const char *path, const char **text)
{
    bson_iter_t iter, found;

    if (!bson_iter_init(&iter, doc) || !bson_iter_find_descendant(&iter, path, &found) ||
        !BSON_ITER_HOLDS_UTF8(&found)) {
        return false;
    }
    *text = bson_iter_utf8(&found, NULL);
    return true;
}

/* One answer of listCollections. */
static apr_status_t check_collection(const bson_t *doc, mm_err_t *err)
{
    const char *name = "?", *text;

    text_in(doc, "name", &name);
    if (text_in(doc, "type", &text) && strcmp(text, "collection") != 0) {
        return mm_err_set(err, MM_STORE_UNFIT,
                          "%s is a %s, not a collection: nothing can be counted there. Drop it, or choose another "
                          "prefix for the collections",
                          name, text);
    }
    if (text_in(doc, "options.collation.locale", &text) && strcmp(text, "simple") != 0) {
        return mm_err_set(err, MM_STORE_UNFIT,
                          "The collection %s was made with the collation \"%.20s\", in which different ids can be the "
                          "same: nothing is counted there. Rename it, copy its documents into a collection without a "
                          "collation, and give that its name",
                          name, text);
    }
    return APR_SUCCESS;
}

static apr_status_t check_collections(mm_store_t *store, const apr_array_header_t *names, mm_err_t *err)
{
    mongoc_database_t *database = mongoc_client_get_database(store->client, store->database);
    bson_t opts = BSON_INITIALIZER, filter, condition, list;
    apr_status_t status = APR_SUCCESS;
    bson_error_t error = {0};
    mongoc_cursor_t *cursor;
    const bson_t *doc;
    const char *key;
    char buf[16];
    int i;

    BSON_APPEND_DOCUMENT_BEGIN(&opts, "filter", &filter);
    BSON_APPEND_DOCUMENT_BEGIN(&filter, "name", &condition);
    BSON_APPEND_ARRAY_BEGIN(&condition, "$in", &list);
    for (i = 0; i < names->nelts; i++) {
        bson_uint32_to_string((uint32_t)i, &key, buf, sizeof(buf));
        BSON_APPEND_UTF8(&list, key, APR_ARRAY_IDX(names, i, const char *));
    }
    bson_append_array_end(&condition, &list);
    bson_append_document_end(&filter, &condition);
    bson_append_document_end(&opts, &filter);
    cursor = mongoc_database_find_collections_with_opts(database, &opts);
    while (status == APR_SUCCESS && mongoc_cursor_next(cursor, &doc)) {
        status = check_collection(doc, err);
    }
    if (status == APR_SUCCESS && mongoc_cursor_error(cursor, &error)) {
        status = mm_store_fail(err, &error, "Looking at the collections");
    }
    mongoc_cursor_destroy(cursor);
    bson_destroy(&opts);
    mongoc_database_destroy(database);
    return status;
}

/* --- both ----------------------------------------------------------------------------------------------------------
 */

static apr_status_t name_all(apr_array_header_t *names, const mm_store_t *store, const char *const *types, size_t n,
                             apr_pool_t *pool, mm_err_t *err)
{
    size_t i;

    for (i = 0; i < n; i++) {
        const char *name = mm_store_totals_name(store, types[i], pool);

        if (!name) {
            return mm_err_set(err, APR_EINVAL, "\"%s\" cannot name a type of resources", types[i] ? types[i] : "");
        }
        APR_ARRAY_PUSH(names, const char *) = name;
    }
    APR_ARRAY_PUSH(names, const char *) = mm_store_days_name(store, pool);
    APR_ARRAY_PUSH(names, const char *) = mm_store_users_name(store, pool);
    return APR_SUCCESS;
}

static const index_spec_t *specs_of(int i, int names, uint32_t *n)
{
    if (i == names - 1) {
        *n = N_OF(users_indexes);
        return users_indexes;
    }
    *n = i == names - 2 ? N_OF(days_indexes) : N_OF(totals_indexes);
    return i == names - 2 ? days_indexes : totals_indexes;
}

/* The last two of names are those of days and users. One that refuses its index does not keep the others from theirs.
 */
static apr_status_t index_all(mm_store_t *store, const apr_array_header_t *names, apr_pool_t *pool, mm_err_t *err)
{
    apr_status_t first = APR_SUCCESS;
    int i;

    for (i = 0; i < names->nelts && first != MM_STORE_AWAY; i++) {
        const char *name = APR_ARRAY_IDX(names, i, const char *);
        uint32_t j, n_specs;
        const index_spec_t *specs = specs_of(i, names->nelts, &n_specs);
        mm_err_t why;

        for (j = 0; j < n_specs && first != MM_STORE_AWAY; j++) {
            apr_status_t status = create_index(store, name, &specs[j], pool, &why);

            if (status != APR_SUCCESS && (first == APR_SUCCESS || status == MM_STORE_AWAY)) {
                first = mm_err_set(err, status, "%s", why.text);
            }
        }
    }
    return first;
}

apr_status_t mm_store_prepare(mm_store_t *store, const char *const *types, size_t n, mm_err_t *err)
{
    apr_array_header_t *names;
    apr_pool_t *scratch;
    apr_status_t status = apr_pool_create(&scratch, store->pool);

    if (status != APR_SUCCESS) {
        return mm_err_set_os(err, status, "Making indexes");
    }
    names = apr_array_make(scratch, (int)n + 2, sizeof(const char *));
    status = name_all(names, store, types, n, scratch, err);
    if (status == APR_SUCCESS) {
        status = check_collections(store, names, err);
    }
    if (status == APR_SUCCESS) {
        status = index_all(store, names, scratch, err);
    }
    apr_pool_destroy(scratch);
    return status;
}
