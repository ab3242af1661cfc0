/* A subrequest that is run, and whose body goes nowhere.
 *
 * It is made from the report's request, so cookies and credentials are the requester's. What would make the answer one
 * about something else is taken out: conditions (304 is no answer), ranges, whatever speaks of a body, and the headers
 * by which frameworks let a visitor name another method or address. That the application would show something else to
 * the visitor is no yes.
 */
#include "authz/application.h"

#include "apr_strings.h"
#include "http_protocol.h"
#include "http_request.h"
#include "util_filter.h"

static ap_filter_rec_t *discard;

static apr_status_t discard_all(ap_filter_t *f, apr_bucket_brigade *bb)
{
    (void)f;
    apr_brigade_cleanup(bb);
    return APR_SUCCESS;
}

void mm_application_register(void)
{
    discard = ap_register_output_filter("METRICS_DISCARD", discard_all, NULL, AP_FTYPE_RESOURCE);
}

static int ask(request_rec *r, const char *method, const char *uri, const char *header, const char **value)
{
    static const char *const unwanted[] = {
        "If-Match",      "If-None-Match",          "If-Modified-Since", "If-Unmodified-Since", "If-Range",
        "Range",         "Content-Type",           "Content-Length",    "Transfer-Encoding",   "Expect",
        "X-HTTP-Method", "X-HTTP-Method-Override", "X-Method-Override", "X-Original-URL",      "X-Rewrite-URL"};
    request_rec *sub = ap_sub_req_method_uri(method, uri, r, NULL);
    int status = sub->status;
    if (status == HTTP_OK) {
        for (size_t i = 0; i < sizeof(unwanted) / sizeof(unwanted[0]); i++) {
            apr_table_unset(sub->headers_in, unwanted[i]);
        }
        sub->header_only = strcmp(method, "HEAD") == 0;
        ap_add_output_filter_handle(discard, NULL, sub, sub->connection);
        int answer = ap_run_sub_req(sub);
        status = answer == OK || answer == DONE ? sub->status : answer;
    }
    if (header) {
        const char *said = apr_table_get(sub->headers_out, header);
        *value = said ? apr_pstrdup(r->pool, said) : NULL;
    }
    ap_destroy_sub_req(sub);
    return status;
}

int mm_application_status(request_rec *r, const char *method, const char *uri)
{
    return ask(r, method, uri, NULL, NULL);
}

int mm_application_header(request_rec *r, const char *uri, const char *header, const char **value)
{
    return ask(r, "GET", uri, header, value);
}
