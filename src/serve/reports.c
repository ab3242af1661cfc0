/* Serving a report. The order is the point: who asks, then the first batch of rows, then headers, then the body; so
 * that nothing is revealed to somebody without the right, and a database that is away is a clean 503.
 *
 * Each report has its own connection to the database, and one more where it has names and more than a batch of rows,
 * opened on the request's thread and closed with r->pool: no pool of clients, no monitor threads, and a failure is
 * known within seconds (a pool would wait 30 s).
 */
#include "serve/reports.h"

#include "apr_strings.h"
#include "http_log.h"
#include "http_protocol.h"

#include "authz/catalog.h"
#include "base/throttle.h"
#include "capture/recorder.h"
#include "config/config.h"
#include "report/report.h"
#include "route/format.h"
#include "route/params.h"
#include "serve/guard.h"
#include "serve/problem.h"
#include "serve/quota.h"
#include "serve/stream.h"

APLOG_USE_MODULE(metrics);

/* The format that path, parameter or Accept ask for. NULL: none that there is. */
static const mm_format_info_t *negotiate(request_rec *r, const mm_route_t *route)
{
    if (route->format != MM_FORMAT_ANY) {
        return mm_format_info(MM_PARAMS_REPORT, route->format);
    }
    apr_table_mergen(r->headers_out, "Vary", "Accept");
    return mm_format_accepted(MM_PARAMS_REPORT, apr_table_get(r->headers_in, "Accept"));
}

static int not_acceptable(request_rec *r)
{
    return mm_problem_send(r, HTTP_NOT_ACCEPTABLE,
                           apr_psprintf(r->pool,
                                        "Accept asks for none of the media types that there are: %s. The parameter "
                                        "\"format\" chooses without regard to Accept: %s.",
                                        mm_format_media(MM_PARAMS_REPORT, r->pool),
                                        mm_format_names(MM_PARAMS_REPORT, r->pool)));
}

static const char *file_of(const request_rec *r, const mm_route_t *route)
{
    char date[11];
    apr_size_t len = 0;
    apr_time_exp_t now;
    apr_time_exp_gmt(&now, r->request_time);
    apr_strftime(date, &len, sizeof(date), "%Y-%m-%d", &now);
    return apr_psprintf(r->pool, "metrics%s%s%s-%s", route->type ? "-" : "", route->type ? route->type : "",
                        mm_route_is_per_user(route) ? "-users"
                        : mm_route_is_by_day(route) ? "-days"
                                                    : "",
                        date);
}

static void set_headers(request_rec *r, const mm_answer_t *answer)
{
    const mm_format_info_t *format = answer->format;
    ap_set_content_type(r, format->content_type);
    apr_table_setn(r->headers_out, "Content-Disposition",
                   apr_psprintf(r->pool, "%s; filename=\"%s.%s\"", format->to_keep ? "attachment" : "inline",
                                answer->file, format->name));
    apr_table_setn(r->headers_out, "Cache-Control", "private, no-cache");
    apr_table_setn(r->headers_out, "X-Content-Type-Options", "nosniff");
    r->no_cache = 1;
    if (format->format == MM_FORMAT_XLSX) {
        apr_table_setn(r->subprocess_env, "no-gzip", "1"); /* it is packed already */
    }
}

/* One connection where both are the same database. What the server computes first has one of its own: who waits longer
 * for that should not for anything else. */
static apr_status_t open_stores(mm_report_t *report, request_rec *r, mm_err_t *err)
{
    const mm_config_t *config = mm_config_get(r->server);
    apr_status_t rv = mm_authz_catalog(&report->catalog_store, r, err);
    report->store = report->catalog_store;
    if (rv == APR_SUCCESS && mm_route_is_computed(report->route)) {
        rv = mm_store_open_patient(&report->store, config->mongo_uri, config->prefix, r->pool, err);
    }
    else if (rv == APR_SUCCESS && config->catalog_uri) {
        rv = mm_store_open(&report->store, config->mongo_uri, config->prefix, r->pool, err);
    }
    return rv;
}

