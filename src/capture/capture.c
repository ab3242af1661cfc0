/* A finished request becomes an event.
 *
 * Runs when the last byte has left (the EOR bucket), on whichever thread wrote it, for every request of the server, so
 * what is cheap comes first: a setting, then the rules, then the expressions. Nothing here can change the answer any
 * more.
 *
 * The identity of a request is what the visitor asked for: r->parsed_uri.path of the first request, which httpd has
 * decoded and cleaned of "..", "//" and which mod_dir, mod_negotiation and mod_rewrite leave alone when they replace
 * r->uri.
 */
#include "capture/capture.h"
#include "capture/identity.h"
#include "capture/recorder.h"

#include "apr_strings.h"
#include "http_log.h"

#include "base/hot.h"
#include "base/throttle.h"
#include "event/id_list.h"
#include "event/range.h"
#include "rules/match_ids.h"

APLOG_USE_MODULE(metrics);

static MM_HOT mm_bytes_t bytes_cut(const char *text, size_t max)
{
    mm_bytes_t bytes = mm_bytes_of(text);
    if (bytes.len > max) {
        bytes.len = max;
    }
    return bytes;
}

static MM_HOT mm_bytes_t bytes_or_none(const char *text, size_t max)
{
    mm_bytes_t bytes = mm_bytes_of(text);
    if (bytes.len > max) {
        bytes.len = 0;
    }
    return bytes;
}

static MM_HOT mm_method_t method_of(const request_rec *r)
{
    if (r->header_only) {
        return MM_METHOD_HEAD;
    }
    switch (r->method_number) {
    case M_GET:
        return MM_METHOD_GET;
    case M_POST:
        return MM_METHOD_POST;
    default:
        return MM_METHOD_OTHER;
    }
}

/* Where the answer begins, if it says so (one with several parts does not), else where the question did. */
static MM_HOT int64_t range_start(const request_rec *r, const request_rec *last)
{
    const char *answered =
        last->status == HTTP_PARTIAL_CONTENT ? apr_table_get(last->headers_out, "Content-Range") : NULL;
    if (answered) {
        return mm_range_answered(answered, strlen(answered));
    }
    const char *asked = apr_table_get(r->headers_in, "Range");
    return asked ? mm_range_start(asked, strlen(asked)) : MM_RANGE_NONE;
}

/* Expressions that fail are the administrator's to mend, but this is the path of every request. */
static mm_throttle_t failures;

static void expression_failed(request_rec *r, const char *directive, const char *wrong)
{
    int64_t times;

    if (mm_throttle_tell(&failures, apr_time_now(), 1, &times)) {
        ap_log_rerror(APLOG_MARK, APLOG_WARNING, 0, r,
                      "MM0403: an expression of %s failed, %" APR_INT64_T_FMT " time(s) in all: %s", directive, times,
                      wrong);
    }
}

static MM_HOT mm_bytes_t user_of(request_rec *r, const request_rec *last, const mm_dir_config_t *conf)
{
    if (!conf->user) {
        return bytes_or_none(r->user ? r->user : last->user, MM_EVENT_USER_MAX);
    }
    const char *wrong = NULL;
    const char *user = ap_expr_str_exec(r, conf->user, &wrong);
    if (wrong) {
        expression_failed(r, "MetricsUser", wrong);
        return mm_bytes_of(NULL);
    }
    return bytes_or_none(user, MM_EVENT_USER_MAX);
}

static MM_HOT mm_bytes_t mark_of(request_rec *r, const mm_dir_config_t *conf)
{
    for (int i = 0; conf->agents && i < conf->agents->nelts; i++) {
        const mm_agent_rule_t *rule = &APR_ARRAY_IDX(conf->agents, i, mm_agent_rule_t);
        const char *wrong = NULL;
        int rc = ap_expr_exec(r, rule->when, &wrong);
        if (wrong) {
            expression_failed(r, "MetricsAgent", wrong);
        }
        else if (rc > 0) {
            return mm_bytes_of(rule->class_mark);
        }
    }
    return mm_bytes_of(NULL);
}

static MM_HOT const request_rec *last_of(const request_rec *r)
{
    while (r->next) {
        r = r->next;
    }
    return r;
}

