/* The batch file, written and read in one pass each, through one buffer of fixed size.
 *
 * Invariant: under its final name a batch file is whole. The writer therefore works on a file beside it, which has its
 * room on the disk already (reserve.h) and is written over from the beginning, and renames as the last act; the reader
 * believes nothing of a file that does not end with a matching "end" record. One thread.
 */
#include "drain/batch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>
#include <apr_strings.h>
#include "base/file.h"
#include "drain/own.h"
#include "drain/record.h"
#include "spool/frame.h"

/* No visitor's bytes come before a record's own header, so there is nothing for a secret seed to hide. */
#define BATCH_SEED 0
/* Thirty of the longest records; large enough that a full batch takes some 100 calls to write. */
#define BUFFER_SIZE (64 * 1024)

_Static_assert(BUFFER_SIZE > MM_FRAME_HEADER + MM_RECORD_MAX, "a record must fit into the buffer");
_Static_assert(MM_BATCH_NONCE_LEN == MM_RECORD_NONCE_LEN, "a nonce is written as it was made");

/* --- writing --- */

typedef struct output {
    int fd;
    bson_t doc;
    uint8_t *buffer;
    size_t used;
    int64_t written; /* bytes */
    int64_t segments, deltas;
    apr_status_t status; /* of the first failure; nothing is written after it */
    mm_err_t *err;
} output_t;

static void output_flush(output_t *out)
{
    apr_status_t rv;

    if (out->status != APR_SUCCESS) {
        return;
    }
    rv = mm_file_write_all(out->fd, out->buffer, out->used, NULL);
    out->written += (int64_t)out->used;
    out->used = 0;
    if (rv != APR_SUCCESS) {
        out->status = mm_err_set_os(out->err, rv, "cannot write the batch file");
    }
}

/* Writes out->doc as a frame and empties it. */
static void output_record(output_t *out)
{
    uint8_t *at;

    if (out->doc.len > MM_RECORD_MAX && out->status == APR_SUCCESS) {
        out->status = mm_err_set(out->err, APR_EGENERAL, "a record of the batch file is too long (%u bytes)",
                                 (unsigned)out->doc.len);
    }
    if (out->status == APR_SUCCESS && BUFFER_SIZE - out->used < MM_FRAME_HEADER + out->doc.len) {
        output_flush(out);
    }
    if (out->status == APR_SUCCESS) {
        at = out->buffer + out->used;
        memcpy(at + MM_FRAME_HEADER, bson_get_data(&out->doc), out->doc.len);
        out->used += mm_frame_seal(at, out->doc.len, BATCH_SEED);
    }
    bson_reinit(&out->doc);
}

static void output_segment(void *baton, const char *name, int64_t offset)
{
    output_t *out = baton;

    mm_record_segment(&out->doc, name, offset);
    output_record(out);
    out->segments++;
}

static void output_delta(void *baton, const mm_delta_t *delta)
{
    output_t *out = baton;

    mm_record_delta(&out->doc, delta);
    output_record(out);
    out->deltas++;
}

static apr_status_t output_all(int fd, const char *spool_id, int64_t seq, const char *nonce, const mm_count_t *count,
                               const mm_spool_reader_t *reader, const mm_batch_more_t *more, mm_err_t *err)
{
    output_t out = {.fd = fd, .err = err};

    out.buffer = malloc(BUFFER_SIZE);
    if (out.buffer == NULL) {
        return mm_err_set(err, APR_ENOMEM, "no memory to write the batch file");
    }
    bson_init(&out.doc);
    mm_record_batch(&out.doc, spool_id, seq, nonce);
    output_record(&out);
    mm_spool_reader_positions(reader, output_segment, &out);
    for (size_t i = 0; i < more->n_logs; i++) {
        mm_record_log(&out.doc, &more->logs[i]);
        output_record(&out);
    }
    mm_count_each(count, output_delta, &out);
    if (more->window.generation > 0) {
        mm_record_window(&out.doc, more->window.generation, more->window.to);
        output_record(&out);
    }
    mm_record_end(&out.doc, out.segments, out.deltas);
    output_record(&out);
    output_flush(&out);
    /* Behind it are what is left of the reserve, and of a batch that did not become whole. */
    if (out.status == APR_SUCCESS && ftruncate(fd, (off_t)out.written) != 0) {
        out.status = mm_err_set_os(err, errno, "cannot cut the batch file to its length");
    }
    bson_destroy(&out.doc);
    free(out.buffer);
    return out.status;
}

