/* A path and a query string, with a zero byte between them: a status that exists with a sentence that can be shown, or
 * a route that keeps its promises and, written down again in its plainest form, is read as the same route.
 */
#include "fuzz.h"

#include <stdio.h>
#include <apr_strings.h>
#include <apr_time.h>

#include "route/format.h"
#include "route/params.h"
#include "route/route.h"

static const char *const types[] = {"datasets", "collections", "files"};
#define N_TYPES 3

static const char *escape(const char *id, apr_pool_t *pool)
{
    char *text = apr_palloc(pool, strlen(id) * 3 + 1), *at = text;

    for (; *id; id++, at += 3) {
        snprintf(at, 4, "%%%02x", (unsigned char)*id);
    }
    *at = '\0';
    return text;
}

static void check_refusal(int status, const mm_err_t *err)
{
    size_t len = strnlen(err->text, sizeof(err->text));

    HOLDS(status == 400 || status == 404 || status == 406);
    HOLDS(len > 10 && len < sizeof(err->text) && err->text[len - 1] == '.');
    HOLDS(err->status != APR_SUCCESS);
    for (size_t i = 0; i < len; i++) {
        HOLDS(err->text[i] >= 0x20 && err->text[i] < 0x7F);
    }
}

static int is_type(const char *name)
{
    return name == types[0] || name == types[1] || name == types[2];
}

static void check_selection(const mm_route_t *route)
{
    unsigned seen = 0;

    HOLDS((route->parent_type != NULL) == (route->parent_id != NULL));
    HOLDS(!route->parent_id || (is_type(route->parent_type) && *route->parent_id));
    HOLDS(!route->parent_id || strlen(route->parent_id) <= MM_EVENT_ID_MAX);
    HOLDS(!route->user || (*route->user && strlen(route->user) <= MM_EVENT_USER_MAX));
    HOLDS(mm_route_is_per_user(route) || (!route->user && !route->others && route->sort != MM_SORT_USER));
    HOLDS(!route->others || (route->sort == MM_SORT_RESOURCE && !route->user));
    HOLDS(route->sort != MM_SORT_DAY || mm_route_is_by_day(route));
    HOLDS(route->sort <= MM_SORT_DAY && route->agent <= MM_AGENT_MACHINE && route->direction <= MM_DIRECTION_DESC);
    HOLDS(route->n_extras <= MM_EXTRAS);
    HOLDS(route->since_ms % 86400000 == 0 && route->until_ms % 86400000 == 0);
    HOLDS(!route->has_since || !route->has_until || route->since_ms < route->until_ms);
    HOLDS(route->n_ancestors <= MM_ROUTE_ANCESTORS_MAX);
    for (size_t i = 0; i < route->n_ancestors; i++) {
        HOLDS(is_type(route->ancestors[i].type) && strncmp(route->ancestors[i].name, "parent_", 7) == 0);
    }
    for (size_t i = 0; i < route->n_extras; i++) {
        HOLDS(route->extras[i] < MM_EXTRAS && !(seen & 1u << route->extras[i]));
        seen |= 1u << route->extras[i];
    }
}

static void check_route(const mm_route_t *route)
{
    int known = 0;

    for (size_t i = 0; i < N_TYPES; i++) {
        known |= route->type == types[i];
    }
    HOLDS(known == (route->endpoint == MM_ENDPOINT_TOTALS || route->endpoint == MM_ENDPOINT_USERS ||
                    route->endpoint == MM_ENDPOINT_DAYS || route->endpoint == MM_ENDPOINT_RECORD));
    HOLDS(route->wants_post == (route->endpoint == MM_ENDPOINT_RECORD || route->endpoint == MM_ENDPOINT_EVENTS));
    HOLDS(route->id || route->endpoint != MM_ENDPOINT_RECORD);
    HOLDS(!route->id || known);
    HOLDS(route->endpoint != MM_ENDPOINT_STATUS || route->format != MM_FORMAT_CSV);
    HOLDS(!route->id || (*route->id && strlen(route->id) <= MM_EVENT_ID_MAX));
    HOLDS((route->endpoint == MM_ENDPOINT_RECORD) ==
          (route->action == MM_ACTION_VIEW || route->action == MM_ACTION_DOWNLOAD));
    HOLDS(route->limit >= -1 && route->limit <= MM_ROUTE_NUMBER_MAX);
    HOLDS(route->offset >= 0 && route->offset <= MM_ROUTE_NUMBER_MAX);
    check_selection(route);
    HOLDS((route->raw == 0 || route->raw == 1) && (route->bom == 0 || route->bom == 1));
}

