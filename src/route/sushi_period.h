/* The period that a COUNTER report is about. Part of the room route; others use sushi.h. */
#ifndef MM_SUSHI_PERIOD_H
#define MM_SUSHI_PERIOD_H

#include "route/sushi.h"

/* Sets begin_ms and end_ms from begin_date and end_date as they were given, NULL where they were not: days of one
 * month, such as 2026-01-31, or the month, 2026-01. Otherwise returns what is wrong, never 0, and sets *why, which is
 * pool's. */
mm_sushi_code_t mm_sushi_period(mm_sushi_t *sushi, const char *begin, const char *end, const char **why,
                                apr_pool_t *pool);

/* Adds the exception that a period which is not over deserves. */
void mm_sushi_warn_of_time(const mm_sushi_t *sushi, int64_t now_ms);

#endif
