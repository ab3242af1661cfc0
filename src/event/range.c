/* A header that anybody may send, of any length. No state; any thread. */
#include "event/range.h"

#include <string.h>
#include <strings.h>
#include "event/event.h"

/* The number behind a unit ("bytes=", "bytes "), which a - must follow. */
static int64_t first_number(const char *range, size_t len, const char *unit)
{
    size_t at = strlen(unit);
    int64_t start = 0;

    if (len <= at || strncasecmp(range, unit, at) != 0 || range[at] < '0' || range[at] > '9') {
        return MM_RANGE_UNKNOWN;
    }
    for (; at < len && range[at] >= '0' && range[at] <= '9'; at++) {
        if (start > (INT64_MAX - 9) / 10) {
            return MM_RANGE_UNKNOWN;
        }
        start = start * 10 + (range[at] - '0');
    }
    return at < len && range[at] == '-' ? start : MM_RANGE_UNKNOWN;
}

int64_t mm_range_start(const char *range, size_t len)
{
    return first_number(range, len, "bytes=");
}

int64_t mm_range_answered(const char *range, size_t len)
{
    return first_number(range, len, "bytes ");
}
