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

/* "A path that matches pattern is this action on the resource of this type whose id is the first capture", with options
 * that say otherwise where the id is. All zeros but for the first three is a rule without options. */
typedef struct mm_rule_spec {
    const char *type;
    mm_action_t action;
    const char *pattern;
    const char *query; /* the ids are in this parameter of the query, separated by commas, and not in the path */
    const char *via;   /* what was found is a key of documents that hold the ids: COLLECTION:KEYPATH:IDPATH */
    bool lower;        /* in lower case: the application takes ids in either */
} mm_rule_spec_t;

/* Sets one option from its word, as query=fileList, case=lower or via=downloads.links:_id:fileId. APR_EINVAL: a
 * sentence that says what may be written. Strings are pool's. */
apr_status_t mm_rule_option(mm_rule_spec_t *rule, const char *word, apr_pool_t *pool, mm_err_t *err);

/* Adds a rule behind those that are there. On a bad pattern, or one without a capture where the id should come from it,
 * APR_EINVAL with a sentence and the place in the pattern. Everything is copied. */
apr_status_t mm_rules_add_spec(mm_rules_t *rules, const mm_rule_spec_t *spec, mm_err_t *err);

/* The same without options. */
apr_status_t mm_rules_add(mm_rules_t *rules, const char *type, mm_action_t action, const char *pattern, mm_err_t *err);

int mm_rules_count(const mm_rules_t *rules);

/* A rule as it was added, 0 being the first; lives as long as the rules. */
const mm_rule_spec_t *mm_rules_spec(const mm_rules_t *rules, int rule);

typedef struct mm_match {
    int rule;         /* for mm_rules_spec */
    const char *type; /* of the rules; lives as long as they do */
    mm_action_t action;
    mm_bytes_t id; /* points into the path; not yet held against MM_EVENT_ID_MAX. None where the rule has query */
    const mm_rule_spec_t *spec;
} mm_match_t;

/* The first rule, in the order they were added, that matches the decoded path without query. A capture that is empty or
 * took no part is no match: the next rule is tried. Returns false when none does; match is untouched then. Which ids it
 * speaks of, mm_match_ids says (match_ids.h). */
bool mm_rules_match(const mm_rules_t *rules, const char *path, size_t len, mm_match_t *match);

/* Clowder's own way to say "do not count me": whether a query has the parameter tracking, false or 0. */
bool mm_rules_untracked(const char *query, size_t len);

#endif
