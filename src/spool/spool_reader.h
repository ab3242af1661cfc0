/* Reading the spool, in rounds: every segment from where the last round stopped. One thread of the one process that
 * holds mm_spool_lock.
 *
 * Live segments (their writer lives) are read up to their last whole frame. In a segment that nobody writes any more a
 * torn last frame, and in any segment bytes that are no frame but have whole frames behind them, are set aside in
 * NAME.seg.corrupt, logged with a count, and passed over; when they cannot be set aside (disk full) that is logged, and
 * they are passed over all the same. Nothing is ever read twice within the life of a reader; what survives its death
 * are the positions, which the drainer writes into its batch file.
 */
#ifndef MM_SPOOL_READER_H
#define MM_SPOOL_READER_H

#include <stddef.h>
#include <stdint.h>
#include <apr_pools.h>
#include "base/err.h"
#include "base/log.h"

typedef struct mm_spool_reader mm_spool_reader_t;

/* dir and log must outlive the reader. */
apr_status_t mm_spool_reader_create(mm_spool_reader_t **reader, const char *dir, const mm_log_t *log, apr_pool_t *pool,
                                    mm_err_t *err);

/* Tells, before the first round, that segment `name` was already read up to offset. */
void mm_spool_reader_restore(mm_spool_reader_t *reader, const char *name, int64_t offset);

/* Begins a round: lists the directory, oldest segment first. */
apr_status_t mm_spool_reader_begin(mm_spool_reader_t *reader, mm_err_t *err);

/* The next frame's payload, valid until the next call; it counts as read (see positions) as soon as it is handed out.
 * APR_EOF: nothing more in this round. Any other failure ends the round, too: a segment could not be read; its position
 * stays before what could not be read, and all other segments have been read, so that one bad place on the disk holds
 * up nothing else. */
apr_status_t mm_spool_reader_next(mm_spool_reader_t *reader, const uint8_t **payload, size_t *len, mm_err_t *err);

/* Calls fn for every segment that still exists and has been read from, with the offset up to which it was read. */
void mm_spool_reader_positions(const mm_spool_reader_t *reader,
                               void (*fn)(void *baton, const char *name, int64_t offset), void *baton);

/* Everything read so far has been applied and remembered: removes segments that are read to their end and that nobody
 * writes, and files that a writer died over before they were segments. The removal is on the disk when this returns.
 * May be called within a round and behind one, also when it brought nothing. */
apr_status_t mm_spool_reader_release(mm_spool_reader_t *reader, mm_err_t *err);

typedef struct mm_spool_reader_stats {
    int64_t frames;        /* whole frames handed out */
    int64_t corrupt_bytes; /* set aside */
    int64_t corrupt_places;
    int64_t segments_removed;
} mm_spool_reader_stats_t;

void mm_spool_reader_stats(const mm_spool_reader_t *reader, mm_spool_reader_stats_t *stats);

#endif
