/* Reading the spool in rounds, in bounded memory.
 *
 * What is no frame, where one should begin:
 *  - zeros, while the writer lives: the end, or a frame that a thread is just copying (its first bytes come last, see
 *    spool_window.h). Waited for.
 *  - zeros, when the writer is gone: room it did not use, or an append in which it, or the machine, died. Passed over;
 *    what there is of such an append is set aside, and told as a notice: it is no damage.
 *  - anything else: damage, or, while the writer lives, a frame of which this read saw only a part. If a later round
 *    sees it again and a whole frame stands behind it, or the writer is gone, it is set aside.
 *
 * Invariants: a segment's end is believed only when its lock was had before it was read. A segment's offset moves with
 * every frame handed out and every byte passed over, never otherwise, so that what positions says is what was read; it
 * moves back only to a mark, or before the one frame that is held. One thread.
 *
 * Descriptors: the directory and one segment.
 */
#include "spool/spool_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include <apr_strings.h>

#include "spool/frame.h"
#include "spool/spool_list.h"
#include "spool/spool_set_aside.h"
#include "spool/spool_stale.h"
#include "spool/spool_waiting.h"
#include "spool/spool_wipe.h"

/* One read(2); most frames are some hundred bytes. */
#define READ_CHUNK (64u * 1024)
#define FRAME_MAX  (MM_FRAME_HEADER + MM_FRAME_PAYLOAD_MAX)
/* The longest frame, and a chunk more for the search behind damage to move on in. Only pages that are needed are ever
 * touched. */
#define ROOM (FRAME_MAX + READ_CHUNK)

struct mm_spool_reader {
    const char *dir;
    const mm_log_t *log;
    mm_spool_list_t list;
    DIR *handle;
    size_t next;        /* segment to open next */
    mm_err_t failure;   /* first of this round; its status is 0 when there was none */
    bool out_of_memory; /* while restoring */
    bool released;      /* segments, since the round began */

    mm_segment_t *segment; /* being read, or NULL */
    int fd;
    bool at_eof;
    uint8_t *buf;
    size_t start, end; /* bytes of buf not yet handed out; the first stands at segment->offset */
    size_t handed_out; /* the length of the frame before start, header included */
    int64_t junk_at;   /* bytes set aside in one place, not yet logged */
    int64_t junk_len;
    apr_status_t junk_status;
    int64_t unfinished_at; /* bytes of appends that their process died in, not yet logged */
    int64_t unfinished_len;
};

/* --- life --------------------------------------------------------------------------------------------------------- */

static apr_status_t destroy(void *data)
{
    mm_spool_reader_t *reader = data;

    if (reader->fd >= 0) {
        close(reader->fd);
    }
    if (reader->handle != NULL) {
        closedir(reader->handle);
    }
    mm_spool_list_free(&reader->list);
    free(reader->buf);
    return APR_SUCCESS;
}

apr_status_t mm_spool_reader_create(mm_spool_reader_t **reader, const char *dir, const mm_log_t *log, apr_pool_t *pool,
                                    mm_err_t *err)
{
    mm_spool_reader_t *r = apr_pcalloc(pool, sizeof(*r));

    r->buf = malloc(ROOM);
    if (r->buf == NULL) {
        return mm_err_set_os(err, APR_ENOMEM, "no memory to read the spool directory %s", dir);
    }
    r->dir = apr_pstrdup(pool, dir);
    r->log = log;
    r->fd = -1;
    apr_pool_cleanup_register(pool, r, destroy, apr_pool_cleanup_null);
    *reader = r;
    return APR_SUCCESS;
}

void mm_spool_reader_restore(mm_spool_reader_t *reader, const char *name, int64_t offset)
{
    if (mm_spool_list_set(&reader->list, name, offset) != APR_SUCCESS) {
        reader->out_of_memory = true;
    }
}

/* --- one segment -------------------------------------------------------------------------------------------------- */

static void tell_unfinished(mm_spool_reader_t *reader)
{
    if (reader->unfinished_len > 0) {
        mm_log(reader->log, MM_LOG_NOTICE, "MM0103",
               "%s/%s: %lld bytes at offset %lld are of an append in which its process, or the machine, died",
               reader->dir, reader->segment->name, (long long)reader->unfinished_len, (long long)reader->unfinished_at);
    }
    reader->unfinished_len = 0;
}

