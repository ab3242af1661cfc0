/* Whoever drains is the owner of the spool (mm_spool_lock sees to that), so what he makes is his. No state; any thread.
 */
#include "drain/own.h"

#include <errno.h>
#include <fcntl.h>

apr_status_t mm_own_create(int *fd, int dirfd, const char *name, int flags, mm_err_t *err)
{
    /* O_NONBLOCK: a FIFO of that name must not hold us up. */
    int opened = openat(dirfd, name, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | flags, 0600);

    if (opened < 0) {
        return mm_err_set_os(err, errno, "cannot open %s in the spool", name);
    }
    *fd = opened;
    return APR_SUCCESS;
}
