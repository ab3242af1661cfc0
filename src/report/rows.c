/* From a route to rows of the store that may be seen.
 *
 * Nothing leaves here that the gate has not let pass: the resource and, in a report of users, the person. Where
 * others=1 asks for what is left, rows come resource by resource: a batch of totals, then those resources' users in the
 * same order; what no row that may be seen accounts for is the last row of its resource. That the two orders agree is
 * the database's doing, both being that of the ids.
 *
 * What nobody ever used has no order by uses: never_used= reads it as a block of its own, behind the others, as those
 * with the fewest uses are; from its end, where the order is reversed, before them.
 */
#include "report/rows.h"

#include <string.h>
#include <apr_strings.h>

#include "report/gate.h"
#include "report/unused.h"

typedef apr_status_t (*next_fn)(mm_rows_t *rows, mm_batch_t *batch, apr_pool_t *pool, mm_err_t *err);

struct mm_rows {
    const mm_report_t *report;
    const char *type;
    apr_pool_t *pool;
    mm_uses_query_t query;
    mm_uses_t *uses;
    mm_unused_t *unused;
    next_fn blocks[2]; /* what is read one behind the other */
    size_t block, n_blocks;

    /* others=1 */
    apr_pool_t *group_pool; /* a batch of totals, and the cursor of their users */
    mm_uses_query_t users_query;
    mm_uses_t *users; /* NULL: the next batch of totals is due */
    mm_use_t *totals; /* those that may be seen; the counters are what is left */
    size_t n_totals, at;
};

/* --- what is asked of the store ------------------------------------------------------------------------------------
 */

static const mm_order_t orders[] = {[MM_SORT_DEFAULT] = MM_ORDER_VIEWS,
                                    [MM_SORT_VIEWS] = MM_ORDER_VIEWS,
                                    [MM_SORT_DOWNLOADS] = MM_ORDER_DOWNLOADS,
                                    [MM_SORT_LAST_VIEWED] = MM_ORDER_LAST_VIEWED,
                                    [MM_SORT_LAST_DOWNLOADED] = MM_ORDER_LAST_DOWNLOADED,
                                    [MM_SORT_RESOURCE] = MM_ORDER_RESOURCE,
                                    [MM_SORT_USER] = MM_ORDER_USER};

static void make_query(mm_rows_t *rows)
{
    const mm_route_t *route = rows->report->route;

    rows->query = (mm_uses_query_t){.type = rows->type,
                                    .per_user = mm_route_is_per_user(route) && !route->others,
                                    .user = route->user,
                                    .order = orders[route->sort],
                                    .backwards = mm_route_is_backwards(route),
                                    .agents = (mm_agents_t)route->agent,
                                    .has_since = route->has_since,
                                    .has_until = route->has_until,
                                    .since_ms = route->since_ms,
                                    .until_ms = route->until_ms,
                                    .unused_since = route->has_unused_since,
                                    .unused_since_ms = route->unused_since_ms};
    for (size_t i = 0; i < route->n_extras; i++) {
        rows->query.uniques |= route->extras[i] >= MM_EXTRA_UNIQUE_VIEWS;
    }
    if (route->id || route->ids) {
        rows->query.ids = route->ids ? route->ids : &route->id;
        rows->query.n_ids = route->ids ? route->n_ids : 1;
    }
}

/* Of the children of a resource that may not be seen nothing is shown, not even that there are any. */
static apr_status_t see_parent(const mm_rows_t *rows, unsigned char *seen, mm_err_t *err)
{
    const mm_route_t *route = rows->report->route;
    mm_mention_t mention = {NULL, route->parent_type, route->parent_id, seen};

    return mm_gate_ask_parents(&rows->report->gate, &mention, 1, rows->pool, err);
}

/* Too many children are too many that may be seen: the number of the others is nobody's business either. */
static apr_status_t keep_children(void *baton, const char **ids, size_t *n, apr_pool_t *scratch, mm_err_t *err)
{
    const mm_rows_t *rows = baton;
    mm_mention_t *mentions = apr_palloc(scratch, *n * sizeof(*mentions));
    unsigned char *seen = apr_pcalloc(scratch, *n);
    size_t kept = 0;

    for (size_t i = 0; i < *n; i++) {
        mentions[i] = (mm_mention_t){NULL, rows->type, ids[i], &seen[i]};
    }
    apr_status_t rv = mm_gate_ask(&rows->report->gate, mentions, *n, scratch, err);
    for (size_t i = 0; i < *n && rv == APR_SUCCESS; i++) {
        if (seen[i]) {
            ids[kept++] = ids[i];
        }
    }
    *n = kept;
    return rv;
}

