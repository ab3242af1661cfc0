/* The drainer's loop: steps while there is something to do, waits otherwise, and longer after each failure.
 *
 * A failure is told once a minute, its end once. One thread.
 */
#include "drain/state.h"

#include <inttypes.h>
#include <unistd.h>
#include "drain/backoff.h"
#include "store/store.h"

/* A pause for metricsctl forget-user that is longer is worth a message. */
#define PAUSE_US (INT64_C(60) * 1000000)

typedef struct loop {
    mm_backoff_t backoff;
    mm_throttle_t failures;
    int64_t failing_since_us;
} loop_t;

static void tell_failure(mm_drain_t *drain, loop_t *loop, const mm_err_t *err)
{
    int64_t now_us = mm_wait_clock_us(), times;

    if (loop->backoff.failures == 0) {
        loop->failing_since_us = now_us;
    }
    if (err->status == MM_STORE_PAUSED && now_us - loop->failing_since_us < PAUSE_US) {
        return; /* somebody asked for it, and will be through soon */
    }
    if (mm_throttle_tell(&loop->failures, now_us, 1, &times)) {
        mm_log(drain->log, MM_LOG_ERROR, "MM0206",
               "the spool cannot be drained, its events wait on disk (for %" PRId64 " s, %" PRId64 " try(s)): %s",
               (now_us - loop->failing_since_us) / 1000000, times, err->text);
    }
}

static void tell_recovery(mm_drain_t *drain, loop_t *loop)
{
    if (loop->backoff.failures > 0) {
        mm_log(drain->log, MM_LOG_NOTICE, "MM0207", "the spool is drained again, after %u failure(s) in %" PRId64 " s",
               loop->backoff.failures, (mm_wait_clock_us() - loop->failing_since_us) / 1000000);
        mm_backoff_reset(&loop->backoff);
    }
}

apr_status_t mm_drain_run(mm_drain_t *drain, mm_err_t *err)
{
    loop_t loop = {.failing_since_us = 0};
    mm_err_t failed;
    apr_status_t rv;
    int worked;

    mm_backoff_init(&loop.backoff, (uint64_t)mm_wait_clock_us() ^ ((uint64_t)getpid() << 32));
    mm_log(drain->log, MM_LOG_INFO, "MM0208", "draining %s", drain->options.spool_dir);
    while (!mm_wait_over(&drain->wait)) {
        rv = mm_drain_step(drain, &worked, &failed);
        if (rv == APR_SUCCESS) {
            tell_recovery(drain, &loop);
            if (!worked && !drain->more && drain->options.once) {
                return drain->round.held == 0 ? APR_SUCCESS
                                              : mm_err_set(err, APR_EGENERAL, "%s", drain->round.held_text.text);
            }
            if (!drain->more && !drain->options.once) {
                mm_wait(&drain->wait, drain->options.interval_us);
            }
            continue;
        }
        if (mm_wait_over(&drain->wait)) {
            break;
        }
        if (drain->options.once || rv == APR_EINVAL) {
            return mm_err_set(err, rv, "%s", failed.text);
        }
        tell_failure(drain, &loop, &failed);
        mm_wait(&drain->wait, mm_backoff_failed(&loop.backoff));
    }
    return APR_SUCCESS;
}
