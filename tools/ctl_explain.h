/* What metricsctl explain says of one line. */
#ifndef MM_CTL_EXPLAIN_H
#define MM_CTL_EXPLAIN_H

#include <stdbool.h>
#include <stdint.h>
#include <apr_pools.h>
#include "count/count.h"
#include "import/sieve.h"
#include "rules/rules.h"

typedef struct ctl_explained {
    int64_t number; /* of the line, from 1 */
    const mm_rules_t *rules;
    mm_sifted_t sifted;
    const char *wrong; /* with a bad line */
    mm_sifting_t sifting;
    int rule;         /* that matched; -1: none, or it is an event, which was told what it is */
    mm_event_t event; /* with MM_SIFTED_EVENT, as the rest */
    mm_verdict_t verdict;
    mm_class_t class;
    const char *class_why; /* in words, or NULL */
} ctl_explained_t;

/* Fills in who made the use, and by what that was seen. */
void ctl_explained_class(ctl_explained_t *explained, const mm_policy_t *policy, apr_pool_t *pool);

/* A line for people; a line of JSON. */
void ctl_explained_text(const ctl_explained_t *explained);
void ctl_explained_json(const ctl_explained_t *explained, apr_pool_t *pool);

#endif
