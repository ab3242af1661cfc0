/* The parents of a batch of resources: many resources share a parent, so a parent is one node, found by type and id.
 *
 * Bounded whatever the documents hold: at most MM_CATALOG_DISTINCT_MAX nodes in all (parents met after that are left
 * out), and for each resource at most twice MM_CATALOG_PARENTS_MAX references: a list that reaches this is ordered and
 * cut to the first half, which loses nothing that the final cut would have kept. From then on what comes behind its
 * last is not even added. Long lists are merged, since a document may give the same thousand parents to hundreds of
 * resources.
 */
#include "store/catalog_private.h"

#include <stdlib.h>
#include <string.h>
#include <apr_hash.h>
#include <apr_strings.h>

#define LIST_MAX   (2 * MM_CATALOG_PARENTS_MAX)
#define LIST_FIRST 4
/* A merge walks over all of the longer list, so it is for lists that are not much shorter. */
#define MERGE_MIN 64

typedef struct list {
    mm_parent_node_t **nodes;
    size_t used, size;
    bool ordered;                  /* and each once */
    const mm_parent_node_t *bound; /* nothing at it or behind it is missing; NULL: the list is not full */
    bool is_cut;                   /* something was left out */
} list_t;

struct mm_parents {
    apr_pool_t *pool;
    apr_hash_t *nodes; /* "TYPE:ID" -> mm_parent_node_t; a type holds no ':' */
    list_t *lists;
    size_t n;
    mm_parent_node_t *merged[MM_CATALOG_PARENTS_MAX];
};

mm_parents_t *mm_parents_make(size_t n, apr_pool_t *pool)
{
    mm_parents_t *parents = apr_palloc(pool, sizeof(*parents));

    parents->pool = pool;
    parents->nodes = apr_hash_make(pool);
    parents->lists = apr_pcalloc(pool, sizeof(list_t) * n);
    parents->n = n;
    return parents;
}

static int compare_nodes(const mm_parent_node_t *a, const mm_parent_node_t *b)
{
    int order;

    if (a == b) {
        return 0;
    }
    if (a->rank != b->rank) {
        return a->rank < b->rank ? -1 : 1;
    }
    order = strcmp(a->type, b->type);
    return order ? order : strcmp(a->id, b->id);
}

static int compare(const void *left, const void *right)
{
    return compare_nodes(*(mm_parent_node_t *const *)left, *(mm_parent_node_t *const *)right);
}

static void set_bound(list_t *list)
{
    list->ordered = true;
    list->bound = list->used == MM_CATALOG_PARENTS_MAX ? list->nodes[list->used - 1] : NULL;
}

/* Ordered, each once, at most MM_CATALOG_PARENTS_MAX. */
static void compact(list_t *list)
{
    size_t i, kept = 0;

    if (list->ordered) {
        return;
    }
    if (list->used > 1) {
        qsort(list->nodes, list->used, sizeof(*list->nodes), compare);
    }
    for (i = 0; i < list->used && !(kept == MM_CATALOG_PARENTS_MAX && list->is_cut); i++) {
        if (kept > 0 && list->nodes[kept - 1] == list->nodes[i]) {
            continue;
        }
        if (kept == MM_CATALOG_PARENTS_MAX) {
            list->is_cut = true;
        }
        else {
            list->nodes[kept++] = list->nodes[i];
        }
    }
    list->used = kept;
    set_bound(list);
}

static void reserve(list_t *list, size_t n, apr_pool_t *pool)
{
    size_t size = list->size ? list->size : LIST_FIRST;
    mm_parent_node_t **grown;

    if (n <= list->size) {
        return;
    }
    while (size < n) {
        size *= 2;
    }
    grown = apr_palloc(pool, sizeof(*grown) * size);
    if (list->used) {
        memcpy(grown, list->nodes, sizeof(*grown) * list->used);
    }
    list->nodes = grown;
    list->size = size;
}

/* Whether it is the last that will be kept, or behind it. */
static bool is_beyond(list_t *list, const mm_parent_node_t *node)
{
    int order = list->bound ? compare_nodes(node, list->bound) : -1;

    list->is_cut = list->is_cut || order > 0;
    return order >= 0;
}

/* False: it is behind the last that will be kept. */
static bool push(list_t *list, mm_parent_node_t *node, apr_pool_t *pool)
{
    if (is_beyond(list, node)) {
        return false;
    }
    if (list->used == LIST_MAX) {
        compact(list);
    }
    reserve(list, list->used + 1, pool);
    list->nodes[list->used++] = node;
    list->ordered = false;
    return true;
}

