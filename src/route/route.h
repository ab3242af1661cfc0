/* What is asked for: a path below the handler's Location, and a query string, become a route. Both are outside bytes;
 * whatever they are, the answer is a route or a status with a sentence. No httpd here, so that it can be fuzzed.
 *
 *   path                                   method      parameters
 *   "" or "/"                              GET, HEAD   limit offset parents raw bom format
 *   /TYPE or /TYPE.FORMAT                  GET, HEAD   the same
 *   /status or /status.json                GET, HEAD   format
 *   /TYPE/ID/views, /TYPE/ID/downloads     POST        none
 *   /TYPE/views?id=ID, /TYPE/downloads?id= POST        id
 *   /events                                POST        none
 *
 * The form with ?id= takes every id; the one with the id in the path takes those that hold no slash and are not
 * reserved (users, days, views, downloads: they have a meaning of their own behind /TYPE/). A slash at the end of a
 * path is no part of any of these: /datasets/ is what a script asks for whose id came out empty, and must not get the
 * report on everything.
 */
#ifndef MM_ROUTE_H
#define MM_ROUTE_H

#include <stdbool.h>
#include <apr_pools.h>
#include <apr_tables.h>
#include "base/err.h"
#include "event/event.h"

typedef enum mm_endpoint {
    MM_ENDPOINT_TOTALS_ALL, /* GET  ""               */
    MM_ENDPOINT_TOTALS,     /* GET  /TYPE            */
    MM_ENDPOINT_STATUS,     /* GET  /status          */
    MM_ENDPOINT_RECORD,     /* POST /TYPE/ID/views   */
    MM_ENDPOINT_EVENTS      /* POST /events          */
} mm_endpoint_t;

typedef enum mm_parents_style { MM_PARENTS_JOINED, MM_PARENTS_ROWS, MM_PARENTS_NONE } mm_parents_style_t;

typedef enum mm_format {
    MM_FORMAT_ANY,
    MM_FORMAT_CSV,
    MM_FORMAT_JSON,
    MM_FORMAT_OPENMETRICS,
    MM_FORMAT_NDJSON,
    MM_FORMAT_TSV,
    MM_FORMAT_XLSX
} mm_format_t;

/* A parameter that was given and taken, decoded. */
typedef struct mm_given {
    const char *name, *value;
} mm_given_t;

/* Most that limit and offset may be: what a number in JSON and JavaScript can still hold exactly. */
#define MM_ROUTE_NUMBER_MAX (INT64_C(1) << 53)

typedef struct mm_route {
    mm_endpoint_t endpoint;
    const char *type;   /* one of the configured ones, or NULL */
    const char *id;     /* for RECORD: decoded, from the path or from ?id=; 1 to MM_EVENT_ID_MAX bytes */
    mm_action_t action; /* for RECORD */
    int64_t limit;      /* rows at most; -1: all */
    int64_t offset;     /* rows left out first */
    mm_parents_style_t parents;
    mm_format_t format;              /* what path or parameter ask for */
    const char *query;               /* the query string as it came; never NULL */
    const apr_array_header_t *given; /* of mm_given_t, in their order; NULL: none */
    int raw;                         /* raw=1: no guard against formulas */
    int bom;                         /* bom=1: a byte order mark first */
    int wants_post;                  /* the endpoint takes POST only; otherwise GET and HEAD */
} mm_route_t;

/* path is what follows the handler's base in the decoded URI ("" or "/" for the base itself), args the raw query string
 * or NULL. types are the configured type names. On failure the return value is the HTTP status (400, 404, 406) and
 * err->text says why, naming the parameter; 0 is success. route is set on success only; its strings are pool's or, for
 * type, from types. What err->text repeats of the request is short and printable ASCII. */
int mm_route_parse(mm_route_t *route, const char *path, const char *args, const char *const *types, size_t n_types,
                   apr_pool_t *pool, mm_err_t *err);

/* Whether a <MetricsType> must not have this name, because its paths have or will have another meaning: events, users,
 * days, status, dashboard, counter, and what ends in _by_user. */
bool mm_route_type_is_reserved(const char *name);

#endif
