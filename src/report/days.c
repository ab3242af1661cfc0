/* One stream for each type, each in the order of days, and the rows of all of them merged. */
#include "report/days.h"

#include <apr_strings.h>

#include "report/day_stream.h"
#include "report/out.h"

#define MONTH_TEXT 7 /* YYYY-MM */

struct mm_days {
    const mm_report_t *report;
    mm_day_stream_t **streams;
    bool *may_read; /* a batch of each, in this call of mm_days_next */
    size_t n;
};

apr_status_t mm_days_open_idle(mm_days_t **days, const mm_report_t *report, const char *const *types, size_t n_types,
                               int64_t idle_us, apr_pool_t *pool, mm_err_t *err)
{
    mm_days_t *opened = apr_pcalloc(pool, sizeof(*opened));
    apr_status_t rv = APR_SUCCESS;

    opened->report = report;
    opened->streams = apr_pcalloc(pool, (n_types + 1) * sizeof(*opened->streams));
    opened->may_read = apr_pcalloc(pool, (n_types + 1) * sizeof(*opened->may_read));
    for (; opened->n < n_types && rv == APR_SUCCESS; opened->n++) {
        rv = mm_day_stream_open(&opened->streams[opened->n], report, types[opened->n], idle_us, pool, err);
    }
    *days = opened;
    return rv;
}

apr_status_t mm_days_open(mm_days_t **days, const mm_report_t *report, const char *const *types, size_t n_types,
                          apr_pool_t *pool, mm_err_t *err)
{
    return mm_days_open_idle(days, report, types, n_types, MM_DAY_STREAM_IDLE_US, pool, err);
}

/* Goes on with the next row of each stream. *whole: all of them are. */
static apr_status_t advance(mm_days_t *days, bool *whole, mm_err_t *err)
{
    apr_status_t rv = APR_SUCCESS;

    *whole = true;
    for (size_t i = 0; i < days->n && rv == APR_SUCCESS; i++) {
        bool one = false;

        rv = mm_day_stream_advance(days->streams[i], &days->may_read[i], &one, err);
        *whole = *whole && one;
    }
    return rv;
}

/* The one whose row is due; NULL at the end. */
static mm_day_stream_t *first_of(const mm_days_t *days)
{
    bool backwards = mm_route_is_backwards(days->report->route);
    mm_day_stream_t *first = NULL;
    int64_t first_ms = 0;

    for (size_t i = 0; i < days->n; i++) {
        const mm_use_t *row = mm_day_stream_row(days->streams[i]);

        if (row && (!first || (backwards ? row->day_ms > first_ms : row->day_ms < first_ms))) {
            first = days->streams[i];
            first_ms = row->day_ms;
        }
    }
    return first;
}

static const char *month_text(const mm_report_t *report, int64_t ms, apr_pool_t *pool)
{
    char text[MM_TIME_TEXT];

    return report->route->per == MM_PER_MONTH && mm_time_text(text, ms, ' ') ? apr_pstrndup(pool, text, MONTH_TEXT)
                                                                             : NULL;
}

apr_status_t mm_days_next(mm_days_t *days, mm_day_t **rows, size_t *n, bool *ended, apr_pool_t *pool, mm_err_t *err)
{
    mm_day_stream_t *stream;
    bool whole;

    *rows = apr_palloc(pool, MM_REPORT_BATCH * sizeof(**rows));
    *n = 0;
    for (size_t i = 0; i < days->n; i++) {
        days->may_read[i] = true;
    }
    apr_status_t rv = advance(days, &whole, err);
    while (rv == APR_SUCCESS && whole && *n < MM_REPORT_BATCH && (stream = first_of(days))) {
        const mm_use_t *row = mm_day_stream_row(stream);

        (*rows)[(*n)++] = (mm_day_t){
            .use = *row, .type = mm_day_stream_type(stream), .month = month_text(days->report, row->day_ms, pool)};
        mm_day_stream_take(stream);
        rv = advance(days, &whole, err);
    }
    *ended = rv == APR_SUCCESS && whole && *n == 0;
    return rv;
}