/* Both are compact. */
static void merge(mm_parents_t *parents, const list_t *from, list_t *to)
{
    size_t i = 0, j = 0, n = 0;

    while (n < MM_CATALOG_PARENTS_MAX && (i < from->used || j < to->used)) {
        int order = i == from->used ? 1 : j == to->used ? -1 : compare_nodes(from->nodes[i], to->nodes[j]);

        parents->merged[n++] = order < 0 ? from->nodes[i] : to->nodes[j];
        i += order <= 0;
        j += order >= 0;
    }
    to->is_cut = to->is_cut || i < from->used || j < to->used;
    reserve(to, n, parents->pool);
    memcpy(to->nodes, parents->merged, sizeof(*to->nodes) * n);
    to->used = n;
    set_bound(to);
}

static mm_parent_node_t *node_of(mm_parents_t *parents, int rank, const char *type, const char *id)
{
    /* On the stack, since most of the time the node exists. */
    char key[40 + MM_VALUE_ID_SIZE];
    size_t type_len = strlen(type), id_len = strlen(id), len = type_len + 1 + id_len;
    mm_parent_node_t *node;

    if (len >= sizeof(key)) {
        return NULL;
    }
    memcpy(key, type, type_len);
    key[type_len] = ':';
    memcpy(key + type_len + 1, id, id_len);
    node = apr_hash_get(parents->nodes, key, (apr_ssize_t)len);
    if (!node && apr_hash_count(parents->nodes) < MM_CATALOG_DISTINCT_MAX) {
        const char *kept = apr_pstrmemdup(parents->pool, key, len);

        node = apr_pcalloc(parents->pool, sizeof(*node));
        node->type = type;
        node->id = kept + type_len + 1;
        node->rank = rank;
        node->name = "";
        apr_hash_set(parents->nodes, kept, (apr_ssize_t)len, node);
    }
    return node;
}

void mm_parents_add(mm_parents_t *parents, size_t resource, int rank, const char *type, const char *id)
{
    mm_parent_node_t *node = node_of(parents, rank, type, id);

    if (node) {
        push(&parents->lists[resource], node, parents->pool);
    }
    else {
        parents->lists[resource].is_cut = true;
    }
}

void mm_parents_copy(mm_parents_t *parents, size_t from, size_t to)
{
    list_t *source = &parents->lists[from], *target = &parents->lists[to];
    size_t i;

    compact(source);
    target->is_cut = target->is_cut || source->is_cut;
    if (source->used == 0 || is_beyond(target, source->nodes[0])) {
        return;
    }
    if (source->used >= MERGE_MIN) {
        compact(target);
        merge(parents, source, target);
        return;
    }
    for (i = 0; i < source->used && push(target, source->nodes[i], parents->pool); i++) {
    }
}

void mm_parents_each(const mm_parents_t *parents, size_t resource, void (*fn)(void *baton, mm_parent_node_t *node),
                     void *baton)
{
    for (size_t i = 0; i < parents->lists[resource].used; i++) {
        fn(baton, parents->lists[resource].nodes[i]);
    }
}

size_t mm_parents_count(const mm_parents_t *parents, size_t resource)
{
    return parents->lists[resource].used;
}

bool mm_parents_is_cut(const mm_parents_t *parents, size_t resource)
{
    return parents->lists[resource].is_cut;
}

void mm_parents_clear(mm_parents_t *parents, size_t resource)
{
    parents->lists[resource].used = 0;
    parents->lists[resource].bound = NULL;
    parents->lists[resource].is_cut = false;
}

void mm_parents_finish(mm_parents_t *parents)
{
    size_t i, j;

    for (i = 0; i < parents->n; i++) {
        list_t *list = &parents->lists[i];

        compact(list);
        for (j = 0; j < list->used; j++) {
            list->nodes[j]->kept = true;
        }
    }
}

size_t mm_parents_of_rank(const mm_parents_t *parents, int rank, mm_parent_node_t ***nodes, apr_pool_t *pool)
{
    mm_parent_node_t **found = apr_palloc(pool, sizeof(*found) * (apr_hash_count(parents->nodes) + 1));
    apr_hash_index_t *index;
    size_t n = 0;

    for (index = apr_hash_first(pool, parents->nodes); index; index = apr_hash_next(index)) {
        void *value;

        apr_hash_this(index, NULL, NULL, &value);
        if (((mm_parent_node_t *)value)->kept && ((mm_parent_node_t *)value)->rank == rank) {
            found[n++] = value;
        }
    }
    *nodes = found;
    return n;
}

size_t mm_parents_of(const mm_parents_t *parents, size_t resource, mm_parent_node_t *const **nodes)
{
    *nodes = parents->lists[resource].nodes;
    return parents->lists[resource].used;
}
