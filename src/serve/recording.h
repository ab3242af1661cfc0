/* POST: events that no request to the site shows. */
#ifndef MM_RECORDING_H
#define MM_RECORDING_H

#include "httpd.h"
#include "route/route.h"

/* POST /TYPE/ID/views and …/downloads: one event, told by the request itself (time, user, address, agent). */
int mm_recording_one(request_rec *r, const mm_route_t *route);

/* POST /events: NDJSON, all lines or none. */
int mm_recording_events(request_rec *r);

#endif
