/* What the tests of SUSHI's parameters share: one parse, and what it refused. */
#ifndef MM_UNIT_SUSHI_H
#define MM_UNIT_SUSHI_H

#include "unit.h"

#include "route/sushi.h"

#define DSR    "/counter/reports/dsr"
#define NOW_MS INT64_C(1769860800000) /* 2026-01-31T12:00:00Z */

static unit_t *unit;
static mm_sushi_t sushi;

static int parse(const char *args)
{
    return mm_sushi_parse(&sushi, DSR, args, NOW_MS, unit->pool);
}

static const mm_sushi_exception_t *last(void)
{
    assert_true(sushi.exceptions->nelts > 0);
    return &APR_ARRAY_IDX(sushi.exceptions, sushi.exceptions->nelts - 1, mm_sushi_exception_t);
}

static void assert_refused(const char *args, int code)
{
    if (parse(args) != 400 || last()->code != code || !*last()->data) {
        fail_msg("%s: %d", args, last()->code);
    }
}

static int setup(void **state)
{
    int rv = unit_setup(state);

    unit = *state;
    return rv;
}

#endif
