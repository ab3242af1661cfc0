/* Bytes as a line of NDJSON, and as a time: what is taken keeps to the limits, is UTF-8, is not from the future, and a
 * time can be written and read again.
 */
#include "fuzz.h"

#include <assert.h>
#include <stdio.h>
#include <time.h>

#include "base/text.h"
#include "event/event_json.h"

/* 2026-01-31T12:00:00Z */
#define NOW (INT64_C(1769860800) * 1000000)

static void assert_text(const mm_bytes_t *bytes)
{
    assert(mm_text_is_utf8(bytes->data, bytes->len));
    assert(bytes->len == 0 || memchr(bytes->data, '\0', bytes->len) == NULL);
}

static void as_line(const char *line, size_t len)
{
    apr_pool_t *pool;
    mm_event_t event;
    mm_err_t err = {.text = ""};

    pool = fuzz_subpool();
    if (mm_event_from_json(&event, line, len, NOW, pool, &err) == APR_SUCCESS) {
        assert(mm_event_check(&event, &err) == APR_SUCCESS);
        assert(event.time_us >= 0 && event.time_us <= NOW + MM_EVENT_FUTURE_SLACK_US);
        assert(event.source == MM_SOURCE_POST && event.method == MM_METHOD_GET && event.status == 200);
        assert_text(&event.type);
        assert_text(&event.id);
        assert_text(&event.user);
        assert_text(&event.session);
        assert_text(&event.address);
        assert_text(&event.agent);
        assert_text(&event.class_mark);
    }
    else {
        /* It goes into an answer. */
        assert(err.text[0] != '\0' && mm_text_is_utf8(err.text, strlen(err.text)));
    }
    apr_pool_destroy(pool);
}

static void as_time(const char *text, size_t len)
{
    int64_t us, again;
    time_t seconds;
    struct tm tm;
    char back[64];

    if (mm_time_from_rfc3339(&us, text, len) != APR_SUCCESS) {
        return;
    }
    seconds = (time_t)((us - (us % 1000000 + 1000000) % 1000000) / 1000000);
    assert(gmtime_r(&seconds, &tm) != NULL);
    if (tm.tm_year + 1900 < 0 || tm.tm_year + 1900 > 9999) {
        return; /* an offset carried it out of the years that can be written */
    }
    snprintf(back, sizeof(back), "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
             tm.tm_hour, tm.tm_min, tm.tm_sec, (int)((us % 1000000 + 1000000) % 1000000));
    assert(mm_time_from_rfc3339(&again, back, strlen(back)) == APR_SUCCESS && again == us);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    as_line((const char *)data, size);
    as_time((const char *)data, size);
    return 0;
}
