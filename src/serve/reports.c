/* Serving a report. The order is the point: who asks, then the first batch of rows, then headers, then the body; so
 * that nothing is revealed to somebody without the right, and a database that is away is a clean 503.
 *
 * Each report has its own connection to the database, opened on the request's thread and closed with r->pool: no pool
 * of clients, no monitor threads, and a failure is known within seconds (httpd-notes: a pool would wait 30 s).
 */
#include "serve/reports.h"

#include "apr_strings.h"
#include "http_log.h"
#include "http_protocol.h"

#include "authz/authz.h"
#include "config/config.h"
#include "report/report.h"
#include "serve/problem.h"
#include "serve/stream.h"

APLOG_USE_MODULE(metrics);

static void set_headers(request_rec *r, const mm_route_t *route)
{
    char date[11];
    apr_size_t len = 0;
    apr_time_exp_t now;
    apr_time_exp_gmt(&now, r->request_time);
    apr_strftime(date, &len, sizeof(date), "%Y-%m-%d", &now);
    ap_set_content_type(r, "text/csv; charset=utf-8; header=present");
    apr_table_setn(r->headers_out, "Content-Disposition",
                   apr_psprintf(r->pool, "attachment; filename=\"%s%s-%s.csv\"", route->type ? "metrics-" : "metrics",
                                route->type ? route->type : "", date));
    apr_table_setn(r->headers_out, "Cache-Control", "private, no-cache");
    r->no_cache = 1;
    r->no_local_copy = 1;
}

static apr_status_t open_stores(mm_report_t *report, const mm_config_t *config, apr_pool_t *pool, mm_err_t *err)
{
    apr_status_t rv = mm_store_open(&report->store, config->mongo_uri, config->prefix, pool, err);
    report->catalog_store = report->store;
    if (rv == APR_SUCCESS && config->catalog_uri) {
        rv = mm_store_open(&report->catalog_store, config->catalog_uri, config->prefix, pool, err);
    }
    return rv;
}

/* What went wrong is for the log; the client learns only that it may come again. */
static int no_report(request_rec *r, const mm_err_t *err)
{
    ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, "MM0601: report not served: %s", err->text);
    if (err->status == MM_STORE_AWAY) {
        return mm_problem_send(r, HTTP_SERVICE_UNAVAILABLE, "The database cannot be reached. Please try again later.");
    }
    return mm_problem_send(r, HTTP_SERVICE_UNAVAILABLE,
                           "The report cannot be made now. The server's error log says why.");
}

static int write_report(request_rec *r, mm_report_run_t *run, mm_stream_t *stream)
{
    mm_err_t err;
    apr_status_t rv = mm_report_write(run, &err);
    if (rv == APR_SUCCESS) {
        return mm_stream_end(stream);
    }
    if (r->connection->aborted) {
        ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r, "MM0602: the client left before the end of the report");
        return OK;
    }
    ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, "MM0603: report broken off: %s", err.text);
    return mm_stream_break(stream);
}

int mm_reports_serve(request_rec *r, const mm_route_t *route)
{
    const mm_config_t *config = mm_config_get(r->server);
    metrics_authz_query query = {.type = route->type};
    mm_authz_session_t *session = NULL;
    mm_err_t err;
    int denied = mm_authz_open(&session, r, &query, &err);
    if (denied != OK) {
        return mm_problem_send(r, denied, err.text);
    }
    if (!config->mongo_uri) {
        return mm_problem_send(r, HTTP_SERVICE_UNAVAILABLE, "No database is configured: MetricsMongoURI is missing.");
    }
    set_headers(r, route);
    if (r->header_only) {
        return OK;
    }
    mm_stream_t *stream = mm_stream_create(r);
    mm_report_t report = {.route = route,
                          .catalogs = config->catalogs,
                          .types = config->type_names,
                          .n_types = (size_t)config->types->nelts,
                          .gate = {mm_authz_see_resources, session},
                          .sink = mm_stream_write,
                          .sink_baton = stream};
    mm_report_run_t *run = NULL;
    if (open_stores(&report, config, r->pool, &err) != APR_SUCCESS ||
        mm_report_begin(&run, &report, r->pool, &err) != APR_SUCCESS) {
        apr_table_unset(r->headers_out, "Content-Disposition");
        return no_report(r, &err);
    }
    return write_report(r, run, stream);
}
