/* What the files of mm_uses share. Not for other rooms. */
#ifndef MM_USES_PRIVATE_H
#define MM_USES_PRIVATE_H

#include "store/store_private.h"
#include "store/uses.h"

/* uses_query.c: the cursor for a query; batches of max documents. The caller destroys it. */
mongoc_cursor_t *mm_uses_start(const mm_store_t *store, mongoc_collection_t *collection, const mm_uses_query_t *query,
                               size_t max);

/* Whether it is about a period or its days, which only the days know. */
static inline bool mm_uses_has_period(const mm_uses_query_t *query)
{
    return query->has_since || query->has_until || query->by_day != MM_BY_DAY_NOT;
}

/* Whether rows are what the server has added up. */
static inline bool mm_uses_is_summed(const mm_uses_query_t *query)
{
    return mm_uses_has_period(query) && query->by_day != MM_BY_DAY_EACH;
}

#endif
