/* A list of regular expressions, asked as one: does any of them match?
 *
 * All are PCRE2, without regard to case, compiled with JIT into one expression (several, when it would be larger than
 * PCRE2's 64 KiB). What a pattern says ends with the pattern: an option, a back reference or a verb in one of them
 * means nothing to the others. Matching is bounded. One thread at a time.
 */
#ifndef MM_PATTERNS_H
#define MM_PATTERNS_H

#include <stdbool.h>
#include <stddef.h>
#include <apr_pools.h>
#include "agents/pattern_file.h"
#include "base/err.h"
#include "base/log.h"

/* Bytes of one pattern, patterns of one list. */
#define MM_PATTERN_MAX  4096
#define MM_PATTERNS_MAX 20000
/* Backtracking steps of one pattern over one text, of all of them together, and memory for either. */
#define MM_PATTERN_STEPS_MAX  100000
#define MM_PATTERNS_STEPS_MAX 1000000
#define MM_PATTERNS_HEAP_KIB  4096

typedef struct mm_patterns mm_patterns_t;

/* name is for messages, as in "a pattern of robots". log may be NULL; it and name must outlive the list. NULL only
 * when memory is out. */
mm_patterns_t *mm_patterns_create(const char *name, const mm_log_t *log, apr_pool_t *pool);

/* Adds a pattern, whose strings are kept. APR_EINVAL and a sentence, with the place, for what PCRE2 refuses and for
 * what takes too long on plain texts. */
apr_status_t mm_patterns_add(mm_patterns_t *patterns, const mm_pattern_t *pattern, mm_err_t *err);

/* Whether the pattern that was added last matches. */
bool mm_patterns_last_matches(mm_patterns_t *patterns, const char *text, size_t len);

/* Takes it out again. */
void mm_patterns_drop_last(mm_patterns_t *patterns);

/* Takes out what others holds as well, and returns how many that were. The same pattern is one that differs in nothing
 * but case and in a backslash before . / or -. */
size_t mm_patterns_subtract(mm_patterns_t *patterns, const mm_patterns_t *others);

size_t mm_patterns_count(const mm_patterns_t *patterns);

/* Behind the last mm_patterns_add and before the first match. APR_ENOMEM. */
apr_status_t mm_patterns_compile(mm_patterns_t *patterns, mm_err_t *err);

/* A pattern that takes too long (MM_PATTERN_STEPS_MAX) does not match, is logged (MM0801) and is left out from then on.
 */
bool mm_patterns_match(mm_patterns_t *patterns, const char *text, size_t len);

/* The first pattern, in the order in which they were added, that matches, or NULL. As slow as there are patterns. */
const mm_pattern_t *mm_patterns_find(mm_patterns_t *patterns, const char *text, size_t len);

#endif
