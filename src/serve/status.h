/* GET and HEAD of /status: what the module has done, for scripts and for monitoring. */
#ifndef MM_SERVE_STATUS_H
#define MM_SERVE_STATUS_H

#include "httpd.h"
#include "route/route.h"
#include "serve/location.h"

int mm_serve_status(request_rec *r, const mm_route_t *route, const mm_location_t *location);

#endif
