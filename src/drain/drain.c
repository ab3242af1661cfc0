/* The drainer's state machine and its loop.
 *
 *   IDLE --read--> COUNTED --write batch--> PENDING --apply--> APPLIED --rename to checkpoint--> IDLE
 *
 * Each arrow may fail and is then tried again by the next step, which goes on from the same state. COUNTED is the only
 * state that lives in memory alone, and dying in it loses nothing: the positions on disk are still those from before.
 * Segments are released in IDLE only, when all that was read from them is applied and remembered.
 *
 * A round that read frames without a single use in them (robots, HEAD, …) goes the same way with an empty batch, which
 * needs no database: the positions move on and the segments can go.
 *
 * On a full disk, which only we can empty, a batch that has no room is given up for a smaller one: back to IDLE, to the
 * positions of the last batch that was written. Nothing is released in between.
 *
 * Memory: one count (bounded by the deltas of one batch, and on top of it by what must not be torn apart: one frame,
 * whose events share one position, at most 4 MiB of them or 10,000 uses told by keys; and the 2000 events that are
 * looked up together), one frame, one chunk of deltas. One thread.
 */
#include "drain/drain.h"

#include <inttypes.h>
#include <stdbool.h>
#include <unistd.h>
#include "count/count.h"
#include "drain/account.h"
#include "drain/backoff.h"
#include "drain/batch.h"
#include "drain/connection.h"
#include "drain/deliver.h"
#include "drain/reserve.h"
#include "drain/resolving.h"
#include "drain/resume.h"
#include "drain/round.h"
#include "drain/window_log.h"
#include "base/throttle.h"
#include "drain/wait.h"
#include "spool/spool.h"
#include "spool/spool_reader.h"
#include "store/store.h"

/* A pause for metricsctl forget-user that is longer is worth a message. */
#define PAUSE_US (INT64_C(60) * 1000000)

typedef enum drain_state { STATE_IDLE, STATE_COUNTED, STATE_PENDING, STATE_APPLIED } drain_state_t;

struct mm_drain {
    mm_drain_options_t options;
    const mm_log_t *log;
    apr_pool_t *pool;
    apr_pool_t *scratch; /* cleared by each step */
    char spool_id[MM_SPOOL_ID_LEN + 1];
    int lock;
    mm_wait_t wait;
    mm_spool_reader_t *reader;
    mm_count_t *count;
    mm_resolve_t *resolve;
    mm_window_log_t window_log;
    mm_round_t round;
    drain_state_t state;
    int64_t reserve; /* bytes that are kept for the next batch */
    int64_t seq;     /* of the last batch that was written, 0 before the first */
    int64_t deltas;  /* in the batch that is pending */
    bool emptied;    /* the last round came to the end of the spool */
    bool more;       /* the spool holds more than was read: the next step need not wait */
    mm_deliver_t deliver;
    mm_connection_t connection;
    mm_account_t account;
    mm_throttle_t held;
    mm_throttle_t unindexed;
};

/* --- life --- */

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
        drain->state = STATE_PENDING;
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

/* --- reading --- */

/* Whether a quiet round should write a batch of nothing, so that yesterday's secret goes from the disk. */
static bool is_untidy(mm_drain_t *drain)
{
    if (!drain->emptied || drain->round.frames > 0) {
        return false;
    }
    mm_window_idle(mm_count_window(drain->count), mm_wait_clock_us());
    return mm_window_log_untidy(&drain->window_log, mm_wait_clock_us());
}

/* A failure of the spool is returned, but what was read before it is counted. */
static apr_status_t read_round(mm_drain_t *drain, mm_err_t *err)
{
    apr_status_t rv;
    int64_t times;

    mm_account_round(&drain->account);
    rv = mm_round_read(&drain->round, err);
    if (rv == MM_STORE_AWAY) {
        mm_account_database(&drain->account, rv);
    }
    drain->emptied = rv == APR_SUCCESS && !drain->round.more && drain->round.held == 0;
    drain->more = drain->round.more;
    drain->state = drain->round.frames > 0 || is_untidy(drain) ? STATE_COUNTED : STATE_IDLE;
    /* With once it is what we end with. */
    if (!drain->options.once && drain->round.held > 0 &&
        mm_throttle_tell(&drain->held, mm_wait_clock_us(), drain->round.held, &times)) {
        mm_log(drain->log, MM_LOG_ERROR, "MM0203", "%s", drain->round.held_text.text);
    }
    return rv;
}

