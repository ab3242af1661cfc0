/* Resources that nobody ever used: those of the catalogue that have no use. Part of the room report; others use
 * report.h.
 */
#ifndef MM_UNUSED_H
#define MM_UNUSED_H

#include "report/report.h"
#include "store/uses.h"

typedef struct mm_unused mm_unused_t;

/* Of the type and the ids of query, and in its direction; made before query's unused_since_ms. query must live as long
 * as what is opened, which is pool's. */
apr_status_t mm_unused_open(mm_unused_t **unused, const mm_report_t *report, const mm_uses_query_t *query,
                            apr_pool_t *pool, mm_err_t *err);

/* At most MM_REPORT_BATCH rows without counts and times, *n of them, which may be 0 before the end. Whether they may be
 * seen was not asked. All memory is pool's. */
apr_status_t mm_unused_next(mm_unused_t *unused, mm_use_t *rows, size_t *n, bool *ended, apr_pool_t *pool,
                            mm_err_t *err);

#endif
