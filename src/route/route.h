/* What is asked for: a path below the handler's Location, and a query string, become a route. Both are outside bytes;
 * whatever they are, the answer is a route or a status with a sentence. No httpd here, so that it can be fuzzed.
 *
 *   path                                   method      parameters
 *   "" or "/"                              GET, HEAD   of reports of totals
 *   /TYPE or /TYPE.FORMAT                  GET, HEAD   the same, and id
 *   /TYPE/ID                               GET, HEAD   the same, without id
 *   /TYPE/ID/CHILDREN                      GET, HEAD   the same; CHILDREN is a type, its rows are those of CHILDREN
 *   /users                                 GET, HEAD   of reports of users
 *   /TYPE/users, /TYPE_by_user             GET, HEAD   the same, and id
 *   /TYPE/ID/users                         GET, HEAD   the same, without id
 *   /days, /TYPE/days, /TYPE/ID/days       GET, HEAD   of reports by day; /TYPE/days also id
 *   /status or /status.json                GET, HEAD   format
 *   /TYPE/ID/views, /TYPE/ID/downloads     POST        none
 *   /TYPE/views?id=ID, /TYPE/downloads?id= POST        id
 *   /events                                POST        none
 *
 * Which parameters reports take is in params.c. The form with ?id= takes every id; the one with the id in the path
 * takes those that hold no slash and are not reserved (users, days, views, downloads, and users.csv, days.csv
 * at the end of a path: they have a meaning of their own behind /TYPE/). Behind a last word that is no id may stand
 * .csv and the like; behind an id it is part of the id. A slash at the end of a path is no part of any of these:
 * /datasets/ is what a script asks for whose id came out empty, and must not get the report on everything.
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
    MM_ENDPOINT_TOTALS,     /* GET  /TYPE, /TYPE/ID, and of children */
    MM_ENDPOINT_USERS_ALL,  /* GET  /users           */
    MM_ENDPOINT_USERS,      /* GET  /TYPE/users, /TYPE/ID/users */
    MM_ENDPOINT_STATUS,     /* GET  /status          */
    MM_ENDPOINT_RECORD,     /* POST /TYPE/ID/views   */
    MM_ENDPOINT_EVENTS,     /* POST /events          */
    MM_ENDPOINT_DAYS_ALL,   /* GET  /days            */
    MM_ENDPOINT_DAYS        /* GET  /TYPE/days, /TYPE/ID/days */
} mm_endpoint_t;

typedef enum mm_sort {
    MM_SORT_DEFAULT, /* as views */
    MM_SORT_VIEWS,
    MM_SORT_DOWNLOADS,
    MM_SORT_LAST_VIEWED,
    MM_SORT_LAST_DOWNLOADED,
    MM_SORT_RESOURCE,
    MM_SORT_USER,
    MM_SORT_DAY
} mm_sort_t;

typedef enum mm_direction { MM_DIRECTION_DEFAULT, MM_DIRECTION_ASC, MM_DIRECTION_DESC } mm_direction_t;

/* What a row of a report by day is about. */
typedef enum mm_per { MM_PER_DAY, MM_PER_MONTH } mm_per_t;

/* Whether resources that nobody ever used are in the report, too. */
typedef enum mm_never_used { MM_NEVER_USED_NONE, MM_NEVER_USED_TOO, MM_NEVER_USED_ONLY } mm_never_used_t;

typedef enum mm_agent { MM_AGENT_ALL, MM_AGENT_REGULAR, MM_AGENT_MACHINE } mm_agent_t;

/* Columns that a report has only when they are asked for. */
typedef enum mm_extra {
    MM_EXTRA_OWNER,
    MM_EXTRA_OWNER_NAME,
    MM_EXTRA_SIZE,
    MM_EXTRA_CREATED,
    MM_EXTRA_STATUS,
    MM_EXTRA_LOCATION,
    MM_EXTRA_REGULAR_VIEWS,
    MM_EXTRA_REGULAR_DOWNLOADS,
    MM_EXTRA_MACHINE_VIEWS,
    MM_EXTRA_MACHINE_DOWNLOADS,
    MM_EXTRA_UNIQUE_VIEWS, /* these three of the agents asked for */
    MM_EXTRA_UNIQUE_DOWNLOADS,
    MM_EXTRA_UNIQUE_INVESTIGATIONS,
    MM_EXTRA_MACHINE_UNIQUE_DOWNLOADS, /* of COUNTER's report; no parameter names these two */
    MM_EXTRA_MACHINE_UNIQUE_INVESTIGATIONS
} mm_extra_t;
#define MM_EXTRAS 15

/* A column that has the parents of one type at all levels: their names, or their ids. */
typedef struct mm_ancestor_column {
    const char *type; /* one of the configured ones */
    const char *name; /* of the column */
    int ids;
} mm_ancestor_column_t;
#define MM_ROUTE_ANCESTORS_MAX 16

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
    const char *type; /* one of the configured ones, or NULL */
    const char *id;   /* decoded, from the path or from ?id=; 1 to MM_EVENT_ID_MAX bytes; NULL: none. RECORD has one */
    const char *const *ids; /* of COUNTER's report: any of these n_ids, with id where there is one */
    size_t n_ids;
    mm_action_t action;                  /* for RECORD */
    int64_t limit;                       /* rows at most; -1: all */
    int64_t offset;                      /* rows left out first */
    const char *parent_type, *parent_id; /* only rows with this parent; NULL: all. The type is a configured one */
    const char *user;                    /* only rows of this user; NULL: all */
    mm_sort_t sort;
    mm_direction_t direction;
    mm_agent_t agent;
    mm_per_t per;
    int others;               /* others=1: a row for what the rows of a resource do not account for */
    int has_since, has_until; /* uses of a period; both are beginnings of days in UTC, until is behind its end */
    int64_t since_ms, until_ms;
    int has_unused_since;
    int64_t unused_since_ms;
    mm_never_used_t never_used;   /* with has_unused_since */
    mm_extra_t extras[MM_EXTRAS]; /* in the order of their columns, each once */
    size_t n_extras;
    mm_ancestor_column_t ancestors[MM_ROUTE_ANCESTORS_MAX]; /* behind those; each once */
    size_t n_ancestors;
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

/* Whether the rows come from the end of the order that sort has by itself: highest counts and latest times first, ids
 * from the first on. */
bool mm_route_is_backwards(const mm_route_t *route);

/* Whether rows are of a resource and a person. */
bool mm_route_is_per_user(const mm_route_t *route);

/* Whether rows are of days or months. */
bool mm_route_is_by_day(const mm_route_t *route);

/* Whether the server makes all rows before it sends the first one, adding up days or computing what it sorts by. */
bool mm_route_is_computed(const mm_route_t *route);

/* Whether rows, or cells of theirs, name people. */
bool mm_route_names_people(const mm_route_t *route);

/* Whether a <MetricsType> must not have this name, because its paths have or will have another meaning: events, users,
 * days, status, dashboard, counter, and what ends in _by_user. */
bool mm_route_type_is_reserved(const char *name);

#endif