/* Logs what was set aside in one place, however many pieces it was. */
static void tell_junk(mm_spool_reader_t *reader)
{
    char why[160];

    tell_unfinished(reader);
    if (reader->junk_len == 0) {
        return;
    }
    if (reader->junk_status == APR_SUCCESS) {
        mm_log(reader->log, MM_LOG_WARNING, "MM0101",
               "%s/%s: %lld bytes at offset %lld are no whole record and were passed over; they are set aside in %s%s",
               reader->dir, reader->segment->name, (long long)reader->junk_len, (long long)reader->junk_at,
               reader->segment->name, MM_SPOOL_CORRUPT_SUFFIX);
    }
    else {
        mm_log(reader->log, MM_LOG_WARNING, "MM0102",
               "%s/%s: %lld bytes at offset %lld are no whole record and were passed over; they could not be set "
               "aside in full: %s",
               reader->dir, reader->segment->name, (long long)reader->junk_len, (long long)reader->junk_at,
               apr_strerror(reader->junk_status, why, sizeof(why)));
    }
    reader->junk_len = 0;
    reader->junk_status = APR_SUCCESS;
}

static void pass_over(mm_spool_reader_t *reader, size_t len)
{
    mm_segment_t *segment = reader->segment;
    apr_status_t status =
        mm_spool_set_aside(dirfd(reader->handle), segment->name, segment->offset, reader->buf + reader->start, len);

    if (reader->junk_len == 0) {
        reader->junk_at = segment->offset;
    }
    if (reader->junk_status == APR_SUCCESS) {
        reader->junk_status = status;
    }
    reader->junk_len += (int64_t)len;
    reader->start += len;
    segment->offset += (int64_t)len;
}

/* Whether zeros stand where a frame should begin. */
static bool is_blank(const mm_spool_reader_t *reader)
{
    static const uint8_t zeros[MM_FRAME_MAGIC];
    size_t have = reader->end - reader->start;

    return memcmp(reader->buf + reader->start, zeros, have < MM_FRAME_MAGIC ? have : MM_FRAME_MAGIC) == 0;
}

/* Passes over zeros and what of an unfinished append stands behind them. */
static void pass_over_blank(mm_spool_reader_t *reader, size_t len)
{
    mm_segment_t *segment = reader->segment;
    size_t used = len;

    while (used > 0 && reader->buf[reader->start + used - 1] == 0) {
        used--;
    }
    if (used > 0) {
        (void)mm_spool_set_aside(dirfd(reader->handle), segment->name, segment->offset, reader->buf + reader->start,
                                 used);
    }
    if (used > 0 && reader->unfinished_len == 0) {
        reader->unfinished_at = segment->offset;
    }
    reader->unfinished_len += (int64_t)used;
    reader->start += len;
    segment->offset += (int64_t)len;
}

/* Reads one chunk more, or finds the end. There is room: callers stop at ROOM bytes. */
static apr_status_t fill(mm_spool_reader_t *reader, mm_err_t *err)
{
    size_t have = reader->end - reader->start;
    size_t want = ROOM - have < READ_CHUNK ? ROOM - have : READ_CHUNK;
    ssize_t n;

    if (reader->start > 0) {
        memmove(reader->buf, reader->buf + reader->start, have);
        reader->start = 0;
        reader->end = have;
    }
    do {
        n = pread(reader->fd, reader->buf + have, want, (off_t)(reader->segment->offset + (int64_t)have));
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        return mm_err_set_os(err, errno, "the spool segment %s/%s cannot be read", reader->dir, reader->segment->name);
    }
    reader->at_eof = n == 0;
    reader->end += (size_t)n;
    return APR_SUCCESS;
}

/* Whether it is too early to say what the bytes are at which the segment stands. */
static bool must_wait(mm_spool_reader_t *reader)
{
    mm_segment_t *segment = reader->segment;

    if (segment->sealed) {
        return false;
    }
    if (!is_blank(reader) && segment->doubted == segment->offset + 1) {
        return false;
    }
    segment->doubted = segment->offset + 1;
    return true;
}

/* The bytes at start are no frame. Passes over as many as are sure to be none; APR_EOF when none is sure yet. */
static apr_status_t get_over_damage(mm_spool_reader_t *reader, mm_err_t *err)
{
    size_t have, sound;

    if (must_wait(reader)) {
        return APR_EOF;
    }
    while (!reader->at_eof && reader->end - reader->start < ROOM) {
        apr_status_t status = fill(reader, err);

        if (status != APR_SUCCESS) {
            return status;
        }
    }
    have = reader->end - reader->start;
    sound = mm_frame_resync(reader->buf + reader->start, have, 1, reader->segment->seed);
    if (sound == have) {
        if (!reader->segment->sealed) {
            return APR_EOF;
        }
        if (!reader->at_eof) {
            /* A frame that begins before this would be here as a whole. */
            sound = have - FRAME_MAX + 1;
        }
    }
    if (is_blank(reader)) {
        pass_over_blank(reader, sound);
    }
    else {
        pass_over(reader, sound);
    }
    return APR_SUCCESS;
}

