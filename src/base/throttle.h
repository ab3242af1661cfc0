/* Something that keeps happening is told at once, and then at most once a minute with how often it happened. */
#ifndef MM_THROTTLE_H
#define MM_THROTTLE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define MM_THROTTLE_US (INT64_C(60) * 1000000)

/* Begins as all zeros. Any number of threads of one process. */
typedef struct mm_throttle {
    _Atomic int64_t open_us; /* when telling is allowed again; 0: it never happened */
    _Atomic int64_t held;    /* times since it was told */
} mm_throttle_t;

/* It happened n (0 or more) more times: whether to tell now. If so *times is how often since it was last told, this
 * time included. now_us is positive, may have any beginning but
 * must not run backwards. */
bool mm_throttle_tell(mm_throttle_t *throttle, int64_t now_us, int64_t n, int64_t *times);

#endif
