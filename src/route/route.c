/* The path decides the endpoint, by the number of its segments; then the endpoint decides which parameters there are.
 *
 * Nothing is guessed: what is not exactly one of the paths in route.h is a 404 that says which there are, with a hint
 * where the mistake is a likely one. Pure functions of their arguments.
 */
#include "route/route.h"

#include <string.h>
#include <apr_strings.h>

#include "route/combine.h"
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
    const char *parent_of_path; /* the type in /TYPE/ID/CHILDREN; NULL in other paths */
    const char *suffix;         /* what stands behind the dot of /TYPE.csv; NULL: no dot */
    unsigned takes;             /* MM_PARAMS_… */
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

static const char by_user[] = "_by_user";

bool mm_route_type_is_reserved(const char *name)
{
    static const char *const reserved[] = {"events", "users", "days", "status", "dashboard", "counter", NULL};
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

    if (!view && !equals(name, "downloads")) {
        return false;
    }
    *action = view ? MM_ACTION_VIEW : MM_ACTION_DOWNLOAD;
    return true;
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
        "There is nothing at \"%s\"%s. There are GET /, /users, /days, /TYPE, /TYPE/ID, both also with /users or "
        "/days behind, /TYPE/ID/TYPE and /status, POST /TYPE/ID/views, /TYPE/views?id=ID, both also for downloads, "
        "and /events; TYPE is: %s%s.",
        mm_route_quote(quoted, request->path), hint, names, request->n_types > TYPES_LISTED ? ", ..." : "");
    return NOT_FOUND;
}

/* Cuts what stands behind the first dot off a word that holds none by itself: the format. */
static mm_bytes_t cut_suffix(request_t *request, mm_bytes_t word)
{
    const char *dot = memchr(word.data, '.', word.len);

    if (dot) {
        size_t len = (size_t)(dot - word.data);
        request->suffix = apr_pstrmemdup(request->pool, dot + 1, word.len - len - 1);
        word.len = len;
    }
    return word;
}

static int set_report(request_t *request, mm_route_t *route, mm_endpoint_t endpoint, const char *type, unsigned takes)
{
    route->endpoint = endpoint;
    route->type = type;
    request->takes = MM_PARAMS_REPORT | takes;
    if (!(takes & MM_PARAMS_DAYS)) {
        request->takes |= MM_PARAMS_ROWS | (request->parent_of_path ? 0 : MM_PARAMS_PARENT);
    }
    return request->suffix && !*request->suffix ? not_found(request, "") : 0;
}

/* TYPE_by_user. A type's name never ends so. */
static const char *find_by_user(const request_t *request, mm_bytes_t name)
{
    const size_t tail = sizeof(by_user) - 1;

    if (name.len <= tail || memcmp(name.data + name.len - tail, by_user, tail) != 0) {
        return NULL;
    }
    name.len -= tail;
    return find_type(request, name);
}

/* /events, /status, /users, /TYPE, /TYPE.csv. A type's name holds no dot. */
static int one_segment(request_t *request, mm_route_t *route)
{
    mm_bytes_t name = cut_suffix(request, request->segments[0]);

    if (equals(request->segments[0], "events")) {
        route->endpoint = MM_ENDPOINT_EVENTS;
        route->wants_post = 1;
        return 0;
    }
    if (equals(name, "status")) {
        route->endpoint = MM_ENDPOINT_STATUS;
        request->takes = MM_PARAMS_STATUS;
        return request->suffix && !*request->suffix ? not_found(request, "") : 0;
    }
    if (equals(name, "users")) {
        return set_report(request, route, MM_ENDPOINT_USERS_ALL, NULL, MM_PARAMS_USERS);
    }
    if (equals(name, "days")) {
        return set_report(request, route, MM_ENDPOINT_DAYS_ALL, NULL, MM_PARAMS_DAYS);
    }
    const char *type = find_by_user(request, name);
    if (type) {
        return set_report(request, route, MM_ENDPOINT_USERS, type, MM_PARAMS_USERS | MM_PARAMS_ID);
    }
    type = find_type(request, name);
    return type ? set_report(request, route, MM_ENDPOINT_TOTALS, type, MM_PARAMS_TOTALS | MM_PARAMS_ID)
                : not_found(request, "");
}

static void set_record(mm_route_t *route, const char *type)
{
    route->endpoint = MM_ENDPOINT_RECORD;
    route->type = type;
    route->wants_post = 1;
}

/* users, users.csv: at the end of a path, an id of that name goes into ?id=. */
static bool is_word(mm_bytes_t word, const char *which)
{
    const char *dot = memchr(word.data, '.', word.len);

    word.len = dot ? (size_t)(dot - word.data) : word.len;
    return equals(word, which);
}

/* The segment that is an id. */
static int take_id(const request_t *request, mm_bytes_t id, const char **taken)
{
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
    *taken = apr_pstrmemdup(request->pool, id.data, id.len);
    return 0;
}

