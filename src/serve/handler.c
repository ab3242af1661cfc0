/* The content handler: from a request to the room that answers it. */
#include "serve/handler.h"

#include "apr_strings.h"
#include "http_log.h"
#include "http_protocol.h"

#include "authz/authz.h"
#include "base/hot.h"
#include "config/config.h"
#include "route/route.h"
#include "route/sushi.h"
#include "serve/counter.h"
#include "serve/location.h"
#include "serve/problem.h"
#include "serve/quota.h"
#include "serve/recording.h"
#include "serve/reports.h"
#include "serve/status.h"
#include "store/store.h"

APLOG_USE_MODULE(metrics);

static int method_not_allowed(request_rec *r, const char *allow)
{
    apr_table_setn(r->err_headers_out, "Allow", allow);
    return mm_problem_send(r, HTTP_METHOD_NOT_ALLOWED, apr_psprintf(r->pool, "This address takes %s only.", allow));
}

static int record(request_rec *r, const mm_route_t *route)
{
    if (mm_dir_config_get(r)->record != 1) {
        return mm_problem_send(r, HTTP_FORBIDDEN,
                               "Recording by POST is not allowed here; the server's administrator can allow it with "
                               "MetricsRecord On.");
    }
    return route->endpoint == MM_ENDPOINT_EVENTS ? mm_recording_events(r) : mm_recording_one(r, route);
}

int mm_handler_post_config(apr_pool_t *pconf, server_rec *s)
{
    mm_err_t err;
    if (mm_quota_share(mm_config_get(s)->max_reports, pconf, &err) != APR_SUCCESS) {
        ap_log_error(APLOG_MARK, APLOG_CRIT, 0, s, "MM0606: %s", err.text);
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    return OK;
}

void mm_handler_child_init(server_rec *s)
{
    if (mm_config_get(s)->mongo_uri) {
        mm_store_init();
    }
}

/* Which addresses and parameters there are is for those who may see something here. */
static int wrong_request(request_rec *r, int status, const char *why)
{
    mm_authz_session_t *session = NULL;
    metrics_authz_query query = {.kind = "totals"};
    mm_err_t err;
    int denied = OK;
    if (r->method_number == M_GET) {
        denied = mm_authz_open(&session, r, mm_dir_config_get(r)->authz, &query, &err);
    }
    else if (mm_dir_config_get(r)->record != 1) {
        denied = mm_authz_denied(r, &err);
    }
    return denied != OK ? mm_problem_send(r, denied, err.text) : mm_problem_send(r, status, why);
}

static __attribute__((noinline)) int handle(request_rec *r)
{
    const mm_config_t *config = mm_config_get(r->server);
    mm_location_t location;
    if (!mm_location_find(&location, r)) {
        return mm_problem_send(r, HTTP_NOT_FOUND,
                               "SetHandler metrics must stand directly in a <Location> with a plain path, as <Location "
                               "\"/metrics\">.");
    }
    if (mm_sushi_is_path(location.rest)) {
        return r->method_number == M_GET ? mm_serve_counter(r, &location) : method_not_allowed(r, "GET, HEAD");
    }
    mm_route_t route;
    mm_err_t err;
    int status =
        mm_route_parse(&route, location.rest, r->args, config->type_names, (size_t)config->types->nelts, r->pool, &err);
    if (status != 0) {
        return wrong_request(r, status, err.text);
    }
    if (route.wants_post) {
        return r->method_number == M_POST ? record(r, &route) : method_not_allowed(r, "POST");
    }
    if (r->method_number != M_GET) {
        return method_not_allowed(r, "GET, HEAD");
    }
    return route.endpoint == MM_ENDPOINT_STATUS ? mm_serve_status(r, &route, &location)
                                                : mm_reports_serve(r, &route, &location);
}

/* httpd asks every module's handler for every request: those of others cost no stack. */
MM_HOT int mm_handler(request_rec *r)
{
    return r->handler && strcmp(r->handler, "metrics") == 0 ? handle(r) : DECLINED;
}
