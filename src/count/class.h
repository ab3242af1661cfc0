/* Who made a use: a person, a script or a crawler, as far as anybody can tell. */
#ifndef MM_CLASS_H
#define MM_CLASS_H

#include "count/policy.h"
#include "event/event.h"

typedef enum mm_class {
    MM_CLASS_REGULAR, /* a person with a browser */
    MM_CLASS_MACHINE, /* a script, or whatever else the administrator marked; counted and kept apart */
    MM_CLASS_ROBOT    /* a crawler; never counted */
} mm_class_t;

/* The administrator's mark decides ("regular", "robot"; any other is a machine), else the lists of agents, in the order
 * allowed, robots, machines; a request, or a line of an access log, without an agent is a machine's. */
mm_class_t mm_class_of(const mm_event_t *event, const mm_policy_t *policy);

/* "regular", "machine", "robot" */
const char *mm_class_name(mm_class_t class);

#endif
