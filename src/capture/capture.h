/* A finished request becomes an event, if a rule says that it is a use of a resource. */
#ifndef MM_CAPTURE_H
#define MM_CAPTURE_H

#include "config/config.h"
#include "event/event.h"

/* The log_transaction hook. r is the first request of a chain of internal redirects: identity and rules come from it,
 * the outcome from the last. Always DECLINED. */
int mm_capture_log_transaction(request_rec *r);

/* Fills in what a request tells of itself: time, method, status, address, agent, user (by MetricsUser), marks (by
 * MetricsAgent), range, bytes, flags. type, id and action are left alone; source is REQUEST. Strings live in r->pool. A
 * user or agent beyond its limit: the user is left out, the agent cut. */
void mm_capture_describe(mm_event_t *event, request_rec *r);

#endif
