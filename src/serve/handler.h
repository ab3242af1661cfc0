/* The content handler "metrics": dispatch to recording and reports. */
#ifndef MM_HANDLER_H
#define MM_HANDLER_H

#include "httpd.h"

/* The most that a POST to /events may carry; more is 413. */
#define MM_EVENTS_BODY_MAX (1024 * 1024)

/* For the child_init hook, after which reports can be served. */
void mm_handler_child_init(server_rec *s);

int mm_handler(request_rec *r);

#endif
