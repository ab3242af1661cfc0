/* A point in time in a query string. Part of the room route. */
#ifndef MM_WHEN_H
#define MM_WHEN_H

#include <stdbool.h>
#include <stdint.h>

/* "2026-01-31" (its first moment), "2026-01-31T12:00", "2026-01-31T12:00:00", each in UTC, or an RFC 3339 date-time
 * with its offset, to milliseconds since 1970. False for anything else. */
bool mm_when_parse(int64_t *ms, const char *text);

#endif
