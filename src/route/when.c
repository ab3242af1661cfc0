/* What is short of an RFC 3339 date-time is made one. */
#include "route/when.h"

#include <stdio.h>
#include <string.h>

#include "event/event_json.h"

#define LEN_DATE   10 /* 2026-01-31 */
#define LEN_MINUTE 16 /* 2026-01-31T12:00 */
#define LEN_SECOND 19 /* 2026-01-31T12:00:00 */
#define LEN_MAX    64

bool mm_when_parse(int64_t *ms, const char *text)
{
    size_t len = strnlen(text, LEN_MAX);
    const char *missing = len == LEN_DATE ? "T00:00:00Z" : len == LEN_MINUTE ? ":00Z" : len == LEN_SECOND ? "Z" : "";
    char whole[LEN_MAX + 16];
    int64_t us;

    if (len == LEN_MAX) {
        return false;
    }
    int n = snprintf(whole, sizeof(whole), "%s%s", text, missing);
    if (mm_time_from_rfc3339(&us, whole, (size_t)n) != APR_SUCCESS) {
        return false;
    }
    *ms = us / 1000 - (us % 1000 < 0 ? 1 : 0);
    return true;
}
