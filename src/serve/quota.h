/* How many reports run at once, in all children together: MetricsMaxReports. */
#ifndef MM_QUOTA_H
#define MM_QUOTA_H

#include "httpd.h"
#include "base/err.h"

/* In httpd's parent, before it forks: room for max reports, until pconf ends. */
apr_status_t mm_quota_share(int max, apr_pool_t *pconf, mm_err_t *err);

/* Takes one of the places for a report, until the request has ended altogether: the last byte sent, its connection to
 * the database closed. 0: all are taken. */
int mm_quota_take(request_rec *r);

#endif
