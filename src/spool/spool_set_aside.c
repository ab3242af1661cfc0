/* Setting damaged bytes aside. The file is as sparse as the damage. Nobody waits for it to reach the disk: it is a help
 * to people, the counting does not depend on it. No state; one thread per directory.
 */
#include "spool/spool_set_aside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "spool/spool_name.h"

static apr_status_t write_at(int fd, const uint8_t *data, size_t len, int64_t offset)
{
    while (len > 0) {
        ssize_t n = pwrite(fd, data, len, (off_t)offset);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return n < 0 ? errno : EIO;
        }
        data += n;
        len -= (size_t)n;
        offset += n;
    }
    return APR_SUCCESS;
}

apr_status_t mm_spool_set_aside(int dirfd, const char *segment, int64_t offset, const uint8_t *data, size_t len)
{
    char name[MM_SPOOL_NAME_LEN + sizeof(MM_SPOOL_CORRUPT_SUFFIX)];
    int64_t room = offset < MM_SPOOL_CORRUPT_MAX ? MM_SPOOL_CORRUPT_MAX - offset : 0;
    size_t kept = (uint64_t)room < len ? (size_t)room : len;
    apr_status_t status;
    int fd;

    if (kept == 0) {
        return len == 0 ? APR_SUCCESS : APR_ENOSPC;
    }
    snprintf(name, sizeof(name), "%s%s", segment, MM_SPOOL_CORRUPT_SUFFIX);
    fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    if (fd < 0) {
        return errno;
    }
    status = write_at(fd, data, kept, offset);
    if (close(fd) != 0 && status == APR_SUCCESS) {
        status = errno;
    }
    return status == APR_SUCCESS && kept < len ? APR_ENOSPC : status;
}
