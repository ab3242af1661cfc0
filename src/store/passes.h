/* Which lines of a log are counted. An import may be told to take the requests of a span of time only; the lines that
 * it left out for that are not counted, and wait for another one. So each span has its own place up to which it was
 * read.
 */
#ifndef MM_PASSES_H
#define MM_PASSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* So many may be there when another one begins; one that is to take the place of others stands beside them until it has
 * come as far as they. */
#define MM_PASSES_MAX  16
#define MM_PASSES_ROOM (2 * MM_PASSES_MAX)

/* Counted are the lines before the offset `to` whose time is at since or later, and before until; 0: no limit. */
typedef struct mm_pass {
    int64_t to, since_ms, until_ms;
} mm_pass_t;

typedef struct mm_passes {
    mm_pass_t pass[MM_PASSES_ROOM];
    size_t n;
} mm_passes_t;

/* One that counts all that another one does takes its place. False: there is no room for it. */
bool mm_passes_add(mm_passes_t *passes, const mm_pass_t *pass);

/* Whether the line at this offset is counted. */
bool mm_passes_counted(const mm_passes_t *passes, int64_t at, int64_t time_ms);

/* Before it all of the span is counted. */
int64_t mm_passes_to(const mm_passes_t *passes, int64_t since_ms, int64_t until_ms);

/* Before it something is counted. */
int64_t mm_passes_furthest(const mm_passes_t *passes);

#endif
