/* The days of one type, added up over those resources that may be seen, in their order. Part of the room report; others
 * use report.h.
 */
#ifndef MM_DAY_STREAM_H
#define MM_DAY_STREAM_H

#include "report/report.h"
#include "store/uses.h"

/* MongoDB forgets a cursor that nobody reads for ten minutes, and a stream may wait for another for hours. One that was
 * not read for so long is opened anew where it was. */
#define MM_DAY_STREAM_IDLE_US (INT64_C(5) * 60 * 1000 * 1000)

typedef struct mm_day_stream mm_day_stream_t;

/* What it holds is pool's; its end closes the cursor. type must live as long. May ask the gate. */
apr_status_t mm_day_stream_open(mm_day_stream_t **stream, const mm_report_t *report, const char *type, int64_t idle_us,
                                apr_pool_t *pool, mm_err_t *err);

/* Goes on with the row that comes next, reading a batch if *may_read, which is false then. *whole: nothing more will be
 * added to it. */
apr_status_t mm_day_stream_advance(mm_day_stream_t *stream, bool *may_read, bool *whole, mm_err_t *err);

/* That row, whole or not: its counters, and the day or month that it begins with. NULL: there is none so far, and where
 * that is whole, no more. */
const mm_use_t *mm_day_stream_row(const mm_day_stream_t *stream);
const char *mm_day_stream_type(const mm_day_stream_t *stream);
/* Takes it away: the row behind it comes next. */
void mm_day_stream_take(mm_day_stream_t *stream);

#endif
