/* Rights first, as for any report: those to the totals of the types that count as datasets. Then the words of SUSHI are
 * looked at, and what is wrong is answered as SUSHI has it: a list of exceptions with their numbers.
 */
#include "serve/counter.h"

#include "apr_strings.h"
#include "http_protocol.h"

#include "authz/authz.h"
#include "config/config.h"
#include "report/dsr.h"
#include "report/json.h"
#include "route/params.h"
#include "route/sushi.h"
#include "serve/problem.h"
#include "serve/quota.h"
#include "serve/reports.h"
#include "store/uses.h"

/* No id of a resource that anybody counts; whether there is one does not matter. */
#define SOME_ID "-"

static mm_dsr_names_t names_of(const request_rec *r)
{
    mm_dsr_names_t names = mm_config_get(r->server)->counter;
    const char *server = r->server->server_hostname ? r->server->server_hostname : "";
    names.platform = names.platform ? names.platform : server;
    names.publisher = names.publisher ? names.publisher : names.platform;
    names.created_by = names.created_by ? names.created_by : names.platform;
    return names;
}

static apr_status_t put(void *r, const char *data, size_t len)
{
    return ap_rwrite(data, (int)len, r) < 0 ? APR_ECONNABORTED : APR_SUCCESS;
}

/* An answer that is no report. */
static mm_out_t *begin_json(request_rec *r, int status)
{
    mm_out_t *out = apr_palloc(r->pool, sizeof(*out));
    if (status == HTTP_SERVICE_UNAVAILABLE || status == HTTP_TOO_MANY_REQUESTS) {
        apr_table_setn(r->err_headers_out, "Retry-After", apr_itoa(r->pool, MM_RETRY_AFTER_S));
    }
    r->status = status;
    r->no_cache = 1;
    apr_table_setn(r->err_headers_out, "Cache-Control", "no-store");
    apr_table_setn(r->err_headers_out, "X-Content-Type-Options", "nosniff");
    ap_set_content_type(r, "application/json");
    mm_out_init(out, put, r);
    return out;
}

static int end_json(mm_out_t *out)
{
    mm_out_text(out, "}\n");
    mm_out_flush(out);
    return OK;
}

static int send_exceptions(request_rec *r, int status, const apr_array_header_t *exceptions)
{
    mm_out_t *out = begin_json(r, status);
    mm_out_text(out, "{\"exceptions\":");
    mm_dsr_put_exceptions(out, exceptions, mm_config_get(r->server)->counter.help);
    return end_json(out);
}

static int refuse(request_rec *r, int status, const char *why)
{
    apr_array_header_t *exceptions = apr_array_make(r->pool, 1, sizeof(mm_sushi_exception_t));
    mm_sushi_add(exceptions, mm_sushi_code_of(status), why);
    return send_exceptions(r, status, exceptions);
}

/* --- what there is -------------------------------------------------------------------------------------------------
 */

/* One look at the database, by the way that reports go. */
static int is_active(request_rec *r, const char *type)
{
    const mm_config_t *config = mm_config_get(r->server);
    const char *id = SOME_ID;
    const mm_uses_query_t query = {.type = type, .ids = &id, .n_ids = 1};
    mm_store_t *store;
    mm_uses_t *uses;
    mm_use_t row;
    size_t n;
    mm_err_t err;
    return config->mongo_uri &&
           mm_store_open(&store, config->mongo_uri, config->prefix, r->pool, &err) == APR_SUCCESS &&
           mm_uses_open(&uses, store, &query, r->pool, &err) == APR_SUCCESS &&
           mm_uses_next(uses, &row, 1, &n, r->pool, &err) == APR_SUCCESS;
}

static int send_status(request_rec *r, const mm_answer_t *answer)
{
    if (!mm_quota_take(r)) {
        return refuse(r, HTTP_TOO_MANY_REQUESTS, "As many reports run as may at once.");
    }
    int active = answer->n_types > 0 && is_active(r, answer->types[0]);
    const mm_dsr_names_t names = names_of(r);
    mm_out_t *out = begin_json(r, HTTP_OK);
    mm_out_text(out, "{\"description\":");
    mm_json_text(out, apr_pstrcat(r->pool, "COUNTER reports for research data of ", names.platform, NULL));
    mm_out_text(out, active ? ",\"serviceactive\":true,\"alerts\":[]" : ",\"serviceactive\":false,\"alerts\":[]");
    return end_json(out);
}

