/* The rules of the COUNTER Code of Practice that one event alone decides, in the order in which they are asked: the
 * first that refuses names the verdict. No state, no clock, no allocation: any thread.
 */
#include "count/rule.h"

#define STATUS_OK 200

static const char *const verdict_names[MM_VERDICTS] = {
    [MM_COUNTED] = "counted",     [MM_IGNORED_METHOD] = "method", [MM_IGNORED_STATUS] = "status",
    [MM_IGNORED_ROBOT] = "robot", [MM_IGNORED_KEY] = "key",
};

const char *mm_verdict_name(mm_verdict_t verdict)
{
    if ((unsigned)verdict >= MM_VERDICTS) {
        return "unknown";
    }
    return verdict_names[verdict];
}

mm_verdict_t mm_rule_judge(const mm_event_t *event, const mm_policy_t *policy, mm_class_t *class)
{
    *class = mm_class_of(event, policy);
    if (event->method != MM_METHOD_GET) {
        return MM_IGNORED_METHOD;
    }
    if (event->status != STATUS_OK) {
        return MM_IGNORED_STATUS;
    }
    if (*class == MM_CLASS_ROBOT) {
        return MM_IGNORED_ROBOT;
    }
    return MM_COUNTED;
}
