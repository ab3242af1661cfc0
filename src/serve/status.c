/* Permission first, then one look at memory: no database, so this answers when nothing else does.
 *
 * JSON is what is sent where nothing is asked; OpenMetrics is for whoever says so, since a Prometheus does.
 */
#include "serve/status.h"

#include "http_protocol.h"
#include "util_filter.h"

#include "capture/recorder.h"
#include "config/config.h"
#include "serve/guard.h"
#include "serve/problem.h"
#include "status/status_show.h"

/* The q of a type in Accept, in thousandths; -1 where it is not named. Wildcards are of no interest: what they would
 * choose is sent anyway. */
static int quality(const char *accept, const char *type)
{
    size_t len = strlen(type);
    for (const char *at = accept; at && *at; at += *at == ',') {
        at += strspn(at, " \t");
        size_t range = strcspn(at, ",");
        if (range >= len && ap_cstr_casecmpn(at, type, len) == 0 && strchr("; \t,", at[len])) {
            for (const char *q = at + len; q < at + range; q++) {
                if (*q == ';' && (q[1 + strspn(q + 1, " \t")] | 0x20) == 'q') {
                    q = strchr(q, '=');
                    return q && q < at + range ? (int)(strtod(q + 1, NULL) * 1000 + 0.5) : 1000;
                }
            }
            return 1000;
        }
        at += range;
    }
    return -1;
}

static int wants_openmetrics(const request_rec *r, const mm_route_t *route)
{
    if (route->format != MM_FORMAT_ANY) {
        return route->format == MM_FORMAT_OPENMETRICS;
    }
    const char *accept = apr_table_get(r->headers_in, "Accept");
    int openmetrics = quality(accept, "application/openmetrics-text");
    return openmetrics > 0 && openmetrics >= quality(accept, "application/json");
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
