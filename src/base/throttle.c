/* Counts, and opens once a minute. Nothing happens by itself: what is still held back when it stops happening is told
 * by the next call with n = 0, or never. One thread.
 */
#include "drain/throttle.h"

bool mm_throttle_tell(mm_throttle_t *throttle, int64_t now_us, int64_t n, int64_t *times)
{
    throttle->held += n;
    if (throttle->held == 0 || (throttle->told && now_us - throttle->told_us < MM_THROTTLE_US)) {
        return false;
    }
    *times = throttle->held;
    throttle->held = 0;
    throttle->told = true;
    throttle->told_us = now_us;
    return true;
}
