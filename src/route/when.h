/* A point in time in a query string. Part of the room route. */
#ifndef MM_WHEN_H
#define MM_WHEN_H

#include <stdbool.h>
#include <stdint.h>

/* "2026-01-31" (its first moment, UTC) or an RFC 3339 date-time, in which seconds may be missing, and the offset where
 * it is in UTC ("2026-01-31T12:00", "2026-01-31T13:00+01:00"), to milliseconds since 1970. False for anything else. */
bool mm_when_parse(int64_t *ms, const char *text);

#endif
