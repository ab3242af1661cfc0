/* An append-only file of whole lines: what could not be written whole is cut off again. One thread, the drainer's. */
#include "drain/rejected.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <bson/bson.h>
#include "base/file.h"
#include "drain/own.h"
#include "drain/record.h"
#include "drain/reserve.h"

static char *line_make(const mm_rejected_t *rejected, const mm_delta_t *delta, const char *reason, size_t *len)
{
    bson_t doc = BSON_INITIALIZER, sub;
    char *line;

    BSON_APPEND_UTF8(&doc, "spool", rejected->spool_id);
    BSON_APPEND_INT64(&doc, "seq", rejected->seq);
    mm_record_append_bytes(&doc, "reason", reason);
    BSON_APPEND_DOCUMENT_BEGIN(&doc, "delta", &sub);
    mm_record_delta(&sub, delta);
    bson_append_document_end(&doc, &sub);
    line = bson_as_canonical_extended_json(&doc, len);
    bson_destroy(&doc);
    if (line != NULL) {
        line[(*len)++] = '\n'; /* takes the place of the terminating zero */
    }
    return line;
}

/* Appends a whole line or nothing. */
static apr_status_t append_line(int fd, const char *line, size_t len, int64_t *size)
{
    apr_status_t rv = mm_file_write_all(fd, line, len, NULL);

    if (rv == APR_SUCCESS) {
        *size += (int64_t)len;
    }
    else if (ftruncate(fd, (off_t)*size) != 0) {
        rv = errno;
    }
    return rv;
}

static apr_status_t append(int fd, const mm_rejected_t *rejected, const mm_delta_t *const *deltas, size_t n,
                           const char *reason, int64_t size, size_t *left_out)
{
    for (size_t i = 0; i < n; i++) {
        size_t len = 0;
        char *line = line_make(rejected, deltas[i], reason, &len);
        apr_status_t rv;

        if (line == NULL) {
            return APR_EGENERAL;
        }
        rv = size + (int64_t)len > rejected->max ? APR_ENOSPC : append_line(fd, line, len, &size);
        bson_free(line);
        if (mm_reserve_no_room(rv)) {
            (*left_out)++;
        }
        else if (rv != APR_SUCCESS) {
            return rv;
        }
    }
    return fsync(fd) == 0 ? APR_SUCCESS : errno;
}

apr_status_t mm_rejected_append(const mm_rejected_t *rejected, const mm_delta_t *const *deltas, size_t n,
                                const char *reason, size_t *left_out, mm_err_t *err)
{
    struct stat info;
    apr_status_t rv;
    int dirfd, fd = -1;

    *left_out = 0;
    dirfd = open(rejected->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dirfd < 0) {
        return mm_err_set_os(err, errno, "cannot open the spool %s", rejected->dir);
    }
    rv = mm_own_create(&fd, dirfd, MM_REJECTED_FILE, O_APPEND, err);
    if (rv != APR_SUCCESS) {
        goto out;
    }
    if (fstat(fd, &info) != 0) {
        rv = mm_err_set_os(err, errno, "cannot look at %s/" MM_REJECTED_FILE, rejected->dir);
        goto out;
    }
    rv = append(fd, rejected, deltas, n, reason, (int64_t)info.st_size, left_out);
    if (rv == APR_SUCCESS && fsync(dirfd) != 0) {
        rv = errno;
    }
    if (mm_reserve_no_room(rv)) {
        /* Found out late, by a file system that finds room only when it flushes. */
        *left_out = n;
        rv = ftruncate(fd, info.st_size) == 0 ? APR_SUCCESS : errno;
    }
    if (rv != APR_SUCCESS) {
        /* Best effort: should this fail too, the worst is a torn line. */
        (void)!ftruncate(fd, info.st_size);
        *left_out = 0;
        rv = mm_err_set_os(err, rv, "cannot write %s/" MM_REJECTED_FILE, rejected->dir);
    }
out:
    if (fd >= 0) {
        close(fd);
    }
    close(dirfd);
    return rv;
}
