/* Asking the site itself: a request through httpd, as if the requester had sent it. */
#ifndef MM_AUTHZ_APPLICATION_H
#define MM_AUTHZ_APPLICATION_H

#include "httpd.h"

/* For register_hooks. */
void mm_application_register(void);

/* Sends a request of this method (GET or HEAD) for a path of this site, with the requester's own headers but those that
 * are about the report alone. What it answers is thrown away but for its status. httpd's access control, rewriting,
 * proxying and all handlers apply; time-outs are theirs. */
int mm_application_status(request_rec *r, const char *method, const char *uri);

/* The same as GET; *value is one of the answer's headers, in r->pool, or NULL. */
int mm_application_header(request_rec *r, const char *uri, const char *header, const char **value);

#endif