static const char *with(const char *args, const char *name, const char *value, apr_pool_t *pool)
{
    return value ? apr_pstrcat(pool, args, "&", name, "=", value, NULL) : args;
}

/* The columns that not_accessed_since= and never_used= bring along stand where they were asked for, or it was. */
static const char *columns_of(const mm_route_t *route, apr_pool_t *pool)
{
    static const char *const names[MM_EXTRAS] = {[MM_EXTRA_OWNER] = "owner",
                                                 [MM_EXTRA_OWNER_NAME] = "owner_name",
                                                 [MM_EXTRA_SIZE] = "size_bytes",
                                                 [MM_EXTRA_CREATED] = "created",
                                                 [MM_EXTRA_STATUS] = "status",
                                                 [MM_EXTRA_LOCATION] = "location",
                                                 [MM_EXTRA_REGULAR_VIEWS] = "regular_views",
                                                 [MM_EXTRA_REGULAR_DOWNLOADS] = "regular_downloads",
                                                 [MM_EXTRA_MACHINE_VIEWS] = "machine_views",
                                                 [MM_EXTRA_MACHINE_DOWNLOADS] = "machine_downloads",
                                                 [MM_EXTRA_UNIQUE_VIEWS] = "unique_views",
                                                 [MM_EXTRA_UNIQUE_DOWNLOADS] = "unique_downloads",
                                                 [MM_EXTRA_UNIQUE_INVESTIGATIONS] = "unique_investigations"};
    const char *text = NULL;

    for (size_t i = 0; i < route->n_extras; i++) {
        text = text ? apr_pstrcat(pool, text, "%2C", names[route->extras[i]], NULL) : names[route->extras[i]];
    }
    for (size_t i = 0; i < route->n_ancestors; i++) {
        text = text ? apr_pstrcat(pool, text, ",", route->ancestors[i].name, NULL) : route->ancestors[i].name;
    }
    return text;
}

static const char *parent_of(const mm_route_t *route, apr_pool_t *pool)
{
    return route->parent_id ? apr_pstrcat(pool, route->parent_type, ":", escape(route->parent_id, pool), NULL) : NULL;
}

/* A time within the years that have four digits can be written; all that are accepted are within them, or a day off. */
static const char *time_of(int has, int64_t ms, apr_pool_t *pool)
{
    apr_time_exp_t t;

    if (!has) {
        return NULL;
    }
    int64_t seconds = ms / 1000 - (ms % 1000 < 0);
    HOLDS(apr_time_exp_gmt(&t, apr_time_from_sec(seconds)) == APR_SUCCESS);
    return apr_psprintf(pool, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", t.tm_year + 1900, t.tm_mon + 1, t.tm_mday,
                        t.tm_hour, t.tm_min, t.tm_sec, (int)(ms - seconds * 1000));
}

static const char *report_args(const mm_route_t *route, apr_pool_t *pool)
{
    static const char *const styles[] = {"joined", "rows", "none"}, *const agents[] = {"all", "regular", "machine"},
                             *const directions[] = {NULL, "asc", "desc"}, *const never_used[] = {NULL, "1", "only"},
                             *const sorts[] = {NULL,          "views",   "downloads", "last_viewed", "last_downloaded",
                                               "resource_id", "user_id", "day"};
    const char *args =
        apr_psprintf(pool, "offset=%" APR_INT64_T_FMT "&raw=%d&bom=%d", route->offset, route->raw, route->bom);

    args = with(args, "limit", route->limit >= 0 ? apr_psprintf(pool, "%" APR_INT64_T_FMT, route->limit) : NULL, pool);
    args = with(args, "parents", mm_route_is_by_day(route) ? NULL : styles[route->parents], pool);
    args = with(args, "per", route->per == MM_PER_MONTH ? "month" : NULL, pool);
    args = with(args, "agent", agents[route->agent], pool);
    args = with(args, "order", directions[route->direction], pool);
    args = with(args, "sort", sorts[route->sort], pool);
    args = with(args, "columns", columns_of(route, pool), pool);
    args = with(args, "id", route->id ? escape(route->id, pool) : NULL, pool);
    args = with(args, "user", route->user ? escape(route->user, pool) : NULL, pool);
    args = with(args, "parent", parent_of(route, pool), pool);
    args = with(args, "others", route->others ? "1" : NULL, pool);
    args = with(args, "since", time_of(route->has_since, route->since_ms, pool), pool);
    args = with(args, "until", time_of(route->has_until, route->until_ms, pool), pool);
    args = with(args, "not_accessed_since", time_of(route->has_unused_since, route->unused_since_ms, pool), pool);
    return with(args, "never_used", never_used[route->never_used], pool);
}

