/* The content handler "metrics": dispatch to recording and reports. */
#ifndef MM_HANDLER_H
#define MM_HANDLER_H

#include "httpd.h"

/* For the child_init hook, after which reports can be served. */
/* In httpd's parent: OK, or what the post_config hook must return, and it is logged. */
int mm_handler_post_config(apr_pool_t *pconf, server_rec *s);

void mm_handler_child_init(server_rec *s);

int mm_handler(request_rec *r);

#endif
