/* One request may use many resources. Its list of ids travels in the place of the id, in as few events as it fits into:
 * an event for each id would repeat address, agent and whatever else up to a thousand times, at a visitor's wish.
 */
#ifndef MM_ID_LIST_H
#define MM_ID_LIST_H

#include <apr_pools.h>
#include "event/event.h"

/* Puts as many of the n ids into the event as one can hold, and returns how many: at least one, even if that is too
 * long for an event. None of several may be empty or hold a comma. One alone is not copied. */
size_t mm_id_list_put(mm_event_t *event, const mm_bytes_t *ids, size_t n, apr_pool_t *pool);

/* The next id of an event, list or not. *at is 0 before the first; false: there are no more. */
bool mm_id_list_next(const mm_event_t *event, size_t *at, mm_bytes_t *id);

#endif