/* The next frame of the segment being read; APR_EOF: no more in this round. */
static apr_status_t next_frame(mm_spool_reader_t *reader, const uint8_t **payload, size_t *len, mm_err_t *err)
{
    mm_segment_t *segment = reader->segment;

    for (;;) {
        size_t have = reader->end - reader->start;
        mm_frame_state_t state = mm_frame_parse(reader->buf + reader->start, have, segment->seed, payload, len);
        apr_status_t status;

        if (state == MM_FRAME_WHOLE) {
            size_t frame_len = MM_FRAME_HEADER + *len;

            tell_junk(reader);
            reader->start += frame_len;
            segment->offset += (int64_t)frame_len;
            reader->handed_out = frame_len;
            return APR_SUCCESS;
        }
        if (have == 0 && reader->at_eof) {
            segment->finished = segment->sealed;
            return APR_EOF;
        }
        status = state == MM_FRAME_PARTIAL && !reader->at_eof ? fill(reader, err) : get_over_damage(reader, err);
        if (status != APR_SUCCESS) {
            return status;
        }
    }
}

/* What is wiped was counted, whatever the positions say that we were given: of a checkpoint that was lost, or put back
 * from a backup. */
static void pass_over_wiped(mm_segment_t *segment, int fd)
{
    if (segment->wiped == 0) {
        segment->wiped = mm_spool_wiped(fd, segment->seed);
    }
    if (segment->offset < segment->wiped) {
        segment->offset = segment->wiped;
        segment->marked = segment->marked < segment->wiped ? segment->wiped : segment->marked;
    }
}

/* Opens a segment and asks for its lock, before anything of it is read. APR_ENOENT: gone meanwhile. O_NONBLOCK: a FIFO
 * of that name must not hold us up. */
static apr_status_t open_segment(mm_spool_reader_t *reader, mm_segment_t *segment, mm_err_t *err)
{
    int fd = openat(dirfd(reader->handle), segment->name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

    if (fd < 0) {
        return mm_err_set_os(err, errno, "the spool segment %s/%s cannot be opened", reader->dir, segment->name);
    }
    if (!segment->sealed) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
            segment->sealed = true;
        }
        else if (errno != EWOULDBLOCK) {
            apr_status_t status = errno;

            close(fd);
            return mm_err_set_os(err, status, "the spool segment %s/%s cannot be locked", reader->dir, segment->name);
        }
    }
    pass_over_wiped(segment, fd);
    reader->fd = fd;
    reader->segment = segment;
    reader->at_eof = false;
    reader->start = reader->end = 0;
    return APR_SUCCESS;
}

static void close_segment(mm_spool_reader_t *reader)
{
    tell_junk(reader);
    close(reader->fd);
    reader->fd = -1;
    reader->segment = NULL;
}

/* --- rounds ------------------------------------------------------------------------------------------------------- */

apr_status_t mm_spool_reader_begin(mm_spool_reader_t *reader, mm_err_t *err)
{
    if (reader->out_of_memory) {
        return mm_err_set_os(err, APR_ENOMEM, "the positions in the spool directory %s are not known", reader->dir);
    }
    if (reader->segment != NULL) {
        close_segment(reader);
    }
    if (reader->handle != NULL) {
        closedir(reader->handle);
    }
    reader->next = 0;
    reader->released = false;
    reader->failure.status = APR_SUCCESS;
    /* By name, each time: the directory may have been removed and made again. */
    reader->handle = opendir(reader->dir);
    if (reader->handle == NULL) {
        reader->next = reader->list.n;
        return mm_err_set_os(err, errno, "the spool directory %s cannot be opened", reader->dir);
    }
    return mm_spool_list_scan(&reader->list, reader->handle, err);
}

/* Puts off what went wrong with one segment until the others have been read. */
static void remember(mm_spool_reader_t *reader, apr_status_t status, const mm_err_t *err)
{
    if (status != APR_EOF && status != APR_ENOENT && reader->failure.status == APR_SUCCESS) {
        reader->failure = *err;
        reader->failure.status = status;
    }
}

apr_status_t mm_spool_reader_next(mm_spool_reader_t *reader, const uint8_t **payload, size_t *len, mm_err_t *err)
{
    mm_err_t why;
    apr_status_t status;

    for (;;) {
        if (reader->segment != NULL) {
            status = next_frame(reader, payload, len, &why);
            if (status == APR_SUCCESS) {
                return status;
            }
            remember(reader, status, &why);
            close_segment(reader);
        }
        while (reader->next < reader->list.n && reader->list.items[reader->next].finished) {
            reader->next++;
        }
        if (reader->next >= reader->list.n) {
            break;
        }
        status = open_segment(reader, &reader->list.items[reader->next++], &why);
        remember(reader, status, &why);
    }
    if (reader->failure.status != APR_SUCCESS) {
        return mm_err_set(err, reader->failure.status, "%s", reader->failure.text);
    }
    return APR_EOF;
}

