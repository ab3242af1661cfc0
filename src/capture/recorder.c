/* The one recorder of a child process. Appending is a write to a local file on the thread that asks, so there is no
 * queue to bound and no thread to stop. The static below is set once, before any request, and cleared when httpd reads
 * its configuration again; counters in it are atomic.
 */
#include "capture/recorder.h"
#include "capture/capture.h"

#include "http_log.h"
#include "spool/frame.h"
#include "spool/spool_writer.h"

APLOG_USE_MODULE(metrics);

#define COMPLAIN_EVERY_US (INT64_C(60) * 1000000)

typedef struct recorder {
    mm_spool_writer_t *writer;
    int64_t complained_us; /* when a failure was logged last; 0: never */
    int64_t silent;        /* failures since then */
} recorder_t;

static recorder_t *recorder;

void mm_recorder_reset(void)
{
    recorder = NULL;
}

void mm_recorder_child_init(apr_pool_t *pchild, server_rec *s)
{
    const mm_config_t *config = mm_config_get(s);
    if (!config->spool_dir) {
        return;
    }
    mm_err_t err;
    recorder_t *made = apr_pcalloc(pchild, sizeof(*made));
    if (mm_spool_writer_create(&made->writer, config->spool_dir, MM_SPOOL_SEGMENT_MAX, pchild, &err) != APR_SUCCESS) {
        ap_log_error(APLOG_MARK, APLOG_ERR, err.status, s, "MM0401: nothing is recorded: %s", err.text);
        return;
    }
    recorder = made;
}

/* Logs the first failure, then at most one a minute with the number of those between. */
static void complain(server_rec *s, const mm_err_t *err, size_t events)
{
    int64_t now = apr_time_now();
    int64_t last = __atomic_load_n(&recorder->complained_us, __ATOMIC_RELAXED);
    int64_t lost = __atomic_add_fetch(&recorder->silent, (int64_t)events, __ATOMIC_RELAXED);
    if ((last != 0 && now - last < COMPLAIN_EVERY_US) ||
        !__atomic_compare_exchange_n(&recorder->complained_us, &last, now, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
        return;
    }
    __atomic_sub_fetch(&recorder->silent, lost, __ATOMIC_RELAXED);
    ap_log_error(APLOG_MARK, APLOG_ERR, 0, s, "MM0402: %" APR_INT64_T_FMT " event(s) could not be recorded: %s", lost,
                 err->text);
}

static apr_status_t append_one(const mm_event_t *event, mm_err_t *err)
{
    uint8_t buf[MM_FRAME_HEADER + 2 + MM_EVENT_ENCODED_MAX];
    size_t len = mm_event_pack(event, buf + MM_FRAME_HEADER);
    return mm_spool_append(recorder->writer, buf, len, err);
}

static apr_status_t append_many(const mm_event_t *events, size_t n, apr_pool_t *pool, mm_err_t *err)
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
    return mm_spool_append(recorder->writer, buf, len, err);
}

apr_status_t mm_recorder_record(server_rec *s, const mm_event_t *events, size_t n, apr_pool_t *pool, mm_err_t *err)
{
    if (!recorder) {
        return mm_err_set(err, APR_ENOTIMPL, "no spool is in use");
    }
    for (size_t i = 0; i < n; i++) {
        apr_status_t rv = mm_event_check(&events[i], err);
        if (rv != APR_SUCCESS) {
            return rv;
        }
    }
    if (n == 0) {
        return APR_SUCCESS;
    }
    mm_err_t local;
    apr_status_t rv = n == 1 ? append_one(&events[0], &local) : append_many(events, n, pool, &local);
    if (rv != APR_SUCCESS) {
        if (rv != APR_EINVAL) {
            complain(s, &local, n);
        }
        return mm_err_set(err, rv, "%s", local.text);
    }
    return APR_SUCCESS;
}

apr_status_t mm_recorder_record_for_module(request_rec *r, const char *type, const char *id, const char *action,
                                           const char *user)
{
    mm_event_t event = {0};
    if (!type || !id || !action || !mm_config_type(mm_config_get(r->server), type) ||
        !mm_action_parse(&event.action, action, strlen(action))) {
        return APR_EINVAL;
    }
    mm_capture_describe(&event, r);
    event.source = MM_SOURCE_POST;
    event.method = MM_METHOD_GET;
    event.status = HTTP_OK;
    event.flags = 0;
    event.range_start = MM_RANGE_NONE;
    event.type = mm_bytes_of(type);
    event.id = mm_bytes_of(id);
    event.user = mm_bytes_of(user);
    return mm_recorder_record(r->server, &event, 1, r->pool, NULL);
}
