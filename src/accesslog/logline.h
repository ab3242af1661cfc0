/* One line of an access log: the facts of one request, as capture would have seen them. */
#ifndef MM_LOGLINE_H
#define MM_LOGLINE_H

#include <stdint.h>
#include <apr_pools.h>
#include "accesslog/logformat.h"
#include "accesslog/logpath.h"
#include "event/event.h"

/* httpd takes 8190 bytes of a request line and of each header, and writes up to four for one. */
#define MM_LOGLINE_MAX ((size_t)128 * 1024)

typedef struct mm_logline {
    mm_method_t method;
    uint16_t status;
    uint16_t flags; /* MM_EVENT_… */
    int64_t time_us;
    int64_t range_start; /* MM_RANGE_UNKNOWN, too, for a 206 when the format does not tell the range */
    int64_t bytes_out;
    /* These point into the line, or into the parser's own memory, until its next line. */
    mm_bytes_t path; /* decoded and cleaned; absent when the request has none that httpd would answer */
    mm_bytes_t query;
    mm_bytes_t user, address, agent;
} mm_logline_t;

typedef struct mm_logparser mm_logparser_t;

/* format must outlive it. One thread at a time. */
mm_logparser_t *mm_logparser_create(const mm_logformat_t *format, mm_slashes_t slashes, apr_pool_t *pool);

/* Reads a line (without its end). NULL: done; else, in words, what is wrong with it. Allocates nothing. */
const char *mm_logparser_line(mm_logparser_t *parser, const char *text, size_t len, mm_logline_t *line);

#endif
