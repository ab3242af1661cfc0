/* The rules of the COUNTER Code of Practice that one event alone decides, in the order in which they are asked: the
 * first that refuses names the verdict. No state, no clock, no allocation: any thread.
 */
#include "count/rule.h"

#include <string.h>

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

mm_class_t mm_rule_class(const mm_event_t *event)
{
    static const char robot[] = "robot";
    const mm_bytes_t *mark = &event->class_mark;

    if (mark->len == 0) {
        return MM_CLASS_REGULAR;
    }
    if (mark->len == sizeof(robot) - 1 && memcmp(mark->data, robot, mark->len) == 0) {
        return MM_CLASS_ROBOT;
    }
    return MM_CLASS_MACHINE;
}

mm_verdict_t mm_rule_judge(const mm_event_t *event, mm_class_t *class)
{
    *class = mm_rule_class(event);
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
