/* When a line of an access log says that its request was: %t, and %{…}t with what strftime(3) can write of it.
 *
 * A time may be written in pieces (%{%F %T}t.%{msec_frac}t), which add up.
 */
#ifndef MM_LOGTIME_H
#define MM_LOGTIME_H

#include <stdbool.h>
#include <stdint.h>

typedef struct mm_logtime {
    int year, month, day, hour, minute, second; /* month and day from 1; year 0: no date was read */
    int offset_s;                               /* east of UTC */
    bool has_offset;
    int64_t since_1970_us; /* written as one number; negative: was not */
    int fraction_us;
} mm_logtime_t;

void mm_logtime_init(mm_logtime_t *time);

/* Reads "10/Oct/2000:13:55:36 -0700", which %t writes between brackets. Returns what is behind it, or NULL. */
const char *mm_logtime_clf(mm_logtime_t *time, const char *at, const char *end);

/* Whether all of a pattern (of %{pattern}t) can be read: %Y %m %d %e %b %h %y %H %M %S %T %R %D %F %z %s %a %A %Z %%,
 * and sec, msec, usec, msec_frac, usec_frac. */
bool mm_logtime_knows(const char *pattern);

/* Reads what such a pattern has written. Returns what is behind it, or NULL. */
const char *mm_logtime_read(mm_logtime_t *time, const char *pattern, const char *at, const char *end);

/* Microseconds since 1970 UTC. A time without an offset is local. False: there is no such time, or it lies before 1970
 * or behind the year 9999. */
bool mm_logtime_us(const mm_logtime_t *time, int64_t *us);

#endif