/* The same request in its plainest form. */
static void write_down(const mm_route_t *route, const char **path, const char **args, apr_pool_t *pool)
{
    const mm_format_info_t *format =
        mm_format_info(route->endpoint == MM_ENDPOINT_STATUS ? MM_PARAMS_STATUS : MM_PARAMS_REPORT, route->format);

    *args = NULL;
    switch (route->endpoint) {
    case MM_ENDPOINT_EVENTS:
        *path = "/events";
        break;
    case MM_ENDPOINT_STATUS:
        *path = "/status";
        *args = format ? apr_pstrcat(pool, "format=", format->name, NULL) : NULL;
        break;
    case MM_ENDPOINT_RECORD:
        *path = apr_pstrcat(pool, "/", route->type, route->action == MM_ACTION_VIEW ? "/views" : "/downloads", NULL);
        *args = apr_pstrcat(pool, "id=", escape(route->id, pool), NULL);
        break;
    default:
        *path = apr_pstrcat(pool, route->type ? "/" : "", route->type ? route->type : "",
                            mm_route_is_per_user(route) ? "/users"
                            : mm_route_is_by_day(route) ? "/days"
                                                        : "",
                            NULL);
        *args = with(report_args(route, pool), "format", format ? format->name : NULL, pool);
    }
}

static int same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static void check_same(const mm_route_t *a, const mm_route_t *b)
{
    HOLDS(a->endpoint == b->endpoint && a->type == b->type && a->action == b->action);
    HOLDS(same_text(a->id, b->id) && same_text(a->user, b->user) && same_text(a->parent_id, b->parent_id));
    HOLDS(a->parent_type == b->parent_type && a->others == b->others);
    HOLDS(a->limit == b->limit && a->offset == b->offset && a->parents == b->parents);
    HOLDS(a->format == b->format);
    HOLDS(a->sort == b->sort && a->direction == b->direction && a->agent == b->agent && a->per == b->per);
    HOLDS(a->has_since == b->has_since && a->since_ms == b->since_ms);
    HOLDS(a->has_until == b->has_until && a->until_ms == b->until_ms);
    HOLDS(a->has_unused_since == b->has_unused_since && a->unused_since_ms == b->unused_since_ms);
    HOLDS(a->n_extras == b->n_extras && memcmp(a->extras, b->extras, a->n_extras * sizeof(a->extras[0])) == 0);
    HOLDS(a->n_ancestors == b->n_ancestors);
    for (size_t i = 0; i < a->n_ancestors; i++) {
        HOLDS(a->ancestors[i].type == b->ancestors[i].type && a->ancestors[i].ids == b->ancestors[i].ids);
        HOLDS(strcmp(a->ancestors[i].name, b->ancestors[i].name) == 0);
    }
    HOLDS(a->raw == b->raw && a->bom == b->bom && a->wants_post == b->wants_post);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool;
    mm_route_t route, again;
    mm_err_t err = {0};

    pool = fuzz_subpool();
    const char *path = apr_pstrmemdup(pool, size ? (const char *)data : "", size);
    size_t path_len = strlen(path);
    const char *args = path_len < size ? path + path_len + 1 : NULL; /* ends at its own zero byte or the copy's */

    int status = mm_route_parse(&route, path, args, types, N_TYPES, pool, &err);
    if (status != 0) {
        check_refusal(status, &err);
    }
    else {
        check_route(&route);
        write_down(&route, &path, &args, pool);
        HOLDS(mm_route_parse(&again, path, args, types, N_TYPES, pool, &err) == 0);
        check_same(&route, &again);
    }
    apr_pool_destroy(pool);
    return 0;
}
