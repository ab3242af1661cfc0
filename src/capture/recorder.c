/* The one recorder of a child process. Appending is a copy into, or a write to, a local file on the thread that asks,
 * so there is no queue to bound and no thread to stop. The static below is set once, before any request, and cleared
 * when httpd reads its configuration again; counters in it are atomic.
 */
#include "capture/recorder.h"

#include <errno.h>
#include <stdatomic.h>

#include "base/hot.h"
#include "base/throttle.h"
#include "http_log.h"
#include "spool/frame.h"
#include "spool/spool_writer.h"
#include "status/status.h"

APLOG_USE_MODULE(metrics);

typedef struct recorder {
    mm_spool_writer_t *writer;
    _Atomic(mm_status_page_t *) status;
    atomic_llong trusted;      /* second of an event's time in which status was last looked at */
    int64_t max;               /* bytes that may wait; INT64_MAX: no limit */
    mm_throttle_t failures[3]; /* full, no room, error */
} recorder_t;

static recorder_t *recorder;

void mm_recorder_reset(void)
{
    recorder = NULL;
}

/* What waits is on the disk until the whole of its segment is counted, so segments must be small beside the limit. */
static int64_t segment_max(const mm_config_t *config)
{
    int64_t part = config->spool_max / 8;
    return part > 0 && part < MM_SPOOL_SEGMENT_MAX ? part : MM_SPOOL_SEGMENT_MAX;
}

/* Somebody must lower what we raise: the drainer, through the file or, where it is httpd's, through the memory that
 * takes its place. Without that the limit would be reached once and for all. */
static int64_t limit_of(const mm_config_t *config, const mm_status_page_t *status)
{
    return config->spool_max > 0 && (config->drainer || mm_status_is_file(status)) ? config->spool_max : INT64_MAX;
}

void mm_recorder_child_init(server_rec *s)
{
    const mm_config_t *config = mm_config_get(s);
    if (!config->spool_dir) {
        return;
    }
    mm_err_t err;
    /* A pool that nobody destroys: httpd may end pchild while worker threads still log their last requests. */
    apr_pool_t *pool = NULL;
    if (apr_pool_create_unmanaged_ex(&pool, NULL, NULL) != APR_SUCCESS) {
        return;
    }
    recorder_t *made = apr_pcalloc(pool, sizeof(*made));
    if (mm_spool_writer_create(&made->writer, config->spool_dir, segment_max(config), config->spool_sync, pool, &err) !=
        APR_SUCCESS) {
        ap_log_error(APLOG_MARK, APLOG_ERR, err.status, s, "MM0401: nothing is recorded: %s", err.text);
        return;
    }
    mm_status_page_t *status = NULL;
    if (mm_status_open(&status, config->spool_dir, &err) != APR_SUCCESS) {
        ap_log_error(APLOG_MARK, APLOG_INFO, 0, s, "MM0406: this child counts what it does elsewhere: %s", err.text);
    }
    atomic_init(&made->status, status);
    atomic_init(&made->trusted, 0);
    made->max = limit_of(config, status);
    if (made->max == INT64_MAX && config->spool_max > 0) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, s,
                     "MM0407: max= of MetricsSpool is not heeded: with MetricsDrainer Off it needs counters that are "
                     "shared through the file " MM_STATUS_FILE " of the spool, and they are not");
    }
    recorder = made;
}

/* An event's time is as good as any clock to notice that a second has gone by, and costs nothing. */
static MM_HOT mm_status_page_t *trusted_status(int64_t time_us)
{
    mm_status_page_t *status = recorder->status;
    int64_t second = time_us / 1000000;
    if (atomic_load_explicit(&recorder->trusted, memory_order_relaxed) != second) {
        atomic_store_explicit(&recorder->trusted, second, memory_order_relaxed);
        recorder->status = status = mm_status_trust(status);
    }
    return status;
}

mm_status_page_t *mm_recorder_status(void)
{
    return recorder ? trusted_status(apr_time_now()) : NULL;
}

void mm_recorder_left_out(void)
{
    if (recorder) {
        mm_status_add(trusted_status(apr_time_now()), MM_STATUS_LEFT_OUT, 1);
    }
}

/* Each cause by itself: of a second one that joins the first the log must not be silent. */
static void complain(server_rec *s, const mm_err_t *err, mm_status_value_t fate, size_t events)
{
    static const char *const causes[] = {"the spool is at its limit", "no room on the disk", "failure"};
    int cause = fate == MM_STATUS_DROPPED_FULL ? 0 : fate == MM_STATUS_DROPPED_NO_ROOM ? 1 : 2;
    int64_t lost;

    if (mm_throttle_tell(&recorder->failures[cause], apr_time_now(), (int64_t)events, &lost)) {
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, s,
                     "MM0402: %" APR_INT64_T_FMT " event(s) could not be recorded (%s): %s", lost, causes[cause],
                     err->text);
    }
}