apr_status_t mm_batch_nonce(char *nonce, mm_err_t *err)
{
    unsigned char random[MM_BATCH_NONCE_LEN / 2];

    if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random)) {
        return mm_err_set_os(err, errno, "no random number for a batch");
    }
    for (size_t i = 0; i < sizeof(random); i++) {
        snprintf(nonce + 2 * i, 3, "%02x", random[i]);
    }
    return APR_SUCCESS;
}

apr_status_t mm_batch_write(const char *dir, const char *spool_id, int64_t seq, const char *nonce,
                            const mm_count_t *count, const mm_spool_reader_t *reader, const mm_batch_more_t *more,
                            mm_err_t *err)
{
    const mm_batch_more_t nothing = {.logs = NULL};
    apr_status_t rv;
    int dirfd, fd = -1;

    dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dirfd < 0) {
        return mm_err_set_os(err, errno, "cannot open the spool %s", dir);
    }
    rv = mm_own_create(&fd, dirfd, MM_BATCH_TEMP_FILE, 0, err);
    if (rv != APR_SUCCESS) {
        goto out;
    }
    rv = output_all(fd, spool_id, seq, nonce, count, reader, more != NULL ? more : &nothing, err);
    if (rv == APR_SUCCESS) {
        rv = mm_file_commit(dirfd, fd, MM_BATCH_TEMP_FILE, MM_BATCH_FILE, err);
    }
out:
    if (fd >= 0) {
        close(fd);
    }
    close(dirfd);
    return rv;
}

apr_status_t mm_batch_commit(const char *dir, mm_err_t *err)
{
    apr_status_t rv;
    int dirfd, fd = -1;

    dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dirfd < 0) {
        return mm_err_set_os(err, errno, "cannot open the spool %s", dir);
    }
    fd = openat(dirfd, MM_BATCH_FILE, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0) {
        rv = mm_file_commit(dirfd, fd, MM_BATCH_FILE, MM_CHECKPOINT_FILE, err);
    }
    else if (errno == ENOENT && faccessat(dirfd, MM_CHECKPOINT_FILE, F_OK, 0) == 0) {
        /* An earlier call renamed it and then failed to flush the directory. */
        rv = fsync(dirfd) == 0 ? APR_SUCCESS : mm_err_set_os(err, errno, "cannot flush the spool %s", dir);
    }
    else {
        rv = mm_err_set_os(err, errno, "cannot open %s/" MM_BATCH_FILE, dir);
    }
    if (fd >= 0) {
        close(fd);
    }
    close(dirfd);
    return rv;
}

/* --- reading --- */

typedef struct input {
    const mm_batch_reader_t *reader;
    const char *name;
    mm_record_kind_t last; /* of the record before; 0 at the beginning */
    int64_t segments, deltas;
} input_t;

static apr_status_t input_record(input_t *in, const mm_record_t *record, mm_err_t *err)
{
    const mm_batch_reader_t *reader = in->reader;
    mm_window_place_t place;

    /* The kinds' values rise in the order in which they stand in the file; the first and last stand there once. */
    if (in->last == 0 ? record->kind != MM_RECORD_BATCH : record->kind == MM_RECORD_BATCH || record->kind < in->last) {
        return mm_err_set(err, APR_EINVAL, "its records are out of order");
    }
    if (record->kind == MM_RECORD_WINDOW && in->last == MM_RECORD_WINDOW) {
        return mm_err_set(err, APR_EINVAL, "it has two windows");
    }
    in->last = record->kind;
    switch (record->kind) {
    case MM_RECORD_BATCH:
        return reader->on_batch ? reader->on_batch(reader->baton, record->spool, record->seq, record->nonce, err)
                                : APR_SUCCESS;
    case MM_RECORD_SEGMENT:
        in->segments++;
        return reader->on_segment ? reader->on_segment(reader->baton, record->name, record->to, err) : APR_SUCCESS;
    case MM_RECORD_LOG:
        return reader->on_log ? reader->on_log(reader->baton, &record->ledger, err) : APR_SUCCESS;
    case MM_RECORD_DELTA:
        in->deltas++;
        return reader->on_delta ? reader->on_delta(reader->baton, &record->delta, err) : APR_SUCCESS;
    case MM_RECORD_WINDOW:
        place = (mm_window_place_t){.generation = record->generation, .to = record->to};
        return reader->on_window ? reader->on_window(reader->baton, &place, err) : APR_SUCCESS;
    case MM_RECORD_END:
        break;
    }
    if (record->segments != in->segments || record->deltas != in->deltas) {
        return mm_err_set(err, APR_EINVAL, "records are missing");
    }
    return APR_SUCCESS;
}

