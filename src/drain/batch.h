/* The batch file: what is about to be added to the database, and what the spool looked like when it was read.
 *
 * Frames (spool/frame.h, seed 0), each one BSON document, "k" saying which kind: one "batch" {v, spool, seq, nonce},
 * then "segment" {name, to}, "log" {…} of an import, "delta" {…}, and "window" {generation, to}, last "end" {segments,
 * deltas} (see record.h). Written beside its name, flushed, renamed: a batch file that exists is whole.
 *
 * It is also the checkpoint. `batch` is applied (again, after a crash), then renamed to `checkpoint`: that one rename
 * is the moment at which its events are counted. So there is never a batch that is half remembered, and no third file
 * to disagree.
 */
#ifndef MM_BATCH_H
#define MM_BATCH_H

#include <stdint.h>
#include <apr_pools.h>
#include "base/err.h"
#include "count/count.h"
#include "drain/window_log.h"
#include "spool/spool_reader.h"
#include "store/ledger.h"

#define MM_BATCH_FILE      "batch"
#define MM_CHECKPOINT_FILE "checkpoint"
/* What a batch is called until it is whole, and the room that is kept for it: see reserve.h. One that is left behind is
 * overwritten. */
#define MM_BATCH_TEMP_FILE "batch.tmp"

#define MM_BATCH_NONCE_LEN 24

/* Makes a nonce, into nonce[MM_BATCH_NONCE_LEN + 1]: 24 random hexadecimal digits, one for each batch that is written,
 * so that another batch of the same spool and number (from a spool that was copied, or put back from a backup) is known
 * for another. */
apr_status_t mm_batch_nonce(char *nonce, mm_err_t *err);

/* What a batch may hold besides counts and positions. */
typedef struct mm_batch_more {
    const mm_ledger_t *logs; /* what an import will have counted of each log when the batch is applied */
    size_t n_logs;
    mm_window_place_t window; /* where the count's window is written down; generation 0: nowhere */
} mm_batch_more_t;

/* Writes DIR/batch from what count holds and where reader stands; more may be NULL. Nothing is there, or the old file
 * is whole, when it fails; after a failure of which mm_reserve_no_room is true something smaller may still have room.
 */
apr_status_t mm_batch_write(const char *dir, const char *spool_id, int64_t seq, const char *nonce,
                            const mm_count_t *count, const mm_spool_reader_t *reader, const mm_batch_more_t *more,
                            mm_err_t *err);

typedef struct mm_batch_reader {
    /* Any may be NULL. A failure returned by one ends the reading and is passed on. What they are told can be believed
     * only when the whole reading succeeds: damage further on is found later. */
    apr_status_t (*on_batch)(void *baton, const char *spool_id, int64_t seq, const char *nonce, mm_err_t *err);
    apr_status_t (*on_segment)(void *baton, const char *name, int64_t to, mm_err_t *err);
    apr_status_t (*on_log)(void *baton, const mm_ledger_t *ledger, mm_err_t *err);
    apr_status_t (*on_delta)(void *baton, const mm_delta_t *delta, mm_err_t *err); /* lives until it returns */
    apr_status_t (*on_window)(void *baton, const mm_window_place_t *place, mm_err_t *err);
    void *baton;
} mm_batch_reader_t;

/* Reads DIR/name in constant memory. APR_ENOENT: there is none. APR_EINVAL: it is not a whole batch file (disk damage).
 */
apr_status_t mm_batch_read(const char *dir, const char *name, const mm_batch_reader_t *reader, apr_pool_t *pool,
                           mm_err_t *err);

/* The same for an open file, from where it stands; name is for err. */
apr_status_t mm_batch_read_fd(int fd, const char *name, const mm_batch_reader_t *reader, mm_err_t *err);

/* DIR/batch becomes DIR/checkpoint: its events are counted. After a failure it can be called again. */
apr_status_t mm_batch_commit(const char *dir, mm_err_t *err);

#endif
