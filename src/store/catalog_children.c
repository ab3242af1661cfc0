/* The way down: which resources have this parent. The rules are those that say which parents a resource has, read from
 * the other end.
 *
 * A rule without a collection names the parents in the resource's own document: those documents that hold the parent's
 * id are the children. One with a collection names the documents that hold both: what they hold of the children's ids
 * are the children.
 *
 * What is too many must not tell of children that somebody may not see. So where they are many those that do not count
 * are left out, as often as that is needed, and only what is left is counted; memory is that of what may count.
 */
#include "store/catalog_private.h"

#include <string.h>
#include <apr_hash.h>
#include <apr_strings.h>

/* Beyond what may count, before keep is asked: so it is asked about many at once. */
#define SLACK_IDS   5000
#define SLACK_BYTES (1024 * 1024)

typedef struct children {
    const mm_catalog_children_query_t *query;
    const char *id_path; /* where the children's ids are in the documents of the rule under way */
    apr_array_header_t *ids;
    apr_hash_t *known; /* the same */
    size_t bytes;      /* of them */
    size_t n_kept;     /* the first of ids, which keep has let pass */
    size_t left_out;   /* bytes of own that are of no use any more */
    int64_t looked;
    bool too_many;
    apr_status_t status; /* of keep */
    mm_err_t *err;
    apr_pool_t *pool, *own; /* own: of ids and known */
} children_t;

static void put(children_t *children, const char *id)
{
    const char *copy = apr_pstrdup(children->own, id);

    apr_hash_set(children->known, copy, APR_HASH_KEY_STRING, copy);
    APR_ARRAY_PUSH(children->ids, const char *) = copy;
    children->bytes += strlen(id);
}

static bool make_room(children_t *children)
{
    children->status = apr_pool_create(&children->own, children->pool);
    if (children->status != APR_SUCCESS) {
        mm_err_set_os(children->err, children->status, "the children of a resource get no memory");
        return false;
    }
    children->ids = apr_array_make(children->own, 16, sizeof(const char *));
    children->known = apr_hash_make(children->own);
    children->bytes = children->left_out = 0;
    return true;
}

/* Into memory of their own size, where what was left out takes as much as what may be there. */
static bool move(children_t *children)
{
    apr_array_header_t *ids = children->ids;
    apr_pool_t *own = children->own;

    if (children->left_out <= MM_CATALOG_CHILDREN_BYTES_MAX) {
        return true;
    }
    if (!make_room(children)) {
        return false;
    }
    for (int i = 0; i < ids->nelts; i++) {
        put(children, APR_ARRAY_IDX(ids, i, const char *));
    }
    apr_pool_destroy(own);
    return true;
}

static apr_status_t ask(children_t *children, const char **ids, size_t *n)
{
    apr_pool_t *scratch;
    apr_status_t rv = apr_pool_create(&scratch, children->pool);

    if (rv != APR_SUCCESS) {
        return mm_err_set_os(children->err, rv, "the children of a resource get no memory");
    }
    rv = children->query->keep(children->query->baton, ids, n, scratch, children->err);
    apr_pool_destroy(scratch);
    return rv;
}

/* Leaves out what does not count. False: that failed, or what is left is too much. */
static bool sift(children_t *children)
{
    const char **ids = (const char **)children->ids->elts + children->n_kept;
    size_t n = (size_t)children->ids->nelts - children->n_kept;

    if (children->query->keep && n > 0) {
        for (size_t i = 0; i < n; i++) {
            apr_hash_set(children->known, ids[i], APR_HASH_KEY_STRING, NULL);
            children->bytes -= strlen(ids[i]);
            children->left_out += strlen(ids[i]);
        }
        children->status = ask(children, ids, &n);
        for (size_t i = 0; i < n; i++) {
            apr_hash_set(children->known, ids[i], APR_HASH_KEY_STRING, ids[i]);
            children->bytes += strlen(ids[i]);
            children->left_out -= strlen(ids[i]);
        }
        children->ids->nelts = (int)(children->n_kept + n);
    }
    children->n_kept = (size_t)children->ids->nelts;
    children->too_many =
        children->ids->nelts > MM_CATALOG_CHILDREN_MAX || children->bytes > MM_CATALOG_CHILDREN_BYTES_MAX;
    return children->status == APR_SUCCESS && !children->too_many && move(children);
}

