/* The path decides the endpoint, by the number of its segments; then the endpoint decides which parameters there are.
 *
 * Nothing is guessed: what is not exactly one of the paths in route.h is a 404 that says which there are, with a hint
 * where the mistake is a likely one. Pure functions of their arguments.
 */
#include "route/route.h"

#include <string.h>
#include <apr_strings.h>

#include "route/format.h"
#include "route/params.h"

enum { BAD_REQUEST = 400, NOT_FOUND = 404, NOT_ACCEPTABLE = 406 };

/* The longest path has three; of a longer one only that it is longer matters. */
#define SEGMENTS_MAX 4

typedef struct request {
    const char *path;
    mm_bytes_t segments[SEGMENTS_MAX];
    size_t n; /* at most SEGMENTS_MAX */
    const char *const *types;
    size_t n_types;
    const char *suffix; /* what stands behind the dot of /TYPE.csv; NULL: no dot */
    unsigned takes;     /* MM_PARAMS_… */
    apr_pool_t *pool;
    mm_err_t *err;
} request_t;

static bool is_one_of(mm_bytes_t word, const char *const *words)
{
    for (; *words; words++) {
        if (strlen(*words) == word.len && memcmp(*words, word.data, word.len) == 0) {
            return true;
        }
    }
    return false;
}

static bool equals(mm_bytes_t word, const char *text)
{
    const char *const words[] = {text, NULL};

    return is_one_of(word, words);
}

bool mm_route_type_is_reserved(const char *name)
{
    static const char *const reserved[] = {"events", "users", "days", "status", "dashboard", "counter", NULL};
    static const char by_user[] = "_by_user";
    const mm_bytes_t word = {name, strlen(name)};
    const size_t tail = sizeof(by_user) - 1;

    return is_one_of(word, reserved) || (word.len >= tail && strcmp(name + word.len - tail, by_user) == 0);
}

/* Behind /TYPE/ these have a meaning, so an id of this name has to go into ?id=. */
static bool id_is_reserved(mm_bytes_t id)
{
    static const char *const reserved[] = {"users", "days", "views", "downloads", NULL};

    return is_one_of(id, reserved);
}

static const char *find_type(const request_t *request, mm_bytes_t name)
{
    for (size_t i = 0; i < request->n_types; i++) {
        if (equals(name, request->types[i])) {
            return request->types[i];
        }
    }
    return NULL;
}

static bool find_action(mm_bytes_t name, mm_action_t *action)
{
    bool view = equals(name, "views");

    *action = view ? MM_ACTION_VIEW : MM_ACTION_DOWNLOAD;
    return view || equals(name, "downloads");
}

static void split(request_t *request)
{
    const char *at = request->path + (*request->path == '/' ? 1 : 0);

    while (request->n < SEGMENTS_MAX) {
        mm_bytes_t *segment = &request->segments[request->n++];
        segment->data = at;
        segment->len = strcspn(at, "/");
        at += segment->len;
        if (*at++ != '/') {
            break;
        }
    }
}

/* How many type names a 404 lists; an answer holds MM_ERR_TEXT_MAX bytes. */
#define TYPES_LISTED 6

static int not_found(const request_t *request, const char *hint)
{
    char quoted[MM_QUOTE_MAX];
    const char *names = request->n_types ? "" : "(none is configured)";

    for (size_t i = 0; i < request->n_types && i < TYPES_LISTED; i++) {
        names = apr_pstrcat(request->pool, names, i ? ", " : "", request->types[i], NULL);
    }
    mm_err_set(
        request->err, APR_ENOENT,
        "There is nothing at \"%s\"%s. There are GET /, /TYPE and /status, POST /TYPE/ID/views and /TYPE/ID/downloads, "
        "POST /TYPE/views?id=ID and /TYPE/downloads?id=ID, POST /events; TYPE is: %s%s.",
        mm_route_quote(quoted, request->path), hint, names, request->n_types > TYPES_LISTED ? ", ..." : "");
    return NOT_FOUND;
}

