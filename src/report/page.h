/* One batch of a report: the rows that may be seen, with their names and those parents that may be seen. Part of the
 * room report; others use report.h.
 */
#ifndef MM_PAGE_H
#define MM_PAGE_H

#include "report/report.h"

typedef struct mm_page {
    const char *type;
    size_t fetched;                 /* rows that came from the store; 0: there are no more */
    size_t n;                       /* of them, those to write */
    const mm_totals_row_t **totals; /* n */
    mm_entry_t *entries;            /* n; their parents are filtered */
    size_t most_parents;            /* of one entry */
} mm_page_t;

/* What is left of offset and limit. */
typedef struct mm_window {
    int64_t skip;
    int64_t left; /* -1: no limit */
} mm_window_t;

/* Takes the next batch from the cursor and moves the window over it. Everything is pool's. */
apr_status_t mm_page_fetch(mm_page_t *page, const mm_report_t *report, const char *type, mm_totals_t *cursor,
                           mm_window_t *window, apr_pool_t *pool, mm_err_t *err);

#endif
