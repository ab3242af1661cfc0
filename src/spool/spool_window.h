/* A part of a segment mapped into memory, so that appending is a copy and no system call. For this room.
 *
 * A write(2) of some 150 bytes costs a request 4 us on a busy httpd (its code and data have left the caches since the
 * last one), which is 6 % of answering from the page cache; a copy cannot be told from nothing (bench/record.py). What
 * was copied is in the kernel's page cache, as after write(2), and survives the process in the same way.
 *
 * Memory that is a file can fail where it is touched, with SIGBUS. That must not happen to a server for the sake of its
 * statistics, hence:
 *  - the blocks are allocated before they are mapped, so a full disk is an answer of fallocate(2). Only file systems on
 *    which that is a promise are used so: not those that copy on write.
 *  - the pages are made writable by madvise(MADV_POPULATE_WRITE) (Linux 5.14), which answers with an error where a
 * touch would kill, when the window opens and again by mm_spool_window_refresh, which the writer calls once a second:
 * the kernel protects pages again when it has written them out, some 30 s after they became dirty.
 *
 * A window is its owner's to lock: any thread may put into it while none opens or closes it.
 */
#ifndef MM_SPOOL_WINDOW_H
#define MM_SPOOL_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <apr_errno.h>

/* What is allocated ahead of what is written, in each process that writes: 256 KiB, some 1,500 events. */
#define MM_SPOOL_WINDOW_SIZE (INT64_C(256) * 1024)

/* What mm_spool_window_refresh makes writable: it makes pages dirty, and so has them written once more, every 30 s in
 * every process that records at all. Who appends more than this in a second is through the window in 16 s, before the
 * kernel has protected what was made writable when it was opened (unless somebody had everything flushed: then a page
 * is made writable where it is touched, which fails only on a file system that fails). A longer frame gets a new
 * window. */
#define MM_SPOOL_WINDOW_AHEAD (INT64_C(16) * 1024)

/* All zero is a closed window. */
typedef struct mm_spool_window {
    uint8_t *base;    /* the byte at offset `from`; NULL when closed */
    int64_t from, to; /* offsets in the file: of a page's beginning, and behind the last byte */
} mm_spool_window_t;

/* Whether a file, open as fd, may be written through a window: by its file system. */
bool mm_spool_window_suits(int fd);

/* Allocates and maps from offset `at` on, so that `need` bytes fit. The window must be closed; on a failure it stays
 * so, and the file may have grown (by zeros). fd must be open for reading and writing. */
apr_status_t mm_spool_window_open(mm_spool_window_t *window, int fd, int64_t at, size_t need);

/* Copies a frame to offset `at`, which must lie in the window with all of it. A reader of the file sees its first four
 * bytes last: until then they are zero. */
void mm_spool_window_put(const mm_spool_window_t *window, int64_t at, const uint8_t *frame, size_t len);

/* Makes the next MM_SPOOL_WINDOW_AHEAD bytes from offset `at` on writable again. On a failure nothing more may be put
 * into the window. */
apr_status_t mm_spool_window_refresh(const mm_spool_window_t *window, int64_t at);

void mm_spool_window_close(mm_spool_window_t *window);

#endif
