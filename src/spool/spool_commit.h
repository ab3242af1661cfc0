/* Appends that are on the disk when they return: sync=event. For the writer of this room.
 *
 * A flush costs a disk between 20 us and 10 ms, whatever is flushed. So threads that wait share one: the first flushes
 * for all who have written before it began, those who come meanwhile wait for the next.
 *
 * A flush that failed is never asked for again: the kernel has marked the pages clean and would say yes (Linux, and
 * what PostgreSQL learned of it in 2018). Everything that was not flushed is refused and cut from the file, and the
 * segment has to be left.
 */
#ifndef MM_SPOOL_COMMIT_H
#define MM_SPOOL_COMMIT_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <apr_errno.h>

typedef struct mm_spool_commit {
    pthread_mutex_t mutex;
    pthread_cond_t flushed_more;
    int (*flush)(int fd);     /* fdatasync, but in tests */
    int64_t written, flushed; /* offsets: the end of what was written, of what is on the disk */
    bool flushing;
    apr_status_t failure; /* of a flush: what was not flushed before is refused */
    apr_status_t closed;  /* why nothing more can be appended */
} mm_spool_commit_t;

apr_status_t mm_spool_commit_init(mm_spool_commit_t *commit);

/* A new, empty segment. Nobody may be appending. */
void mm_spool_commit_begin(mm_spool_commit_t *commit);

/* Appends len bytes to fd (opened with O_APPEND, written by nobody else) and waits until they are on the disk. A
 * failure leaves the file as it was, but for what others append. *spent: the segment must be left. Any thread. */
apr_status_t mm_spool_commit(mm_spool_commit_t *commit, int fd, const uint8_t *frame, size_t len, bool *spent);

#endif
