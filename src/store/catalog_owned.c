/* What is somebody's own: the ids of the documents of a type that name them as owner.
 *
 * A help for reading less, no proof: whoever may see them is decided by each document's own look-up. So what makes this
 * too much or too slow (an application without an index on its owners) is no error, but an answer that says nothing.
 */
#include "store/catalog_private.h"

#include <string.h>
#include <apr_hash.h>
#include <apr_strings.h>

typedef struct owned {
    const char *id_path;
    size_t max;
    apr_array_header_t *ids;
    apr_hash_t *known;
    bool too_many;
    apr_pool_t *pool;
} owned_t;

static bool take_id(void *baton, const bson_iter_t *value)
{
    owned_t *owned = baton;
    char id[MM_VALUE_ID_SIZE];

    if (!mm_value_id(value, id) || apr_hash_get(owned->known, id, APR_HASH_KEY_STRING)) {
        return true;
    }
    if ((size_t)owned->ids->nelts == owned->max) {
        owned->too_many = true;
        return false;
    }
    const char *copy = apr_pstrdup(owned->pool, id);
    apr_hash_set(owned->known, copy, APR_HASH_KEY_STRING, copy);
    APR_ARRAY_PUSH(owned->ids, const char *) = copy;
    return true;
}

static bool on_document(void *baton, const bson_t *doc)
{
    owned_t *owned = baton;

    mm_value_walk(doc, owned->id_path, take_id, owned);
    return !owned->too_many;
}

static const mm_catalog_t *catalog_of(const apr_array_header_t *catalogs, const char *type)
{
    for (int i = 0; i < catalogs->nelts; i++) {
        const mm_catalog_t *catalog = APR_ARRAY_IDX(catalogs, i, const mm_catalog_t *);

        if (strcmp(catalog->type, type) == 0 && catalog->owner_path) {
            return catalog;
        }
    }
    return NULL;
}

apr_status_t mm_catalog_owned(mm_store_t *store, const apr_array_header_t *catalogs, const char *type,
                              const char *owner, size_t max, const char *const **ids, size_t *n, apr_pool_t *pool,
                              mm_err_t *err)
{
    const mm_catalog_t *catalog = catalog_of(catalogs, type);
    owned_t owned = {
        .max = max, .ids = apr_array_make(pool, 16, sizeof(const char *)), .known = apr_hash_make(pool), .pool = pool};
    bool too_slow = false;
    apr_status_t rv = APR_SUCCESS;

    if (catalog) {
        mm_catalog_query_t query = {.collection = catalog->collection,
                                    .path = catalog->owner_path,
                                    .ids = &owner,
                                    .n = 1,
                                    .too_slow = &too_slow,
                                    .on_document = on_document,
                                    .baton = &owned};

        owned.id_path = catalog->id_path;
        mm_catalog_want(&query, catalog->id_path);
        rv = mm_catalog_query(store, &query, pool, err);
    }
    if (rv != APR_SUCCESS && !too_slow) {
        return rv;
    }
    const bool is_all = !too_slow && !owned.too_many;
    *ids = is_all ? (const char *const *)owned.ids->elts : NULL;
    *n = is_all ? (size_t)owned.ids->nelts : 0;
    return APR_SUCCESS;
}
