/* How a site counts: what the administrator can choose. Whoever counts (httpd's drainer, metricsctl drain, import,
 * explain) is given the same.
 */
#ifndef MM_POLICY_H
#define MM_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "agents/agents.h"
#include "event/event.h"

/* The Code of Practice's 30 seconds. */
#define MM_POLICY_DOUBLE_CLICK_MS 30000
/* Beyond it one would no longer speak of one click that was made twice, and the window's memory would not do. */
#define MM_POLICY_DOUBLE_CLICK_MAX_MS 65000

/* All zeros counts every click. */
typedef struct mm_policy {
    int64_t double_click_ms;     /* two clicks of one user on one thing within this time are one; 0: never */
    const char *const *nobodies; /* names that many share, as guest: no user has them. They outlive the policy */
    size_t n_nobodies;
    mm_agents_t *agents; /* the lists of robots and machines; NULL: none */
} mm_policy_t;

/* Whether a user's name is one of the nobodies, byte by byte. Such a visit is an anonymous one. */
bool mm_policy_is_nobody(const mm_policy_t *policy, mm_bytes_t user);

#endif
