/* One batch of a report: the rows that may be seen, with their names and those parents that may be seen. Part of the
 * room report; others use report.h.
 */
#ifndef MM_PAGE_H
#define MM_PAGE_H

#include "report/days.h"
#include "report/report.h"
#include "report/rows.h"
#include "report/second.h"
#include "report/writer.h"

typedef struct mm_page_row {
    const mm_use_t *use;
    const char *type, *month;           /* of reports by day only; else NULL */
    mm_entry_t entry;                   /* its parents are filtered, and its owner is one who may be seen, or "" */
    const char *user_name, *owner_name; /* "" where they are not known */
    const mm_cell_t *ancestors;         /* one for each of the route's; of ancestors.c */
} mm_page_row_t;

typedef struct mm_page {
    const char *type;
    bool ended; /* the type has no more rows */
    size_t n;
    mm_page_row_t *rows;
    size_t most_parents; /* of one row */
} mm_page_t;

/* What is left of offset and limit. */
typedef struct mm_window {
    int64_t skip;
    int64_t left; /* -1: no limit */
} mm_window_t;

/* Takes the next batch of rows of a type and moves the window over it. Everything is pool's. */
apr_status_t mm_page_fetch(mm_page_t *page, const mm_report_t *report, const char *type, mm_rows_t *rows,
                           mm_window_t *window, apr_pool_t *pool, mm_err_t *err);

#define MM_PAGES_MAX 2

/* The same for two batches, which are looked up at the same time: *n of them, fewer only where the rows or the window
 * end. The first may be `ended`, the second is not. Some of it lasts only until mm_second_clear. */
apr_status_t mm_page_fetch_two(mm_page_t pages[MM_PAGES_MAX], size_t *n, const mm_report_t *report, mm_second_t *second,
                               const char *type, mm_rows_t *rows, mm_window_t *window, apr_pool_t *pool, mm_err_t *err);

/* The same of a report by day. */
apr_status_t mm_page_fetch_days(mm_page_t *page, mm_days_t *days, mm_window_t *window, apr_pool_t *pool, mm_err_t *err);

#endif
