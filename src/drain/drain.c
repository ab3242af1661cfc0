/* A drainer's life: what it is made of, and where it takes up what an earlier one left.
 *
 * Everything is made in a pool of its own, and the lock comes first. What it does then is in step.c, how it waits and
 * tells of failures in loop.c.
 */
#include "drain/state.h"

#include <inttypes.h>
#include <unistd.h>
#include "drain/reserve.h"
#include "drain/resolving.h"
#include "drain/resume.h"

static apr_status_t unlock(void *data)
{
    mm_drain_t *drain = data;

    mm_window_log_close(&drain->window_log);
    close(drain->lock);
    return APR_SUCCESS;
}

static apr_status_t resume(mm_drain_t *drain, mm_err_t *err)
{
    mm_resume_t found;
    apr_status_t rv;

    rv = mm_resume(&found, drain->options.spool_dir, drain->spool_id, drain->reader, drain->log, drain->pool, err);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    drain->seq = found.seq;
    mm_window_log_load(&drain->window_log, &found.window);
    if (found.pending) {
        drain->state = MM_DRAIN_PENDING;
        drain->more = true;
        drain->deltas = found.deltas;
        mm_log(drain->log, MM_LOG_INFO, "MM0202", "an earlier drainer left batch %" PRId64 ": it is applied (again)",
               found.seq);
    }
    return APR_SUCCESS;
}

/* What the spool's limit is held against must be true before the database is there to make the first round end. */
static void account_now(mm_drain_t *drain)
{
    if (mm_spool_reader_begin(drain->reader, NULL) == APR_SUCCESS) {
        mm_account_idle(&drain->account, drain->reader, false);
    }
}

/* With the lock in hand: the rest of what a drain needs. */
static apr_status_t set_up(mm_drain_t *drain, mm_err_t *err)
{
    apr_status_t rv = mm_spool_id(drain->spool_id, drain->options.spool_dir, drain->pool, err);

    if (rv == APR_SUCCESS) {
        rv = mm_connection_open(&drain->connection, err);
    }
    if (rv == APR_SUCCESS) {
        rv = mm_spool_reader_create(&drain->reader, drain->options.spool_dir, drain->log, drain->pool, err);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    apr_pool_create(&drain->scratch, drain->pool);
    drain->count = mm_count_create(&drain->options.policy, drain->pool);
    mm_window_log_init(&drain->window_log, drain->options.spool_dir, mm_count_window(drain->count), drain->log);
    drain->resolve =
        mm_resolving_make(drain->options.catalog_uri ? drain->options.catalog_uri : drain->options.mongo_uri,
                          drain->log, &drain->wait, drain->pool);
    mm_round_init(&drain->round, drain->reader, drain->count, drain->options.spool_dir, drain->log);
    drain->round.resolve = drain->resolve;
    drain->round.window_log = &drain->window_log;
    drain->round.policy = &drain->options.policy;
    rv = resume(drain, err);
    if (rv == APR_SUCCESS) {
        drain->reserve = mm_reserve_make(drain->options.spool_dir);
        mm_window_log_reserve(&drain->window_log);
        mm_account_open(&drain->account, &drain->options, drain->log);
        account_now(drain);
    }
    return rv;
}

static mm_drain_t *make(const mm_drain_options_t *options, const mm_log_t *log, apr_pool_t *pool)
{
    mm_drain_t *drain = apr_pcalloc(pool, sizeof(*drain));

    drain->options = *options;
    drain->log = log;
    drain->pool = pool;
    drain->window_log.fd = drain->window_log.next_fd = -1;
    drain->wait.stop = options->stop;
    drain->wait.orphaned = options->orphaned;
    drain->connection = (mm_connection_t){.uri = options->mongo_uri,
                                          .prefix = options->prefix,
                                          .types = options->types,
                                          .n_types = options->n_types,
                                          .pool = pool};
    return drain;
}

apr_status_t mm_drain_create(mm_drain_t **result, const mm_drain_options_t *options, const mm_log_t *log,
                             apr_pool_t *parent, mm_err_t *err)
{
    mm_drain_t *drain;
    apr_pool_t *pool = NULL;
    apr_status_t rv;
    int lock;

    /* A pool of its own, so that a failure leaves nothing behind; and the lock first, since it may be waited for by
     * trying this over and over. */
    apr_pool_create(&pool, parent);
    rv = mm_spool_lock(&lock, options->spool_dir, pool, err);
    if (rv == APR_SUCCESS) {
        drain = make(options, log, pool);
        drain->lock = lock;
        apr_pool_cleanup_register(pool, drain, unlock, apr_pool_cleanup_null);
        rv = set_up(drain, err);
    }
    if (rv != APR_SUCCESS) {
        apr_pool_destroy(pool);
        return rv;
    }
    *result = drain;
    return APR_SUCCESS;
}
