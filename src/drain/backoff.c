/* Exponential back-off with jitter; knows no clock and does not wait itself. One thread. */
#include "drain/backoff.h"

#include "drain/drain.h"

#define SECOND_US INT64_C(1000000)
/* 2 to the 16th seconds are far beyond any maximum; more doublings would overflow some day. */
#define DOUBLINGS_MAX 16

void mm_backoff_init(mm_backoff_t *backoff, uint64_t seed)
{
    backoff->random = (uint32_t)(seed ^ (seed >> 32));
    if (backoff->random == 0) {
        backoff->random = 1;
    }
    backoff->failures = 0;
}

/* xorshift32 (Marsaglia 2003): good enough to spread waits, needs nothing from the system. */
static uint32_t next_random(mm_backoff_t *backoff)
{
    uint32_t x = backoff->random;

    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    backoff->random = x;
    return x;
}

int64_t mm_backoff_failed(mm_backoff_t *backoff)
{
    unsigned doublings = backoff->failures < DOUBLINGS_MAX ? backoff->failures : DOUBLINGS_MAX;
    int64_t whole = SECOND_US << doublings;

    if (whole > MM_DRAIN_BACKOFF_MAX_S * SECOND_US) {
        whole = MM_DRAIN_BACKOFF_MAX_S * SECOND_US;
    }
    if (backoff->failures < UINT32_MAX) {
        backoff->failures++;
    }
    return whole / 2 + (int64_t)(next_random(backoff) % (uint64_t)(whole / 2 + 1));
}

void mm_backoff_reset(mm_backoff_t *backoff)
{
    backoff->failures = 0;
}
