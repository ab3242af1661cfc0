/* Appending to the spool: one copy into a mapped file, or one write(2), per record, like a log line.
 *
 * Any number of threads of one process share a writer. There is no queue and nothing to flush: what was appended
 * survives the death of the process. The segment's file is made by the first append and replaced when it has grown to
 * segment_max. Appends run in parallel under a shared lock; only changing the segment, or moving the window through
 * which it is mapped, is exclusive. Up to MM_SPOOL_WINDOW_SIZE are allocated on the disk ahead of what was appended.
 *
 * Destroying the pool does not close the file: a child of httpd destroys its pools while its threads may still be
 * appending, and a descriptor that was closed under a write(2) may by then be another file. The end of the process
 * closes it. Who knows that nobody appends, and lives on, calls mm_spool_writer_close.
 *
 * Once a second an append looks whether its segment still has a name: when somebody removed the directory and made it
 * again, appends go into the new one within a second, at the latest with the next segment. A process that was forked
 * with a writer in use begins a segment of its own; it may not be forked while another thread is appending.
 *
 * A segment in which a write failed, but for want of room, is left. On a disk that fails every time this would make a
 * file for each append: at most once a second a failed segment is replaced, until then appends fail.
 */
#ifndef MM_SPOOL_WRITER_H
#define MM_SPOOL_WRITER_H

#include <stddef.h>
#include <stdint.h>
#include <apr_pools.h>
#include "base/err.h"
#include "base/sync.h"

#define MM_SPOOL_SEGMENT_MAX (INT64_C(8) * 1024 * 1024)

typedef struct mm_spool_writer mm_spool_writer_t;

/* Makes a writer for dir, which mm_spool_prepare has made. Opens nothing yet, so it may be called before a fork, used
 * after. With MM_SYNC_EVENT an append returns when it is on the disk, by a flush that threads share; with MM_SYNC_BATCH
 * somebody else flushes (drain/syncer.h). */
apr_status_t mm_spool_writer_create(mm_spool_writer_t **writer, const char *dir, int64_t segment_max, mm_sync_t sync,
                                    apr_pool_t *pool, mm_err_t *err);

/* Says that a frame will be appended soon: what that touches is fetched into the processor's cache meanwhile. Changes
 * nothing. Any thread. */
void mm_spool_expect(mm_spool_writer_t *writer);

/* Appends one frame. buf holds MM_FRAME_HEADER bytes of room and then payload_len bytes; the header is filled in here.
 * When this returns APR_SUCCESS the frame is in the file, whole. On a failure (disk full, …) nothing of it will ever be
 * read; with MM_SYNC_EVENT and a disk that fails to flush, a reader may have been faster than we. Allocates nothing and
 * logs nothing. */
apr_status_t mm_spool_append(mm_spool_writer_t *writer, uint8_t *buf, size_t payload_len, mm_err_t *err);

/* Closes the segment, so that the reader knows its end. Nobody may be appending. An append that comes later begins
 * another segment. */
void mm_spool_writer_close(mm_spool_writer_t *writer);

#endif
