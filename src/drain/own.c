/* Only root can give files away, and only root needs to. No state; any thread. */
#include "drain/own.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

apr_status_t mm_own_create(int *fd, int dirfd, const char *name, int flags, mm_err_t *err)
{
    struct stat dir;
    int opened = openat(dirfd, name, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC | flags, 0600);

    if (opened < 0) {
        return mm_err_set_os(err, errno, "cannot open %s in the spool", name);
    }
    if (geteuid() == 0 && (fstat(dirfd, &dir) != 0 || fchown(opened, dir.st_uid, dir.st_gid) != 0)) {
        apr_status_t rv = mm_err_set_os(err, errno, "cannot give %s to the owner of the spool", name);

        close(opened);
        return rv;
    }
    *fd = opened;
    return APR_SUCCESS;
}
