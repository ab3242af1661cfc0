/* Small files that must be whole, or not there, after a crash. No state; any thread. */
#include "base/file.h"

#include <apr_strings.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Most files read whole are an id or a URI; larger ones double from here. */
#define SLURP_FIRST 4096

apr_status_t mm_file_write_all(int fd, const void *data, size_t len, size_t *written)
{
    const char *from = data;
    size_t done = 0;
    apr_status_t status = APR_SUCCESS;

    while (done < len) {
        ssize_t n = write(fd, from + done, len - done);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            /* No progress without an error is not known to happen; it must not become an endless loop. */
            status = n < 0 ? errno : EIO;
            break;
        }
        done += (size_t)n;
    }
    if (written != NULL) {
        *written = done;
    }
    return status;
}

apr_status_t mm_file_commit(int dirfd, int fd, const char *from, const char *into, mm_err_t *err)
{
    if (fsync(fd) != 0) {
        return mm_err_set_os(err, errno, "%s cannot be flushed to the disk", from);
    }
    if (renameat(dirfd, from, dirfd, into) != 0) {
        return mm_err_set_os(err, errno, "%s cannot be renamed to %s", from, into);
    }
    if (fsync(dirfd) != 0) {
        return mm_err_set_os(err, errno, "the directory of %s cannot be flushed to the disk", into);
    }
    return APR_SUCCESS;
}

/* Reads until the end of the file or until max + 1 bytes are in. */
static apr_status_t slurp(char **data, size_t *len, int fd, size_t max, apr_pool_t *pool)
{
    size_t room = max < SLURP_FIRST ? max + 1 : SLURP_FIRST;
    size_t used = 0;
    char *buf = apr_palloc(pool, room);

    while (used <= max) {
        ssize_t n;

        if (used == room) {
            size_t larger = room > max / 2 ? max + 1 : room * 2;
            char *grown = apr_palloc(pool, larger);

            memcpy(grown, buf, used);
            buf = grown;
            room = larger;
        }
        n = read(fd, buf + used, room - used);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return errno;
        }
        if (n == 0) {
            break;
        }
        used += (size_t)n;
    }
    *data = buf;
    *len = used;
    return APR_SUCCESS;
}

static apr_status_t slurp_fd(char **data, size_t *len, int fd, const char *path, size_t max, apr_pool_t *pool,
                             mm_err_t *err)
{
    size_t used = 0;
    char *buf = NULL;
    apr_status_t status = slurp(&buf, &used, fd, max, pool);

    close(fd);
    if (status != APR_SUCCESS) {
        return mm_err_set_os(err, status, "%s cannot be read", path);
    }
    if (used > max) {
        return mm_err_set(err, APR_ENOSPC, "%s is longer than the %zu bytes it may have", path, max);
    }
    *data = apr_pstrmemdup(pool, buf, used);
    *len = used;
    return APR_SUCCESS;
}

apr_status_t mm_file_slurp(char **data, size_t *len, const char *path, size_t max, apr_pool_t *pool, mm_err_t *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

    if (fd < 0) {
        return mm_err_set_os(err, errno, "%s cannot be opened", path);
    }
    return slurp_fd(data, len, fd, path, max, pool, err);
}

/* Looked at before it is opened: to open a pipe can block, and to open a device can do something. */
static apr_status_t look_at(int at, const char *path, unsigned only, mm_err_t *err)
{
    struct stat info;

    if (at < 0 || fstat(at, &info) != 0) {
        return mm_err_set_os(err, errno, "%s cannot be opened", path);
    }
    if (!S_ISREG(info.st_mode)) {
        return mm_err_set(err, APR_EINVAL, "%s is no plain file", path);
    }
    if (only & MM_FILE_ROOTS && geteuid() == 0 && (info.st_uid != 0 || info.st_mode & (S_IWGRP | S_IWOTH))) {
        return mm_err_set(err, APR_EINVAL, "%s is not root's alone to write, so that root does not believe it", path);
    }
    return APR_SUCCESS;
}

apr_status_t mm_file_slurp_plain(char **data, size_t *len, const char *path, size_t max, unsigned only,
                                 apr_pool_t *pool, mm_err_t *err)
{
    int at = open(path, O_PATH | O_CLOEXEC | (only & MM_FILE_NO_LINK ? O_NOFOLLOW : 0));
    apr_status_t status = look_at(at, path, only, err);
    char by_number[40];
    int fd = -1;

    if (status == APR_SUCCESS) {
        snprintf(by_number, sizeof(by_number), "/proc/self/fd/%d", at);
        fd = open(by_number, O_RDONLY | O_CLOEXEC);
        status = fd >= 0 ? APR_SUCCESS : mm_err_set_os(err, errno, "%s cannot be opened", path);
    }
    if (at >= 0) {
        close(at);
    }
    return status == APR_SUCCESS ? slurp_fd(data, len, fd, path, max, pool, err) : status;
}