/* /TYPE/views?id=ID, /TYPE/users, /TYPE/ID */
static int two_segments(request_t *request, mm_route_t *route)
{
    const char *type = find_type(request, request->segments[0]);
    mm_bytes_t last = request->segments[1];

    if (!type || last.len == 0) {
        return not_found(request, last.len == 0 ? " (a / at the end counts)" : "");
    }
    if (find_action(last, &route->action)) {
        set_record(route, type);
        request->takes = MM_PARAMS_RECORD;
        return 0;
    }
    if (is_word(last, "users")) {
        cut_suffix(request, last);
        return set_report(request, route, MM_ENDPOINT_USERS, type, MM_PARAMS_USERS | MM_PARAMS_ID);
    }
    if (is_word(last, "days")) {
        cut_suffix(request, last);
        return set_report(request, route, MM_ENDPOINT_DAYS, type, MM_PARAMS_DAYS | MM_PARAMS_ID);
    }
    int refused = take_id(request, last, &route->id);
    return refused ? refused : set_report(request, route, MM_ENDPOINT_TOTALS, type, MM_PARAMS_TOTALS);
}

/* /TYPE/ID/views, /TYPE/ID/users, /TYPE/ID/CHILDREN */
static int three_segments(request_t *request, mm_route_t *route)
{
    const char *type = find_type(request, request->segments[0]), *id = NULL;
    mm_bytes_t last = request->segments[2];
    bool records = find_action(last, &route->action);
    mm_bytes_t word = records ? last : cut_suffix(request, last);
    const char *children = find_type(request, word);
    bool by_day = equals(word, "days");

    if (!type || !(records || children || by_day || equals(word, "users"))) {
        return not_found(request, last.len == 0 ? " (a / at the end counts)" : "");
    }
    int refused = take_id(request, request->segments[1], &id);
    if (refused) {
        return refused;
    }
    if (records) {
        set_record(route, type);
    }
    route->id = children ? NULL : id;
    if (records) {
        return 0;
    }
    if (by_day) {
        return set_report(request, route, MM_ENDPOINT_DAYS, type, MM_PARAMS_DAYS);
    }
    if (!children) {
        return set_report(request, route, MM_ENDPOINT_USERS, type, MM_PARAMS_USERS);
    }
    request->parent_of_path = type;
    route->parent_id = id;
    return set_report(request, route, MM_ENDPOINT_TOTALS, children, MM_PARAMS_TOTALS | MM_PARAMS_ID);
}

static int parse_path(request_t *request, mm_route_t *route)
{
    split(request);
    if (request->n == 1 && request->segments[0].len == 0) {
        return set_report(request, route, MM_ENDPOINT_TOTALS_ALL, NULL, MM_PARAMS_TOTALS);
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

static int check_parent(const request_t *request, mm_route_t *route)
{
    const char *of_path = request->parent_of_path, *type = route->parent_type;

    if (!of_path && !type) {
        return 0;
    }
    route->parent_type = of_path ? of_path : find_type(request, (mm_bytes_t){type, strlen(type)});
    if (!route->parent_type) {
        char quoted[MM_QUOTE_MAX];
        mm_err_set(request->err, APR_EINVAL, "The parameter \"parent\" names a type that is not configured: \"%s\".",
                   mm_route_quote(quoted, type));
        return BAD_REQUEST;
    }
    return 0;
}

/* The columns of direct parents have these names, and a table has each but once. */
static bool is_of_direct_parents(const char *column)
{
    return strcmp(column, "parent_type") == 0 || strcmp(column, "parent_id") == 0 || strcmp(column, "parent_name") == 0;
}

/* parent_TYPE or parent_TYPE_ids; a type may itself end in _ids. */
static bool find_ancestors(const request_t *request, mm_ancestor_column_t *column)
{
    static const char suffix[] = "_ids";
    const size_t tail = sizeof(suffix) - 1;
    mm_bytes_t type = {column->name + sizeof(MM_ANCESTORS_PREFIX) - 1, 0};

    type.len = strlen(type.data);
    column->type = find_type(request, type);
    if (!column->type && type.len > tail && strcmp(type.data + type.len - tail, suffix) == 0) {
        type.len -= tail;
        column->type = find_type(request, type);
        column->ids = 1;
    }
    return column->type != NULL && !is_of_direct_parents(column->name);
}

static int check_ancestors(const request_t *request, mm_route_t *route)
{
    for (size_t i = 0; i < route->n_ancestors; i++) {
        if (!find_ancestors(request, &route->ancestors[i])) {
            char quoted[MM_QUOTE_MAX];
            mm_err_set(request->err, APR_EINVAL,
                       "The parameter \"columns\" has \"%s\"; behind parent_ stands a type that is configured, such as "
                       "parent_%s, or parent_%s_ids for their ids.",
                       mm_route_quote(quoted, route->ancestors[i].name), request->n_types ? request->types[0] : "TYPE",
                       request->n_types ? request->types[0] : "TYPE");
            return BAD_REQUEST;
        }
    }
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
    status = status ? status : check_parent(&request, &found);
    status = status ? status : check_ancestors(&request, &found);
    status = status ? status : mm_combine_check(&found, err);
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
