/* The counters as JSON, as OpenMetrics, and for people. Nothing here names an id, a user, a path or a database. */
#ifndef MM_STATUS_SHOW_H
#define MM_STATUS_SHOW_H

#include <apr_pools.h>
#include "status/status.h"

#define MM_STATUS_OPENMETRICS_TYPE "application/openmetrics-text; version=1.0.0; charset=utf-8"

/* What is shown: a page at one moment, and what only the directory tells. */
typedef struct mm_status_view {
    mm_status_page_t page;
    int64_t now_us;
    int running; /* a drainer holds the spool: 1, 0, or -1 where that cannot be told */
    bool whole;  /* the page is the spool's, not one httpd's */
} mm_status_view_t;

/* A view of the spool DIR with the values of page, now. */
void mm_status_look(mm_status_view_t *view, const char *dir, const mm_status_page_t *page);

/* Each is a whole document, with a line end. */
const char *mm_status_json(const mm_status_view_t *view, apr_pool_t *pool);
const char *mm_status_openmetrics(const mm_status_view_t *view, apr_pool_t *pool);
const char *mm_status_text(const mm_status_view_t *view, apr_pool_t *pool);

#endif
