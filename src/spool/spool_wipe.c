/* Visitors' addresses and agent strings must not lie in a segment for as long as its child lives, which on a quiet site
 * is days: what is counted is wiped. ext4, XFS, btrfs and tmpfs make a hole; elsewhere zeros are written over it. That
 * is not flushed: nothing depends on it. No state; one thread per directory.
 */
#include "spool/spool_wipe.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define BLOCK 4096

static apr_status_t write_zeros(int fd, int64_t from, int64_t to)
{
    static const char zeros[BLOCK];

    while (from < to) {
        ssize_t n = pwrite(fd, zeros, (size_t)(to - from < BLOCK ? to - from : BLOCK), (off_t)from);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return n < 0 ? errno : EIO;
        }
        from += n;
    }
    return APR_SUCCESS;
}

apr_status_t mm_spool_wipe(int dirfd, const char *segment, int64_t from, int64_t to)
{
    /* Not with O_APPEND, which would send pwrite(2) to the end. */
    int fd = openat(dirfd, segment, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    apr_status_t status = APR_SUCCESS;

    if (fd < 0) {
        return errno == ENOENT ? APR_SUCCESS : errno;
    }
    if (fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)from, (off_t)(to - from)) != 0) {
        status = write_zeros(fd, from, to);
    }
    close(fd);
    return status;
}
