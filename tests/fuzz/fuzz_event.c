/* Bytes as one event and as a pack of events: whatever is read must pass the check and come back the same when it is
 * written again.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "event/event.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void assert_bytes(const mm_bytes_t *a, const mm_bytes_t *b)
{
    assert(a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0));
}

static void assert_round_trip(const mm_event_t *event)
{
    uint8_t buf[MM_EVENT_ENCODED_MAX];
    mm_event_t back;
    mm_err_t err;
    size_t len;

    assert(mm_event_check(event, &err) == APR_SUCCESS);
    len = mm_event_encode(event, buf);
    assert(len <= sizeof(buf) && mm_event_packed_size(event) == len + 2);
    assert(mm_event_decode(&back, buf, len, &err) == APR_SUCCESS);
    assert(event->action == back.action && event->source == back.source && event->method == back.method);
    assert(event->status == back.status && event->flags == back.flags && event->time_us == back.time_us);
    assert(event->range_start == back.range_start && event->bytes_out == back.bytes_out);
    assert_bytes(&event->type, &back.type);
    assert_bytes(&event->id, &back.id);
    assert_bytes(&event->user, &back.user);
    assert_bytes(&event->session, &back.session);
    assert_bytes(&event->address, &back.address);
    assert_bytes(&event->agent, &back.agent);
    assert_bytes(&event->class_mark, &back.class_mark);
    assert_bytes(&event->via, &back.via);
    assert_bytes(&event->identity, &back.identity);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    mm_event_t event;
    mm_err_t err;
    const uint8_t *rest = data;
    size_t len = size;

    if (mm_event_decode(&event, data, size, &err) == APR_SUCCESS) {
        assert_round_trip(&event);
    }
    for (;;) {
        const uint8_t *before = rest;
        size_t len_before = len;
        apr_status_t status = mm_event_unpack(&event, &rest, &len, &err);

        if (status == APR_EOF || status == APR_EINVAL) {
            assert(status == APR_EINVAL || len == 0);
            assert(rest == before && len == len_before);
            return 0;
        }
        assert(status == APR_SUCCESS || status == APR_EGENERAL);
        assert(rest >= before + 2 && len_before - len == (size_t)(rest - before));
        if (status == APR_SUCCESS) {
            assert_round_trip(&event);
        }
    }
}
