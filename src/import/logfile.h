/* An access log as a stream of lines: a file, packed (gzip, xz, bzip2, zstd) or not, or standard input.
 *
 * What is packed is unpacked by the system's own program, in a process of its own. All offsets are of the unpacked
 * bytes.
 */
#ifndef MM_LOGFILE_H
#define MM_LOGFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <apr_pools.h>
#include "base/err.h"

/* At least so much of the beginning can be looked at before the first line is taken. */
#define MM_LOGFILE_HEAD   ((size_t)4096)
#define MM_LOGFILE_SAMPLE ((size_t)128 * 1024)

typedef struct mm_logfile mm_logfile_t;

#define MM_LOGFILE_STDIN "/dev/stdin"

/* Opens it, so that it can be read later also by somebody with fewer rights. Of MM_LOGFILE_STDIN a copy is taken, from
 * where it stands. The pool's end closes it. */
apr_status_t mm_logfile_open(mm_logfile_t **file, const char *path, apr_pool_t *pool, mm_err_t *err);

/* Its name without the directory. */
const char *mm_logfile_name(const mm_logfile_t *file);

/* The first whole lines, together at most MM_LOGFILE_HEAD bytes; of a first line that is longer, its beginning. Empty
 * when there is no whole line. Before the first mm_logfile_next. */
apr_status_t mm_logfile_head(mm_logfile_t *file, const char **data, size_t *len, mm_err_t *err);

/* The same of MM_LOGFILE_SAMPLE bytes. What was handed out before is not valid any more. */
apr_status_t mm_logfile_sample(mm_logfile_t *file, const char **data, size_t *len, mm_err_t *err);

/* Back to the beginning, as if nothing had been read. False, and nothing is changed: it is no file. */
bool mm_logfile_rewind(mm_logfile_t *file);

/* Goes to an offset behind which lines are to be read. Before the first mm_logfile_next. APR_EOF: the log is not that
 * long. */
apr_status_t mm_logfile_skip(mm_logfile_t *file, int64_t offset, mm_err_t *err);

/* The next whole line, without its end, valid until the next call. Of one that is longer than MM_LOGLINE_MAX only the
 * beginning comes, which is longer than that, too. APR_EOF: there is none; what follows the last line end is left for
 * the time when it has one. */
apr_status_t mm_logfile_next(mm_logfile_t *file, const char **line, size_t *len, mm_err_t *err);

/* Behind the last line that was taken. */
int64_t mm_logfile_offset(const mm_logfile_t *file);

/* At the end: bytes without a line end. */
int64_t mm_logfile_rest(const mm_logfile_t *file);

/* Bytes of the file as it is on the disk: its size, 0 where that is not known, and how many were read. */
int64_t mm_logfile_size(const mm_logfile_t *file);
int64_t mm_logfile_read(const mm_logfile_t *file);

void mm_logfile_close(mm_logfile_t *file);

#endif
