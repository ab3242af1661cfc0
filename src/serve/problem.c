/* The body of an error. It is ours rather than httpd's ErrorDocument, because scripts read it. */
#include "serve/problem.h"

#include "apr_strings.h"
#include "http_protocol.h"
#include "util_filter.h"
#include "base/text.h"

/* The reason phrase: "404 Not Found" without its number. */
static const char *title_of(int status)
{
    const char *line = ap_get_status_line(status);
    return strlen(line) > 4 ? line + 4 : line;
}

static int wants_json(const request_rec *r)
{
    const char *accept = apr_table_get(r->headers_in, "Accept");
    return accept && (ap_strcasestr(accept, "application/problem+json") || ap_strcasestr(accept, "application/json"));
}

/* detail as a JSON string; anything that is not UTF-8 becomes "?". */
static const char *json_string(apr_pool_t *pool, const char *text)
{
    size_t len = strlen(text);
    int utf8 = mm_text_is_utf8(text, len);
    char *out = apr_palloc(pool, len * 6 + 3);
    char *at = out;
    *at++ = '"';
    for (const unsigned char *in = (const unsigned char *)text; *in; in++) {
        if (*in < 0x20 || *in == 0x7f) {
            at += apr_snprintf(at, 7, "\\u%04x", *in);
        }
        else if (*in == '"' || *in == '\\') {
            *at++ = '\\';
            *at++ = (char)*in;
        }
        else {
            *at++ = *in >= 0x80 && !utf8 ? '?' : (char)*in;
        }
    }
    *at++ = '"';
    *at = '\0';
    return out;
}

static int has_length(const request_rec *r)
{
    const char *length = apr_table_get(r->headers_in, "Content-Length");
    return length && strcmp(length, "0") != 0;
}

int mm_problem_send(request_rec *r, int status, const char *detail)
{
    if ((status == HTTP_SERVICE_UNAVAILABLE || status == HTTP_TOO_MANY_REQUESTS) &&
        !apr_table_get(r->err_headers_out, "Retry-After")) {
        apr_table_setn(r->err_headers_out, "Retry-After", apr_itoa(r->pool, MM_RETRY_AFTER_S));
    }
    r->status = status;
    /* A body that was refused is not read either: httpd would, for ever if need be, to keep the connection. */
    if (apr_table_get(r->headers_in, "Transfer-Encoding") || has_length(r)) {
        r->connection->keepalive = AP_CONN_CLOSE;
    }
    r->no_cache = 1;
    apr_table_setn(r->err_headers_out, "Cache-Control", "no-store");
    if (wants_json(r)) {
        ap_set_content_type(r, "application/problem+json");
        ap_rprintf(r, "{\"type\":\"about:blank\",\"title\":%s,\"status\":%d,\"detail\":%s}\n",
                   json_string(r->pool, title_of(status)), status, json_string(r->pool, detail));
    }
    else {
        ap_set_content_type(r, "text/plain; charset=utf-8");
        ap_rvputs(r, ap_get_status_line(status), "\n", detail, "\n", NULL);
    }
    return OK;
}
