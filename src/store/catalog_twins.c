/* Nothing in a collection keeps two documents from having one id: "5f…" and ObjectId("5f…") are two values of _id, and
 * another path is unique only where the application sees to it. They need not be neighbours in any order that an index
 * has, and to remember all ids would take memory without bound. So the collection is asked for the twins of a batch,
 * and the document whose _id has the lowest check sum stands for all of them: which one that is does not matter, if
 * only every batch comes to the same.
 *
 * By _id it is asked for the forms that an id does not have in its own document, and not even that where the collection
 * has none of the other forms (catalog_forms.c).
 */
#include "store/catalog_twins.h"

#include <string.h>
#include <apr_hash.h>
#include <apr_strings.h>
#include "store/catalog_private.h"
#include "store/store_private.h"

/* Documents that are looked at for one batch: a hostile catalogue may have one id in all of them. */
#define FOUND_MAX 100000

static unsigned form_of(const bson_iter_t *value)
{
    switch (bson_iter_type(value)) {
    case BSON_TYPE_UTF8:
        return MM_FORM_STRING;
    case BSON_TYPE_OID:
        return MM_FORM_OBJECT_ID;
    case BSON_TYPE_INT32:
    case BSON_TYPE_INT64:
    case BSON_TYPE_DOUBLE:
        return MM_FORM_NUMBER;
    default:
        return 0;
    }
}

static void make_key(char key[MM_SHA256_HEX + 1], const bson_iter_t *id)
{
    bson_t alone = BSON_INITIALIZER;

    bson_append_iter(&alone, "", 0, id);
    mm_sha256_hex(key, bson_get_data(&alone), alone.len);
    bson_destroy(&alone);
}

void mm_twin_init(mm_twin_t *twin, const bson_t *doc, const char *id)
{
    bson_iter_t iter;

    *twin = (mm_twin_t){.id = id};
    if (bson_iter_init_find(&iter, doc, "_id")) {
        twin->form = form_of(&iter);
        make_key(twin->key, &iter);
    }
}

/* Returns how many there are then. */
static uint32_t append_other_forms(bson_t *values, uint32_t n, const mm_twin_t *twin, unsigned forms)
{
    bson_t others = BSON_INITIALIZER;
    bson_iter_t iter;

    mm_value_append_forms(&others, &twin->id, 1, forms & ~twin->form);
    bson_iter_init(&iter, &others);
    while (bson_iter_next(&iter)) {
        const char *key;
        char buf[16];

        bson_uint32_to_string(n++, &key, buf, sizeof(buf));
        bson_append_iter(values, key, -1, &iter);
    }
    bson_destroy(&others);
    return n;
}

/* *asked: how many values are asked for. */
static apr_status_t append_values(bson_t *values, size_t *asked, const mm_twins_query_t *query, const mm_twin_t *twins,
                                  size_t n, apr_pool_t *pool, mm_err_t *err)
{
    const mm_catalog_query_t of = {.collection = query->name, .path = query->id_path};
    const char **ids = apr_palloc(pool, (n + 1) * sizeof(*ids));
    unsigned forms;
    uint32_t others = 0;

    for (size_t i = 0; i < n; i++) {
        ids[i] = twins[i].id;
    }
    apr_status_t status = mm_forms_choose(query->forms, query->store, &of, ids, n, &forms, err);
    if (status != APR_SUCCESS || strcmp(query->id_path, "_id") != 0) {
        *asked = status == APR_SUCCESS ? mm_value_append_forms(values, ids, n, forms) : 0;
        return status;
    }
    for (size_t i = 0; i < n; i++) {
        others = append_other_forms(values, others, &twins[i], forms);
    }
    *asked = others;
    return status;
}

static mongoc_cursor_t *find(const mm_twins_query_t *query, const bson_t *values)
{
    const char *const paths[] = {query->id_path, "_id"};
    bson_t filter = BSON_INITIALIZER, opts = BSON_INITIALIZER, part;

    BSON_APPEND_DOCUMENT_BEGIN(&filter, query->id_path, &part);
    BSON_APPEND_ARRAY(&part, "$in", values);
    bson_append_document_end(&filter, &part);
    BSON_APPEND_DOCUMENT_BEGIN(&opts, "projection", &part);
    mm_catalog_project(&part, paths, 2);
    bson_append_document_end(&opts, &part);
    BSON_APPEND_INT64(&opts, "limit", FOUND_MAX);
    BSON_APPEND_INT64(&opts, "maxTimeMS", query->store->patience_ms);
    mongoc_cursor_t *cursor = mongoc_collection_find_with_opts(query->collection, &filter, &opts, NULL);
    bson_destroy(&opts);
    bson_destroy(&filter);
    return cursor;
}

/* The lowest key of each id, known among the twins so far. */
static void note(apr_hash_t *lowest, const char *id, const char *key, apr_pool_t *pool)
{
    char *known = apr_hash_get(lowest, id, APR_HASH_KEY_STRING);

    if (!known) {
        apr_hash_set(lowest, id, APR_HASH_KEY_STRING, apr_pstrdup(pool, key));
    }
    else if (strcmp(key, known) < 0) {
        memcpy(known, key, strlen(known));
    }
}

static apr_status_t look(const mm_twins_query_t *query, const bson_t *values, apr_hash_t *lowest, apr_pool_t *scratch,
                         mm_err_t *err)
{
    mongoc_cursor_t *cursor = find(query, values);
    bson_error_t error = {0};
    apr_status_t status = APR_SUCCESS;
    const bson_t *doc;

    while (mongoc_cursor_next(cursor, &doc)) {
        const char *id = query->id_of(query->baton, doc, scratch);
        mm_twin_t twin;

        if (id && apr_hash_get(lowest, id, APR_HASH_KEY_STRING)) {
            mm_twin_init(&twin, doc, id);
            note(lowest, id, twin.key, scratch);
        }
        apr_pool_clear(scratch);
    }
    if (mongoc_cursor_error(cursor, &error) && !mm_store_is_slow(&error)) {
        status = mm_store_fail(err, &error, "Reading the catalogue for documents that have one id");
    }
    mongoc_cursor_destroy(cursor);
    return status;
}

apr_status_t mm_twins_settle(const mm_twins_query_t *query, mm_twin_t *twins, size_t n, apr_pool_t *pool, mm_err_t *err)
{
    apr_hash_t *lowest = apr_hash_make(pool);
    bson_t values = BSON_INITIALIZER;
    apr_pool_t *scratch;
    apr_status_t status = apr_pool_create(&scratch, pool);

    if (status != APR_SUCCESS) {
        return mm_err_set_os(err, status, "Reading the catalogue");
    }
    for (size_t i = 0; i < n; i++) {
        note(lowest, twins[i].id, twins[i].key, pool);
    }
    size_t asked = 0;
    status = append_values(&values, &asked, query, twins, n, pool, err);
    if (status == APR_SUCCESS && asked > 0) {
        status = look(query, &values, lowest, scratch, err);
    }
    for (size_t i = 0; i < n; i++) {
        twins[i].is_first = strcmp(twins[i].key, apr_hash_get(lowest, twins[i].id, APR_HASH_KEY_STRING)) == 0;
    }
    bson_destroy(&values);
    apr_pool_destroy(scratch);
    return status;
}