static apr_status_t only_children(mm_rows_t *rows, bool *none, mm_err_t *err)
{
    const mm_report_t *report = rows->report;
    const mm_route_t *route = report->route;
    unsigned char seen = 0;
    const char *const *ids = NULL;
    size_t n = 0;
    apr_status_t rv = see_parent(rows, &seen, err);

    if (rv == APR_SUCCESS && seen) {
        const mm_catalog_children_query_t query = {route->parent_type, route->parent_id, rows->type, keep_children,
                                                   rows};
        rv = mm_catalog_children(report->catalog_store, report->catalogs, &query, &ids, &n, rows->pool, err);
    }
    for (size_t i = 0; route->id && i < n; i++) {
        if (strcmp(ids[i], route->id) == 0) {
            return APR_SUCCESS; /* the query is about this one already */
        }
    }
    *none = n == 0 || route->id;
    rows->query.ids = ids;
    rows->query.n_ids = n;
    return rv;
}

/* Whoever may see few resources should not wait for all to be read. What is about one or some is small already. */
static apr_status_t narrow(mm_rows_t *rows, bool *none, mm_err_t *err)
{
    const mm_gate_t *gate = &rows->report->gate;
    const char *const *ids = NULL;
    size_t n = 0;

    if (rows->query.ids || !gate->narrow) {
        return APR_SUCCESS;
    }
    apr_status_t rv = gate->narrow(gate->baton, rows->type, &ids, &n, rows->pool, err);
    if (rv == APR_SUCCESS && ids) {
        *none = *none || n == 0;
        rows->query.ids = ids;
        rows->query.n_ids = n;
    }
    return rv;
}

_Static_assert((int)MM_AGENT_ALL == (int)MM_AGENTS_ALL && (int)MM_AGENT_REGULAR == (int)MM_AGENTS_REGULAR &&
                   (int)MM_AGENT_MACHINE == (int)MM_AGENTS_MACHINE,
               "what is asked for is what the store knows");

static apr_status_t next_plain(mm_rows_t *rows, mm_batch_t *batch, apr_pool_t *pool, mm_err_t *err);
static apr_status_t next_unused(mm_rows_t *rows, mm_batch_t *batch, apr_pool_t *pool, mm_err_t *err);
static apr_status_t next_with_others(mm_rows_t *rows, mm_batch_t *batch, apr_pool_t *pool, mm_err_t *err);

static apr_status_t open_blocks(mm_rows_t *rows, mm_err_t *err)
{
    const mm_report_t *report = rows->report;
    const mm_never_used_t never_used = report->route->never_used;
    apr_status_t rv = APR_SUCCESS;

    if (never_used != MM_NEVER_USED_ONLY) {
        rows->blocks[rows->n_blocks++] = report->route->others ? next_with_others : next_plain;
        rv = mm_uses_open(&rows->uses, report->store, &rows->query, rows->pool, err);
    }
    if (never_used != MM_NEVER_USED_NONE && rv == APR_SUCCESS) {
        rows->blocks[rows->n_blocks++] = next_unused;
        rv = mm_unused_open(&rows->unused, report, &rows->query, rows->pool, err);
    }
    if (rows->n_blocks == 2 && rows->query.backwards) {
        rows->blocks[1] = rows->blocks[0];
        rows->blocks[0] = next_unused;
    }
    return rv;
}

