/* Where the handler lives in the URL space. */
#ifndef MM_LOCATION_H
#define MM_LOCATION_H

#include "httpd.h"

typedef struct mm_location {
    const char *base; /* path of the <Location>, without a trailing slash: "/metrics" */
    const char *rest; /* what follows it in the decoded path: "", "/datasets", … */
} mm_location_t;

/* Finds the <Location> in which `SetHandler metrics` stands. The path is the one asked for, or, where a rewriting rule
 * has led here, the one it made. Returns 0 when no such section with a plain path covers it (SetHandler in a
 * <Directory>, a <LocationMatch> or an <If>). */
int mm_location_find(mm_location_t *location, request_rec *r);

#endif
