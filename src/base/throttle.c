/* Counts, and opens once a minute. Nothing happens by itself: what is still held back when it stops happening is told
 * by the next call with n = 0, or never.
 */
#include "base/throttle.h"

bool mm_throttle_tell(mm_throttle_t *throttle, int64_t now_us, int64_t n, int64_t *times)
{
    int64_t open_us = atomic_load(&throttle->open_us);

    if (atomic_fetch_add(&throttle->held, n) + n == 0 || (open_us != 0 && now_us < open_us) ||
        !atomic_compare_exchange_strong(&throttle->open_us, &open_us, now_us + MM_THROTTLE_US)) {
        return false;
    }
    *times = atomic_exchange(&throttle->held, 0);
    return *times > 0;
}
