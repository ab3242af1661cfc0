/* Files that hold patterns: one a line, or COUNTER's JSON. */
#ifndef MM_PATTERN_FILE_H
#define MM_PATTERN_FILE_H

#include <stddef.h>
#include <apr_pools.h>
#include <apr_tables.h>
#include "base/err.h"

/* The list of COUNTER has 7 KiB; ten thousand patterns are many. */
#define MM_PATTERN_FILE_MAX   (1024 * 1024)
#define MM_PATTERN_FILE_LINES 10000

/* A pattern and where it stands, for messages: "FILE line 12", "FILE entry 3", "MetricsAllowAgents". */
typedef struct mm_pattern {
    const char *text;
    const char *where;
} mm_pattern_t;

/* Appends what the file holds to patterns (of mm_pattern_t). Plain text: a pattern a line, blanks around it do not
 * count, nor do empty lines and those that begin with #. A file that begins with [{ is read as JSON: a list of objects
 * whose member "pattern" is one. APR_EINVAL and a sentence for what is neither, for a file without a single pattern,
 * and beyond the limits. Nothing is compiled here. */
apr_status_t mm_pattern_file_parse(apr_array_header_t *patterns, const char *text, size_t len, const char *name,
                                   apr_pool_t *pool, mm_err_t *err);

apr_status_t mm_pattern_file_read(apr_array_header_t *patterns, const char *path, apr_pool_t *pool, mm_err_t *err);

#endif
