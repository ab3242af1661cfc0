/* Pairs and time, each with a mark that stays once it is passed. */
#include "store/catalog_private.h"

#include <time.h>

/* Between two looks at the clock within one document, whose arrays may hold a million values. */
#define GLANCE_EVERY 1024

int64_t mm_budget_clock_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void mm_budget_begin(mm_budget_t *budget, const mm_catalog_limits_t *limits)
{
    *budget = (mm_budget_t){.limits = *limits};
    budget->until_us = limits->clock_us() + limits->time_us;
}

bool mm_budget_glance(mm_budget_t *budget)
{
    budget->late = budget->late || budget->limits.clock_us() >= budget->until_us;
    return !budget->late;
}

bool mm_budget_step(mm_budget_t *budget)
{
    return ++budget->steps % GLANCE_EVERY != 0 ? !budget->late : mm_budget_glance(budget);
}

bool mm_budget_spend(mm_budget_t *budget, size_t pairs)
{
    budget->pairs += (int64_t)pairs;
    budget->spent = budget->spent || budget->pairs > budget->limits.pairs;
    return !budget->spent;
}
