/* Visitors' addresses and agent strings must not lie in a segment for as long as its child lives, which on a quiet site
 * is days: what is counted is wiped. ext4, XFS, btrfs and tmpfs make a hole; elsewhere zeros are written over it. That
 * is not flushed: nothing depends on it.
 *
 * Where a checkpoint is lost or put back from a backup, zeros in a living segment would be waited for, as those of a
 * frame that is being copied are. So the segment begins with a frame of its own kind (no pack of events is as short),
 * which says where reading can begin; written before anything is wiped. No state; one thread per directory.
 */
#include "spool/spool_wipe.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "spool/frame.h"

#define BLOCK 4096

static const char kind[8] = "MMwiped";
#define PAYLOAD   (sizeof(kind) + sizeof(int64_t))
#define MARK_SIZE (MM_FRAME_HEADER + (int64_t)PAYLOAD)

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

static apr_status_t write_mark(int fd, uint32_t seed, int64_t to)
{
    uint8_t frame[MARK_SIZE];

    memcpy(frame + MM_FRAME_HEADER, kind, sizeof(kind));
    for (size_t i = 0; i < sizeof(to); i++) {
        frame[MM_FRAME_HEADER + sizeof(kind) + i] = (uint8_t)((uint64_t)to >> (8 * i));
    }
    mm_frame_seal(frame, PAYLOAD, seed);
    return pwrite(fd, frame, sizeof(frame), 0) == (ssize_t)sizeof(frame) ? APR_SUCCESS : errno != 0 ? errno : EIO;
}

apr_status_t mm_spool_wipe(int dirfd, const char *segment, uint32_t seed, int64_t from, int64_t to)
{
    apr_status_t status;
    int fd;

    if (to < MARK_SIZE) {
        return APR_SUCCESS;
    }
    /* Not with O_APPEND, which would send pwrite(2) to the end. */
    fd = openat(dirfd, segment, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0) {
        return errno == ENOENT ? APR_SUCCESS : errno;
    }
    errno = 0;
    status = write_mark(fd, seed, to);
    from = from < MARK_SIZE ? MARK_SIZE : from;
    if (status == APR_SUCCESS && from < to &&
        fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)from, (off_t)(to - from)) != 0) {
        status = write_zeros(fd, from, to);
    }
    close(fd);
    return status;
}

int64_t mm_spool_wiped(int fd, uint32_t seed)
{
    uint8_t buf[MARK_SIZE];
    const uint8_t *payload;
    struct stat st;
    uint64_t to = 0;
    size_t len;

    if (pread(fd, buf, sizeof(buf), 0) != (ssize_t)sizeof(buf) || fstat(fd, &st) != 0 ||
        mm_frame_parse(buf, sizeof(buf), seed, &payload, &len) != MM_FRAME_WHOLE || len != PAYLOAD ||
        memcmp(payload, kind, sizeof(kind)) != 0) {
        return 0;
    }
    for (size_t i = 0; i < sizeof(to); i++) {
        to |= (uint64_t)payload[sizeof(kind) + i] << (8 * i);
    }
    return to >= MARK_SIZE && to <= (uint64_t)st.st_size ? (int64_t)to : 0;
}
