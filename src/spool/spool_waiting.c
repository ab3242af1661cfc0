/* The end of a mapped segment's file is not the end of what was appended (spool_window.h): zeros stand between. Most
 * segments are read to where the zeros begin, which a few bytes show; of the others the zeros are looked at from
 * behind. No state.
 */
#include "spool/spool_waiting.h"

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "spool/frame.h"

#define BLOCK 4096

/* Whether there is nothing, or nothing whole yet, at offset. */
static bool is_blank(int fd, int64_t offset)
{
    static const char zeros[MM_FRAME_MAGIC];
    char bytes[MM_FRAME_MAGIC];
    ssize_t n = pread(fd, bytes, sizeof(bytes), (off_t)offset);

    return n <= 0 || memcmp(bytes, zeros, (size_t)n) == 0;
}

/* The offset behind the last byte that is not zero, or `from`. */
static int64_t end_of_bytes(int fd, int64_t from, int64_t size)
{
    char block[BLOCK];

    while (size > from) {
        int64_t at = size - from > BLOCK ? size - BLOCK : from;
        ssize_t n = pread(fd, block, (size_t)(size - at), (off_t)at);

        while (n > 0 && block[n - 1] == 0) {
            n--;
        }
        if (n > 0) {
            return at + n;
        }
        size = at;
    }
    return from;
}

static int64_t waiting_in(int dirfd, const mm_segment_t *segment)
{
    int fd = openat(dirfd, segment->name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    struct stat st;
    int64_t n = 0;

    if (fd < 0) {
        /* One that cannot be read waits, too, to be seen by whoever looks at the status. */
        return fstatat(dirfd, segment->name, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_size > segment->offset
                   ? (int64_t)st.st_size - segment->offset
                   : 0;
    }
    if (fstat(fd, &st) == 0 && st.st_size > segment->offset && !is_blank(fd, segment->offset)) {
        n = end_of_bytes(fd, segment->offset, st.st_size) - segment->offset;
    }
    close(fd);
    return n;
}

int64_t mm_spool_waiting(const mm_spool_list_t *list, int dirfd)
{
    int64_t sum = 0;

    for (size_t i = 0; i < list->n; i++) {
        if (!list->items[i].finished && !list->items[i].removed) {
            sum += waiting_in(dirfd, &list->items[i]);
        }
    }
    return sum;
}
