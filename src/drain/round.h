/* One round of reading: what the spool holds goes into the count, as much as makes a batch.
 *
 * Segments are read one behind the other, but what happens at the same time to the same visitor may stand in two of
 * them. So no segment is read farther than MM_ROUND_SLICE_US beyond where the hindmost stands: behind an outage of
 * hours, too, events come to the count nearly in the order in which they happened, as its window needs it.
 *
 * An event may stand for thousands of uses (via=), which is known only when its keys are looked up. If they are more
 * than the batch has room for, the round is read again as a smaller one.
 *
 * Records that a newer version of this program wrote stay where they are, and so does what is behind them in the same
 * segment. Records that no version can read are kept beside their segment and left out.
 */
#ifndef MM_ROUND_H
#define MM_ROUND_H

#include <stdbool.h>
#include <stdint.h>
#include "base/err.h"
#include "base/log.h"
#include "base/throttle.h"
#include "count/count.h"
#include "drain/pack.h"
#include "drain/window_log.h"
#include "spool/spool_reader.h"

/* By so much of the time at which they began may events be out of order, besides what they themselves took. */
#define MM_ROUND_SLICE_US (INT64_C(600) * 1000000)

typedef struct mm_round {
    mm_spool_reader_t *reader;
    mm_count_t *count;
    mm_resolve_t *resolve; /* these two are NULL behind mm_round_init; see mm_pack_into_t */
    const mm_policy_t *policy;
    mm_window_log_t *window_log; /* of the count's window; NULL: it does not come back when a round is given up */
    const char *dir;
    const mm_log_t *log;
    int64_t events_max; /* of the next round */
    int64_t until_us;   /* later events are left for another round */
    int64_t later_us;   /* the first of those that this round left; INT64_MAX: none */
    int64_t latest_us;  /* of all that were ever read */
    /* Of the last round. */
    int64_t frames;          /* in the count, or of no use */
    mm_tally_t tally;        /* of their events */
    apr_status_t unresolved; /* why it was taken back */
    int64_t held;            /* segments that wait: for a newer version, or to be readable */
    mm_err_t held_text;      /* what to tell about them, if there are any */
    bool more;               /* it was cut: the next one need not wait */
    mm_throttle_t unreadable;
} mm_round_t;

/* All of these must outlive the round. */
void mm_round_init(mm_round_t *round, mm_spool_reader_t *reader, mm_count_t *count, const char *dir,
                   const mm_log_t *log);

/* Reads until the batch is full or there is nothing more. A failure of the spool is returned, but what was read before
 * it is counted. A failure to resolve what events leave open (mm_resolve_finish) takes the round back: nothing is
 * counted, the spool's reader is at its mark. */
apr_status_t mm_round_read(mm_round_t *round, mm_err_t *err);

/* There is no room, on the disk or in the batch, for what was read: forgets it, takes the spool's reader back to its
 * mark and makes the next round a tenth. False, and nothing is changed: the round cannot be made smaller. */
bool mm_round_shrink(mm_round_t *round);

/* A batch was written and counted: rounds may become larger again. */
void mm_round_grow(mm_round_t *round);

#endif
