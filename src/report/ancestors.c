/* A graph of the resources that are parents of others, grown as pages need it.
 *
 * A node is read from the catalogue once, when the first row leads to it; then it has its name and links to its direct
 * parents. Whether it may be seen is asked anew for each page, as for all that a page shows, level by level, so that
 * nothing is read or shown that only leads through what may not be seen. When the graph has become too big it is
 * dropped between two pages.
 */
#include "report/ancestors.h"

#include <stdlib.h>
#include <string.h>
#include <apr_hash.h>
#include <apr_strings.h>
#include <apr_time.h>

#include "report/gate.h"

/* What the graph may hold when a page begins, and what it may grow to within one. */
#define BYTES_KEPT (4 * 1024 * 1024)
#define BYTES_MAX  (32 * 1024 * 1024)
/* For one page: steps over links, and the time from which on nothing more is read. */
#define STEPS_MAX (2 * 1000 * 1000)
#define TIME_MAX  apr_time_from_sec(10)

typedef struct node {
    const char *type, *id, *name;
    struct node **links; /* its direct parents */
    size_t n_links;
    unsigned troubles; /* of its document */
    bool is_read;
    unsigned char seen; /* on this page */
    uint64_t page, row; /* the last ones that came here */
} node_t;

struct mm_ancestors {
    const mm_report_t *report;
    apr_pool_t *pool;  /* of the graph */
    apr_hash_t *nodes; /* "TYPE:ID" */
    size_t bytes;
    uint64_t page, row;
    size_t steps;
    apr_time_t until;
    bool is_cut; /* more than may be: on this page */
    node_t *found[MM_CATALOG_PARENTS_MAX];
    size_t n_found;
};

apr_status_t mm_ancestors_make(mm_ancestors_t **ancestors, const mm_report_t *report, apr_pool_t *pool)
{
    mm_ancestors_t *made = apr_pcalloc(pool, sizeof(*made));
    apr_status_t rv = apr_pool_create(&made->pool, pool);

    made->report = report;
    *ancestors = made;
    return rv;
}

static void begin_page(mm_ancestors_t *ancestors)
{
    if (!ancestors->nodes || ancestors->bytes > BYTES_KEPT) {
        apr_pool_clear(ancestors->pool);
        ancestors->nodes = apr_hash_make(ancestors->pool);
        ancestors->bytes = 0;
    }
    ancestors->page++;
    ancestors->steps = 0;
    ancestors->until = apr_time_now() + TIME_MAX;
    ancestors->is_cut = false;
}

/* --- the graph -----------------------------------------------------------------------------------------------------
 */

/* type outlives the graph. NULL: the graph is full. */
static node_t *node_of(mm_ancestors_t *ancestors, const char *type, const char *id, const char *name,
                       apr_pool_t *scratch)
{
    const char *key = apr_pstrcat(scratch, type, ":", id, NULL);
    node_t *node = apr_hash_get(ancestors->nodes, key, APR_HASH_KEY_STRING);

    if (!node && ancestors->bytes > BYTES_MAX) {
        ancestors->is_cut = true;
        return NULL;
    }
    if (!node) {
        node = apr_pcalloc(ancestors->pool, sizeof(*node));
        key = apr_pstrdup(ancestors->pool, key);
        *node = (node_t){.type = type, .id = key + strlen(type) + 1, .name = ""};
        apr_hash_set(ancestors->nodes, key, APR_HASH_KEY_STRING, node);
        ancestors->bytes += sizeof(*node) + strlen(key) + 64;
    }
    if (!*node->name && *name) {
        node->name = apr_pstrdup(ancestors->pool, name);
        ancestors->bytes += strlen(name);
    }
    return node;
}

static void set_links(mm_ancestors_t *ancestors, node_t *node, const mm_entry_t *entry, apr_pool_t *scratch)
{
    node->is_read = !(entry->troubles & 1u << MM_TROUBLE_WORK);
    node->troubles = entry->troubles;
    node->links = entry->n_parents ? apr_palloc(ancestors->pool, entry->n_parents * sizeof(*node->links)) : NULL;
    node->n_links = 0;
    ancestors->bytes += entry->n_parents * sizeof(*node->links);
    for (size_t i = 0; i < entry->n_parents; i++) {
        const mm_parent_t *parent = &entry->parents[i];
        node_t *link = node_of(ancestors, parent->type, parent->id, parent->name, scratch);

        if (link) {
            node->links[node->n_links++] = link;
        }
    }
}

