/* How long to wait before something that failed is tried again: 1, 2, 4 … seconds, at most MM_DRAIN_BACKOFF_MAX_S, each
 * shortened by chance to between half and all of it, so that many drainers do not fall upon a database that comes back
 * in the same instant.
 */
#ifndef MM_BACKOFF_H
#define MM_BACKOFF_H

#include <stdint.h>

typedef struct mm_backoff {
    uint32_t random;   /* state of the generator; never 0 */
    unsigned failures; /* since the last success */
} mm_backoff_t;

/* seed should differ between processes. */
void mm_backoff_init(mm_backoff_t *backoff, uint64_t seed);

/* It failed (again): microseconds to wait. */
int64_t mm_backoff_failed(mm_backoff_t *backoff);

/* It succeeded. */
void mm_backoff_reset(mm_backoff_t *backoff);

#endif
