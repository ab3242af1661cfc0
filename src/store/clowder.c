/* Questions by ids, a batch at a time, with a projection. What a file is in is asked for from the other side: it does
 * not say so itself.
 */
#include "store/clowder.h"

#include <stdlib.h>
#include <string.h>
#include "store/catalog_private.h"
#include "store/clowder_private.h"
#include "store/store_private.h"

#define BATCH_SIZE 1000

_Static_assert(sizeof(bson_oid_t) == MM_OID_SIZE, "an ObjectId is 12 bytes");

bool mm_oid_parse(mm_oid_t *oid, const char *text)
{
    bson_oid_t parsed;

    if (!bson_oid_is_valid(text, strlen(text))) {
        return false;
    }
    bson_oid_init_from_string(&parsed, text);
    memcpy(oid->bytes, parsed.bytes, MM_OID_SIZE);
    return true;
}

int mm_oid_compare(const void *left, const void *right)
{
    return memcmp(left, right, MM_OID_SIZE);
}

/* --- values ---------------------------------------------------------------------------------------------------------
 */

static bool value_at(const bson_t *doc, const char *path, bson_iter_t *value)
{
    bson_iter_t iter;

    return bson_iter_init(&iter, doc) && bson_iter_find_descendant(&iter, path, value);
}

static bool oid_of(const bson_iter_t *value, mm_oid_t *oid)
{
    if (!BSON_ITER_HOLDS_OID(value)) {
        return false;
    }
    memcpy(oid->bytes, bson_iter_oid(value)->bytes, MM_OID_SIZE);
    return true;
}

bool mm_clowder_oid_at(const bson_t *doc, const char *path, mm_oid_t *oid)
{
    bson_iter_t value;

    return value_at(doc, path, &value) && oid_of(&value, oid);
}

const char *mm_clowder_text_at(const bson_t *doc, const char *path, size_t *len)
{
    bson_iter_t value;
    uint32_t n;

    if (!value_at(doc, path, &value) || !BSON_ITER_HOLDS_UTF8(&value)) {
        return NULL;
    }
    const char *text = bson_iter_utf8(&value, &n);
    *len = n;
    return text;
}

bool mm_clowder_is(const bson_t *doc, const char *path, const char *text)
{
    size_t len;
    const char *found = mm_clowder_text_at(doc, path, &len);

    return found && len == strlen(text) && memcmp(found, text, len) == 0;
}

static bool is_true(const bson_t *doc, const char *key)
{
    bson_iter_t value;

    return bson_iter_init_find(&value, doc, key) && BSON_ITER_HOLDS_BOOL(&value) && bson_iter_bool(&value);
}

/* --- queries --------------------------------------------------------------------------------------------------------
 */

void mm_clowder_append_in(bson_t *filter, const char *path, const mm_oid_t *ids, size_t n)
{
    bson_t condition, values;
    bson_oid_t oid;
    const char *key;
    char buf[16];

    BSON_APPEND_DOCUMENT_BEGIN(filter, path, &condition);
    BSON_APPEND_ARRAY_BEGIN(&condition, "$in", &values);
    for (size_t i = 0; i < n; i++) {
        memcpy(oid.bytes, ids[i].bytes, MM_OID_SIZE);
        bson_uint32_to_string((uint32_t)i, &key, buf, sizeof(buf));
        BSON_APPEND_OID(&values, key, &oid);
    }
    bson_append_array_end(&condition, &values);
    bson_append_document_end(filter, &condition);
}

apr_status_t mm_clowder_query(mm_store_t *store, const mm_clowder_query_t *query, mm_clowder_bson_fn fn, void *baton,
                              mm_err_t *err)
{
    mongoc_collection_t *collection = mm_store_collection(store, query->collection);
    bson_t opts = BSON_INITIALIZER, projection;
    bson_error_t error = {0};
    apr_status_t rv = APR_SUCCESS;
    const bson_t *doc;

    BSON_APPEND_DOCUMENT_BEGIN(&opts, "projection", &projection);
    mm_catalog_project(&projection, query->paths, query->n_paths);
    bson_append_document_end(&opts, &projection);
    if (query->limit > 0) {
        BSON_APPEND_INT64(&opts, "limit", query->limit);
    }
    BSON_APPEND_INT32(&opts, "batchSize", BATCH_SIZE);
    BSON_APPEND_INT64(&opts, "maxTimeMS", store->patience_ms);
    mongoc_cursor_t *cursor = mongoc_collection_find_with_opts(collection, query->filter, &opts, NULL);
    while (mongoc_cursor_next(cursor, &doc)) {
        fn(baton, doc);
    }
    if (mongoc_cursor_error(cursor, &error)) {
        rv = mm_store_fail(err, &error, query->collection);
    }
    mongoc_cursor_destroy(cursor);
    bson_destroy(&opts);
    mongoc_collection_destroy(collection);
    return rv;
}