/* The bytes are taken out of the limit first, so that no number of threads and processes goes beyond it. */
static MM_HOT apr_status_t append(uint8_t *buf, size_t len, mm_status_page_t *status, mm_err_t *err)
{
    int64_t size = (int64_t)(MM_FRAME_HEADER + len);
    if (!mm_status_add_within(status, MM_STATUS_SPOOL_BYTES, size, recorder->max)) {
        return mm_err_set(err, MM_RECORDER_FULL,
                          "events of %" APR_INT64_T_FMT " bytes wait, and max= of MetricsSpool is %" APR_INT64_T_FMT
                          "; see why they are not counted, or raise it",
                          mm_status_get(status, MM_STATUS_SPOOL_BYTES), recorder->max);
    }
    apr_status_t rv = mm_spool_append(recorder->writer, buf, len, err);
    if (rv != APR_SUCCESS) {
        mm_status_add(status, MM_STATUS_SPOOL_BYTES, -size);
    }
    return rv;
}

/* The bytes are made in the pool, whose next ones httpd has in the processor's cache; room for the longest event on the
 * stack is pages of it that no other code of httpd touches. */
static MM_HOT apr_status_t append_all(const mm_event_t *events, size_t n, mm_status_page_t *status, apr_pool_t *pool,
                                      mm_err_t *err)
{
    size_t room = MM_FRAME_HEADER;
    for (size_t i = 0; i < n; i++) {
        room += mm_event_packed_size(&events[i]);
    }
    if (room - MM_FRAME_HEADER > MM_FRAME_PAYLOAD_MAX) {
        return mm_err_set(err, APR_EINVAL, "too many events at once; send fewer than %zu", n);
    }
    uint8_t *buf = apr_palloc(pool, room);
    size_t len = 0;
    for (size_t i = 0; i < n; i++) {
        len += mm_event_pack(&events[i], buf + MM_FRAME_HEADER + len);
    }
    return append(buf, len, status, err);
}

static apr_status_t check(const mm_event_t *events, size_t n, mm_err_t *err)
{
    for (size_t i = 0; i < n; i++) {
        apr_status_t rv = mm_event_check(&events[i], err);
        if (rv != APR_SUCCESS) {
            return rv;
        }
    }
    return APR_SUCCESS;
}

static MM_HOT mm_status_value_t fate_of(apr_status_t rv, const mm_event_t *event)
{
    if (rv == APR_SUCCESS) {
        return event->source == MM_SOURCE_REQUEST ? MM_STATUS_RECORDED_REQUEST : MM_STATUS_RECORDED_REPORTED;
    }
    if (rv == APR_EINVAL) {
        return MM_STATUS_DROPPED_INVALID;
    }
    if (rv == MM_RECORDER_FULL) {
        return MM_STATUS_DROPPED_FULL;
    }
    return rv == ENOSPC || rv == EDQUOT ? MM_STATUS_DROPPED_NO_ROOM : MM_STATUS_DROPPED_ERROR;
}

MM_HOT void mm_recorder_expect(void)
{
    if (recorder) {
        mm_spool_expect(recorder->writer);
    }
}

MM_HOT apr_status_t mm_recorder_append(server_rec *s, const mm_event_t *events, size_t n, apr_pool_t *pool,
                                       mm_err_t *err)
{
    if (!recorder) {
        return mm_err_set(err, APR_ENOTIMPL, "no spool is in use");
    }
    if (n == 0) {
        return APR_SUCCESS;
    }
    mm_status_page_t *status = trusted_status(events[0].time_us);
    apr_status_t rv = append_all(events, n, status, pool, err);
    mm_status_value_t fate = fate_of(rv, &events[0]);
    mm_status_add(status, fate, (int64_t)n);
    if (rv != APR_SUCCESS && rv != APR_EINVAL) {
        complain(s, err, fate, n);
    }
    return rv;
}

apr_status_t mm_recorder_record(server_rec *s, const mm_event_t *events, size_t n, apr_pool_t *pool, mm_err_t *err)
{
    apr_status_t rv = recorder ? check(events, n, err) : APR_SUCCESS;
    if (rv == APR_SUCCESS) {
        return mm_recorder_append(s, events, n, pool, err);
    }
    mm_status_add(trusted_status(events[0].time_us), MM_STATUS_DROPPED_INVALID, (int64_t)n);
    return rv;
}
