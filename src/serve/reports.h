/* GET and HEAD of a report: permission, first rows, headers, body. */
#ifndef MM_REPORTS_H
#define MM_REPORTS_H

#include "httpd.h"
#include "route/route.h"
#include "serve/location.h"

int mm_reports_serve(request_rec *r, const mm_route_t *route, const mm_location_t *location);

#endif