/* --- resources by their own ids -------------------------------------------------------------------------------------
 */

typedef struct kind {
    const char *collection, *author;
    const char *paths[5];
    size_t n_paths;
} kind_t;

static const kind_t kinds[] = {
    [MM_CLOWDER_DATASETS] = {"datasets", "author._id", {"_id", "author._id", "spaces", "status", "trash"}, 5},
    [MM_CLOWDER_COLLECTIONS] = {"collections", "author._id", {"_id", "author._id", "spaces", "trash"}, 4},
    [MM_CLOWDER_FILES] = {"uploads", "author._id", {"_id", "author._id"}, 2},
    [MM_CLOWDER_SPACES] = {"spaces.projects", "creator", {"_id", "creator", "status"}, 3},
};

static size_t read_spaces(const bson_t *doc, mm_oid_t *spaces)
{
    bson_iter_t iter, element;
    size_t n = 0;

    if (!bson_iter_init_find(&iter, doc, "spaces") || !BSON_ITER_HOLDS_ARRAY(&iter) ||
        !bson_iter_recurse(&iter, &element)) {
        return 0;
    }
    while (n < MM_CLOWDER_SPACES_MAX && bson_iter_next(&element)) {
        n += oid_of(&element, &spaces[n]);
    }
    return n;
}

typedef struct reading {
    mm_clowder_kind_t kind;
    mm_clowder_doc_fn fn;
    void *baton;
    mm_oid_t spaces[MM_CLOWDER_SPACES_MAX];
} reading_t;

bool mm_clowder_parse(mm_clowder_doc_t *parsed, mm_clowder_kind_t kind, mm_oid_t *spaces, const bson_t *doc)
{
    *parsed = (mm_clowder_doc_t){.spaces = spaces};
    if (!mm_clowder_oid_at(doc, "_id", &parsed->id)) {
        return false;
    }
    parsed->has_author = mm_clowder_oid_at(doc, kinds[kind].author, &parsed->author);
    if (kind != MM_CLOWDER_FILES) { /* a file's status is that of its processing */
        parsed->trashed = is_true(doc, "trash");
        parsed->is_public = mm_clowder_is(doc, "status", "PUBLIC");
        parsed->is_default = mm_clowder_is(doc, "status", "DEFAULT");
        parsed->n_spaces = read_spaces(doc, spaces);
    }
    return true;
}

static void on_document(void *baton, const bson_t *doc)
{
    reading_t *reading = baton;
    mm_clowder_doc_t parsed;

    if (mm_clowder_parse(&parsed, reading->kind, reading->spaces, doc)) {
        reading->fn(reading->baton, &parsed);
    }
}

apr_status_t mm_clowder_read(mm_store_t *store, mm_clowder_kind_t kind, const mm_oid_t *ids, size_t n,
                             mm_clowder_doc_fn fn, void *baton, mm_err_t *err)
{
    reading_t reading = {.kind = kind, .fn = fn, .baton = baton};
    bson_t filter = BSON_INITIALIZER;
    const mm_clowder_query_t query = {kinds[kind].collection, &filter, kinds[kind].paths, kinds[kind].n_paths, 0};

    mm_clowder_append_in(&filter, "_id", ids, n);
    apr_status_t rv = n ? mm_clowder_query(store, &query, on_document, &reading, err) : APR_SUCCESS;
    bson_destroy(&filter);
    return rv;
}

static void count_one(void *baton, const bson_t *doc)
{
    (void)doc;
    *(bool *)baton = true;
}

