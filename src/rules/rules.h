/* Which requests are uses of which resource: <MetricsType> rules, compiled.
 *
 * Shared by capture (live requests) and by the import of access logs, hence without httpd. PCRE2 with JIT; a match is
 * bounded (MM_RULES_MATCH_LIMIT), so that no path can make a pattern run wild. Compiled rules are read-only and may be
 * used by any number of threads.
 *
 * A path is bytes and has no lines: no UTF mode (a pattern that asks for it is refused), "." matches every byte, and
 * "$" only the very end. That is how httpd itself reads LocationMatch and its like.
 */
#ifndef MM_RULES_H
#define MM_RULES_H

#include <apr_pools.h>
#include "base/err.h"
#include "event/event.h"

/* Backtracking steps that one rule may take over one path, and memory for them: a group repeated for each of the 8190
 * bytes that httpd takes in a request line needs about 4 MiB. A rule that runs into either does not match. */
#define MM_RULES_MATCH_LIMIT 100000
#define MM_RULES_HEAP_KIB    8192

typedef struct mm_rules mm_rules_t;

/* NULL only when memory is out. */
mm_rules_t *mm_rules_create(apr_pool_t *pool);

/* Adds "a path that matches pattern is this action on the resource of this type whose id is the first capture". On a
 * bad pattern, or one without a capture, APR_EINVAL with a sentence and the place in the pattern. type and pattern are
 * copied. */
apr_status_t mm_rules_add(mm_rules_t *rules, const char *type, mm_action_t action, const char *pattern, mm_err_t *err);

int mm_rules_count(const mm_rules_t *rules);

/* A rule as it was added, 0 being the first; lives as long as the rules. */
typedef struct mm_rule_spec {
    const char *type;
    mm_action_t action;
    const char *pattern;
} mm_rule_spec_t;

const mm_rule_spec_t *mm_rules_spec(const mm_rules_t *rules, int rule);

typedef struct mm_match {
    int rule;         /* for mm_rules_spec */
    const char *type; /* of the rules; lives as long as they do */
    mm_action_t action;
    mm_bytes_t id; /* points into the path; not yet held against MM_EVENT_ID_MAX */
} mm_match_t;

/* The first rule, in the order they were added, that matches the decoded path without query. A capture that is empty or
 * took no part is no match: the next rule is tried. Returns false when none does; match is untouched then. */
bool mm_rules_match(const mm_rules_t *rules, const char *path, size_t len, mm_match_t *match);

/* Clowder's own way to say "do not count me": whether a query has the parameter tracking, false or 0. */
bool mm_rules_untracked(const char *query, size_t len);

#endif
