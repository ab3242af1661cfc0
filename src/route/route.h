/* What is asked for: a path below the handler's Location, and a query string, become a route. Both are outside bytes;
 * whatever they are, the answer is a route or a status with a sentence. No httpd here, so that it can be fuzzed.
 */
#ifndef MM_ROUTE_H
#define MM_ROUTE_H

#include <apr_pools.h>
#include <apr_tables.h>
#include "base/err.h"
#include "event/event.h"

typedef enum mm_endpoint {
    MM_ENDPOINT_TOTALS_ALL, /* GET  ""               */
    MM_ENDPOINT_TOTALS,     /* GET  /TYPE            */
    MM_ENDPOINT_RECORD,     /* POST /TYPE/ID/views   */
    MM_ENDPOINT_EVENTS      /* POST /events          */
} mm_endpoint_t;

typedef enum mm_parents_style { MM_PARENTS_JOINED, MM_PARENTS_ROWS, MM_PARENTS_NONE } mm_parents_style_t;

typedef struct mm_route {
    mm_endpoint_t endpoint;
    const char *type;   /* one of the configured ones, or NULL */
    const char *id;     /* for RECORD: decoded, from the path or from ?id= */
    mm_action_t action; /* for RECORD */
    int64_t limit;      /* rows at most; -1: all */
    int64_t offset;     /* rows left out first */
    mm_parents_style_t parents;
    int raw;        /* raw=1: no guard against formulas */
    int bom;        /* bom=1: a byte order mark first */
    int wants_post; /* the endpoint takes POST only; otherwise GET and HEAD */
} mm_route_t;

/* path is what follows the handler's base in the decoded URI ("" or "/" for the base itself), args the raw query string
 * or NULL. types are the configured type names. On failure the return value is the HTTP status (400, 404, 406) and
 * err->text says why, naming the parameter; 0 is success. */
int mm_route_parse(mm_route_t *route, const char *path, const char *args, const char *const *types, size_t n_types,
                   apr_pool_t *pool, mm_err_t *err);

#endif