static apr_status_t read_some(mm_ancestors_t *ancestors, node_t **nodes, size_t n, apr_pool_t *scratch, mm_err_t *err)
{
    const mm_report_t *report = ancestors->report;
    const char **ids = apr_palloc(scratch, n * sizeof(*ids));
    mm_entry_t *entries = apr_palloc(scratch, n * sizeof(*entries));

    for (size_t i = 0; i < n; i++) {
        ids[i] = nodes[i]->id;
    }
    const mm_question_t question = {report->catalog_store, report->catalogs, report->forms, nodes[0]->type, ids, n,
                                    MM_CATALOG_PARENTS,    entries};
    apr_status_t rv = mm_catalog_answer(&question, scratch, err);
    for (size_t i = 0; i < n && rv == APR_SUCCESS; i++) {
        set_links(ancestors, nodes[i], &entries[i], scratch);
    }
    return rv;
}

/* Reads those nodes of a level, of one type, that have not been. */
static apr_status_t read_type(mm_ancestors_t *ancestors, const char *type, const apr_array_header_t *level,
                              apr_pool_t *scratch, mm_err_t *err)
{
    node_t **unread = apr_palloc(scratch, MM_REPORT_BATCH * sizeof(node_t *));
    apr_status_t rv = APR_SUCCESS;
    size_t n = 0;

    for (int i = 0; i < level->nelts && rv == APR_SUCCESS && !ancestors->is_cut; i++) {
        node_t *node = APR_ARRAY_IDX(level, i, node_t *);

        if (!node->is_read && strcmp(node->type, type) == 0) {
            unread[n++] = node;
        }
        if (n == MM_REPORT_BATCH || (n > 0 && i == level->nelts - 1)) {
            ancestors->is_cut = apr_time_now() > ancestors->until;
            rv = ancestors->is_cut ? APR_SUCCESS : read_some(ancestors, unread, n, scratch, err);
            n = 0;
        }
    }
    return rv;
}

/* Those without a catalogue have nothing above them. */
static apr_status_t read_level(mm_ancestors_t *ancestors, const apr_array_header_t *level, apr_pool_t *scratch,
                               mm_err_t *err)
{
    const apr_array_header_t *catalogs = ancestors->report->catalogs;
    apr_status_t rv = APR_SUCCESS;

    for (int i = 0; i < catalogs->nelts && rv == APR_SUCCESS && !ancestors->is_cut; i++) {
        rv = read_type(ancestors, APR_ARRAY_IDX(catalogs, i, const mm_catalog_t *)->type, level, scratch, err);
    }
    return rv;
}

/* --- level by level ------------------------------------------------------------------------------------------------
 */

/* Adds a node to a level where it is not in this page's levels already. */
static void come_to(mm_ancestors_t *ancestors, node_t *node, apr_array_header_t *level)
{
    if (node->page != ancestors->page) {
        node->page = ancestors->page;
        APR_ARRAY_PUSH(level, node_t *) = node;
    }
}

/* The direct parents, which are there only where they may be seen. */
static void first_level(mm_ancestors_t *ancestors, const mm_page_t *page, apr_array_header_t *level,
                        apr_pool_t *scratch)
{
    for (size_t i = 0; i < page->n; i++) {
        for (size_t j = 0; j < page->rows[i].entry.n_parents; j++) {
            const mm_parent_t *parent = &page->rows[i].entry.parents[j];
            node_t *node = node_of(ancestors, parent->type, parent->id, parent->name, scratch);

            if (node) {
                come_to(ancestors, node, level);
                node->seen = 1;
            }
        }
    }
}

/* The parents of a level that may be seen. */
static apr_status_t next_level(mm_ancestors_t *ancestors, const apr_array_header_t *level, apr_array_header_t *next,
                               apr_pool_t *scratch, mm_err_t *err)
{
    size_t kept = 0;

    for (int i = 0; i < level->nelts; i++) {
        const node_t *node = APR_ARRAY_IDX(level, i, const node_t *);

        for (size_t j = 0; j < node->n_links; j++) {
            come_to(ancestors, node->links[j], next);
        }
    }
    mm_mention_t *mentions = apr_palloc(scratch, ((size_t)next->nelts + 1) * sizeof(*mentions));
    for (int i = 0; i < next->nelts; i++) {
        node_t *node = APR_ARRAY_IDX(next, i, node_t *);
        mentions[i] = (mm_mention_t){NULL, node->type, node->id, &node->seen};
    }
    apr_status_t rv = mm_gate_ask_parents(&ancestors->report->gate, mentions, (size_t)next->nelts, scratch, err);
    for (int i = 0; i < next->nelts && rv == APR_SUCCESS; i++) {
        if (APR_ARRAY_IDX(next, i, node_t *)->seen) {
            APR_ARRAY_IDX(next, kept++, node_t *) = APR_ARRAY_IDX(next, i, node_t *);
        }
    }
    next->nelts = (int)kept;
    return rv;
}