static apr_status_t tell_newer(const char *name, mm_err_t *err)
{
    return mm_err_set(err, APR_EGENERAL,
                      "%s was written by a newer version of this module. It is whole, and nothing is lost: the events "
                      "wait on disk. Install that version again",
                      name);
}

/* Hands out all records of which buffer holds the whole frame; *used is how much that was. */
static apr_status_t input_frames(input_t *in, const uint8_t *buffer, size_t len, size_t *used, mm_err_t *err)
{
    mm_record_t record;
    const uint8_t *payload;
    size_t payload_len;
    apr_status_t rv;

    for (*used = 0; *used < len;) {
        switch (mm_frame_parse(buffer + *used, len - *used, BATCH_SEED, &payload, &payload_len)) {
        case MM_FRAME_PARTIAL:
            return APR_SUCCESS;
        case MM_FRAME_BROKEN:
            return mm_err_set(err, APR_EINVAL, "a frame is damaged");
        case MM_FRAME_WHOLE:
            break;
        }
        if (in->last == MM_RECORD_END) {
            return mm_err_set(err, APR_EINVAL, "records follow its end");
        }
        rv = mm_record_decode(&record, payload, payload_len, err);
        if (rv == APR_SUCCESS) {
            rv = input_record(in, &record, err);
        }
        else if (rv == APR_EGENERAL) {
            rv = tell_newer(in->name, err);
        }
        if (rv != APR_SUCCESS) {
            return rv;
        }
        *used += MM_FRAME_HEADER + payload_len;
    }
    return APR_SUCCESS;
}

static apr_status_t input_all(int fd, input_t *in, uint8_t *buffer, mm_err_t *err)
{
    size_t len = 0, used;
    ssize_t got;
    apr_status_t rv;

    for (;;) {
        got = read(fd, buffer + len, BUFFER_SIZE - len);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return mm_err_set_os(err, errno, "cannot read %s", in->name);
        }
        if (got == 0) {
            break;
        }
        len += (size_t)got;
        rv = input_frames(in, buffer, len, &used, err);
        if (rv != APR_SUCCESS) {
            return rv;
        }
        memmove(buffer, buffer + used, len - used);
        len -= used;
        if (len == BUFFER_SIZE) {
            return mm_err_set(err, APR_EINVAL, "a record is too long");
        }
    }
    if (len > 0 || in->last != MM_RECORD_END) {
        return mm_err_set(err, APR_EINVAL, "it breaks off");
    }
    return APR_SUCCESS;
}

apr_status_t mm_batch_read_fd(int fd, const char *name, const mm_batch_reader_t *reader, mm_err_t *err)
{
    input_t in = {.reader = reader, .name = name};
    uint8_t *buffer = malloc(BUFFER_SIZE);
    apr_status_t rv;

    if (buffer == NULL) {
        return mm_err_set(err, APR_ENOMEM, "no memory to read %s", name);
    }
    rv = input_all(fd, &in, buffer, err);
    free(buffer);
    return rv;
}

apr_status_t mm_batch_read(const char *dir, const char *name, const mm_batch_reader_t *reader, apr_pool_t *pool,
                           mm_err_t *err)
{
    const char *path = apr_pstrcat(pool, dir, "/", name, NULL);
    apr_status_t rv;
    int fd;

    fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        return mm_err_set_os(err, errno, "cannot open %s", path);
    }
    rv = mm_batch_read_fd(fd, path, reader, err);
    close(fd);
    return rv;
}
