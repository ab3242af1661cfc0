/* The three files that name the spool, each replaced by one rename: checkpoint, batch, and the id last.
 *
 * Cut short before the batch is renamed, the old batch goes with the old id, as if nothing had been. Cut short behind
 * it, batch (or checkpoint) and id contradict each other: nobody drains such a spool, so nothing can be counted under
 * half a name, and the next call, which does not mind what the files were called before, brings it to an end. One
 * thread.
 */
#include "drain/new_id.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <apr_strings.h>
#include <bson/bson.h>
#include "base/file.h"
#include "drain/batch.h"
#include "drain/own.h"
#include "drain/record.h"
#include "spool/frame.h"

#define ID_FILE "id"
/* As batch.c writes them. */
#define BATCH_SEED 0
/* The database has never heard of the new id, so any numbers will do that rise. */
#define CHECKPOINT_SEQ 1
#define BATCH_SEQ      2
#define COPY_SIZE      (64 * 1024)

_Static_assert(MM_BATCH_NONCE_LEN == MM_SPOOL_ID_LEN, "an id is made as a nonce is");

typedef struct renaming {
    const char *dir, *id;
    int dirfd;
    apr_pool_t *pool;
} renaming_t;

/* The first record, under the new id. */
static apr_status_t write_head(const renaming_t *renaming, int fd, int64_t seq, mm_err_t *err)
{
    uint8_t frame[MM_FRAME_HEADER + MM_RECORD_MAX];
    char nonce[MM_BATCH_NONCE_LEN + 1];
    bson_t doc = BSON_INITIALIZER;
    apr_status_t rv = mm_batch_nonce(nonce, err);
    size_t len;

    if (rv == APR_SUCCESS) {
        mm_record_batch(&doc, renaming->id, seq, nonce);
        memcpy(frame + MM_FRAME_HEADER, bson_get_data(&doc), doc.len);
        len = mm_frame_seal(frame, doc.len, BATCH_SEED);
        rv = mm_file_write_all(fd, frame, len, NULL);
        if (rv != APR_SUCCESS) {
            mm_err_set_os(err, rv, "cannot write into the spool %s", renaming->dir);
        }
    }
    bson_destroy(&doc);
    return rv;
}

/* Where the second record begins. */
static apr_status_t skip_head(int fd, off_t *at, const char *path, mm_err_t *err)
{
    uint8_t frame[MM_FRAME_HEADER + MM_RECORD_MAX];
    const uint8_t *payload;
    size_t len;
    ssize_t got = pread(fd, frame, sizeof(frame), 0);

    if (got < 0) {
        return mm_err_set_os(err, errno, "cannot read %s", path);
    }
    if (mm_frame_parse(frame, (size_t)got, BATCH_SEED, &payload, &len) != MM_FRAME_WHOLE) {
        return mm_err_set(err, APR_EGENERAL, "%s changes while it is read", path);
    }
    *at = (off_t)(MM_FRAME_HEADER + len);
    return APR_SUCCESS;
}

static apr_status_t copy_rest(int from, off_t at, int to, const char *path, mm_err_t *err)
{
    char buffer[COPY_SIZE];
    apr_status_t rv;
    ssize_t got;

    while ((got = pread(from, buffer, sizeof(buffer), at)) > 0) {
        rv = mm_file_write_all(to, buffer, (size_t)got, NULL);
        if (rv != APR_SUCCESS) {
            return mm_err_set_os(err, rv, "cannot copy %s", path);
        }
        at += got;
    }
    return got == 0 ? APR_SUCCESS : mm_err_set_os(err, errno, "cannot read %s", path);
}

static void discard_temp(const renaming_t *renaming, int fd)
{
    if (fd >= 0) {
        close(fd);
        unlinkat(renaming->dirfd, MM_BATCH_TEMP_FILE, 0); /* to no effect where it was renamed */
    }
}

