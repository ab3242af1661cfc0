/* From what a rule matched to the ids of the resources that were used: one, or a list of them in the query. */
#ifndef MM_MATCH_IDS_H
#define MM_MATCH_IDS_H

#include <apr_pools.h>
#include "rules/rules.h"

/* Ids that one request may list; what is behind them is left out. A request line of 8190 bytes, httpd's limit, has room
 * for some 300 of Clowder's. */
#define MM_MATCH_IDS_MAX 1000

/* *ids are the ids of the match, each once, in the order of the request; returns how many: none where the query lists
 * none. An id in a list that no event can have (MM_EVENT_ID_MAX, a zero byte) is left out; a single one is handed on as
 * it is. query is that of the request, without its "?". What is not in the path itself is made in pool, which is not
 * touched for the most common rules. */
size_t mm_match_ids(const mm_bytes_t **ids, const mm_match_t *match, mm_bytes_t query, apr_pool_t *pool);

#endif
