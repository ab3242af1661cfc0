/* See the header. The order of stores in put is what the reader (spool_frames.c) relies on to tell a frame that is
 * being copied from one that is damaged. No state; thread-safe as the header says.
 */
#include "spool/spool_window.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/hot.h"
#include "spool/frame.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* linux/mman.h, since 5.14 */
#endif

bool mm_spool_window_suits(int fd)
{
    /* linux/magic.h: ext2 to ext4, tmpfs. Not XFS, whose cp shares the blocks of a copy with the original by default:
     * to write to one of them then needs another, for which there may be no room. */
    static const uint32_t suitable[] = {UINT32_C(0xEF53), UINT32_C(0x01021994)};
    struct statfs fs;

    if (fstatfs(fd, &fs) != 0) {
        return false;
    }
    for (size_t i = 0; i < sizeof(suitable) / sizeof(suitable[0]); i++) {
        if ((uint32_t)fs.f_type == suitable[i]) {
            return true;
        }
    }
    return false;
}

static int64_t page_of(int64_t offset)
{
    return offset & ~((int64_t)sysconf(_SC_PAGESIZE) - 1);
}

apr_status_t mm_spool_window_open(mm_spool_window_t *window, int fd, int64_t at, size_t need)
{
    int64_t size = (int64_t)need > MM_SPOOL_WINDOW_SIZE ? (int64_t)need : MM_SPOOL_WINDOW_SIZE;
    int64_t from = page_of(at), to = page_of(at + size + sysconf(_SC_PAGESIZE) - 1);
    void *base;

    if (fallocate(fd, 0, at, to - at) != 0) {
        return errno;
    }
    base = mmap(NULL, (size_t)(to - from), PROT_READ | PROT_WRITE, MAP_SHARED, fd, from);
    if (base == MAP_FAILED) {
        return errno;
    }
    if (madvise(base, (size_t)(to - from), MADV_POPULATE_WRITE) != 0) {
        apr_status_t status = errno;

        munmap(base, (size_t)(to - from));
        return status;
    }
    *window = (mm_spool_window_t){base, from, to};
    return APR_SUCCESS;
}

MM_HOT void mm_spool_window_put(const mm_spool_window_t *window, int64_t at, const uint8_t *frame, size_t len)
{
    uint8_t *to = window->base + (at - window->from);

    memcpy(to + MM_FRAME_MAGIC, frame + MM_FRAME_MAGIC, len - MM_FRAME_MAGIC);
    atomic_thread_fence(memory_order_release);
    memcpy(to, frame, MM_FRAME_MAGIC);
}

apr_status_t mm_spool_window_refresh(const mm_spool_window_t *window, int64_t at)
{
    int64_t from = page_of(at), to = at + MM_SPOOL_WINDOW_AHEAD < window->to ? at + MM_SPOOL_WINDOW_AHEAD : window->to;

    if (from >= to) {
        return APR_SUCCESS;
    }
    return madvise(window->base + (from - window->from), (size_t)(to - from), MADV_POPULATE_WRITE) == 0 ? APR_SUCCESS
                                                                                                        : errno;
}

void mm_spool_window_close(mm_spool_window_t *window)
{
    if (window->base != NULL) {
        munmap(window->base, (size_t)(window->to - window->from));
        *window = (mm_spool_window_t){NULL, 0, 0};
    }
}
