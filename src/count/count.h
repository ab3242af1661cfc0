/* Events become deltas: what rule.h lets through, and window.h makes of it, added up per document. No clock, no files,
 * no database.
 *
 * A count is filled with events, read out as deltas and reset; one thread at a time. If a batch is given up, the window
 * must be put back as well: it has taken the clicks for counted.
 */
#ifndef MM_COUNT_H
#define MM_COUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <apr_pools.h>
#include "count/delta.h"
#include "count/policy.h"
#include "count/rule.h"
#include "count/window.h"
#include "event/event.h"

/* Documents one batch may touch: some 12 MiB at 400 bytes a delta, 48 MiB if every id and user is as long as it may be.
 * The count itself refuses nothing: whoever adds asks mm_count_full first. Asked before each use, the limit is exact.
 * Asked before a unit of n uses that must not be torn apart, it is exceeded by at most 4 n - 4 deltas. */
#define MM_COUNT_DELTAS_MAX 30000
/* An event touches its resource, that user's document when the user is known, and the day; another day as well when it
 * takes back a use from before midnight. */
#define MM_COUNT_DELTAS_PER_EVENT 4

typedef struct mm_count mm_count_t;

/* Of policy a copy is kept. */
mm_count_t *mm_count_create(const mm_policy_t *policy, apr_pool_t *parent);

/* Judges the event and, when it counts, adds it: a use more, and perhaps an earlier one less. Nothing of the event is
 * kept but hashes (window.h). One with a string beyond its limit (event.h), or without an id, is MM_IGNORED_KEY. */
mm_verdict_t mm_count_add(mm_count_t *count, const mm_event_t *event);

/* What mm_count_add would answer if nothing were known of clicks: for an event that stands for many uses. */
mm_verdict_t mm_count_judge(const mm_count_t *count, const mm_event_t *event);

/* How many uses more are within MM_COUNT_DELTAS_MAX whatever they are. */
int64_t mm_count_room(const mm_count_t *count);

/* Whether one more event could exceed MM_COUNT_DELTAS_MAX. */
bool mm_count_full(const mm_count_t *count);

/* The same for another limit. */
bool mm_count_full_at(const mm_count_t *count, size_t max);

/* How many more uses, each of a thing of its own, can be added without exceeding max deltas. */
int64_t mm_count_room_at(const mm_count_t *count, size_t max);

/* How many mm_count_each will tell. */
size_t mm_count_deltas(const mm_count_t *count);

/* Calls fn for every delta, in the order in which they were first touched; the delta lives until mm_count_reset. */
void mm_count_each(const mm_count_t *count, void (*fn)(void *baton, const mm_delta_t *delta), void *baton);

/* Forgets the deltas. The window stays as it is. */
void mm_count_reset(mm_count_t *count);

/* What it remembers of clicks, from one batch to the next. */
mm_window_t *mm_count_window(const mm_count_t *count);

#endif
