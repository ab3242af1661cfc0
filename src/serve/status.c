/* Permission first, then one look at memory: no database, so this answers when nothing else does.
 *
 * JSON is what is sent where nothing is asked; OpenMetrics is for whoever says so, since a Prometheus does.
 */
#include "serve/status.h"

#include "http_protocol.h"
#include "util_filter.h"

#include "capture/recorder.h"
#include "config/config.h"
#include "route/accept.h"
#include "serve/guard.h"
#include "serve/problem.h"
#include "status/status_show.h"

static int wants_openmetrics(const request_rec *r, const mm_route_t *route)
{
    if (route->format != MM_FORMAT_ANY) {
        return route->format == MM_FORMAT_OPENMETRICS;
    }
    const char *accept = apr_table_get(r->headers_in, "Accept");
    mm_accept_t openmetrics = mm_accept_look(accept, "application/openmetrics-text");
    return openmetrics.named == 2 && openmetrics.quality > 0 &&
           openmetrics.quality >= mm_accept_look(accept, "application/json").quality;
}

int mm_serve_status(request_rec *r, const mm_route_t *route, const mm_location_t *location)
{
    const mm_status_page_t *page = mm_recorder_status();
    const char *dir = mm_config_get(r->server)->spool_dir;
    mm_status_view_t view;
    mm_err_t err;
    int denied = mm_guard_status(r, location, &err);
    if (denied != OK) {
        return mm_problem_send(r, denied, err.text);
    }
    if (!page || !dir) {
        return mm_problem_send(r, HTTP_SERVICE_UNAVAILABLE, "No spool is in use here, so there is nothing to tell.");
    }
    mm_status_look(&view, dir, page);
    int openmetrics = wants_openmetrics(r, route);
    const char *body = openmetrics ? mm_status_openmetrics(&view, r->pool) : mm_status_json(&view, r->pool);
    ap_set_content_type(r, openmetrics ? MM_STATUS_OPENMETRICS_TYPE : "application/json");
    apr_table_setn(r->headers_out, "Cache-Control", "no-store");
    apr_table_setn(r->headers_out, "Vary", "Accept");
    apr_table_setn(r->headers_out, "X-Content-Type-Options", "nosniff");
    r->no_cache = 1;
    ap_set_content_length(r, (apr_off_t)strlen(body));
    ap_rputs(body, r);
    return OK;
}
