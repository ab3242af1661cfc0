/* A finished request becomes an event, if a rule says that it is a use of a resource. */
#ifndef MM_CAPTURE_H
#define MM_CAPTURE_H

#include "config/config.h"
#include "event/event.h"

/* The log_transaction hook. r is the first request of a chain of internal redirects: identity and rules come from it,
 * the outcome from the last. Always DECLINED. */
int mm_capture_log_transaction(request_rec *r);

/* Fills in what a request tells of itself: time, method, status, address, agent, user (by MetricsUser), marks (by
 * MetricsAgent), range, bytes, flags; source is REQUEST. action, type, id and via it does not know: they are 0 and
 * absent. Strings live in r->pool. A user or agent beyond its limit: the user is left out, the agent cut. */
void mm_capture_describe(mm_event_t *event, request_rec *r);

/* The same for a use that the request reports but is not itself: a POST, or another module's word for it. Method,
 * status and transfer are then those of a successful GET. */
void mm_capture_describe_reported(mm_event_t *event, request_rec *r);

/* Whether MetricsIgnore says that this request leaves no trace. A failing expression says so, too. */
int mm_capture_is_ignored(request_rec *r);

/* The optional function of mod_metrics.h. */
apr_status_t mm_capture_record(request_rec *r, const char *type, const char *id, const char *action, const char *user);

#endif
