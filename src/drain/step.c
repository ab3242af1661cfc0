/* The drainer's state machine.
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
#include "drain/state.h"

#include <inttypes.h>
#include "drain/batch.h"
#include "drain/reserve.h"
#include "store/store.h"

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
    drain->state = drain->round.frames > 0 || is_untidy(drain) ? MM_DRAIN_COUNTED : MM_DRAIN_IDLE;
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
    drain->state = MM_DRAIN_PENDING;
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
        if (drain->state != MM_DRAIN_COUNTED) {
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
        drain->state = MM_DRAIN_APPLIED;
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

    if (drain->state == MM_DRAIN_PENDING) {
        rv = deliver_batch(drain, err);
    }
    if (rv == APR_SUCCESS) {
        rv = mm_batch_commit(drain->options.spool_dir, err);
    }
    if (rv == APR_SUCCESS) {
        mm_window_log_settled(&drain->window_log);
        tell_batch(drain);
        mm_account_applied(&drain->account, drain->deltas, drain->deliver.rejected);
        drain->state = MM_DRAIN_IDLE;
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

    if (drain->state == MM_DRAIN_COUNTED) {
        rv = write_what_fits(drain, err);
    }
    if (rv == APR_SUCCESS && drain->state != MM_DRAIN_IDLE) {
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
    if (drain->state == MM_DRAIN_IDLE && read_round(drain, &unread) != APR_SUCCESS) {
        unread.status = APR_EGENERAL;
    }
    rv = advance(drain, worked, err);
    if (drain->state == MM_DRAIN_IDLE) {
        apr_status_t release_rv = release(drain, rv == APR_SUCCESS ? err : NULL);

        rv = rv == APR_SUCCESS ? release_rv : rv;
    }
    if (rv == APR_SUCCESS && unread.status != APR_SUCCESS) {
        /* What came before the place that cannot be read is counted; now it is time to speak of that place. */
        rv = mm_err_set(err, unread.status, "%s", unread.text);
    }
    return rv;
}