apr_status_t mm_rows_open(mm_rows_t **rows, const mm_report_t *report, const char *type, apr_pool_t *pool,
                          mm_err_t *err)
{
    mm_rows_t *opened = apr_pcalloc(pool, sizeof(*opened));
    apr_status_t rv = APR_SUCCESS;
    bool none = false;

    opened->report = report;
    opened->type = type;
    opened->pool = pool;
    make_query(opened);
    if (report->route->parent_id) {
        rv = only_children(opened, &none, err);
    }
    if (rv == APR_SUCCESS && !none) {
        rv = narrow(opened, &none, err);
    }
    if (rv == APR_SUCCESS && report->route->others) {
        rv = apr_pool_create(&opened->group_pool, pool);
    }
    if (rv == APR_SUCCESS && !none) {
        rv = open_blocks(opened, err);
    }
    *rows = opened;
    return rv;
}

/* --- rows as they are ----------------------------------------------------------------------------------------------
 */

/* Asks about the resources of rows, or about their people; *seen is one byte for each row. */
static apr_status_t ask(const mm_rows_t *rows, bool about_users, const mm_use_t *uses, size_t n, unsigned char **seen,
                        apr_pool_t *pool, mm_err_t *err)
{
    mm_mention_t *mentions = apr_palloc(pool, (n + 1) * sizeof(*mentions));

    *seen = apr_pcalloc(pool, n + 1);
    for (size_t i = 0; i < n; i++) {
        mentions[i] = (mm_mention_t){about_users ? uses[i].id : NULL, rows->type,
                                     about_users ? uses[i].user : uses[i].id, &(*seen)[i]};
    }
    return mm_gate_ask(&rows->report->gate, mentions, n, pool, err);
}

static size_t keep(mm_use_t *uses, size_t n, const unsigned char *seen)
{
    size_t kept = 0;

    for (size_t i = 0; i < n; i++) {
        if (seen[i]) {
            uses[kept++] = uses[i];
        }
    }
    return kept;
}

static apr_status_t keep_visible(const mm_rows_t *rows, bool users, mm_use_t *uses, size_t *n, apr_pool_t *pool,
                                 mm_err_t *err)
{
    unsigned char *seen;
    apr_status_t rv = ask(rows, users, uses, *n, &seen, pool, err);

    *n = rv == APR_SUCCESS ? keep(uses, *n, seen) : 0;
    return rv;
}

static apr_status_t next_plain(mm_rows_t *rows, mm_batch_t *batch, apr_pool_t *pool, mm_err_t *err)
{
    size_t n = 0;
    apr_status_t rv = mm_uses_next(rows->uses, batch->rows, MM_REPORT_BATCH, &n, pool, err);

    batch->ended = n == 0;
    if (rv == APR_SUCCESS && n > 0) {
        rv = keep_visible(rows, false, batch->rows, &n, pool, err);
    }
    if (rv == APR_SUCCESS && n > 0 && rows->query.per_user) {
        rv = keep_visible(rows, true, batch->rows, &n, pool, err);
    }
    batch->n = n;
    return rv;
}

static apr_status_t next_unused(mm_rows_t *rows, mm_batch_t *batch, apr_pool_t *pool, mm_err_t *err)
{
    apr_status_t rv = mm_unused_next(rows->unused, batch->rows, &batch->n, &batch->ended, pool, err);

    batch->ended = batch->ended && batch->n == 0;
    return rv == APR_SUCCESS && batch->n > 0 ? keep_visible(rows, false, batch->rows, &batch->n, pool, err) : rv;
}

/* --- others=1 ------------------------------------------------------------------------------------------------------
 */

/* The next totals, those that may be seen, and a cursor over their users. */
static apr_status_t next_group(mm_rows_t *rows, bool *ended, mm_err_t *err)
{
    size_t n = 0;

    apr_pool_clear(rows->group_pool);
    rows->at = rows->n_totals = 0;
    rows->totals = apr_palloc(rows->group_pool, MM_REPORT_BATCH * sizeof(*rows->totals));
    apr_status_t rv = mm_uses_next(rows->uses, rows->totals, MM_REPORT_BATCH, &n, rows->group_pool, err);
    *ended = n == 0;
    if (rv == APR_SUCCESS && n > 0) {
        rv = keep_visible(rows, false, rows->totals, &n, rows->group_pool, err);
    }
    if (rv != APR_SUCCESS || n == 0) {
        return rv;
    }
    const char **ids = apr_palloc(rows->group_pool, n * sizeof(*ids));
    for (size_t i = 0; i < n; i++) {
        ids[i] = rows->totals[i].id;
    }
    rows->n_totals = n;
    rows->users_query = rows->query;
    rows->users_query.per_user = true;
    rows->users_query.ids = ids;
    rows->users_query.n_ids = n;
    return mm_uses_open(&rows->users, rows->report->store, &rows->users_query, rows->group_pool, err);
}

