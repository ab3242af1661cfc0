/* What one frame of the spool holds: a pack of events. */
#ifndef MM_PACK_H
#define MM_PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "count/count.h"
#include "resolve/resolve.h"

/* Whether one of its events was written by a newer version of this program, so that nothing of the pack may be counted
 * or thrown away by this one. */
bool mm_pack_is_newer(const uint8_t *data, size_t len);

/* What became of events. */
typedef struct mm_tally {
    int64_t events; /* the sum of the verdicts */
    int64_t verdicts[MM_VERDICTS];
    int64_t unreadable; /* events, or ends of packs, that could not be read */
    int64_t forgotten;  /* entries of the window that had to go early, for want of room */
} mm_tally_t;

/* What a pack is counted into. */
typedef struct mm_pack_into {
    mm_count_t *count;
    mm_resolve_t *resolve; /* for what events leave open; NULL: visitors stay nobody, keys unknown */
    mm_tally_t *tally;
    const mm_policy_t *policy; /* whose nobodies are none; NULL: there are none */
    bool in_order;             /* what comes behind a collected event is collected, too */
} mm_pack_into_t;

/* Counts one event, or has resolve collect it. *event is used up. */
void mm_pack_take(const mm_pack_into_t *into, mm_event_t *event);

/* Counts its events, but for those that resolve collects, adds them to the tally, and returns how many, or how many
 * ends of a pack, could not be read. */
int64_t mm_pack_count(const mm_pack_into_t *into, const uint8_t *data, size_t len);

/* Counts what resolve has collected; room as for mm_resolve_finish. On a failure nothing of it is counted. */
apr_status_t mm_pack_finish(const mm_pack_into_t *into, int64_t room, mm_err_t *err);

/* The same of the first n events of it. into->resolve is there. */
apr_status_t mm_pack_finish_first(const mm_pack_into_t *into, int64_t n, int64_t room, mm_err_t *err);

#endif
