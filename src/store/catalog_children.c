/* The way down: which resources have this parent. The rules are those that say which parents a resource has, read from
 * the other end.
 *
 * A rule without a collection names the parents in the resource's own document: those documents that hold the parent's
 * id are the children. One with a collection names the documents that hold both: what they hold of the children's ids
 * are the children.
 */
#include "store/catalog_private.h"

#include <string.h>
#include <apr_hash.h>
#include <apr_strings.h>

typedef struct children {
    const char *id_path; /* where the children's ids are in the documents of the query under way */
    apr_array_header_t *ids;
    apr_hash_t *known;
    size_t bytes;
    bool too_many;
    apr_pool_t *pool;
} children_t;

static bool take_child(void *baton, const bson_iter_t *value)
{
    children_t *children = baton;
    char id[MM_VALUE_ID_SIZE];

    if (!mm_value_id(value, id) || apr_hash_get(children->known, id, APR_HASH_KEY_STRING)) {
        return true;
    }
    children->bytes += strlen(id);
    if (children->ids->nelts == MM_CATALOG_CHILDREN_MAX || children->bytes > MM_CATALOG_CHILDREN_BYTES_MAX) {
        children->too_many = true;
        return false;
    }
    const char *copy = apr_pstrdup(children->pool, id);
    apr_hash_set(children->known, copy, APR_HASH_KEY_STRING, copy);
    APR_ARRAY_PUSH(children->ids, const char *) = copy;
    return true;
}

static bool on_document(void *baton, const bson_t *doc)
{
    children_t *children = baton;

    mm_value_walk(doc, children->id_path, take_child, children);
    return !children->too_many;
}

static apr_status_t follow(children_t *children, mm_store_t *store, const mm_catalog_t *catalog,
                           const mm_parent_rule_t *rule, const char *const *parent, mm_err_t *err)
{
    const char *parent_path = rule->parent_path ? rule->parent_path : "_id";
    mm_catalog_query_t query = {.collection = rule->collection ? rule->collection : catalog->collection,
                                .path = rule->collection ? parent_path : rule->path,
                                .ids = parent,
                                .n = 1,
                                .on_document = on_document,
                                .baton = children};

    children->id_path = rule->collection ? rule->path : catalog->id_path;
    mm_catalog_want(&query, children->id_path);
    return mm_catalog_query(store, &query, children->pool, err);
}

static const mm_catalog_t *catalog_of(const apr_array_header_t *catalogs, const char *type)
{
    for (int i = 0; i < catalogs->nelts; i++) {
        const mm_catalog_t *catalog = APR_ARRAY_IDX(catalogs, i, const mm_catalog_t *);

        if (strcmp(catalog->type, type) == 0) {
            return catalog;
        }
    }
    return NULL;
}

apr_status_t mm_catalog_children(mm_store_t *store, const apr_array_header_t *catalogs, const char *parent_type,
                                 const char *parent_id, const char *type, const char *const **ids, size_t *n,
                                 apr_pool_t *pool, mm_err_t *err)
{
    const mm_catalog_t *catalog = catalog_of(catalogs, type);
    children_t children = {
        .ids = apr_array_make(pool, 16, sizeof(const char *)), .known = apr_hash_make(pool), .pool = pool};
    apr_status_t rv = APR_SUCCESS;

    for (int i = 0; catalog && i < catalog->parents->nelts && rv == APR_SUCCESS && !children.too_many; i++) {
        const mm_parent_rule_t *rule = &APR_ARRAY_IDX(catalog->parents, i, mm_parent_rule_t);

        if (strcmp(rule->type, parent_type) == 0) {
            rv = follow(&children, store, catalog, rule, &parent_id, err);
        }
    }
    if (rv == APR_SUCCESS && children.too_many) {
        return mm_err_set(err, MM_STORE_TOO_MANY,
                          "This has more than %d %s. Ask for the report of all %s instead, and look at its column "
                          "parent_id.",
                          MM_CATALOG_CHILDREN_MAX, type, type);
    }
    *ids = (const char *const *)children.ids->elts;
    *n = (size_t)children.ids->nelts;
    return rv;
}
