/* Which rows a report has: uses from the store, those that may be seen. Part of the room report; others use report.h.
 */
#ifndef MM_ROWS_H
#define MM_ROWS_H

#include "report/report.h"
#include "store/uses.h"

typedef struct mm_rows mm_rows_t;

/* The rows of one type. What it holds is pool's; its end closes the cursor. May ask the catalogue (for the children of
 * a resource) and the gate. */
apr_status_t mm_rows_open(mm_rows_t **rows, const mm_report_t *report, const char *type, apr_pool_t *pool,
                          mm_err_t *err);

/* A batch. At most 2 * MM_REPORT_BATCH rows. */
typedef struct mm_batch {
    mm_use_t *rows; /* those that may be seen; one without a user in a report of users is what is left of a resource */
    size_t n;
    bool ended; /* there are no more, and none here; otherwise another batch may have some, also when this one has none
                 */
} mm_batch_t;

/* All memory is pool's. */
apr_status_t mm_rows_next(mm_rows_t *rows, mm_batch_t *batch, apr_pool_t *pool, mm_err_t *err);

#endif
