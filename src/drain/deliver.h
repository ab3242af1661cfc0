/* From the batch file into the database. */
#ifndef MM_DELIVER_H
#define MM_DELIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <apr_pools.h>
#include "base/err.h"
#include "drain/refusals.h"
#include "drain/wait.h"
#include "store/store.h"

/* Deltas in one call of mm_store_apply: at most some 1.5 MiB of strings. A database that is so slow that a call of this
 * many runs into the socket's time-out would never get further than that, so calls become smaller when they fail or
 * take long, and larger again when they are quick. */
#define MM_DELIVER_CHUNK_MAX 1000
#define MM_DELIVER_CHUNK_MIN 10

/* A document that the server refuses for no known reason holds up what is behind it for at most so long, while others
 * are taken. */
#define MM_DELIVER_STUCK_S (INT64_C(6) * 3600)

/* How large the next call should be after one of chunk deltas that took so long. */
size_t mm_deliver_next_chunk(size_t chunk, bool failed, int64_t took_us);

/* How far one batch has come. All zeros at first, kept from one try to the next; mm_deliver_begin for another batch. */
typedef struct mm_deliver {
    int64_t done; /* so many deltas, from the beginning of the file, need not be applied again */
    int64_t rejected;
    int64_t left_out;       /* rejected, and not in rejected.ndjson for want of room */
    mm_err_t reason;        /* why, of the last that was rejected */
    bool claimed;           /* the database knows that this batch comes from here */
    bool settled;           /* and that all of it is applied */
    size_t chunk;           /* of the next call; 0 is the largest. Kept from batch to batch */
    mm_refusals_t refusals; /* kept from batch to batch */
} mm_deliver_t;

void mm_deliver_begin(mm_deliver_t *deliver);

/* Applies what is left of DIR/batch, having claimed its number. What the database refuses for reasons that lie in
 * single documents, or without a reason for MM_DELIVER_STUCK_S, goes to rejected.ndjson and counts as done. now_us: of
 * a clock that never runs backwards, and positive. A failure can be tried again, except APR_EINVAL: the file is
 * damaged. APR_EINTR: wait says that the work should end. MM_STORE_FOREIGN: the numbers of this spool are given out
 * twice; nothing is applied until the administrator has done what err says. */
apr_status_t mm_deliver_batch_at(mm_deliver_t *deliver, const char *dir, mm_store_t *store, const mm_wait_t *wait,
                                 int64_t now_us, apr_pool_t *pool, mm_err_t *err);

/* The same, now. */
apr_status_t mm_deliver_batch(mm_deliver_t *deliver, const char *dir, mm_store_t *store, const mm_wait_t *wait,
                              apr_pool_t *pool, mm_err_t *err);

#endif
