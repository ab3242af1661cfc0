/* What counts: from one event to a verdict. A pure function; counting itself is count.h.
 */
#ifndef MM_RULE_H
#define MM_RULE_H

#include "count/class.h"
#include "count/policy.h"
#include "event/event.h"

/* What became of an event, and why. Status pages hold their numbers: new ones come last. */
typedef enum mm_verdict {
    MM_COUNTED = 0,
    MM_IGNORED_METHOD,       /* only GET is a use */
    MM_IGNORED_STATUS,       /* only 200, 304 and some 206 are */
    MM_IGNORED_ROBOT,        /* marked "robot", or on the list of robots */
    MM_IGNORED_KEY,          /* what stood for the id leads to no resource (via= of MetricsView and MetricsDownload) */
    MM_IGNORED_RANGE,        /* a 206 that does not begin at the first byte */
    MM_IGNORED_INCOMPLETE,   /* a download that the client broke off */
    MM_IGNORED_DOUBLE_CLICK, /* not by rule.c: another click of the same user stands for it (window.h) */
    MM_VERDICTS
} mm_verdict_t;

/* A short name for logs and status, e.g. "counted". */
const char *mm_verdict_name(mm_verdict_t verdict);

/* Judges an event that has passed mm_event_check. *class is set whatever the verdict. */
mm_verdict_t mm_rule_judge(const mm_event_t *event, const mm_policy_t *policy, mm_class_t *class);

#endif
