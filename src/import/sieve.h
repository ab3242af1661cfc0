/* Which lines of an access log speak of a use, and why the others do not: what capture asks of a live request, asked of
 * a line. Whether a use counts is for src/count, as with any other event.
 */
#ifndef MM_SIEVE_H
#define MM_SIEVE_H

#include <stdint.h>
#include "accesslog/logline.h"
#include "event/event.h"
#include "rules/rules.h"

typedef enum mm_sifted {
    MM_SIFTED_EVENT,     /* an event: a use, if src/count says so */
    MM_SIFTED_BAD,       /* no line of this format */
    MM_SIFTED_NO_RULE,   /* no <MetricsType> rule matches the path */
    MM_SIFTED_UNTRACKED, /* tracking=false */
    MM_SIFTED_OUTSIDE,   /* before --since, or not before --until */
    MM_SIFTED_LIVE,      /* from when the module itself recorded already */
    MM_SIFTED_UNFIT,     /* an id that is longer than ids may be, or a list of none */
    MM_SIFTED_KNOWN,     /* an earlier import has counted it: for src/import, which knows the ledger, to say */
    MM_SIFTED_KINDS
} mm_sifted_t;

/* A short name for a summary, e.g. "no rule". */
const char *mm_sifted_name(mm_sifted_t sifted);

typedef struct mm_sieve {
    const mm_rules_t *rules;
    mm_logparser_t *parser;
    int64_t since_us, until_us; /* 0: no limit */
    int64_t now_us;             /* what lies an hour or more behind it is no time of a request; 0: is not asked */
    int64_t live_us;            /* since when requests are recorded as they come; 0: they are not */
    apr_pool_t *pool;           /* for ids that are not in the line as they are; its owner clears it between lines */
} mm_sieve_t;

typedef struct mm_sifting {
    mm_logline_t line;     /* all zeros for a bad line */
    mm_match_t match;      /* of an event, and of what is left out behind the rules */
    const mm_bytes_t *ids; /* of an event: all that the line speaks of, the event's own first */
    size_t n_ids;
    bool matched;
    const char *wrong; /* of a bad line, in words */
} mm_sifting_t;

/* Judges one line. event is filled for MM_SIFTED_EVENT only and has passed mm_event_check then; its strings live as
 * long as the line and until the parser's next one. */
mm_sifted_t mm_sieve_line(const mm_sieve_t *sieve, const char *text, size_t len, mm_sifting_t *sifting,
                          mm_event_t *event);

#endif
