/* A subrequest that is run, and whose body goes nowhere.
 *
 * It is made from the report's request, so cookies and credentials are the requester's. What would make the answer one
 * about something else is taken out: conditions (304 is no answer), ranges, and whatever speaks of a body.
 *
 * Values are encoded byte by byte, all but letters, digits and -._~, so that an id can be no query, no fragment, no
 * header and no second path. Two dots remain two dots however they are encoded, which is why such ids are refused.
 */
#include "authz/application.h"

#include "apr_lib.h"
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

int mm_application_status(request_rec *r, const char *method, const char *uri)
{
    static const char *const unwanted[] = {
        "If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since", "If-Range",
        "Range",    "Content-Type",  "Content-Length",    "Transfer-Encoding",   "Expect"};
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
    ap_destroy_sub_req(sub);
    return status;
}

static int is_safe(const char *value)
{
    while (1) {
        size_t len = strcspn(value, "/");
        if (len == 0 || (len == 1 && value[0] == '.') || (len == 2 && value[0] == '.' && value[1] == '.')) {
            return 0;
        }
        if (!value[len]) {
            return 1;
        }
        value += len + 1;
    }
}

static const char *encode(const char *value, apr_pool_t *pool)
{
    static const char digits[] = "0123456789ABCDEF";
    char *encoded = apr_palloc(pool, strlen(value) * 3 + 1), *to = encoded;
    for (const unsigned char *from = (const unsigned char *)value; *from; from++) {
        if (*from < 0x80 && (apr_isalnum(*from) || strchr("-._~", *from))) {
            *to++ = (char)*from;
            continue;
        }
        *to++ = '%';
        *to++ = digits[*from >> 4];
        *to++ = digits[*from & 0xf];
    }
    *to = '\0';
    return encoded;
}

const char *mm_application_uri(const char *template, const char *type, const char *id, const char *user,
                               apr_pool_t *pool)
{
    const struct {
        const char *name, *value;
    } values[] = {{"{type}", type}, {"{id}", id}, {"{user}", user}};
    const char *uri = "";
    while (*template) {
        size_t len = strcspn(template, "{"), i = 0;
        uri = apr_pstrcat(pool, uri, apr_pstrmemdup(pool, template, len), NULL);
        template += len;
        while (i < 3 && strncmp(template, values[i].name, strlen(values[i].name)) != 0) {
            i++;
        }
        if (i < 3) {
            if (!values[i].value || !is_safe(values[i].value)) {
                return NULL;
            }
            uri = apr_pstrcat(pool, uri, encode(values[i].value, pool), NULL);
            template += strlen(values[i].name);
        }
        else if (*template) {
            uri = apr_pstrcat(pool, uri, "%7B", NULL);
            template ++;
        }
    }
    return uri;
}
