/* One segment as frames, through a buffer that holds the longest.
 *
 * What is no frame, where one should begin:
 *  - zeros, while the writer lives: the end, or a frame that a thread is just copying (its first bytes come last, see
 *    spool_window.h). Waited for.
 *  - zeros, when the writer is gone: room it did not use, or an append in which it, or the machine, died. Passed over;
 *    what there is of such an append is set aside, and told as a notice: it is no damage.
 *  - anything else: damage, or, while the writer lives, a frame of which this read saw only a part. If a later round
 *    sees it again and a whole frame stands behind it, or the writer is gone, it is set aside.
 *
 * The segment's offset moves with every frame handed out and every byte passed over, never otherwise, and moves back
 * only before the one frame that is held. Its end is believed only when its lock was had before it was read. One
 * thread.
 */
#include "spool/spool_frames.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "spool/frame.h"
#include "spool/spool_set_aside.h"
#include "spool/spool_wipe.h"

/* One read(2); most frames are some hundred bytes. */
#define READ_CHUNK (64u * 1024)
#define FRAME_MAX  (MM_FRAME_HEADER + MM_FRAME_PAYLOAD_MAX)
/* The longest frame, and a chunk more for the search behind damage to move on in. Only pages that are needed are ever
 * touched. */
#define ROOM (FRAME_MAX + READ_CHUNK)

/* --- life --------------------------------------------------------------------------------------------------------- */

apr_status_t mm_frames_init(mm_frames_t *frames, const char *dir, const mm_log_t *log)
{
    *frames = (mm_frames_t){.dir = dir, .log = log, .fd = -1, .buf = malloc(ROOM)};
    return frames->buf != NULL ? APR_SUCCESS : APR_ENOMEM;
}

void mm_frames_free(mm_frames_t *frames)
{
    if (frames->fd >= 0) {
        close(frames->fd);
    }
    free(frames->buf);
}

/* --- what is no frame --------------------------------------------------------------------------------------------- */

static void tell_unfinished(mm_frames_t *frames)
{
    if (frames->unfinished_len > 0) {
        mm_log(frames->log, MM_LOG_NOTICE, "MM0103",
               "%s/%s: %lld bytes at offset %lld are of an append in which its process, or the machine, died",
               frames->dir, frames->segment->name, (long long)frames->unfinished_len, (long long)frames->unfinished_at);
    }
    frames->unfinished_len = 0;
}

/* Logs what was set aside in one place, however many pieces it was. */
static void tell_junk(mm_frames_t *frames)
{
    char why[160];

    tell_unfinished(frames);
    if (frames->junk_len == 0) {
        return;
    }
    if (frames->junk_status == APR_SUCCESS) {
        mm_log(frames->log, MM_LOG_WARNING, "MM0101",
               "%s/%s: %lld bytes at offset %lld are no whole record and were passed over; they are set aside in %s%s",
               frames->dir, frames->segment->name, (long long)frames->junk_len, (long long)frames->junk_at,
               frames->segment->name, MM_SPOOL_CORRUPT_SUFFIX);
    }
    else {
        mm_log(frames->log, MM_LOG_WARNING, "MM0102",
               "%s/%s: %lld bytes at offset %lld are no whole record and were passed over; they could not be set "
               "aside in full: %s",
               frames->dir, frames->segment->name, (long long)frames->junk_len, (long long)frames->junk_at,
               apr_strerror(frames->junk_status, why, sizeof(why)));
    }
    frames->junk_len = 0;
    frames->junk_status = APR_SUCCESS;
}

static void pass_over(mm_frames_t *frames, size_t len)
{
    mm_segment_t *segment = frames->segment;
    apr_status_t status =
        mm_spool_set_aside(frames->at, segment->name, segment->offset, frames->buf + frames->start, len);

    if (frames->junk_len == 0) {
        frames->junk_at = segment->offset;
    }
    if (frames->junk_status == APR_SUCCESS) {
        frames->junk_status = status;
    }
    frames->junk_len += (int64_t)len;
    frames->start += len;
    segment->offset += (int64_t)len;
}

/* Whether zeros stand where a frame should begin. */
static bool is_blank(const mm_frames_t *frames)
{
    static const uint8_t zeros[MM_FRAME_MAGIC];
    size_t have = frames->end - frames->start;

    return memcmp(frames->buf + frames->start, zeros, have < MM_FRAME_MAGIC ? have : MM_FRAME_MAGIC) == 0;
}

/* Passes over zeros and what of an unfinished append stands behind them. */
static void pass_over_blank(mm_frames_t *frames, size_t len)
{
    mm_segment_t *segment = frames->segment;
    size_t used = len;

    while (used > 0 && frames->buf[frames->start + used - 1] == 0) {
        used--;
    }
    if (used > 0) {
        (void)mm_spool_set_aside(frames->at, segment->name, segment->offset, frames->buf + frames->start, used);
    }
    if (used > 0 && frames->unfinished_len == 0) {
        frames->unfinished_at = segment->offset;
    }
    frames->unfinished_len += (int64_t)used;
    frames->start += len;
    segment->offset += (int64_t)len;
}