static bool take_child(void *baton, const bson_iter_t *value)
{
    children_t *children = baton;
    char id[MM_VALUE_ID_SIZE];

    children->too_many = ++children->looked > MM_CATALOG_CHILDREN_LOOKED_MAX;
    if (children->too_many) {
        return false;
    }
    if (!mm_value_id(value, id) || apr_hash_get(children->known, id, APR_HASH_KEY_STRING)) {
        return true;
    }
    put(children, id);
    return (children->ids->nelts < MM_CATALOG_CHILDREN_MAX + SLACK_IDS &&
            children->bytes < MM_CATALOG_CHILDREN_BYTES_MAX + SLACK_BYTES) ||
           sift(children);
}

static bool is_over(const children_t *children)
{
    return children->too_many || children->status != APR_SUCCESS;
}

static bool on_document(void *baton, const bson_t *doc)
{
    children_t *children = baton;

    mm_value_walk(doc, children->id_path, take_child, children);
    return !is_over(children);
}

static apr_status_t follow(children_t *children, mm_store_t *store, const mm_catalog_t *catalog,
                           const mm_parent_rule_t *rule, mm_err_t *err)
{
    const char *parent_path = rule->parent_path ? rule->parent_path : "_id";
    mm_catalog_query_t query = {.collection = rule->collection ? rule->collection : catalog->collection,
                                .path = rule->collection ? parent_path : rule->path,
                                .ids = &children->query->parent_id,
                                .n = 1,
                                .unlimited = true,
                                .on_document = on_document,
                                .baton = children};

    children->id_path = rule->collection ? rule->path : catalog->id_path;
    mm_catalog_want(&query, children->id_path);
    apr_status_t rv = mm_catalog_query(store, &query, children->pool, err);
    return rv == APR_SUCCESS ? children->status : rv;
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

apr_status_t mm_catalog_children(mm_store_t *store, const apr_array_header_t *catalogs,
                                 const mm_catalog_children_query_t *query, const char *const **ids, size_t *n,
                                 apr_pool_t *pool, mm_err_t *err)
{
    const mm_catalog_t *catalog = catalog_of(catalogs, query->type);
    children_t children = {.query = query, .err = err, .pool = pool};
    apr_status_t rv = make_room(&children) ? APR_SUCCESS : children.status;

    for (int i = 0; catalog && i < catalog->parents->nelts && rv == APR_SUCCESS && !is_over(&children); i++) {
        const mm_parent_rule_t *rule = &APR_ARRAY_IDX(catalog->parents, i, mm_parent_rule_t);

        if (strcmp(rule->type, query->parent_type) == 0) {
            rv = follow(&children, store, catalog, rule, err);
        }
    }
    if (rv == APR_SUCCESS &&
        (children.ids->nelts > MM_CATALOG_CHILDREN_MAX || children.bytes > MM_CATALOG_CHILDREN_BYTES_MAX) &&
        !is_over(&children)) {
        sift(&children);
        rv = children.status;
    }
    if (rv == APR_SUCCESS && children.too_many) {
        return mm_err_set(err, MM_STORE_TOO_MANY,
                          "This has too many %s for a report about its children: more than %d that you may see, or "
                          "more than %d altogether. Ask for the report of all %s instead, and look at its column "
                          "parent_id.",
                          query->type, MM_CATALOG_CHILDREN_MAX, MM_CATALOG_CHILDREN_LOOKED_MAX, query->type);
    }
    *ids = (const char *const *)children.ids->elts;
    *n = (size_t)children.ids->nelts;
    return rv;
}
