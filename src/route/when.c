/* What is short of an RFC 3339 date-time is made one. */
#include "route/when.h"

#include <stdio.h>
#include <string.h>

#include "event/event_json.h"

#define LEN_DATE   10 /* 2026-01-31 */
#define LEN_MINUTE 16 /* 2026-01-31T12:00 */
#define LEN_MAX    64

bool mm_when_parse(int64_t *ms, const char *text)
{
    size_t len = strnlen(text, LEN_MAX);
    char whole[LEN_MAX + 16];
    int64_t us;

    if (len == LEN_MAX || (len != LEN_DATE && len < LEN_MINUTE)) {
        return false;
    }
    const char *rest = len == LEN_DATE ? "" : text + LEN_MINUTE;
    const char *time = len == LEN_DATE ? "T00:00:00" : strchr("Zz+-", *rest) ? ":00" : ""; /* also where rest is "" */
    int n = snprintf(whole, sizeof(whole), "%.*s%s%s%s", len == LEN_DATE ? LEN_DATE : LEN_MINUTE, text, time, rest,
                     strpbrk(rest, "Zz+-") ? "" : "Z");
    if (mm_time_from_rfc3339(&us, whole, (size_t)n) != APR_SUCCESS) {
        return false;
    }
    *ms = us / 1000 - (us % 1000 < 0 ? 1 : 0);
    return true;
}
