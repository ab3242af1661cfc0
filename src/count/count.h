/* Events become deltas: the rules of what counts, as a function of the events alone. No clock, no files, no database.
 *
 * A count is filled with events, read out as deltas and reset; one thread at a time. Its memory is bounded by
 * MM_COUNT_DELTAS_MAX: the caller stops adding once mm_count_full says so.
 */
#ifndef MM_COUNT_H
#define MM_COUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <apr_pools.h>
#include "count/delta.h"
#include "event/event.h"

/* Documents one batch may touch; at some 400 bytes a delta this is 8 MiB. */
#define MM_COUNT_DELTAS_MAX 20000

typedef struct mm_count mm_count_t;

/* What became of an event, and why. Names: mm_verdict_name. */
typedef enum mm_verdict {
    MM_COUNTED = 0,
    MM_IGNORED_METHOD, /* only GET is a use */
    MM_IGNORED_STATUS, /* only 200 is */
    MM_IGNORED_ROBOT,  /* marked "robot" */
    MM_VERDICTS
} mm_verdict_t;

const char *mm_verdict_name(mm_verdict_t verdict);

mm_count_t *mm_count_create(apr_pool_t *parent);

mm_verdict_t mm_count_add(mm_count_t *count, const mm_event_t *event);

/* Whether no further event may be added before mm_count_reset. */
bool mm_count_full(const mm_count_t *count);

size_t mm_count_deltas(const mm_count_t *count);

/* Calls fn for every delta, in no particular order; the delta lives until mm_count_reset. */
void mm_count_each(const mm_count_t *count, void (*fn)(void *baton, const mm_delta_t *delta), void *baton);

void mm_count_reset(mm_count_t *count);

#endif
