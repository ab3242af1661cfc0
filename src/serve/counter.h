/* GET and HEAD of /counter/…: COUNTER reports for those who harvest them. */
#ifndef MM_SERVE_COUNTER_H
#define MM_SERVE_COUNTER_H

#include "httpd.h"
#include "serve/location.h"

/* location->rest is one that mm_sushi_is_path takes. */
int mm_serve_counter(request_rec *r, const mm_location_t *location);

#endif