static int send_list(request_rec *r)
{
    mm_out_t *out = begin_json(r, HTTP_OK);
    mm_out_text(out, "[{\"report-name\":\"dataset report\",\"report-id\":\"dsr\",\"release\":\"rd1\","
                     "\"report-description\":\"Investigations and requests of each dataset in a month\","
                     "\"path\":\"/reports/dsr\"}]\n");
    mm_out_flush(out);
    return OK;
}

/* --- the report ----------------------------------------------------------------------------------------------------
 */

static const mm_format_info_t *negotiate(request_rec *r, const mm_sushi_t *sushi)
{
    if (sushi->format != MM_FORMAT_ANY) {
        return mm_format_info(MM_PARAMS_SUSHI, sushi->format);
    }
    apr_table_mergen(r->headers_out, "Vary", "Accept");
    return mm_format_accepted(MM_PARAMS_SUSHI, apr_table_get(r->headers_in, "Accept"));
}

static int send_dsr(request_rec *r, mm_sushi_t *sushi, mm_answer_t *answer)
{
    const mm_dsr_names_t names = names_of(r);
    char begin[MM_TIME_TEXT];
    answer->format = negotiate(r, sushi);
    if (!answer->format) {
        mm_sushi_add(sushi->exceptions, MM_SUSHI_BAD_ATTRIBUTE,
                     "Accept asks for neither application/json nor text/tab-separated-values.");
        return send_exceptions(r, HTTP_NOT_ACCEPTABLE, sushi->exceptions);
    }
    mm_time_text(begin, sushi->begin_ms, 'T');
    answer->file = apr_psprintf(r->pool, "counter-dsr-%.7s", begin);
    answer->stream = mm_stream_create(r);
    answer->writer = mm_dsr_writer(&names, sushi, answer->format->format, mm_stream_write, answer->stream, r->pool);
    return mm_reports_answer(r, answer);
}

/* Of the types that the requester may see, those that count as datasets, if these are several. */
static void keep_datasets(request_rec *r, mm_answer_t *answer)
{
    const apr_array_header_t *wanted = mm_config_get(r->server)->counter_types;
    const char **kept = apr_palloc(r->pool, sizeof(*kept) * (answer->n_types + 1));
    size_t n = 0;
    for (size_t i = 0; i < answer->n_types; i++) {
        if (ap_array_str_contains(wanted, answer->types[i])) {
            kept[n++] = answer->types[i];
        }
    }
    answer->types = kept;
    answer->n_types = n;
}

/* One type is asked about by its name, as its own report would be. */
static const char *only_type(const request_rec *r)
{
    const apr_array_header_t *types = mm_config_get(r->server)->counter_types;
    return types->nelts == 1 ? APR_ARRAY_IDX(types, 0, const char *) : NULL;
}

int mm_serve_counter(request_rec *r, const mm_location_t *location)
{
    const mm_config_t *config = mm_config_get(r->server);
    mm_answer_t answer = {.refuse = refuse};
    mm_sushi_t sushi;
    mm_route_t route;
    mm_err_t err;
    int wrong = mm_sushi_parse(&sushi, location->rest, r->args, apr_time_as_msec(r->request_time), r->pool);
    mm_dsr_route(&route, &sushi, only_type(r));
    answer.route = &route;
    int denied = mm_guard_open(&answer.guard, &answer.types, &answer.n_types, r, &route, location, &err);
    if (denied != OK) {
        return refuse(r, denied, err.text);
    }
    keep_datasets(r, &answer);
    if (config->counter_types->nelts > 0 && answer.n_types == 0) {
        denied = mm_authz_denied(r, &err);
        return refuse(r, denied, err.text);
    }
    if (wrong) {
        return send_exceptions(r, wrong, sushi.exceptions);
    }
    if (answer.n_types == 0) {
        return refuse(r, HTTP_NOT_FOUND,
                      "No type of resources counts as datasets here; MetricsCounter types= names some.");
    }
    return sushi.endpoint == MM_SUSHI_STATUS    ? send_status(r, &answer)
           : sushi.endpoint == MM_SUSHI_REPORTS ? send_list(r)
                                                : send_dsr(r, &sushi, &answer);
}