static apr_status_t write_batch(mm_drain_t *drain, mm_err_t *err)
{
    char nonce[MM_BATCH_NONCE_LEN + 1];
    mm_batch_more_t more = {.logs = NULL};
    apr_status_t rv = mm_batch_nonce(nonce, err);

    if (rv == APR_SUCCESS) {
        rv = mm_window_log_append(&drain->window_log, &more.window, err);
    }
    if (mm_reserve_no_room(rv)) { /* clicks can wait for room, events make it */
        mm_window_log_forgo(&drain->window_log, &more.window);
        rv = APR_SUCCESS;
    }
    if (rv == APR_SUCCESS) {
        rv = mm_batch_write(drain->options.spool_dir, drain->spool_id, drain->seq + 1, nonce, drain->count,
                            drain->reader, &more, err);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    mm_window_log_written(&drain->window_log);
    drain->seq++;
    drain->deltas = (int64_t)mm_count_deltas(drain->count);
    drain->state = STATE_PENDING;
    /* Now, not behind it: while the database is away the spool may fill the disk. */
    drain->reserve = mm_reserve_make(drain->options.spool_dir);
    mm_window_log_reserve(&drain->window_log);
    mm_spool_reader_mark(drain->reader);
    mm_account_written(&drain->account, &drain->round.tally, mm_resolve_tally(drain->resolve));
    mm_deliver_begin(&drain->deliver);
    mm_count_reset(drain->count);
    return APR_SUCCESS;
}

/* The same, of less when there is no room for it. *err is of the last try. */
static apr_status_t write_what_fits(mm_drain_t *drain, mm_err_t *err)
{
    apr_status_t rv;

    while (mm_reserve_no_room(rv = write_batch(drain, err)) && mm_round_shrink(&drain->round)) {
        /* If this fails, so has the round before, which will be told. */
        read_round(drain, NULL);
        if (drain->state != STATE_COUNTED) {
            return APR_SUCCESS;
        }
    }
    return rv;
}

/* --- applying --- */

static void tell_unindexed(mm_drain_t *drain)
{
    const mm_err_t *why = &drain->connection.unprepared;
    int64_t times;

    if (why->status != APR_SUCCESS && mm_throttle_tell(&drain->unindexed, mm_wait_clock_us(), 1, &times)) {
        mm_log(drain->log, MM_LOG_WARNING, "MM0211",
               "counting goes on, but an index is missing and reports may be slow: %s", why->text);
    }
}

static apr_status_t deliver_batch(mm_drain_t *drain, mm_err_t *err)
{
    apr_status_t rv = APR_SUCCESS;

    if (drain->deltas > 0) {
        rv = mm_connection_ready(&drain->connection, err);
        if (rv == APR_SUCCESS) {
            tell_unindexed(drain);
            rv = mm_deliver_batch(&drain->deliver, drain->options.spool_dir, drain->connection.store, &drain->wait,
                                  drain->scratch, err);
        }
        mm_connection_used(&drain->connection, mm_account_database(&drain->account, rv));
    }
    if (rv == APR_SUCCESS) {
        drain->state = STATE_APPLIED;
    }
    return rv;
}

static void tell_batch(const mm_drain_t *drain)
{
    const mm_deliver_t *deliver = &drain->deliver;

    if (deliver->rejected > 0) {
        mm_log(drain->log, MM_LOG_WARNING, "MM0204",
               "the database refuses %" PRId64 " of %" PRId64 " documents of batch %" PRId64
               " for good; they are in %s/rejected.ndjson, except %" PRId64 " for which it has no room. The last: %s",
               deliver->rejected, drain->deltas, drain->seq, drain->options.spool_dir, deliver->left_out,
               deliver->reason.text);
    }
    mm_log(drain->log, MM_LOG_DEBUG, "MM0205", "batch %" PRId64 ": %" PRId64 " event(s), %" PRId64 " document(s)",
           drain->seq, drain->round.tally.events, drain->deltas);
}

static apr_status_t settle(mm_drain_t *drain, mm_err_t *err)
{
    apr_status_t rv = APR_SUCCESS;

    if (drain->state == STATE_PENDING) {
        rv = deliver_batch(drain, err);
    }
    if (rv == APR_SUCCESS) {
        rv = mm_batch_commit(drain->options.spool_dir, err);
    }
    if (rv == APR_SUCCESS) {
        mm_window_log_settled(&drain->window_log);
        tell_batch(drain);
        mm_account_applied(&drain->account, drain->deltas, drain->deliver.rejected);
        drain->state = STATE_IDLE;
        drain->round.tally.events = 0;
        mm_round_grow(&drain->round);
    }
    return rv;
}

/* --- steps --- */

/* From whichever state we are in, as far as it goes. */
static apr_status_t advance(mm_drain_t *drain, int *worked, mm_err_t *err)
{
    apr_status_t rv = APR_SUCCESS;

    if (drain->state == STATE_COUNTED) {
        rv = write_what_fits(drain, err);
    }
    if (rv == APR_SUCCESS && drain->state != STATE_IDLE) {
        rv = settle(drain, err);
        *worked = rv == APR_SUCCESS;
    }
    else if (rv == APR_SUCCESS && !drain->connection.prepared) {
        rv = mm_account_database(&drain->account, mm_connection_ready(&drain->connection, err));
        mm_connection_used(&drain->connection, rv);
    }
    return rv;
}

/* What was read is counted: its segments can go, and the room that they leave is first of all ours. */
static apr_status_t release(mm_drain_t *drain, mm_err_t *err)
{
    apr_status_t rv = mm_spool_reader_release(drain->reader, err);

    drain->more = drain->more || mm_spool_reader_more(drain->reader);
    if (drain->reserve < MM_RESERVE_MAX) {
        drain->reserve = mm_reserve_make(drain->options.spool_dir);
        mm_window_log_reserve(&drain->window_log);
    }
    mm_account_idle(&drain->account, drain->reader, drain->emptied && !drain->more);
    return rv;
}

apr_status_t mm_drain_step(mm_drain_t *drain, int *worked, mm_err_t *err)
{
    mm_err_t unread = {.status = APR_SUCCESS};
    apr_status_t rv;

    *worked = 0;
    apr_pool_clear(drain->scratch);
    if (drain->state == STATE_IDLE && read_round(drain, &unread) != APR_SUCCESS) {
        unread.status = APR_EGENERAL;
    }
    rv = advance(drain, worked, err);
    if (drain->state == STATE_IDLE) {
        apr_status_t release_rv = release(drain, rv == APR_SUCCESS ? err : NULL);

        rv = rv == APR_SUCCESS ? release_rv : rv;
    }
    if (rv == APR_SUCCESS && unread.status != APR_SUCCESS) {
        /* What came before the place that cannot be read is counted; now it is time to speak of that place. */
        rv = mm_err_set(err, unread.status, "%s", unread.text);
    }
    return rv;
}

/* --- the loop --- */

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