/* Look-ups in the catalogue, beside others; closed with the report's pool as the other one is. */
static apr_status_t open_second(void *baton, mm_store_t **store, apr_pool_t *pool, mm_err_t *err)
{
    const mm_config_t *config = mm_config_get(((const request_rec *)baton)->server);
    return mm_store_open(store, config->catalog_uri ? config->catalog_uri : config->mongo_uri, config->prefix, pool,
                         err);
}

static mm_throttle_t failures;

static int too_large(request_rec *r, const mm_answer_t *answer, const mm_err_t *err)
{
    ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r, "MM0604: %s", err->text);
    return answer->refuse(r, HTTP_BAD_REQUEST,
                          "The report is too large for a spreadsheet here. Please ask for a part of it with limit=, "
                          "or for CSV.");
}

/* What went wrong is for the log; the client learns only that it may come again. */
static int no_report(request_rec *r, const mm_answer_t *answer, const mm_err_t *err)
{
    if (err->status == MM_STORE_TOO_MANY) {
        return answer->refuse(r, HTTP_BAD_REQUEST, err->text);
    }
    int64_t times;
    mm_status_add(mm_recorder_status(), MM_STATUS_REPORTS_FAILED, 1);
    if (mm_throttle_tell(&failures, apr_time_now(), 1, &times)) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, "MM0601: %" APR_INT64_T_FMT " report(s) not served: %s", times,
                      err->text);
    }
    if (err->status == MM_WRITER_NO_ROOM) {
        return answer->refuse(r, HTTP_SERVICE_UNAVAILABLE,
                              "The server has no room to make a spreadsheet now. Please try again later, or ask for "
                              "CSV.");
    }
    if (err->status == MM_STORE_AWAY) {
        return answer->refuse(r, HTTP_SERVICE_UNAVAILABLE, "The database cannot be reached. Please try again later.");
    }
    return answer->refuse(r, HTTP_SERVICE_UNAVAILABLE,
                          "The report cannot be made now. The server's error log says why.");
}

static mm_throttle_t refusals;

static int too_many(request_rec *r, const mm_answer_t *answer, int max)
{
    int64_t times;
    if (mm_throttle_tell(&refusals, apr_time_now(), 1, &times)) {
        ap_log_rerror(APLOG_MARK, APLOG_WARNING, 0, r,
                      "MM0605: %" APR_INT64_T_FMT " report(s) refused: %d run already, as many as MetricsMaxReports "
                      "allows",
                      times, max);
    }
    return answer->refuse(r, HTTP_TOO_MANY_REQUESTS,
                          "As many reports run as may at once. Please try again in some seconds.");
}

static const struct {
    mm_status_value_t value;
    const char *what; /* NULL: in the course of things */
} troubles[MM_TROUBLES] = {
    [MM_TROUBLE_MISSING] = {MM_STATUS_CATALOG_MISSING, NULL},
    [MM_TROUBLE_TYPE] = {MM_STATUS_CATALOG_TYPE, "a value is not what MetricsCatalog says"},
    [MM_TROUBLE_LONG] = {MM_STATUS_CATALOG_LONG, "a text is too long"},
    [MM_TROUBLE_WORK] = {MM_STATUS_CATALOG_WORK,
                         "its documents or parents are too many, or the server too slow to look "
                         "them up"},
    [MM_TROUBLE_CYCLE] = {MM_STATUS_CATALOG_CYCLE, "it is its own ancestor"},
};

static mm_throttle_t gaps;

static void tell_trouble(void *baton, mm_trouble_t trouble, int64_t n, const char *type, const char *id)
{
    request_rec *r = baton;
    int64_t times;
    mm_status_add(mm_recorder_status(), troubles[trouble].value, n);
    if (troubles[trouble].what && mm_throttle_tell(&gaps, apr_time_now(), n, &times)) {
        ap_log_rerror(APLOG_MARK, APLOG_WARNING, 0, r,
                      "MM0610: %" APR_INT64_T_FMT " row(s) of reports have an empty or cut cell because of what the "
                      "application's documents hold; of %s \"%.80s\": %s",
                      times, type, id, troubles[trouble].what);
    }
}

