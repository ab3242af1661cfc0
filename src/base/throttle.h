/* Something that keeps happening is told at once, and then at most once a minute with how often it happened. */
#ifndef MM_THROTTLE_H
#define MM_THROTTLE_H

#include <stdbool.h>
#include <stdint.h>

#define MM_THROTTLE_US (INT64_C(60) * 1000000)

/* Begins as all zeros. */
typedef struct mm_throttle {
    bool told;
    int64_t told_us; /* when, if told */
    int64_t held;    /* times since then */
} mm_throttle_t;

/* It happened n (0 or more) more times: whether to tell now. If so *times is how often since it was last told, this
 * time included. now_us may have any beginning but must not run backwards. */
bool mm_throttle_tell(mm_throttle_t *throttle, int64_t now_us, int64_t n, int64_t *times);

#endif