static apr_status_t climb(mm_ancestors_t *ancestors, const mm_page_t *page, apr_pool_t *pool, mm_err_t *err)
{
    apr_array_header_t *level = apr_array_make(pool, MM_REPORT_BATCH, sizeof(node_t *));
    apr_pool_t *scratch;
    apr_status_t rv = apr_pool_create(&scratch, pool);

    if (rv != APR_SUCCESS) {
        return mm_err_set_os(err, rv, "the report gets no memory");
    }
    first_level(ancestors, page, level, scratch);
    for (int n = 0; rv == APR_SUCCESS && level->nelts > 0 && !ancestors->is_cut; n++) {
        apr_array_header_t *next = apr_array_make(pool, level->nelts, sizeof(node_t *));

        rv = read_level(ancestors, level, scratch, err);
        rv = rv == APR_SUCCESS ? next_level(ancestors, level, next, scratch, err) : rv;
        ancestors->is_cut = ancestors->is_cut || (n == MM_ANCESTORS_LEVELS && next->nelts > 0);
        level = next;
        apr_pool_clear(scratch);
    }
    apr_pool_destroy(scratch);
    return rv;
}

/* --- row by row ----------------------------------------------------------------------------------------------------
 */

static void find(mm_ancestors_t *ancestors, node_t *node, const char *type, mm_page_row_t *row)
{
    ancestors->steps++;
    if (node->page != ancestors->page || !node->seen || node->row == ancestors->row) {
        return;
    }
    node->row = ancestors->row;
    if (strcmp(node->id, row->use->id) == 0 && strcmp(node->type, type) == 0) {
        row->entry.troubles |= 1u << MM_TROUBLE_CYCLE;
        return;
    }
    if (ancestors->n_found == MM_CATALOG_PARENTS_MAX) {
        row->entry.troubles |= 1u << MM_TROUBLE_WORK;
        return;
    }
    ancestors->found[ancestors->n_found++] = node;
}

static int by_id(const void *left, const void *right)
{
    return strcmp((*(node_t *const *)left)->id, (*(node_t *const *)right)->id);
}

/* All that a row leads to, in the order of ids. */
static void find_all(mm_ancestors_t *ancestors, const char *type, mm_page_row_t *row, apr_pool_t *pool)
{
    ancestors->row++;
    ancestors->n_found = 0;
    for (size_t i = 0; i < row->entry.n_parents && ancestors->steps < STEPS_MAX; i++) {
        const mm_parent_t *parent = &row->entry.parents[i];
        node_t *node =
            apr_hash_get(ancestors->nodes, apr_pstrcat(pool, parent->type, ":", parent->id, NULL), APR_HASH_KEY_STRING);

        if (node) {
            find(ancestors, node, type, row);
        }
    }
    for (size_t i = 0; i < ancestors->n_found && ancestors->steps < STEPS_MAX; i++) {
        node_t *node = ancestors->found[i];

        row->entry.troubles |= node->troubles;
        for (size_t j = 0; j < node->n_links && ancestors->steps < STEPS_MAX; j++) {
            find(ancestors, node->links[j], type, row);
        }
    }
    if (ancestors->is_cut || ancestors->steps >= STEPS_MAX) {
        row->entry.troubles |= 1u << MM_TROUBLE_WORK;
    }
    if (ancestors->n_found > 1) {
        qsort(ancestors->found, ancestors->n_found, sizeof(ancestors->found[0]), by_id);
    }
}

static mm_cell_t cell_of(const mm_ancestors_t *ancestors, const mm_ancestor_column_t *column, apr_pool_t *pool)
{
    size_t n = 0;

    for (size_t i = 0; i < ancestors->n_found; i++) {
        n += strcmp(ancestors->found[i]->type, column->type) == 0;
    }
    mm_cell_t cell = {.pieces = {NULL, n}};
    const char **texts = n > 0 ? apr_palloc(pool, n * sizeof(*texts)) : NULL;
    n = 0;
    for (size_t i = 0; i < ancestors->n_found; i++) {
        const node_t *node = ancestors->found[i];

        if (strcmp(node->type, column->type) == 0) {
            texts[n++] = column->ids ? node->id : node->name;
        }
    }
    cell.pieces.texts = texts;
    return cell;
}

apr_status_t mm_ancestors_fill(mm_ancestors_t *ancestors, mm_page_t *page, apr_pool_t *pool, mm_err_t *err)
{
    const mm_route_t *route = ancestors->report->route;

    begin_page(ancestors);
    apr_status_t rv = climb(ancestors, page, pool, err);
    for (size_t i = 0; i < page->n && rv == APR_SUCCESS; i++) {
        mm_page_row_t *row = &page->rows[i];
        mm_cell_t *cells = apr_palloc(pool, route->n_ancestors * sizeof(*cells));

        find_all(ancestors, page->type, row, pool);
        for (size_t j = 0; j < route->n_ancestors; j++) {
            cells[j] = cell_of(ancestors, &route->ancestors[j], pool);
        }
        row->ancestors = cells;
    }
    return rv;
}