/* /events, /status, /TYPE, /TYPE.csv. A type's name holds no dot, so what follows one is a format. */
static int one_segment(request_t *request, mm_route_t *route)
{
    mm_bytes_t name = request->segments[0];
    const char *dot = memchr(name.data, '.', name.len);

    if (equals(name, "events")) {
        route->endpoint = MM_ENDPOINT_EVENTS;
        route->wants_post = 1;
        return 0;
    }
    if (dot) {
        size_t len = (size_t)(dot - name.data);
        request->suffix = apr_pstrmemdup(request->pool, dot + 1, name.len - len - 1);
        name.len = len;
    }
    if (equals(name, "status")) {
        route->endpoint = MM_ENDPOINT_STATUS;
        request->takes = MM_PARAMS_STATUS;
        return dot && !*request->suffix ? not_found(request, "") : 0;
    }
    route->endpoint = MM_ENDPOINT_TOTALS;
    route->type = find_type(request, name);
    request->takes = MM_PARAMS_REPORT;
    return route->type && !(dot && !*request->suffix) ? 0 : not_found(request, "");
}

static void set_record(mm_route_t *route, const char *type)
{
    route->endpoint = MM_ENDPOINT_RECORD;
    route->type = type;
    route->wants_post = 1;
}

/* /TYPE/views?id=ID */
static int two_segments(request_t *request, mm_route_t *route)
{
    set_record(route, find_type(request, request->segments[0]));
    request->takes = MM_PARAMS_RECORD;
    if (route->type && find_action(request->segments[1], &route->action)) {
        return 0;
    }
    return not_found(request, request->segments[1].len == 0 ? " (a / at the end counts)" : "");
}

/* /TYPE/ID/views */
static int three_segments(request_t *request, mm_route_t *route)
{
    mm_bytes_t id = request->segments[1];

    set_record(route, find_type(request, request->segments[0]));
    if (!route->type || !find_action(request->segments[2], &route->action)) {
        return not_found(request, request->segments[2].len == 0 ? " (a / at the end counts)" : "");
    }
    if (id.len == 0) {
        return not_found(request, " (the id is empty)");
    }
    if (id_is_reserved(id)) {
        return not_found(request, " (an id of that name goes into ?id=)");
    }
    if (id.len > MM_EVENT_ID_MAX) {
        mm_err_set(request->err, APR_EINVAL, "The id is longer than %d bytes.", MM_EVENT_ID_MAX);
        return BAD_REQUEST;
    }
    route->id = apr_pstrmemdup(request->pool, id.data, id.len);
    return 0;
}

static int parse_path(request_t *request, mm_route_t *route)
{
    split(request);
    if (request->n == 1 && request->segments[0].len == 0) {
        route->endpoint = MM_ENDPOINT_TOTALS_ALL;
        request->takes = MM_PARAMS_REPORT;
        return 0;
    }
    switch (request->n) {
    case 1:
        return one_segment(request, route);
    case 2:
        return two_segments(request, route);
    case 3:
        return three_segments(request, route);
    default:
        return not_found(request, find_type(request, request->segments[0]) ? " (an id with a / goes into ?id=)" : "");
    }
}

static int no_such_format(const request_t *request, const char *format)
{
    char quoted[MM_QUOTE_MAX];

    mm_err_set(request->err, APR_EINVAL, "There is no format \"%s\"; there is: %s.", mm_route_quote(quoted, format),
               mm_format_names(request->takes, request->pool));
    return NOT_ACCEPTABLE;
}

static int check_format(const request_t *request, const char *format, mm_format_t *found)
{
    const char *suffix = request->suffix;

    if (suffix && format && strcmp(suffix, format) != 0) {
        mm_err_set(request->err, APR_EINVAL, "The path asks for one format and the parameter \"format\" for another.");
        return BAD_REQUEST;
    }
    format = format ? format : suffix;
    if (!format) {
        return 0;
    }
    const mm_format_info_t *info = mm_format_named(request->takes, format);
    if (!info) {
        return no_such_format(request, format);
    }
    *found = info->format;
    return 0;
}

int mm_route_parse(mm_route_t *route, const char *path, const char *args, const char *const *types, size_t n_types,
                   apr_pool_t *pool, mm_err_t *err)
{
    mm_route_t found = {.limit = -1, .parents = MM_PARENTS_JOINED, .query = args ? args : ""};
    request_t request = {.path = path, .types = types, .n_types = n_types, .pool = pool, .err = err};
    const char *format;
    int status = parse_path(&request, &found);

    status = status ? status : mm_params_parse(&found, &format, args, request.takes, pool, err);
    status = status ? status : check_format(&request, format, &found.format);
    if (status) {
        return status;
    }
    if (found.endpoint == MM_ENDPOINT_RECORD && !found.id) {
        mm_err_set(err, APR_EINVAL, "The parameter \"id\" is missing: it says which resource was used.");
        return BAD_REQUEST;
    }
    *route = found;
    return 0;
}