MM_HOT void mm_capture_describe(mm_event_t *event, request_rec *r)
{
    const mm_dir_config_t *conf = mm_dir_config_get(r);
    const request_rec *last = last_of(r);
    event->source = MM_SOURCE_REQUEST;
    event->method = method_of(r);
    event->status = (uint16_t)last->status;
    event->flags =
        (uint16_t)((r->connection->aborted ? MM_EVENT_ABORTED : 0) | (r->connection->master ? MM_EVENT_HTTP2 : 0));
    event->time_us = r->request_time;
    event->range_start = range_start(r, last);
    event->bytes_out = last->bytes_sent;
    event->user = user_of(r, last, conf);
    event->address = bytes_or_none(r->useragent_ip, MM_EVENT_ADDRESS_MAX);
    event->agent = bytes_cut(apr_table_get(r->headers_in, "User-Agent"), MM_EVENT_AGENT_MAX);
    event->class_mark = mark_of(r, conf);
    event->session = mm_capture_session(r, conf);
    event->identity = mm_capture_identity(r, conf);
    event->action = 0;
    event->type = event->id = event->via = mm_bytes_of(NULL);
}

void mm_capture_describe_reported(mm_event_t *event, request_rec *r)
{
    mm_capture_describe(event, r);
    event->source = MM_SOURCE_POST;
    event->method = MM_METHOD_GET;
    event->status = HTTP_OK;
    event->flags = 0;
    event->range_start = MM_RANGE_NONE;
    event->bytes_out = 0;
}

static MM_HOT int asks_not_to_be_tracked(const char *args)
{
    return args && mm_rules_untracked(args, strlen(args));
}

MM_HOT int mm_capture_is_ignored(request_rec *r)
{
    const mm_dir_config_t *conf = mm_dir_config_get(r);
    if (!conf->ignores) {
        /* What was asked for, and what a rewriting rule may have made of it. */
        return asks_not_to_be_tracked(r->parsed_uri.query) ||
               (r->args != r->parsed_uri.query && asks_not_to_be_tracked(r->args));
    }
    for (int i = 0; i < conf->ignores->nelts; i++) {
        const char *wrong = NULL;
        int rc = ap_expr_exec(r, APR_ARRAY_IDX(conf->ignores, i, const ap_expr_info_t *), &wrong);
        if (wrong) {
            expression_failed(r, "MetricsIgnore", wrong);
        }
        /* Who asks not to be counted must not be counted because of a mistake of ours. */
        if (wrong || rc > 0) {
            return 1;
        }
    }
    return 0;
}

/* All ids that the request speaks of are in the spool, or none. */
static MM_HOT void record_match(request_rec *r, const mm_match_t *match)
{
    mm_err_t err;
    const mm_bytes_t *ids;
    size_t n = mm_match_ids(&ids, match, mm_bytes_of(r->parsed_uri.query), r->pool);
    if (n == 0) {
        return;
    }
    mm_recorder_expect();
    mm_event_t one;
    mm_capture_describe(&one, r);
    one.action = match->action;
    one.type = mm_bytes_of(match->type);
    one.via = mm_bytes_of(match->spec->via);
    mm_event_t *events = n == 1 ? &one : apr_palloc(r->pool, n * sizeof(*events));
    size_t n_events = 0;
    for (size_t i = 0; i < n; n_events++) {
        events[n_events] = one;
        i += mm_id_list_put(&events[n_events], ids + i, n - i, r->pool);
    }
    /* Those of a list are short enough; everything else is cut, or was checked when the configuration was read. */
    apr_status_t rv = ids[0].len <= MM_EVENT_ID_MAX ? mm_recorder_append(r->server, events, n_events, r->pool, &err)
                                                    : mm_recorder_record(r->server, events, n_events, r->pool, &err);
    if (rv == APR_EINVAL) {
        ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r, "MM0405: not recorded: %s", err.text);
    }
}

MM_HOT int mm_capture_log_transaction(request_rec *r)
{
    const mm_dir_config_t *conf = mm_dir_config_get(r);
    const char *path = r->parsed_uri.path;
    mm_match_t match;
    if (conf->capture != 1 || r->main || !path ||
        !mm_rules_match(mm_config_get(r->server)->rules, path, strlen(path), &match)) {
        return DECLINED;
    }
    if (mm_capture_is_ignored(r)) {
        mm_recorder_left_out();
        return DECLINED;
    }
    record_match(r, &match);
    return DECLINED;
}

apr_status_t mm_capture_record(request_rec *r, const char *type, const char *id, const char *action, const char *user)
{
    mm_event_t event;
    mm_action_t which;
    mm_err_t err;
    if (!type || !id || !action || !mm_config_type(mm_config_get(r->server), type) ||
        !mm_action_parse(&which, action, strlen(action))) {
        return APR_EINVAL;
    }
    if (mm_capture_is_ignored(r)) {
        mm_recorder_left_out();
        return APR_SUCCESS;
    }
    mm_capture_describe_reported(&event, r);
    event.action = which;
    event.type = mm_bytes_of(type);
    event.id = mm_bytes_of(id);
    event.user = mm_bytes_of(user);
    event.identity = mm_bytes_of(NULL); /* who it was, the module says */
    return mm_recorder_record(r->server, &event, 1, r->pool, &err);
}
