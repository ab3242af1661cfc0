/* One line of NDJSON becomes an event: {"type":"datasets","id":"…","action":"view"|"download"} with optional time (RFC
 * 3339; now if absent, the future is refused), user, session, address, agent, class. Unknown members are refused, so
 * that a misspelt one is not lost in silence. Strings are data: whatever they hold, they never become operators or
 * names.
 */
#ifndef MM_EVENT_JSON_H
#define MM_EVENT_JSON_H

#include <apr_pools.h>
#include "event/event.h"

/* A clock may run ahead of ours by this much before an event counts as from the future. */
#define MM_EVENT_FUTURE_SLACK_US (INT64_C(60) * 1000000)

/* now_us is the time of arrival. Strings are copied into pool. On failure err says what is wrong with the line, in
 * words for whoever sent it. An empty user, session, address, agent or class is the same as an absent one; an agent
 * that is too long is cut. The result has passed mm_event_check; source is MM_SOURCE_POST, method GET, status 200. */
apr_status_t mm_event_from_json(mm_event_t *event, const char *line, size_t len, int64_t now_us, apr_pool_t *pool,
                                mm_err_t *err);

/* RFC 3339 date-time ("2026-01-31T12:00:00Z", with fraction and offset) to microseconds since 1970, negative before
 * that. Strict, but for the letters t and z, which may be small. A leap second (23:59:60 UTC, with or without a
 * fraction) is the first moment of the next minute; second 60 at any other time is refused. text may be NULL only with
 * len 0. */
apr_status_t mm_time_from_rfc3339(int64_t *time_us, const char *text, size_t len);

#endif
