/* The content handler "metrics": dispatch to recording and reports. */
#ifndef MM_HANDLER_H
#define MM_HANDLER_H

#include "httpd.h"

/* For the child_init hook, after which reports can be served. */
void mm_handler_child_init(server_rec *s);

int mm_handler(request_rec *r);

#endif