/* --- what becomes of a frame ---------------------------------------------------------------------------------------
 */

const char *mm_spool_reader_segment(const mm_spool_reader_t *reader)
{
    return reader->segment->name;
}

void mm_spool_reader_hold(mm_spool_reader_t *reader)
{
    reader->segment->offset -= (int64_t)reader->handed_out;
    close_segment(reader);
}

apr_status_t mm_spool_reader_set_aside(mm_spool_reader_t *reader, mm_err_t *err)
{
    const mm_segment_t *segment = reader->segment;
    size_t len = reader->handed_out;
    apr_status_t status = mm_spool_set_aside(dirfd(reader->handle), segment->name, segment->offset - (int64_t)len,
                                             reader->buf + reader->start - len, len);

    return status == APR_SUCCESS ? status
                                 : mm_err_set_os(err, status, "%s/%s%s cannot be written", reader->dir, segment->name,
                                                 MM_SPOOL_CORRUPT_SUFFIX);
}

void mm_spool_reader_mark(mm_spool_reader_t *reader)
{
    mm_spool_list_mark(&reader->list);
}

void mm_spool_reader_back(mm_spool_reader_t *reader)
{
    if (reader->segment != NULL) {
        close_segment(reader);
    }
    mm_spool_list_back(&reader->list);
    reader->next = reader->list.n;
}

void mm_spool_reader_positions(const mm_spool_reader_t *reader,
                               void (*fn)(void *baton, const char *name, int64_t offset), void *baton)
{
    size_t i;

    for (i = 0; i < reader->list.n; i++) {
        const mm_segment_t *segment = &reader->list.items[i];

        if (segment->offset > 0 && !segment->removed) {
            fn(baton, segment->name, segment->offset);
        }
    }
}

/* --- clearing away ------------------------------------------------------------------------------------------------ */

/* Up to the mark only: what was read since may have to be read again by a drainer that starts from the last batch. */
static apr_status_t wipe(mm_spool_reader_t *reader, mm_segment_t *segment, mm_err_t *err)
{
    apr_status_t status;

    if (segment->marked <= segment->wiped) {
        return APR_SUCCESS;
    }
    status = mm_spool_wipe(dirfd(reader->handle), segment->name, segment->seed, segment->wiped, segment->marked);
    if (status != APR_SUCCESS) {
        return mm_err_set_os(err, status, "what is counted cannot be wiped from the spool segment %s/%s", reader->dir,
                             segment->name);
    }
    segment->wiped = segment->marked;
    return APR_SUCCESS;
}

apr_status_t mm_spool_reader_release(mm_spool_reader_t *reader, mm_err_t *err)
{
    apr_status_t status = APR_SUCCESS;
    bool removed = false;
    size_t i;

    if (reader->handle == NULL) {
        return APR_SUCCESS;
    }
    for (i = 0; i < reader->list.n; i++) {
        mm_segment_t *segment = &reader->list.items[i];

        if (segment->removed) {
            continue;
        }
        if (!segment->finished) {
            apr_status_t wiped = wipe(reader, segment, status == APR_SUCCESS ? err : NULL);

            status = status == APR_SUCCESS ? wiped : status;
            continue;
        }
        if (unlinkat(dirfd(reader->handle), segment->name, 0) != 0 && errno != ENOENT) {
            status = mm_err_set_os(err, errno, "the spool segment %s/%s cannot be removed", reader->dir, segment->name);
            continue;
        }
        segment->removed = removed = reader->released = true;
    }
    if (reader->list.has_new) {
        mm_spool_remove_stale(reader->handle);
        reader->list.has_new = false;
    }
    /* Positions of removed segments are forgotten from now on. Were the removal lost in a power failure, and their
     * absence from the next batch file not, they would be read again from the beginning. */
    if (removed && fsync(dirfd(reader->handle)) != 0 && status == APR_SUCCESS) {
        status = mm_err_set_os(err, errno, "the spool directory %s cannot be flushed to the disk", reader->dir);
    }
    return status;
}

int64_t mm_spool_reader_waiting(const mm_spool_reader_t *reader)
{
    return reader->handle != NULL ? mm_spool_waiting(&reader->list, dirfd(reader->handle)) : 0;
}

bool mm_spool_reader_more(const mm_spool_reader_t *reader)
{
    return reader->list.incomplete && reader->released;
}
