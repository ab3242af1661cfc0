/* The mutex is held over write(2), which is what brings the frames into an order in which one offset tells those that
 * are on the disk from those that are not; it is not held over the flush. Invariant: flushed <= written, and behind
 * `written` there is nothing in the file.
 */
#include "spool/spool_commit.h"

#include <errno.h>
#include <unistd.h>

#include "base/file.h"

apr_status_t mm_spool_commit_init(mm_spool_commit_t *commit)
{
    int rc = pthread_mutex_init(&commit->mutex, NULL);

    commit->flush = fdatasync;
    mm_spool_commit_begin(commit);
    return rc != 0 ? rc : pthread_cond_init(&commit->flushed_more, NULL);
}

void mm_spool_commit_begin(mm_spool_commit_t *commit)
{
    commit->written = commit->flushed = 0;
    commit->flushing = false;
    commit->failure = commit->closed = APR_SUCCESS;
}

/* On a full disk a part may have been written. It is taken back, and nothing may come behind it: a reader that has seen
 * the part would take what follows for damage. */
static apr_status_t put(mm_spool_commit_t *commit, int fd, const uint8_t *frame, size_t len)
{
    apr_status_t status = commit->closed;
    size_t written = 0;

    if (status != APR_SUCCESS) {
        return status;
    }
    status = mm_file_write_all(fd, frame, len, &written);
    if (status == APR_SUCCESS) {
        commit->written += (int64_t)len;
        return status;
    }
    /* A limit was reached, whatever it is that the rest of the frame then met. */
    status = written > 0 ? ENOSPC : status;
    if (written > 0 || (status != ENOSPC && status != EDQUOT)) {
        (void)!ftruncate(fd, (off_t)commit->written);
        commit->closed = status;
    }
    return status;
}

/* For all that was written until now. Without the mutex while it lasts. */
static void flush_all(mm_spool_commit_t *commit, int fd)
{
    int64_t upto = commit->written;
    int failed;

    commit->flushing = true;
    pthread_mutex_unlock(&commit->mutex);
    failed = commit->flush(fd) != 0 ? errno : 0;
    pthread_mutex_lock(&commit->mutex);
    commit->flushing = false;
    if (failed == 0) {
        commit->flushed = upto;
    }
    else {
        commit->failure = commit->closed = failed;
        /* If this fails as well, what was refused may be counted. */
        (void)!ftruncate(fd, (off_t)commit->flushed);
        commit->written = commit->flushed;
    }
    pthread_cond_broadcast(&commit->flushed_more);
}

apr_status_t mm_spool_commit(mm_spool_commit_t *commit, int fd, const uint8_t *frame, size_t len, bool *spent)
{
    apr_status_t status = pthread_mutex_lock(&commit->mutex);
    int64_t end;

    if (status != APR_SUCCESS) {
        *spent = false;
        return status;
    }
    status = put(commit, fd, frame, len);
    end = commit->written;
    while (status == APR_SUCCESS && commit->flushed < end) {
        if (commit->failure != APR_SUCCESS) {
            status = commit->failure;
        }
        else if (commit->flushing) {
            pthread_cond_wait(&commit->flushed_more, &commit->mutex);
        }
        else {
            flush_all(commit, fd);
        }
    }
    *spent = commit->closed != APR_SUCCESS;
    pthread_mutex_unlock(&commit->mutex);
    return status;
}