/* Gives DIR/name, which is whole, the new id and that number; everything else in it stays. */
static apr_status_t rename_file(const renaming_t *renaming, const char *name, int64_t seq, mm_err_t *err)
{
    const char *path = apr_pstrcat(renaming->pool, renaming->dir, "/", name, NULL);
    int from = openat(renaming->dirfd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC), to = -1;
    apr_status_t rv;
    off_t at = 0;

    if (from < 0) {
        return mm_err_set_os(err, errno, "cannot open %s", path);
    }
    rv = skip_head(from, &at, path, err);
    if (rv == APR_SUCCESS) {
        rv = mm_own_create(&to, renaming->dirfd, MM_BATCH_TEMP_FILE, O_TRUNC, err);
    }
    if (rv == APR_SUCCESS) {
        rv = write_head(renaming, to, seq, err);
    }
    if (rv == APR_SUCCESS) {
        rv = copy_rest(from, at, to, path, err);
    }
    if (rv == APR_SUCCESS) {
        rv = mm_file_commit(renaming->dirfd, to, MM_BATCH_TEMP_FILE, name, err);
    }
    discard_temp(renaming, to);
    close(from);
    return rv;
}

static apr_status_t write_id(const renaming_t *renaming, mm_err_t *err)
{
    const char *line = apr_pstrcat(renaming->pool, renaming->id, "\n", NULL);
    int fd = -1;
    apr_status_t rv = mm_own_create(&fd, renaming->dirfd, MM_BATCH_TEMP_FILE, O_TRUNC, err);

    if (rv == APR_SUCCESS) {
        rv = mm_file_write_all(fd, line, strlen(line), NULL);
        if (rv != APR_SUCCESS) {
            mm_err_set_os(err, rv, "cannot write the new id into the spool %s", renaming->dir);
        }
    }
    if (rv == APR_SUCCESS) {
        rv = mm_file_commit(renaming->dirfd, fd, MM_BATCH_TEMP_FILE, ID_FILE, err);
    }
    discard_temp(renaming, fd);
    return rv;
}

/* Whether DIR/name is there and whole. */
static apr_status_t look(const renaming_t *renaming, const char *name, bool *there, mm_err_t *err)
{
    mm_batch_reader_t nobody = {.baton = NULL};
    mm_err_t why;
    apr_status_t rv = mm_batch_read(renaming->dir, name, &nobody, renaming->pool, &why);

    *there = rv == APR_SUCCESS;
    if (rv == APR_SUCCESS || APR_STATUS_IS_ENOENT(rv)) {
        return APR_SUCCESS;
    }
    return mm_err_set(err, rv, "%s/%s: %s", renaming->dir, name, why.text);
}

static apr_status_t rename_all(mm_new_id_t *result, const renaming_t *renaming, mm_err_t *err)
{
    bool checkpoint = false;
    apr_status_t rv = look(renaming, MM_BATCH_FILE, &result->pending, err);

    if (rv == APR_SUCCESS) {
        rv = look(renaming, MM_CHECKPOINT_FILE, &checkpoint, err);
        if (rv == APR_EINVAL && result->pending) {
            rv = APR_SUCCESS; /* the batch is whole and will take its place */
        }
    }
    if (rv == APR_EINVAL) {
        return mm_err_set(err, APR_EGENERAL,
                          "the files of the spool %s are damaged; start its drainer, which sorts that out or says what "
                          "to do, and come back then",
                          renaming->dir);
    }
    result->remembered = result->pending || checkpoint;
    if (rv == APR_SUCCESS && checkpoint) {
        rv = rename_file(renaming, MM_CHECKPOINT_FILE, CHECKPOINT_SEQ, err);
    }
    if (rv == APR_SUCCESS && result->pending) {
        rv = rename_file(renaming, MM_BATCH_FILE, BATCH_SEQ, err);
    }
    return rv == APR_SUCCESS ? write_id(renaming, err) : rv;
}

apr_status_t mm_new_id(mm_new_id_t *result, const char *dir, apr_pool_t *pool, mm_err_t *err)
{
    renaming_t renaming = {.dir = dir, .id = result->after, .dirfd = -1, .pool = pool};
    int lock = -1;
    apr_status_t rv;

    memset(result, 0, sizeof(*result));
    rv = mm_spool_lock(&lock, dir, pool, err);
    if (rv == APR_SUCCESS) {
        rv = mm_spool_id(result->before, dir, pool, err);
    }
    if (rv == APR_SUCCESS) {
        rv = mm_batch_nonce(result->after, err);
    }
    if (rv != APR_SUCCESS) {
        goto out;
    }
    renaming.dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    rv = renaming.dirfd >= 0 ? rename_all(result, &renaming, err)
                             : mm_err_set_os(err, errno, "cannot open the spool %s", dir);
out:
    if (renaming.dirfd >= 0) {
        close(renaming.dirfd);
    }
    if (lock >= 0) {
        close(lock);
    }
    return rv;
}
