/* Rows of days or months, added up over those resources that may be seen. Part of the room report; others use report.h.
 */
#ifndef MM_DAYS_H
#define MM_DAYS_H

#include "report/report.h"
#include "store/uses.h"

typedef struct mm_day {
    mm_use_t use;      /* its counters and its day; of a month, the first */
    const char *type;  /* one of the report's */
    const char *month; /* YYYY-MM, of a month; else NULL */
} mm_day_t;

typedef struct mm_days mm_days_t;

/* Of n_types types, which must live as long. What it holds is pool's; its end closes the cursors. May ask the gate. */
apr_status_t mm_days_open(mm_days_t **days, const mm_report_t *report, const char *const *types, size_t n_types,
                          apr_pool_t *pool, mm_err_t *err);

/* The same with another time than MM_DAY_STREAM_IDLE_US, after which an idle cursor is opened anew. */
apr_status_t mm_days_open_idle(mm_days_t **days, const mm_report_t *report, const char *const *types, size_t n_types,
                               int64_t idle_us, apr_pool_t *pool, mm_err_t *err);

/* At most MM_REPORT_BATCH rows, by day, and of a day by the order of types; *ended: there are no more, and none here. A
 * day without uses has no row. Reads a batch of each type at most, so *n may be 0 before the end: whoever waits for a
 * sum over many resources can be looked after meanwhile. All memory is pool's. */
apr_status_t mm_days_next(mm_days_t *days, mm_day_t **rows, size_t *n, bool *ended, apr_pool_t *pool, mm_err_t *err);

#endif
