/* A path and a query string, with a zero byte between them: a status that exists with a sentence that can be shown, or
 * a route that keeps its promises and, written down again in its plainest form, is read as the same route.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <apr_general.h>
#include <apr_strings.h>

#include "route/format.h"
#include "route/params.h"
#include "route/route.h"

#define HOLDS(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            abort();                                                                                                   \
        }                                                                                                              \
    } while (0)

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

static void check_route(const mm_route_t *route)
{
    int known = 0;

    for (size_t i = 0; i < N_TYPES; i++) {
        known |= route->type == types[i];
    }
    HOLDS(known == (route->endpoint == MM_ENDPOINT_TOTALS || route->endpoint == MM_ENDPOINT_RECORD));
    HOLDS(route->wants_post == (route->endpoint == MM_ENDPOINT_RECORD || route->endpoint == MM_ENDPOINT_EVENTS));
    HOLDS((route->id != NULL) == (route->endpoint == MM_ENDPOINT_RECORD));
    HOLDS(route->endpoint != MM_ENDPOINT_STATUS || route->format != MM_FORMAT_CSV);
    HOLDS(!route->id || (*route->id && strlen(route->id) <= MM_EVENT_ID_MAX));
    HOLDS(!route->id || route->action == MM_ACTION_VIEW || route->action == MM_ACTION_DOWNLOAD);
    HOLDS(route->limit >= -1 && route->limit <= MM_ROUTE_NUMBER_MAX);
    HOLDS(route->offset >= 0 && route->offset <= MM_ROUTE_NUMBER_MAX);
    HOLDS((route->raw == 0 || route->raw == 1) && (route->bom == 0 || route->bom == 1));
}

/* The same request in its plainest form. */
static void write_down(const mm_route_t *route, const char **path, const char **args, apr_pool_t *pool)
{
    static const char *const styles[] = {"joined", "rows", "none"};
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
        *path = route->type ? apr_pstrcat(pool, "/", route->type, NULL) : "";
        *args = apr_psprintf(pool, "offset=%" APR_INT64_T_FMT "&parents=%s&raw=%d&bom=%d", route->offset,
                             styles[route->parents], route->raw, route->bom);
        if (route->limit >= 0) {
            *args = apr_psprintf(pool, "limit=%" APR_INT64_T_FMT "&%s", route->limit, *args);
        }
        if (format) {
            *args = apr_pstrcat(pool, *args, "&format=", format->name, NULL);
        }
    }
}

static void check_same(const mm_route_t *a, const mm_route_t *b)
{
    HOLDS(a->endpoint == b->endpoint && a->type == b->type && a->action == b->action);
    HOLDS(!a->id ? !b->id : b->id && strcmp(a->id, b->id) == 0);
    HOLDS(a->limit == b->limit && a->offset == b->offset && a->parents == b->parents);
    HOLDS(a->format == b->format);
    HOLDS(a->raw == b->raw && a->bom == b->bom && a->wants_post == b->wants_post);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static apr_pool_t *root;
    apr_pool_t *pool;
    mm_route_t route, again;
    mm_err_t err = {0};

    if (!root) {
        HOLDS(apr_initialize() == APR_SUCCESS && apr_pool_create(&root, NULL) == APR_SUCCESS);
    }
    HOLDS(apr_pool_create(&pool, root) == APR_SUCCESS);
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
