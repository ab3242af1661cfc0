/* Putting events into the spool from an httpd child: the one recorder of the process, used by capture, by POST, and by
 * other modules.
 *
 * A failure to record never reaches a visitor. It is logged, the first time and then at most once a minute with a
 * count.
 */
#ifndef MM_RECORDER_H
#define MM_RECORDER_H

#include "config/config.h"
#include "event/event.h"
#include "status/status.h"

/* MetricsSpool's max= is reached. */
#define MM_RECORDER_FULL (APR_OS_START_USERERR + 201)

/* For the child_init hook. Without MetricsSpool, and when the spool cannot be used, recording answers APR_ENOTIMPL from
 * then on. */
void mm_recorder_child_init(server_rec *s);

/* For the pre_config hook. */
void mm_recorder_reset(void);

/* Says that mm_recorder_record will be called soon; see mm_spool_expect. Any thread. */
void mm_recorder_expect(void);

/* Checks and appends n events as one unit: all of them are in the spool when this returns APR_SUCCESS, none of them
 * otherwise. Logs a failure of the spool itself, MM_RECORDER_FULL included; APR_EINVAL (an event beyond the limits, err
 * says which) is for the caller. err is not NULL. Any thread. */
apr_status_t mm_recorder_record(server_rec *s, const mm_event_t *events, size_t n, apr_pool_t *pool, mm_err_t *err);

/* The same for events that are within the limits for sure (mm_event_check). */
apr_status_t mm_recorder_append(server_rec *s, const mm_event_t *events, size_t n, apr_pool_t *pool, mm_err_t *err);

/* An event that MetricsIgnore keeps out. Any thread. */
void mm_recorder_left_out(void);

/* What this child counts into; NULL without a spool. */
mm_status_page_t *mm_recorder_status(void);

#endif
