/* From marks and agent strings to a class.
 *
 * A missing User-Agent is a script's: browsers always send one, and counter-processor of Make Data Count decides so,
 * too. Who records by POST need not tell the agent, and mostly stands for a person. The lists' own cache remembers
 * (src/agents); otherwise nothing here has a state.
 */
#include "count/class.h"

#include <string.h>

static bool is(const mm_bytes_t *bytes, const char *text)
{
    return bytes->len == strlen(text) && memcmp(bytes->data, text, bytes->len) == 0;
}

static mm_class_t class_of_agent(const mm_bytes_t *agent, mm_agents_t *agents)
{
    switch (agents ? mm_agents_look_up(agents, agent->data, agent->len) : MM_AGENT_UNLISTED) {
    case MM_AGENT_ROBOT:
        return MM_CLASS_ROBOT;
    case MM_AGENT_MACHINE:
        return MM_CLASS_MACHINE;
    default:
        return MM_CLASS_REGULAR;
    }
}

mm_class_t mm_class_of(const mm_event_t *event, const mm_policy_t *policy)
{
    const mm_bytes_t *mark = &event->class_mark;

    if (mark->len == 0) {
        if (event->agent.len == 0) {
            return event->source == MM_SOURCE_POST ? MM_CLASS_REGULAR : MM_CLASS_MACHINE;
        }
        return class_of_agent(&event->agent, policy->agents);
    }
    if (is(mark, "regular")) {
        return MM_CLASS_REGULAR;
    }
    return is(mark, "robot") ? MM_CLASS_ROBOT : MM_CLASS_MACHINE;
}

const char *mm_class_name(mm_class_t class)
{
    static const char *const names[] = {"regular", "machine", "robot"};

    return (unsigned)class < sizeof(names) / sizeof(names[0]) ? names[class] : "unknown";
}
