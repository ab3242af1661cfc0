/* Gives src/resolve a way to wait that ends when the drainer should. */
#include "drain/resolving.h"

static bool pause_for(void *baton, int64_t us)
{
    const mm_wait_t *wait = baton;

    mm_wait(wait, us);
    return !mm_wait_over(wait);
}

mm_resolve_t *mm_resolving_make(const char *uri, const mm_log_t *log, mm_wait_t *wait, apr_pool_t *pool)
{
    mm_resolve_options_t resolving = {.uri = uri, .log = log, .pause = pause_for, .baton = wait};

    return mm_resolve_create(&resolving, pool);
}
