/* Counters out: a cursor over the documents of metrics_TYPE, or of metrics_users, in an order that is total. */
#ifndef MM_USES_H
#define MM_USES_H

#include <stdbool.h>
#include "store/store.h"

/* What rows are ordered by. Counters and times begin with the highest, ids with the first; rows that are equal in it
 * follow in the order of resource, then user. */
typedef enum mm_order {
    MM_ORDER_VIEWS, /* views, then downloads */
    MM_ORDER_DOWNLOADS,
    MM_ORDER_LAST_VIEWED,
    MM_ORDER_LAST_DOWNLOADED,
    MM_ORDER_RESOURCE,
    MM_ORDER_USER /* of users only */
} mm_order_t;

/* Whose uses the first two orders go by, and which rows there are: those with views or downloads of these. */
typedef enum mm_agents { MM_AGENTS_ALL, MM_AGENTS_REGULAR, MM_AGENTS_MACHINE } mm_agents_t;

/* Rows of days, of whomever: each document of metrics_days, or what the server adds them up to, in the order of days
 * alone. */
typedef enum mm_by_day { MM_BY_DAY_NOT, MM_BY_DAY_EACH, MM_BY_DAY_SUMMED } mm_by_day_t;

/* Of a period or by day, a counter beyond this, or a sum of them, is no count of ours: it is cut. What is not cut is
 * exact as a double, too. */
#define MM_USES_MAX (INT64_C(1) << 53)

/* Which documents. It must live as long as the cursor. */
typedef struct mm_uses_query {
    const char *type;
    bool per_user;          /* of metrics_users; else of metrics_TYPE */
    const char *const *ids; /* of these n_ids resources only; NULL: of all */
    size_t n_ids;
    const char *user;   /* of this user only; NULL: of all. With per_user */
    mm_by_day_t by_day; /* rows have a day, and those that are summed no id; order is not looked at */
    mm_order_t order;
    bool backwards; /* the same order from its end */
    mm_agents_t agents;
    bool uniques; /* read unique uses, too */
    /* Uses of these days only, from metrics_days: from since_ms on, and before until_ms, both of them beginnings of
     * days in UTC. Rows have no times then. */
    bool has_since, has_until;
    int64_t since_ms, until_ms;
    bool unused_since; /* only what was last used before unused_since_ms */
    int64_t unused_since_ms;
} mm_uses_query_t;

typedef struct mm_use {
    const char *id;   /* valid until the batch's pool is cleared */
    const char *user; /* the same; NULL in totals */
    int64_t day_ms;   /* with by_day: when the day began; else 0 */
    int64_t views, downloads, machine_views, machine_downloads;
    int64_t last_viewed_ms, last_downloaded_ms; /* or MM_TIME_NONE */
    /* Only where the query wants uniques; else 0. */
    int64_t unique_views, unique_downloads, unique_investigations;
    int64_t machine_unique_views, machine_unique_downloads, machine_unique_investigations;
} mm_use_t;

typedef struct mm_uses mm_uses_t;

/* Nothing is sent before the first mm_uses_next. pool's end closes the cursor. APR_EINVAL: there can be no such type.
 *
 * What the server does for it: everything is read along an index (docs/data-model.md), but these are sorted by the
 * server: one user's or some resources' rows, agents other than all by views or downloads, and periods, which it adds
 * up as well. */
apr_status_t mm_uses_open(mm_uses_t **uses, mm_store_t *store, const mm_uses_query_t *query, apr_pool_t *pool,
                          mm_err_t *err);

/* Up to max rows into rows, their texts in pool; *n is how many, 0 at the end. MM_STORE_AWAY or another error
 * otherwise. The first call's max is also how many documents travel at once. A counter that is no whole number, or is
 * negative, counts as zero. A document that cannot be one of ours (its id has no text form) is passed over. */
apr_status_t mm_uses_next(mm_uses_t *uses, mm_use_t *rows, size_t max, size_t *n, apr_pool_t *pool, mm_err_t *err);

/* Whether a row has views or downloads of these agents. */
bool mm_uses_is_used(const mm_use_t *row, mm_agents_t agents);

/* Whether one of its counters is cut, or as good as that; of a row of a period or by day. */
bool mm_uses_is_cut(const mm_use_t *row);
/* a and b, which are not negative, cut as well. */
int64_t mm_uses_sum(int64_t a, int64_t b);

#endif
