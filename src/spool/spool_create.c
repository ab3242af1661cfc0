/* A segment is locked before it has its name: the reader takes an unlocked segment for a dead writer's. No state; any
 * thread.
 */
#include "spool/spool_create.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/random.h>
#include <unistd.h>

#include <apr_time.h>

#include "spool/spool_name.h"

/* A reader that clears away what dead writers left may take a new file in the moment before it is locked. */
#define CREATE_TRIES 4

/* APR_EAGAIN: a reader was faster. */
static apr_status_t lock_and_name(int dirfd, int fd, const char *hidden, const char *visible, bool durable)
{
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        return errno == EWOULDBLOCK ? APR_EAGAIN : errno;
    }
    if (renameat(dirfd, hidden, dirfd, visible) != 0) {
        return errno == ENOENT ? APR_EAGAIN : errno;
    }
    if (durable && fsync(dirfd) != 0) {
        apr_status_t status = errno;

        unlinkat(dirfd, visible, 0);
        return status;
    }
    return APR_SUCCESS;
}

static apr_status_t create(int dirfd, const mm_spool_name_t *name, bool durable, int *fd)
{
    char hidden[MM_SPOOL_NEW_LEN + 1], visible[MM_SPOOL_NAME_LEN + 1];
    apr_status_t status;
    int f;

    mm_spool_name_format_new(hidden, name);
    mm_spool_name_format(visible, name);
    f = openat(dirfd, hidden, O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (f < 0) {
        return errno;
    }
    status = lock_and_name(dirfd, f, hidden, visible, durable);
    if (status != APR_SUCCESS) {
        unlinkat(dirfd, hidden, 0);
        close(f);
        return status;
    }
    *fd = f;
    return APR_SUCCESS;
}

static apr_status_t fresh_name(mm_spool_name_t *name, uint32_t n)
{
    if (getrandom(&name->seed, sizeof(name->seed), 0) != (ssize_t)sizeof(name->seed)) {
        return errno;
    }
    name->time_us = apr_time_now();
    name->pid = (uint32_t)getpid();
    name->n = n;
    return APR_SUCCESS;
}

apr_status_t mm_spool_create(mm_spool_created_t *created, const char *dir, uint32_t n, bool durable, mm_err_t *err)
{
    mm_spool_name_t name = {0};
    apr_status_t status = APR_EAGAIN;
    int fd = -1, tries;
    /* By name, each time: the directory may have been removed and made again. */
    int dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (dirfd < 0) {
        return mm_err_set_os(err, errno, "the spool directory %s cannot be opened", dir);
    }
    for (tries = 0; tries < CREATE_TRIES && status == APR_EAGAIN; tries++) {
        status = fresh_name(&name, n);
        if (status == APR_SUCCESS) {
            status = create(dirfd, &name, durable, &fd);
        }
    }
    close(dirfd);
    if (status != APR_SUCCESS) {
        return mm_err_set_os(err, status, "no new segment can be made in the spool directory %s", dir);
    }
    *created = (mm_spool_created_t){fd, name.seed};
    return APR_SUCCESS;
}
