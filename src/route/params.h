/* The query string of a request, read by a table of what exists. Part of the room route; others use route.h. */
#ifndef MM_PARAMS_H
#define MM_PARAMS_H

#include <apr_pools.h>
#include "base/err.h"
#include "route/route.h"

/* How the name of a column of parents of all levels begins; the type follows. */
#define MM_ANCESTORS_PREFIX "parent_"

/* Which parameters an endpoint takes. */
enum {
    MM_PARAMS_NONE = 0,
    MM_PARAMS_REPORT = 1 << 0,
    MM_PARAMS_TOTALS = 1 << 1, /* besides those of reports */
    MM_PARAMS_USERS = 1 << 2,  /* the same */
    MM_PARAMS_ID = 1 << 3,     /* the same */
    MM_PARAMS_RECORD = 1 << 4,
    MM_PARAMS_STATUS = 1 << 5,
    MM_PARAMS_SUSHI = 1 << 16, /* none of these: see sushi.h */
    MM_PARAMS_ROWS = 1 << 8,   /* besides those of reports: with rows of resources, or of resources and people */
    MM_PARAMS_DAYS = 1 << 9,   /* the same: with rows of days */
    MM_PARAMS_PARENT = 1 << 10 /* besides those of rows: the path names no parent */
};

/* Sets what args (may be NULL) asks for in route, which holds the defaults, and *format to the value of format=, or
 * NULL. 0, or 400 and a sentence. An unknown parameter, one that stands twice, a value out of its set, an escape that
 * is malformed or %00 are all refused. */
int mm_params_parse(mm_route_t *route, const char **format, const char *args, unsigned takes, apr_pool_t *pool,
                    mm_err_t *err);

#define MM_QUOTE_MAX 64

/* text for use in a sentence: cut to fit, and whatever is not printable ASCII replaced by ?. Returns buf. */
const char *mm_route_quote(char buf[MM_QUOTE_MAX], const char *text);

#endif