/* Reads one chunk more, or finds the end. There is room: callers stop at ROOM bytes. */
static apr_status_t fill(mm_frames_t *frames, mm_err_t *err)
{
    size_t have = frames->end - frames->start;
    size_t want = ROOM - have < READ_CHUNK ? ROOM - have : READ_CHUNK;
    ssize_t n;

    if (frames->start > 0) {
        memmove(frames->buf, frames->buf + frames->start, have);
        frames->start = 0;
        frames->end = have;
    }
    do {
        n = pread(frames->fd, frames->buf + have, want, (off_t)(frames->segment->offset + (int64_t)have));
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        return mm_err_set_os(err, errno, "the spool segment %s/%s cannot be read", frames->dir, frames->segment->name);
    }
    frames->at_eof = n == 0;
    frames->end += (size_t)n;
    return APR_SUCCESS;
}

/* Whether it is too early to say what the bytes are at which the segment stands. */
static bool must_wait(mm_frames_t *frames)
{
    mm_segment_t *segment = frames->segment;

    if (segment->sealed) {
        return false;
    }
    if (!is_blank(frames) && segment->doubted == segment->offset + 1) {
        return false;
    }
    segment->doubted = segment->offset + 1;
    return true;
}

/* The bytes at start are no frame. Passes over as many as are sure to be none; APR_EOF when none is sure yet. */
static apr_status_t get_over_damage(mm_frames_t *frames, mm_err_t *err)
{
    size_t have, sound;

    if (must_wait(frames)) {
        return APR_EOF;
    }
    while (!frames->at_eof && frames->end - frames->start < ROOM) {
        apr_status_t status = fill(frames, err);

        if (status != APR_SUCCESS) {
            return status;
        }
    }
    have = frames->end - frames->start;
    sound = mm_frame_resync(frames->buf + frames->start, have, 1, frames->segment->seed);
    if (sound == have) {
        if (!frames->segment->sealed) {
            return APR_EOF;
        }
        if (!frames->at_eof) {
            /* A frame that begins before this would be here as a whole. */
            sound = have - FRAME_MAX + 1;
        }
    }
    if (is_blank(frames)) {
        pass_over_blank(frames, sound);
    }
    else {
        pass_over(frames, sound);
    }
    return APR_SUCCESS;
}

/* --- frames ------------------------------------------------------------------------------------------------------- */

apr_status_t mm_frames_next(mm_frames_t *frames, const uint8_t **payload, size_t *len, mm_err_t *err)
{
    mm_segment_t *segment = frames->segment;

    for (;;) {
        size_t have = frames->end - frames->start;
        mm_frame_state_t state = mm_frame_parse(frames->buf + frames->start, have, segment->seed, payload, len);
        apr_status_t status;

        if (state == MM_FRAME_WHOLE) {
            size_t frame_len = MM_FRAME_HEADER + *len;

            tell_junk(frames);
            frames->start += frame_len;
            segment->offset += (int64_t)frame_len;
            frames->handed_out = frame_len;
            return APR_SUCCESS;
        }
        if (have == 0 && frames->at_eof) {
            segment->finished = segment->sealed;
            return APR_EOF;
        }
        status = state == MM_FRAME_PARTIAL && !frames->at_eof ? fill(frames, err) : get_over_damage(frames, err);
        if (status != APR_SUCCESS) {
            return status;
        }
    }
}

void mm_frames_hold(mm_frames_t *frames)
{
    frames->segment->offset -= (int64_t)frames->handed_out;
    mm_frames_close(frames);
}

apr_status_t mm_frames_set_aside(mm_frames_t *frames, mm_err_t *err)
{
    const mm_segment_t *segment = frames->segment;
    size_t len = frames->handed_out;
    apr_status_t status = mm_spool_set_aside(frames->at, segment->name, segment->offset - (int64_t)len,
                                             frames->buf + frames->start - len, len);

    return status == APR_SUCCESS ? status
                                 : mm_err_set_os(err, status, "%s/%s%s cannot be written", frames->dir, segment->name,
                                                 MM_SPOOL_CORRUPT_SUFFIX);
}

/* --- opening ------------------------------------------------------------------------------------------------------ */

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

/* O_NONBLOCK: a FIFO of that name must not hold us up. */
apr_status_t mm_frames_open(mm_frames_t *frames, int at, mm_segment_t *segment, mm_err_t *err)
{
    int fd = openat(at, segment->name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

    if (fd < 0) {
        return mm_err_set_os(err, errno, "the spool segment %s/%s cannot be opened", frames->dir, segment->name);
    }
    if (!segment->sealed) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
            segment->sealed = true;
        }
        else if (errno != EWOULDBLOCK) {
            apr_status_t status = errno;

            close(fd);
            return mm_err_set_os(err, status, "the spool segment %s/%s cannot be locked", frames->dir, segment->name);
        }
    }
    pass_over_wiped(segment, fd);
    frames->at = at;
    frames->fd = fd;
    frames->segment = segment;
    frames->at_eof = false;
    frames->start = frames->end = 0;
    return APR_SUCCESS;
}

void mm_frames_close(mm_frames_t *frames)
{
    if (frames->segment == NULL) {
        return;
    }
    tell_junk(frames);
    close(frames->fd);
    frames->fd = -1;
    frames->segment = NULL;
}
