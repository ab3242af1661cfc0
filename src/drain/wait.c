/* A signal between the look at *stop and the sleep would be slept over. Hence all signals are blocked around the look,
 * and pselect unblocks them in the same instant in which it begins to sleep. Nobody tells us of the parent's death, so
 * the sleep is in slices of a second. One thread, whose signal mask is as before when mm_wait returns.
 */
#include "drain/wait.h"

#include <sys/select.h>
#include <time.h>

#define SECOND_US INT64_C(1000000)

bool mm_wait_over(const mm_wait_t *wait)
{
    return (wait->stop != NULL && *wait->stop) || (wait->orphaned != NULL && wait->orphaned());
}

int64_t mm_wait_clock_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * SECOND_US + now.tv_nsec / 1000;
}

void mm_wait(const mm_wait_t *wait, int64_t us)
{
    int64_t end = mm_wait_clock_us() + us;
    int64_t left = us;
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    while (left > 0 && !mm_wait_over(wait)) {
        int64_t slice = left < SECOND_US ? left : SECOND_US;
        struct timespec timeout = {.tv_sec = slice / SECOND_US, .tv_nsec = slice % SECOND_US * 1000};

        pselect(0, NULL, NULL, NULL, &timeout, &before);
        left = end - mm_wait_clock_us();
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}
