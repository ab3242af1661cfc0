/* Waiting that ends at once on a signal that asks us to stop. */
#ifndef MM_WAIT_H
#define MM_WAIT_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct mm_wait {
    const volatile sig_atomic_t *stop; /* set by a signal handler; may be NULL */
    int (*orphaned)(void);             /* may be NULL */
} mm_wait_t;

/* Whether the work should end now. */
bool mm_wait_over(const mm_wait_t *wait);

/* Returns after us microseconds, or as soon as *stop is set by a signal that the caller has not blocked, or within a
 * second of the parent's death. */
void mm_wait(const mm_wait_t *wait, int64_t us);

/* Microseconds of a clock that never runs backwards and whose beginning means nothing. */
int64_t mm_wait_clock_us(void);

#endif
