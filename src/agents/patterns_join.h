/* Texts of regular expressions: which can stand beside others, which are the same, and how many become one. */
#ifndef MM_PATTERNS_JOIN_H
#define MM_PATTERNS_JOIN_H

#include <stdbool.h>
#include <stddef.h>
#include <apr_pools.h>

/* Whether a pattern that PCRE2 accepts by itself means the same as one alternative of many, and leaves the others what
 * they are. False when in doubt. */
bool mm_patterns_can_join(const char *pattern);

/* Whether two patterns differ in nothing but case and a backslash before . / or -. */
bool mm_patterns_alike(const char *a, const char *b);

/* One pattern that matches where any of the n does, without regard to case; all of them can be joined, n is not 0. */
const char *mm_patterns_join(const char *const *patterns, size_t n, apr_pool_t *pool);

#endif
