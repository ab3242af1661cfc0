/* The rules of the COUNTER Code of Practice that one event alone decides, in the order in which they are asked: the
 * first that refuses names the verdict. No state, no clock, no allocation: any thread.
 */
#include "count/rule.h"

#include <stdbool.h>

#define STATUS_OK           200
#define STATUS_PARTIAL      206
#define STATUS_NOT_MODIFIED 304
/* What mod_http2 may still hold of an answer when all of it has left us: the default of H2StreamMaxMemSize. */
#define HTTP2_HELD_MAX 65536

static const char *const verdict_names[MM_VERDICTS] = {
    [MM_COUNTED] = "counted",
    [MM_IGNORED_METHOD] = "method",
    [MM_IGNORED_STATUS] = "status",
    [MM_IGNORED_ROBOT] = "robot",
    [MM_IGNORED_KEY] = "key",
    [MM_IGNORED_RANGE] = "range",
    [MM_IGNORED_INCOMPLETE] = "incomplete",
    [MM_IGNORED_DOUBLE_CLICK] = "double_click",
};

const char *mm_verdict_name(mm_verdict_t verdict)
{
    if ((unsigned)verdict >= MM_VERDICTS) {
        return "unknown";
    }
    return verdict_names[verdict];
}

static mm_verdict_t judge_answer(const mm_event_t *event)
{
    switch (event->status) {
    case STATUS_OK:
    case STATUS_NOT_MODIFIED:
        return MM_COUNTED;
    case STATUS_PARTIAL:
        /* Viewers of documents and players ask for dozens of parts; one of them is the first. */
        return event->range_start == 0 ? MM_COUNTED : MM_IGNORED_RANGE;
    default:
        return MM_IGNORED_STATUS;
    }
}

/* On HTTP/1 the flag is exact. On HTTP/2 a connection that was closed by a client who has everything looks the same
 * (measured: 13 to 22 of 60 small files), so there the answer must have been longer than what may have been on its way.
 */
static bool is_broken_off(const mm_event_t *event)
{
    return (event->flags & MM_EVENT_ABORTED) != 0 &&
           ((event->flags & MM_EVENT_HTTP2) == 0 || event->bytes_out > HTTP2_HELD_MAX);
}

mm_verdict_t mm_rule_judge(const mm_event_t *event, const mm_policy_t *policy, mm_class_t *class)
{
    mm_verdict_t answer;

    *class = mm_class_of(event, policy);
    if (event->method != MM_METHOD_GET) {
        return MM_IGNORED_METHOD;
    }
    answer = judge_answer(event);
    if (answer != MM_COUNTED) {
        return answer;
    }
    if (*class == MM_CLASS_ROBOT) {
        return MM_IGNORED_ROBOT;
    }
    /* A page may well have been read before its last image broke off. */
    if (event->action == MM_ACTION_DOWNLOAD && is_broken_off(event)) {
        return MM_IGNORED_INCOMPLETE;
    }
    return MM_COUNTED;
}
