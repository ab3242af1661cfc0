/* Recording by POST. 202 is said only after the spool has the events; every other answer means that none of them was
 * recorded. */
#include "serve/recording.h"

#include "apr_strings.h"
#include "apr_tables.h"
#include "http_protocol.h"

#include "capture/capture.h"
#include "capture/recorder.h"
#include "event/event_json.h"
#include "serve/problem.h"

/* The most that a POST to /events may carry; more is 413. */
#define EVENTS_BODY_MAX (1024 * 1024)

static int accepted(request_rec *r, int n)
{
    r->status = HTTP_ACCEPTED;
    ap_set_content_type(r, "application/json");
    apr_table_setn(r->headers_out, "Cache-Control", "no-store");
    ap_rprintf(r, "{\"recorded\":%d}\n", n);
    return OK;
}

static int not_recorded(request_rec *r, apr_status_t rv, const mm_err_t *err)
{
    if (rv == APR_EINVAL) {
        return mm_problem_send(r, HTTP_BAD_REQUEST, err->text);
    }
    if (rv == MM_RECORDER_FULL) {
        return mm_problem_send(r, HTTP_SERVICE_UNAVAILABLE,
                               "Nothing was recorded: as many events wait as are allowed to. Try again later.");
    }
    if (rv == ENOSPC || rv == EDQUOT) {
        return mm_problem_send(r, HTTP_INSUFFICIENT_STORAGE, "Nothing was recorded: the spool has no room.");
    }
    return mm_problem_send(r, HTTP_SERVICE_UNAVAILABLE, "Nothing was recorded: the spool cannot be written.");
}

/* A page of another site can make a visitor's browser send a POST here, with the visitor's credentials. Browsers say
 * so. */
static int is_cross_site(const request_rec *r)
{
    const char *site = apr_table_get(r->headers_in, "Sec-Fetch-Site");
    const char *origin = apr_table_get(r->headers_in, "Origin");
    const char *host = apr_table_get(r->headers_in, "Host");
    if (site) {
        return strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0;
    }
    const char *authority = origin ? strstr(origin, "://") : NULL;
    return origin && (!authority || !host || ap_cstr_casecmp(authority + 3, host) != 0);
}

static int refuse_cross_site(request_rec *r)
{
    return mm_problem_send(r, HTTP_FORBIDDEN, "Pages of other sites may not record uses here.");
}

int mm_recording_one(request_rec *r, const mm_route_t *route)
{
    mm_event_t event;
    mm_err_t err;
    if (is_cross_site(r)) {
        return refuse_cross_site(r);
    }
    if (mm_capture_is_ignored(r)) {
        mm_recorder_left_out();
        return accepted(r, 0);
    }
    mm_capture_describe_reported(&event, r);
    event.action = route->action;
    event.type = mm_bytes_of(route->type);
    event.id = mm_bytes_of(route->id);
    apr_status_t rv = mm_recorder_record(r->server, &event, 1, r->pool, &err);
    return rv == APR_SUCCESS ? accepted(r, 1) : not_recorded(r, rv, &err);
}

/* The body, zero-terminated, or NULL and the status to answer with. */
static char *read_body(request_rec *r, size_t *len, int *status)
{
    *len = 0;
    *status = ap_setup_client_block(r, REQUEST_CHUNKED_DECHUNK);
    if (*status != OK) {
        return NULL;
    }
    /* Without a Content-Length there is no telling; one byte more than allowed shows that it is too much. */
    size_t room = r->read_chunked || r->remaining > EVENTS_BODY_MAX ? EVENTS_BODY_MAX + 1 : (size_t)r->remaining + 1;
    char *body = apr_palloc(r->pool, room + 1);
    long n = 0;
    if (r->remaining <= EVENTS_BODY_MAX && ap_should_client_block(r)) {
        while (*len < room && (n = ap_get_client_block(r, body + *len, room - *len)) > 0) {
            *len += (size_t)n;
        }
    }
    if (r->remaining > EVENTS_BODY_MAX || *len > EVENTS_BODY_MAX) {
        *status = HTTP_REQUEST_ENTITY_TOO_LARGE;
        return NULL;
    }
    if (n < 0) {
        *status = HTTP_BAD_REQUEST;
        return NULL;
    }
    body[*len] = '\0';
    return body;
}

