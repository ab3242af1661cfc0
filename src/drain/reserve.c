/* The reserve is a file without meaning: nobody ever reads it, and losing it costs nothing but the room. So nothing
 * here is flushed, and every failure is an answer. One thread.
 *
 * fallocate(2), not posix_fallocate(3): where the file system cannot do it, the latter would write 16 MiB after each
 * batch.
 */
#include "drain/reserve.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include "drain/batch.h"
#include "drain/own.h"

bool mm_reserve_no_room(apr_status_t status)
{
    return status == ENOSPC || status == EDQUOT || status == EFBIG;
}

/* A disk that has less is asked for half, and half of that. */
static int64_t enlarge(int fd, int64_t has)
{
    for (int64_t size = MM_RESERVE_MAX; size > has && size >= MM_RESERVE_MIN; size /= 2) {
        if (fallocate(fd, 0, 0, (off_t)size) == 0) {
            return size;
        }
        if (!mm_reserve_no_room(errno)) {
            break;
        }
        /* What it got of it before it failed. */
        if (ftruncate(fd, (off_t)has) != 0) {
            break;
        }
    }
    return has;
}

int64_t mm_reserve_ahead(int fd, int64_t at, int64_t bytes)
{
    for (; bytes >= MM_RESERVE_MIN; bytes /= 2) {
        if (fallocate(fd, FALLOC_FL_KEEP_SIZE, (off_t)at, (off_t)bytes) == 0) {
            return bytes;
        }
        if (!mm_reserve_no_room(errno)) {
            break;
        }
    }
    return 0;
}

int64_t mm_reserve_make(const char *dir)
{
    struct stat info;
    int64_t size = 0;
    int fd, dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (dirfd < 0) {
        return 0;
    }
    if (mm_own_create(&fd, dirfd, MM_BATCH_TEMP_FILE, 0, NULL) == APR_SUCCESS) {
        if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode)) {
            size = enlarge(fd, (int64_t)info.st_size);
        }
        close(fd);
    }
    close(dirfd);
    return size;
}
