/* Reading the spool, in rounds: every segment from where the last round stopped. One thread of the one process that
 * holds mm_spool_lock.
 *
 * Live segments (their writer lives) are read up to their last whole frame. In a segment that nobody writes any more a
 * torn last frame, and in any segment bytes that are no frame but have whole frames behind them, are set aside in
 * NAME.seg.corrupt, logged with a count, and passed over; when they cannot be set aside (disk full) that is logged, and
 * they are passed over all the same. Nothing is read twice within the life of a reader unless it is told to go back;
 * what survives its death are the positions, which the drainer writes into its batch file.
 */
#ifndef MM_SPOOL_READER_H
#define MM_SPOOL_READER_H

#include <stdbool.h>
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

/* The name of the segment from which the frame came that was just handed out. */
const char *mm_spool_reader_segment(const mm_spool_reader_t *reader);

/* The frame that was just handed out cannot be used now: its segment stands before it again and is left alone for the
 * rest of the round, all others go on. */
void mm_spool_reader_hold(mm_spool_reader_t *reader);

/* The frame that was just handed out is of no use: keeps a copy beside the segment, where bytes that are no frame are
 * kept. It stays read, also when this fails. */
apr_status_t mm_spool_reader_set_aside(mm_spool_reader_t *reader, mm_err_t *err);

/* Remembers how far all segments are read. Until the first call that is what mm_spool_reader_restore said. */
void mm_spool_reader_mark(mm_spool_reader_t *reader);

/* Ends the round; all segments stand again where they stood at the mark. Not behind a release that came after it. */
void mm_spool_reader_back(mm_spool_reader_t *reader);

/* Calls fn for every segment that still exists and has been read from, with the offset up to which it was read. */
void mm_spool_reader_positions(const mm_spool_reader_t *reader,
                               void (*fn)(void *baton, const char *name, int64_t offset), void *baton);

/* Everything read so far has been applied and remembered: removes segments that are read to their end and that nobody
 * writes, and files that a writer died over before they were segments, and wipes what was read, up to the mark, from
 * segments that are still there. The removal is on the disk when this returns.
 * May be called within a round and behind one, also when it brought nothing. */
apr_status_t mm_spool_reader_release(mm_spool_reader_t *reader, mm_err_t *err);

/* Bytes in the segments of the last round that were appended and not read; a few can be missing. */
int64_t mm_spool_reader_waiting(const mm_spool_reader_t *reader);

/* Whether this round had more segments before it than it could look at, and a release has made room for them since: the
 * next round will bring what this one did not. */
bool mm_spool_reader_more(const mm_spool_reader_t *reader);

#endif
