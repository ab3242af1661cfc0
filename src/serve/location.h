/* Where the handler lives in the URL space. */
#ifndef MM_LOCATION_H
#define MM_LOCATION_H

#include "httpd.h"

/* The part of the decoded path that lies below the <Location> with `SetHandler metrics`: "" for the Location itself,
 * "/datasets", …. NULL when no such section with a plain path covers the request (SetHandler in a <Directory> or a
 * <LocationMatch>). */
const char *mm_location_rest(request_rec *r);

#endif