static void take_off(int64_t *from, int64_t part)
{
    *from = *from > part ? *from - part : 0; /* the two are read one after the other: a use may have come between */
}

static void account_for(mm_use_t *left, const mm_use_t *use)
{
    take_off(&left->views, use->views);
    take_off(&left->downloads, use->downloads);
    take_off(&left->machine_views, use->machine_views);
    take_off(&left->machine_downloads, use->machine_downloads);
    take_off(&left->unique_views, use->unique_views);
    take_off(&left->unique_downloads, use->unique_downloads);
    take_off(&left->unique_investigations, use->unique_investigations);
    take_off(&left->machine_unique_views, use->machine_unique_views);
    take_off(&left->machine_unique_downloads, use->machine_unique_downloads);
    take_off(&left->machine_unique_investigations, use->machine_unique_investigations);
}

/* What is left of the resource whose users are through. When each use was is not known of what is left. */
static void close_resource(mm_rows_t *rows, mm_batch_t *batch, apr_pool_t *pool)
{
    mm_use_t *left = &rows->totals[rows->at++];

    if (mm_uses_is_used(left, rows->query.agents)) {
        left->last_viewed_ms = left->last_downloaded_ms = MM_TIME_NONE;
        batch->rows[batch->n] = *left;
        batch->rows[batch->n++].id = apr_pstrdup(pool, left->id);
    }
}

static size_t find_ahead(const mm_rows_t *rows, const char *id)
{
    size_t i = rows->at;

    while (i < rows->n_totals && strcmp(rows->totals[i].id, id) != 0) {
        i++;
    }
    return i;
}

static void merge(mm_rows_t *rows, const mm_use_t *uses, const unsigned char *seen, size_t n, mm_batch_t *batch,
                  apr_pool_t *pool)
{
    for (size_t i = 0; i < n; i++) {
        size_t own = find_ahead(rows, uses[i].id);

        if (own == rows->n_totals) {
            continue; /* a document of somebody else, whose id is ours in another type */
        }
        while (rows->at < own) {
            close_resource(rows, batch, pool);
        }
        if (seen[i]) {
            account_for(&rows->totals[own], &uses[i]);
            batch->rows[batch->n++] = uses[i];
        }
    }
}

static apr_status_t next_with_others(mm_rows_t *rows, mm_batch_t *batch, apr_pool_t *pool, mm_err_t *err)
{
    mm_use_t *uses = apr_palloc(pool, MM_REPORT_BATCH * sizeof(*uses));
    unsigned char *seen = NULL;
    size_t n = 0;
    apr_status_t rv = APR_SUCCESS;

    if (!rows->users) {
        rv = next_group(rows, &batch->ended, err);
        if (rv != APR_SUCCESS || !rows->users) {
            return rv;
        }
    }
    rv = mm_uses_next(rows->users, uses, MM_REPORT_BATCH, &n, pool, err);
    if (rv == APR_SUCCESS) {
        rv = ask(rows, true, uses, n, &seen, pool, err);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    merge(rows, uses, seen, n, batch, pool);
    if (n == 0) {
        while (rows->at < rows->n_totals) {
            close_resource(rows, batch, pool);
        }
        rows->users = NULL;
    }
    return APR_SUCCESS;
}

apr_status_t mm_rows_next(mm_rows_t *rows, mm_batch_t *batch, apr_pool_t *pool, mm_err_t *err)
{
    *batch = (mm_batch_t){.ended = rows->block == rows->n_blocks};
    if (batch->ended) {
        return APR_SUCCESS;
    }
    batch->rows = apr_palloc(pool, 2 * MM_REPORT_BATCH * sizeof(*batch->rows));
    apr_status_t rv = rows->blocks[rows->block](rows, batch, pool, err);
    if (rv == APR_SUCCESS && batch->ended) {
        rows->block++;
        batch->ended = rows->block == rows->n_blocks;
    }
    return rv;
}
