/* What to make of documents that the database refuses: the fault of single documents, or of something larger.
 *
 * A single broken document is set aside, so that it holds up nothing. A database that refuses many (a validator that
 * somebody added, the wrong kind of collection) is waited for, since setting aside what a whole site did would be a
 * loss. Knows no database and no clock; all in memory, so a new drainer begins to judge anew.
 */
#ifndef MM_REFUSALS_H
#define MM_REFUSALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "store/store.h"

/* Fewer documents than this say nothing about their share. */
#define MM_REFUSALS_SAMPLE 20
/* So many calls in a row of which the database took nothing are no accident. */
#define MM_REFUSALS_BARREN 3
/* Broken documents that are remembered, so that a popular one counts once. */
#define MM_REFUSALS_KNOWN 32
/* Documents that can be waited for at the same time. */
#define MM_REFUSALS_STUCK 16

typedef struct mm_refusals {
    /* Of the last calls, across batches. A document that is refused again and again counts once. */
    int64_t seen, refused;
    int barren;
    uint64_t known[MM_REFUSALS_KNOWN]; /* a ring of check sums */
    size_t n_known;
    /* Of this batch: documents that are refused for no known reason, by their place in the file, and for how long. */
    struct {
        int64_t place, us;
    } stuck[MM_REFUSALS_STUCK];
    size_t n_stuck;
    int64_t stuck_at_us; /* when that was last seen; 0: the last call said nothing about it */
} mm_refusals_t;

/* One call of the store and its answers. */
typedef struct mm_refusals_call {
    const mm_delta_t *deltas;
    mm_outcome_t *outcomes;
    size_t n;
    int64_t place; /* of the first in the file */
} mm_refusals_call_t;

/* Another batch: nothing of it is stuck. */
void mm_refusals_begin(mm_refusals_t *refusals);

/* Whether so much is MM_REJECTED that it cannot be the fault of single documents; *many and *of say how much. */
bool mm_refusals_systemic(const mm_refusals_t *refusals, const mm_refusals_call_t *call, size_t *many, size_t *of);

/* Counts how long documents have been MM_RETRY_ONE while others were taken, and makes those MM_REJECTED for which that
 * is max_us. Returns how many. To be called after each call, with its time. */
size_t mm_refusals_give_up(mm_refusals_t *refusals, const mm_refusals_call_t *call, int64_t now_us, int64_t max_us);

/* The call is done with: nothing of it will be tried again. */
void mm_refusals_done(mm_refusals_t *refusals, const mm_refusals_call_t *call);

#endif
