/* A LogFormat of mod_log_config, compiled: what stands in a line of an access log, and where it ends.
 *
 * Read are %h %a (address), %u, %t and %{…}t, %r or %m %U %q, %>s or %s, %b %B %O, %H, %X, and the headers Range and
 * User-Agent of %{…}i. Whatever else there is, is passed over up to the text that follows it in the format.
 */
#ifndef MM_LOGFORMAT_H
#define MM_LOGFORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <apr_pools.h>
#include "base/err.h"

typedef enum mm_logfield {
    MM_LOG_SKIP,
    MM_LOG_HOST,    /* %h */
    MM_LOG_ADDRESS, /* %a */
    MM_LOG_USER,
    MM_LOG_TIME,      /* %t, without its brackets */
    MM_LOG_TIME_PART, /* %{…}t */
    MM_LOG_REQUEST,   /* %r */
    MM_LOG_METHOD,
    MM_LOG_PATH, /* %U */
    MM_LOG_QUERY,
    MM_LOG_PATH_QUERY, /* %U%q */
    MM_LOG_STATUS,
    MM_LOG_FINAL_STATUS, /* %>s */
    MM_LOG_BYTES,
    MM_LOG_PROTOCOL,
    MM_LOG_CONNECTION, /* %X */
    MM_LOG_RANGE,
    MM_LOG_AGENT
} mm_logfield_t;

typedef struct mm_logstep {
    mm_logfield_t field;
    const char *pattern; /* of MM_LOG_TIME_PART */
    const char *until;   /* the text behind it; "": the end of the line, or the time says itself where it ends */
    size_t until_len;
} mm_logstep_t;

#define MM_LOG_STEPS_MAX 64

typedef struct mm_logformat {
    const char *name; /* of those that have one, else the format itself */
    const char *lead; /* the text before the first step */
    size_t lead_len;
    size_t n;
    mm_logstep_t steps[MM_LOG_STEPS_MAX];
    bool has_range; /* of each line it is known which part was asked for */
} mm_logformat_t;

/* The names of formats that every httpd knows, best first, NULL behind the last: a line in one of them can be read as
 * no other before it. */
extern const char *const mm_logformat_names[];

/* text is a name (common, combined, vhost_combined), or a format as it stands in the configuration, with or without
 * the backslashes before its quotation marks. APR_EINVAL and a sentence for a format that does not tell when what was
 * asked for and what the answer was, or in which it cannot be told where one thing ends. */
apr_status_t mm_logformat_compile(mm_logformat_t **format, const char *text, apr_pool_t *pool, mm_err_t *err);

#endif
