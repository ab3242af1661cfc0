/* Files that must be whole after a crash: written beside their name, flushed, renamed into place. */
#ifndef MM_FILE_H
#define MM_FILE_H

#include <stddef.h>
#include <apr_errno.h>
#include <apr_pools.h>
#include "base/err.h"

/* write(2) until all is written or it fails; EINTR is retried. Returns errno as apr_status_t; *written (may be NULL) is
 * how much got out. */
apr_status_t mm_file_write_all(int fd, const void *data, size_t len, size_t *written);

/* Flushes fd to the disk, renames from to into place within dirfd, and flushes the directory. */
apr_status_t mm_file_commit(int dirfd, int fd, const char *from, const char *into, mm_err_t *err);

/* Reads a whole small file (at most max bytes; more is APR_ENOSPC) into pool, with a terminating zero not counted in
 * *len. */
apr_status_t mm_file_slurp(char **data, size_t *len, const char *path, size_t max, apr_pool_t *pool, mm_err_t *err);

/* What mm_file_slurp_plain does not take. */
enum {
    MM_FILE_NO_LINK = 1 << 0, /* a symbolic link */
    MM_FILE_ROOTS = 1 << 1    /* when called by root: a file that others than root can write */
};

/* The same for a file that somebody else has named, or put there: anything but a plain file is APR_EINVAL and is not
 * opened (a pipe would make us wait), nor is what `only` (MM_FILE_…) excludes. */
apr_status_t mm_file_slurp_plain(char **data, size_t *len, const char *path, size_t max, unsigned only,
                                 apr_pool_t *pool, mm_err_t *err);

#endif
