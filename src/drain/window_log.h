/* The window of clicks on the disk: DIR/window.N, to which each batch appends what it changed.
 *
 * Frames (spool/frame.h, seed 0), each a chunk as count/form.h writes it. What is appended is flushed before the batch
 * file gets its name, and the batch file says which N and how many bytes of it are its window: so the window is always
 * that of the batch or checkpoint that stands in the directory, and what a crash left behind those bytes is nothing.
 * When most of a file is out of date, or it holds a secret that was thrown away, the next batch begins another one with
 * the whole window in it; the one before goes when the checkpoint does not name it any more.
 *
 * Losing it costs no event: clicks of the last half minute may count twice, and unique uses of the hour.
 */
#ifndef MM_WINDOW_LOG_H
#define MM_WINDOW_LOG_H

#include <stdbool.h>
#include <stdint.h>
#include "base/err.h"
#include "base/log.h"
#include "base/throttle.h"
#include "count/window.h"

#define MM_WINDOW_LOG_PREFIX "window."
/* Room that is kept on the disk for what the next batch appends: that of 100,000 uses. */
#define MM_WINDOW_LOG_ROOM (INT64_C(4) * 1024 * 1024)
/* A file may be so much longer than twice the window. */
#define MM_WINDOW_LOG_SLACK (INT64_C(1) * 1024 * 1024)

/* What a batch file says. */
typedef struct mm_window_place {
    int64_t generation; /* the file's N; 0: there is none */
    int64_t to;         /* so many bytes of it */
} mm_window_place_t;

typedef struct mm_window_log {
    const char *dir;
    const mm_log_t *log;
    mm_window_t *window;
    int fd;                  /* of place.generation; -1: none */
    mm_window_place_t place; /* of the last batch that was written */
    int next_fd;             /* of next.generation, if that is another one; -1 */
    mm_window_place_t next;  /* what was appended for the batch to come */
    bool anew;               /* the next append writes everything */
    bool forgone;            /* the batch to come goes without */
    bool littered;           /* older files may be there */
    int64_t tidied_us;       /* when a batch was last written for nothing but that */
    int64_t room;            /* allocated behind place.to, or for the next file */
    mm_throttle_t without;
} mm_window_log_t;

/* dir, log and window must outlive it. */
void mm_window_log_init(mm_window_log_t *wlog, const char *dir, mm_window_t *window, const mm_log_t *log);

void mm_window_log_close(mm_window_log_t *wlog);

/* Fills the window with what stands at place. Where that is not whole, says so in the log, and the window is empty. */
void mm_window_log_load(mm_window_log_t *wlog, const mm_window_place_t *place);

/* A batch was given up before it was written: the window is again what it was after the one before. */
void mm_window_log_back(mm_window_log_t *wlog);

/* Whether a batch should be written though nothing is to be counted: a secret that was thrown away is on the disk
 * still. True at most once a minute. */
bool mm_window_log_untidy(mm_window_log_t *wlog, int64_t now_us);

/* Appends what has changed since the last batch and flushes it; *place is for the batch file. Nothing has changed:
 * nothing is written. Can be called again, after a failure and after a success that led to no batch. */
apr_status_t mm_window_log_append(mm_window_log_t *wlog, mm_window_place_t *place, mm_err_t *err);

/* Behind an append that had no room: the batch file names what stands on the disk already, of an earlier batch. What
 * has changed since then is written with a later one. */
void mm_window_log_forgo(mm_window_log_t *wlog, mm_window_place_t *place);

/* The batch file that says so stands in its place. */
void mm_window_log_written(mm_window_log_t *wlog);

/* It is the checkpoint: other files can go. Also keeps room for the next batch. */
void mm_window_log_settled(mm_window_log_t *wlog);

/* Keeps room for the next batch, as much as the disk allows. */
void mm_window_log_reserve(mm_window_log_t *wlog);

/* Reads the first `to` bytes of an open file into an empty window. APR_EINVAL: they are no such file. *other_width: its
 * clicks are of another width and were left out. */
apr_status_t mm_window_log_read(mm_window_t *window, int fd, int64_t to, bool *other_width, mm_err_t *err);

#endif