static apr_status_t check_type(const mm_config_t *config, const mm_event_t *event, apr_pool_t *pool, mm_err_t *err)
{
    const char *name = apr_pstrmemdup(pool, event->type.data, event->type.len);
    if (mm_config_type(config, name)) {
        return APR_SUCCESS;
    }
    const char *known = "";
    for (int i = 0; i < config->types->nelts; i++) {
        known = apr_pstrcat(pool, known, i ? ", " : "", config->type_names[i], NULL);
    }
    return mm_err_set(err, APR_EINVAL, "type \"%s\" is not configured; known are: %s", name, known);
}

/* Reads every line into events; the first that is wrong ends it, with its number in err. */
static apr_status_t parse_lines(request_rec *r, const char *body, size_t len, apr_array_header_t *events, mm_err_t *err)
{
    const mm_config_t *config = mm_config_get(r->server);
    const char *end = body + len;
    int number = 0;
    for (const char *line = body; line < end;) {
        const char *newline = memchr(line, '\n', (size_t)(end - line));
        size_t length = (size_t)((newline ? newline : end) - line);
        size_t text = length > 0 && line[length - 1] == '\r' ? length - 1 : length;
        number++;
        if (text > 0) {
            mm_event_t event;
            mm_err_t wrong;
            apr_status_t rv = mm_event_from_json(&event, line, text, apr_time_now(), r->pool, &wrong);
            if (rv == APR_SUCCESS) {
                rv = check_type(config, &event, r->pool, &wrong);
            }
            if (rv != APR_SUCCESS) {
                return mm_err_set(err, APR_EINVAL, "Line %d: %s. Nothing was recorded.", number, wrong.text);
            }
            APR_ARRAY_PUSH(events, mm_event_t) = event;
        }
        line += length + (newline ? 1 : 0);
    }
    return APR_SUCCESS;
}

/* A form on a stranger's page can send text/plain and the two form types in a visitor's name, but neither of these. */
static int is_ndjson(const request_rec *r)
{
    const char *type = apr_table_get(r->headers_in, "Content-Type");
    size_t len = type ? strcspn(type, "; \t") : 0;
    return (len == 20 && ap_cstr_casecmpn(type, "application/x-ndjson", len) == 0) ||
           (len == 16 && ap_cstr_casecmpn(type, "application/json", len) == 0);
}

int mm_recording_events(request_rec *r)
{
    mm_err_t err;
    size_t len = 0;
    int status = OK;
    if (is_cross_site(r)) {
        return refuse_cross_site(r);
    }
    if (!is_ndjson(r)) {
        return mm_problem_send(r, HTTP_UNSUPPORTED_MEDIA_TYPE,
                               "Events come as NDJSON: send Content-Type: application/x-ndjson.");
    }
    const char *body = read_body(r, &len, &status);
    if (!body) {
        return mm_problem_send(r, status,
                               status == HTTP_REQUEST_ENTITY_TOO_LARGE
                                   ? "At most 1 MiB of events at once: send them in several requests."
                                   : "The request's body could not be read.");
    }
    apr_array_header_t *events = apr_array_make(r->pool, 64, sizeof(mm_event_t));
    apr_status_t rv = parse_lines(r, body, len, events, &err);
    if (rv == APR_SUCCESS) {
        rv = mm_recorder_record(r->server, (const mm_event_t *)events->elts, (size_t)events->nelts, r->pool, &err);
    }
    return rv == APR_SUCCESS ? accepted(r, events->nelts) : not_recorded(r, rv, &err);
}
