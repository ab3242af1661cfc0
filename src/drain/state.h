/* What a drainer is between two steps. drain.c makes it, step.c takes it from state to state, loop.c waits for it;
 * nobody else looks inside.
 */
#ifndef MM_DRAIN_STATE_H
#define MM_DRAIN_STATE_H

#include "drain/drain.h"

#include <stdbool.h>
#include <stdint.h>
#include "base/throttle.h"
#include "count/count.h"
#include "drain/account.h"
#include "drain/connection.h"
#include "drain/deliver.h"
#include "drain/round.h"
#include "drain/wait.h"
#include "drain/window_log.h"
#include "spool/spool.h"
#include "spool/spool_reader.h"

/* See step.c. */
typedef enum mm_drain_state { MM_DRAIN_IDLE, MM_DRAIN_COUNTED, MM_DRAIN_PENDING, MM_DRAIN_APPLIED } mm_drain_state_t;

struct mm_drain {
    mm_drain_options_t options;
    const mm_log_t *log;
    apr_pool_t *pool;
    apr_pool_t *scratch; /* cleared by each step */
    char spool_id[MM_SPOOL_ID_LEN + 1];
    int lock;
    mm_wait_t wait;
    mm_spool_reader_t *reader;
    mm_count_t *count;
    mm_resolve_t *resolve;
    mm_window_log_t window_log;
    mm_round_t round;
    mm_drain_state_t state;
    int64_t reserve; /* bytes that are kept for the next batch */
    int64_t seq;     /* of the last batch that was written, 0 before the first */
    int64_t deltas;  /* in the batch that is pending */
    bool emptied;    /* the last round came to the end of the spool */
    bool more;       /* the spool holds more than was read: the next step need not wait */
    mm_deliver_t deliver;
    mm_connection_t connection;
    mm_account_t account;
    mm_throttle_t held;
    mm_throttle_t unindexed;
};

#endif