static mm_throttle_t cuts;

static void tell_cut(void *baton, int64_t n, const char *type)
{
    request_rec *r = baton;
    int64_t times;
    mm_status_add(mm_recorder_status(), MM_STATUS_COUNTERS_CUT, n);
    if (mm_throttle_tell(&cuts, apr_time_now(), n, &times)) {
        ap_log_rerror(
            APLOG_MARK, APLOG_WARNING, 0, r,
            "MM0611: %" APR_INT64_T_FMT " row(s) of reports, of %s among them, have numbers that are cut: "
            "documents of the counts hold more than 2^53, which this module never writes; look for them there",
            times, type);
    }
}

static int write_report(request_rec *r, const mm_answer_t *answer, mm_report_run_t *run)
{
    mm_err_t err;
    apr_status_t rv = mm_report_write(run, &err);
    if (rv == APR_SUCCESS) {
        return mm_stream_end(answer->stream);
    }
    if (r->connection->aborted) {
        ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r, "MM0602: the client left before the end of the report");
        return OK;
    }
    if (!mm_stream_started(answer->stream)) {
        apr_table_unset(r->headers_out, "Content-Disposition");
        apr_table_unset(r->headers_out, "Cache-Control");
        apr_table_unset(r->headers_out, "Accept-Ranges");
        return err.status == MM_WRITER_TOO_LARGE ? too_large(r, answer, &err) : no_report(r, answer, &err);
    }
    ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, "MM0603: report broken off: %s", err.text);
    return mm_stream_break(answer->stream);
}

/* A resumed download would join two different reports: there is no part of a report. */
static void refuse_ranges(request_rec *r)
{
    apr_table_unset(r->headers_in, "Range");
    apr_table_unset(r->headers_in, "If-Range");
    apr_table_setn(r->headers_out, "Accept-Ranges", "none");
}

int mm_reports_answer(request_rec *r, const mm_answer_t *answer)
{
    const mm_config_t *config = mm_config_get(r->server);
    mm_report_t report = {
        .route = answer->route,
        .catalogs = config->catalogs,
        .forms = mm_forms_make(r->pool),
        .people = config->people,
        .open_second = open_second,
        .second_baton = r,
        .types = answer->types,
        .n_types = answer->n_types,
        .gate = {mm_guard_see_resources, mm_guard_see_users, mm_guard_narrow, answer->guard, mm_guard_sees_all},
        .watch = {tell_trouble, r, tell_cut},
        .writer = answer->writer,
        .now_ms = apr_time_as_msec(r->request_time)};
    mm_report_run_t *run = NULL;
    mm_err_t err;
    if (!config->mongo_uri) {
        return answer->refuse(r, HTTP_SERVICE_UNAVAILABLE, "No database is configured: MetricsMongoURI is missing.");
    }
    if (!mm_quota_take(r)) {
        return too_many(r, answer, config->max_reports);
    }
    if (open_stores(&report, r, &err) != APR_SUCCESS || mm_report_begin(&run, &report, r->pool, &err) != APR_SUCCESS) {
        return no_report(r, answer, &err);
    }
    set_headers(r, answer);
    refuse_ranges(r);
    return r->header_only ? OK : write_report(r, answer, run);
}

int mm_reports_serve(request_rec *r, const mm_route_t *route, const mm_location_t *location)
{
    mm_answer_t answer = {.route = route, .file = file_of(r, route), .refuse = mm_problem_send};
    mm_err_t err;
    int denied = mm_guard_open(&answer.guard, &answer.types, &answer.n_types, r, route, location, &err);
    if (denied != OK) {
        return mm_problem_send(r, denied, err.text);
    }
    answer.format = negotiate(r, route);
    if (!answer.format) {
        return not_acceptable(r);
    }
    answer.stream = mm_stream_create(r);
    answer.writer = mm_writer_make(route, answer.format->format, &mm_config_get(r->server)->report_temp,
                                   mm_stream_write, answer.stream, r->pool);
    return mm_reports_answer(r, &answer);
}
