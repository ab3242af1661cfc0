/* One segment, a frame after the other: what spool_reader.c opens, reads and closes for each segment of a round.
 *
 * Bytes that are no frame are passed over, set aside and logged here, as spool_reader.h says.
 */
#ifndef MM_SPOOL_FRAMES_H
#define MM_SPOOL_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/err.h"
#include "base/log.h"
#include "spool/spool_list.h"

typedef struct mm_frames {
    const char *dir; /* for messages */
    const mm_log_t *log;
    int at;                /* the directory's descriptor, the caller's */
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
} mm_frames_t;

/* dir and log must outlive it. APR_ENOMEM: no buffer can be had. */
apr_status_t mm_frames_init(mm_frames_t *frames, const char *dir, const mm_log_t *log);
void mm_frames_free(mm_frames_t *frames);

/* Opens a segment of the directory `at` and asks for its lock, before anything of it is read. None may be open.
 * APR_ENOENT: gone meanwhile. */
apr_status_t mm_frames_open(mm_frames_t *frames, int at, mm_segment_t *segment, mm_err_t *err);

/* Tells what was set aside last. Nothing where none is open. */
void mm_frames_close(mm_frames_t *frames);

/* The next frame's payload, valid until the next call. APR_EOF: no more, until it is opened again; with the lock had,
 * the segment is then finished. */
apr_status_t mm_frames_next(mm_frames_t *frames, const uint8_t **payload, size_t *len, mm_err_t *err);

/* Of the frame that was just handed out: the segment stands before it again, and is closed. */
void mm_frames_hold(mm_frames_t *frames);

/* Of the same: keeps a copy beside the segment. It stays read, also when this fails. */
apr_status_t mm_frames_set_aside(mm_frames_t *frames, mm_err_t *err);

#endif