apr_status_t mm_clowder_has_public_dataset(mm_store_t *store, const mm_oid_t *space, bool *has, mm_err_t *err)
{
    static const char *const paths[] = {"_id"};
    bson_t filter = BSON_INITIALIZER;
    const mm_clowder_query_t query = {"datasets", &filter, paths, 1, 1};

    *has = false;
    mm_clowder_append_in(&filter, "spaces", space, 1);
    BSON_APPEND_UTF8(&filter, "status", "PUBLIC");
    apr_status_t rv = mm_clowder_query(store, &query, count_one, has, err);
    bson_destroy(&filter);
    return rv;
}

/* --- what holds files -----------------------------------------------------------------------------------------------
 */

bool mm_clowder_each_file(const bson_t *doc, mm_clowder_file_fn fn, void *baton)
{
    bson_iter_t list, files;
    bool goes_on = true;
    mm_oid_t file;

    if (!bson_iter_init_find(&list, doc, "files") || !BSON_ITER_HOLDS_ARRAY(&list) ||
        !bson_iter_recurse(&list, &files)) {
        return true;
    }
    while (goes_on && bson_iter_next(&files)) {
        goes_on = !oid_of(&files, &file) || fn(baton, &file);
    }
    return goes_on;
}

typedef struct holding {
    const mm_oid_t *files; /* in order */
    size_t n;
    bool folders;
    mm_clowder_holder_fn fn;
    void *baton;
    size_t documents, values; /* how long the lists are */
    mm_clowder_doc_t holder;  /* the one under way */
    mm_oid_t spaces[MM_CLOWDER_SPACES_MAX];
} holding_t;

static bool on_held_file(void *baton, const mm_oid_t *file)
{
    holding_t *holding = baton;
    const mm_oid_t *found = bsearch(file, holding->files, holding->n, sizeof(*file), mm_oid_compare);

    holding->values++;
    if (found) {
        holding->fn(holding->baton, (size_t)(found - holding->files), &holding->holder);
    }
    return true;
}

static void on_holder(void *baton, const bson_t *doc)
{
    holding_t *holding = baton;

    holding->holder = (mm_clowder_doc_t){.n_spaces = 0};
    if (holding->folders ? mm_clowder_oid_at(doc, "parentDatasetId", &holding->holder.id)
                         : mm_clowder_parse(&holding->holder, MM_CLOWDER_DATASETS, holding->spaces, doc)) {
        holding->documents++;
        mm_clowder_each_file(doc, on_held_file, holding);
    }
}

static apr_status_t ask_holders(mm_store_t *store, holding_t *holding, const mm_oid_t *files, size_t n, mm_err_t *err)
{
    static const char *const of_folders[] = {"files", "parentDatasetId"};
    static const char *const of_datasets[] = {"files", "_id", "author._id", "spaces", "status", "trash"};
    bson_t filter = BSON_INITIALIZER;
    const mm_clowder_query_t query = {holding->folders ? "folders" : "datasets", &filter,
                                      holding->folders ? of_folders : of_datasets, holding->folders ? 2 : 6, 0};

    mm_clowder_append_in(&filter, "files", files, n);
    apr_status_t rv = mm_clowder_query(store, &query, on_holder, holding, err);
    bson_destroy(&filter);
    return rv;
}

/* A holder may be told of in two queries, and then tells of all its files in each. */
static apr_status_t read_holders(mm_store_t *store, holding_t *holding, mm_err_t *err)
{
    size_t at_once = MM_CATALOG_HOLDERS_MAX;
    apr_status_t rv = APR_SUCCESS;

    for (size_t from = 0; from < holding->n && rv == APR_SUCCESS;) {
        size_t left = holding->n - from, n = left < at_once ? left : at_once;

        rv = ask_holders(store, holding, holding->files + from, n, err);
        from += n;
        if (holding->documents && holding->values / holding->documents > MM_CATALOG_LONG_LIST) {
            at_once = MM_CATALOG_QUERY_MAX;
        }
    }
    return rv;
}

apr_status_t mm_clowder_holders(mm_store_t *store, const mm_oid_t *files, size_t n, mm_clowder_holder_fn fn,
                                void *baton, mm_err_t *err)
{
    holding_t holding = {.files = files, .n = n, .fn = fn, .baton = baton};

    return read_holders(store, &holding, err);
}

apr_status_t mm_clowder_folders(mm_store_t *store, const mm_oid_t *files, size_t n, mm_clowder_holder_fn fn,
                                void *baton, mm_err_t *err)
{
    holding_t holding = {.files = files, .n = n, .folders = true, .fn = fn, .baton = baton};

    return read_holders(store, &holding, err);
}
