/* Streams the deltas of a batch file to the store, a chunk at a time, in the order of the file.
 *
 * Invariant: `done` moves behind a chunk only when each of its deltas is applied, or rejected and written down. A chunk
 * of which a single delta must be tried again is applied again as a whole, which the store makes harmless. Memory is
 * one chunk. One thread.
 *
 * Nothing is applied before the number of the batch is claimed; what is refused is set aside only where refusals.h
 * finds that it is the documents' own fault.
 */
#include "drain/deliver.h"

#include <inttypes.h>
#include <unistd.h>
#include <apr_strings.h>
#include <apr_tables.h>
#include "drain/batch.h"
#include "drain/rejected.h"
#include "store/ledger.h"

/* The store gives up a call after 10 s (see store.h); well below that is slow. */
#define SLOW_US  INT64_C(4000000)
#define QUICK_US INT64_C(1000000)

typedef struct chunk {
    mm_deliver_t *progress;
    mm_store_t *store;
    const mm_wait_t *wait;
    mm_rejected_t rejected; /* knows the spool and the seq, too */
    const char *nonce;
    int64_t now_us;
    int64_t skip;             /* deltas at the beginning of the file that are done */
    apr_pool_t *pool;         /* the deltas' strings; cleared with each chunk */
    apr_array_header_t *logs; /* of mm_ledger_t: what an import has counted when all is applied */
    size_t n;
    mm_delta_t deltas[MM_DELIVER_CHUNK_MAX];
    mm_outcome_t outcomes[MM_DELIVER_CHUNK_MAX];
} chunk_t;

static apr_status_t set_aside(chunk_t *chunk, const mm_err_t *reason, mm_err_t *err)
{
    const mm_delta_t *refused[MM_DELIVER_CHUNK_MAX];
    size_t n = 0, left_out;
    apr_status_t rv;

    for (size_t i = 0; i < chunk->n; i++) {
        if (chunk->outcomes[i] == MM_REJECTED || chunk->outcomes[i] == MM_UNSTORABLE) {
            refused[n++] = &chunk->deltas[i];
        }
    }
    if (n == 0) {
        return APR_SUCCESS;
    }
    rv = mm_rejected_append(&chunk->rejected, refused, n, reason->text, &left_out, err);
    if (rv == APR_SUCCESS) {
        chunk->progress->rejected += (int64_t)n;
        chunk->progress->left_out += (int64_t)left_out;
        chunk->progress->reason = *reason;
    }
    return rv;
}

static bool any_to_retry(const chunk_t *chunk)
{
    for (size_t i = 0; i < chunk->n; i++) {
        if (chunk->outcomes[i] == MM_RETRY || chunk->outcomes[i] == MM_RETRY_ONE) {
            return true;
        }
    }
    return false;
}

size_t mm_deliver_next_chunk(size_t chunk, bool failed, int64_t took_us)
{
    if (failed) {
        chunk /= 4;
    }
    else if (took_us > SLOW_US) {
        chunk /= 2;
    }
    else if (took_us < QUICK_US) {
        chunk *= 2;
    }
    if (chunk < MM_DELIVER_CHUNK_MIN) {
        return MM_DELIVER_CHUNK_MIN;
    }
    return chunk < MM_DELIVER_CHUNK_MAX ? chunk : MM_DELIVER_CHUNK_MAX;
}

void mm_deliver_begin(mm_deliver_t *deliver)
{
    size_t size = deliver->chunk;
    mm_refusals_t refusals = deliver->refusals;

    mm_refusals_begin(&refusals);
    *deliver = (mm_deliver_t){.chunk = size, .refusals = refusals};
}

/* --- one call --- */

/* What the store found, and what that means for somebody with this directory. */
static apr_status_t tell_foreign(const chunk_t *chunk, const char *what, mm_err_t *err)
{
    const char *dir = chunk->rejected.dir, *path = apr_pstrcat(chunk->pool, dir, "/" MM_CHECKPOINT_FILE, NULL);
    bool begins = chunk->rejected.seq == 1 && access(path, F_OK) != 0;

    return mm_err_set(
        err, MM_STORE_FOREIGN,
        "%s. This spool directory seems to be a copy of another one, or its checkpoint was %s. If it is a copy, "
        "stop its drainer and run: metricsctl new-id --spool %s. Otherwise remove batch and put the latest "
        "checkpoint back; without one, run that, too. Its events wait on disk",
        what, begins ? "lost (there is an id, but no checkpoint)" : "lost or restored from a backup", dir);
}

static apr_status_t claim(chunk_t *chunk, mm_err_t *err)
{
    mm_err_t why;
    apr_status_t rv;

    if (chunk->progress->claimed) {
        return APR_SUCCESS;
    }
    rv = mm_store_claim(chunk->store, chunk->rejected.spool_id, chunk->rejected.seq, chunk->nonce, &why);
    if (rv == APR_SUCCESS) {
        rv = mm_store_settled(chunk->store, chunk->rejected.spool_id, chunk->rejected.seq, chunk->nonce,
                              &chunk->progress->settled, &why);
    }
    chunk->progress->claimed = rv == APR_SUCCESS;
    if (rv == MM_STORE_FOREIGN) {
        return tell_foreign(chunk, why.text, err);
    }
    if (rv == APR_SUCCESS) {
        return rv;
    }
    return mm_err_set(err, rv == MM_STORE_AWAY || rv == MM_STORE_PAUSED ? rv : APR_EGENERAL, "%s", why.text);
}

/* Notes that all is applied: whoever changes documents by hand (store/pause.h) must know that nothing comes any more.
 */
static apr_status_t settle(const chunk_t *chunk, mm_err_t *err)
{
    mm_deliver_t *progress = chunk->progress;
    mm_err_t why;
    apr_status_t rv;

    if (!progress->claimed || progress->settled) {
        return APR_SUCCESS;
    }
    rv = mm_store_settle(chunk->store, chunk->rejected.spool_id, chunk->rejected.seq, chunk->nonce, &why);
    progress->settled = rv == APR_SUCCESS;
    return rv == APR_SUCCESS ? rv : mm_err_set(err, rv == MM_STORE_AWAY ? rv : APR_EGENERAL, "%s", why.text);
}

/* What the store answered is a failure of the whole chunk, unless it is one that is as good as done. */
static apr_status_t judge(chunk_t *chunk, mm_err_t *reason, mm_err_t *err)
{
    mm_refusals_call_t call = {chunk->deltas, chunk->outcomes, chunk->n, chunk->progress->done};
    mm_refusals_t *refusals = &chunk->progress->refusals;
    size_t many, of;
    mm_err_t why;

    if (reason->status == MM_STORE_FOREIGN) {
        chunk->progress->claimed = false;
        return tell_foreign(chunk, reason->text, err);
    }
    if (mm_refusals_systemic(refusals, &call, &many, &of)) {
        return mm_err_set(err, APR_EGENERAL,
                          "the database refuses %zu of %zu documents, which cannot be the fault of single ones (did "
                          "somebody add a validator or an index?); nothing is set aside. %s",
                          many, of, reason->text);
    }
    if (mm_refusals_give_up(refusals, &call, chunk->now_us, MM_DELIVER_STUCK_S * 1000000) > 0) {
        why = *reason;
        mm_err_set(reason, APR_EINVAL, "for %" PRId64 " hours, while others were taken: %s", MM_DELIVER_STUCK_S / 3600,
                   why.text);
    }
    if (any_to_retry(chunk)) {
        /* Not reason->status: to our caller EINVAL and EINTR mean other things. */
        return mm_err_set(err, reason->status == MM_STORE_AWAY ? MM_STORE_AWAY : APR_EGENERAL, "%s", reason->text);
    }
    mm_refusals_done(refusals, &call);
    return APR_SUCCESS;
}

/* *reason is set unless all is applied. */
static apr_status_t call_store(chunk_t *chunk, mm_err_t *reason, mm_err_t *err)
{
    int64_t start_us = mm_wait_clock_us();

    for (size_t i = 0; i < chunk->n; i++) {
        chunk->outcomes[i] = MM_RETRY;
    }
    mm_store_apply(chunk->store, chunk->rejected.spool_id, chunk->rejected.seq, chunk->deltas, chunk->n,
                   chunk->outcomes, reason);
    chunk->progress->chunk =
        mm_deliver_next_chunk(chunk->progress->chunk, any_to_retry(chunk), mm_wait_clock_us() - start_us);
    return judge(chunk, reason, err);
}

static apr_status_t chunk_apply(chunk_t *chunk, mm_err_t *err)
{
    mm_err_t reason = {.status = APR_SUCCESS};
    apr_status_t rv;

    if (chunk->n == 0) {
        return APR_SUCCESS;
    }
    if (mm_wait_over(chunk->wait)) {
        return mm_err_set(err, APR_EINTR, "told to stop in the middle of a batch");
    }
    rv = claim(chunk, err);
    if (rv == APR_SUCCESS && !chunk->progress->settled) {
        rv = call_store(chunk, &reason, err);
    }
    if (rv == APR_SUCCESS && !chunk->progress->settled) {
        rv = set_aside(chunk, &reason, err);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    chunk->progress->done += (int64_t)chunk->n;
    chunk->n = 0;
    apr_pool_clear(chunk->pool);
    return APR_SUCCESS;
}

static apr_status_t on_batch(void *baton, const char *spool_id, int64_t seq, const char *nonce, mm_err_t *err)
{
    chunk_t *chunk = baton;

    (void)err;
    chunk->rejected.spool_id = apr_pstrdup(apr_pool_parent_get(chunk->pool), spool_id);
    chunk->rejected.seq = seq;
    chunk->nonce = apr_pstrdup(apr_pool_parent_get(chunk->pool), nonce);
    return APR_SUCCESS;
}

static apr_status_t on_delta(void *baton, const mm_delta_t *delta, mm_err_t *err)
{
    chunk_t *chunk = baton;
    mm_delta_t *copy;

    if (chunk->skip > 0) {
        chunk->skip--;
        return APR_SUCCESS;
    }
    copy = &chunk->deltas[chunk->n++];
    *copy = *delta;
    copy->type = apr_pstrdup(chunk->pool, delta->type);
    copy->id = apr_pstrdup(chunk->pool, delta->id);
    copy->user = delta->user != NULL ? apr_pstrdup(chunk->pool, delta->user) : NULL;
    return chunk->n >= chunk->progress->chunk ? chunk_apply(chunk, err) : APR_SUCCESS;
}

static apr_status_t on_log(void *baton, const mm_ledger_t *ledger, mm_err_t *err)
{
    chunk_t *chunk = baton;

    (void)err;
    APR_ARRAY_PUSH(chunk->logs, mm_ledger_t) = *ledger;
    return APR_SUCCESS;
}

/* Behind the counts: a log whose lines were not counted would never be read again. Doing it again is free of harm. */
static apr_status_t put_logs(const chunk_t *chunk, mm_err_t *err)
{
    apr_status_t rv = APR_SUCCESS;
    mm_err_t why;

    for (int i = 0; rv == APR_SUCCESS && i < chunk->logs->nelts; i++) {
        rv = mm_ledger_put(chunk->store, chunk->rejected.spool_id, &APR_ARRAY_IDX(chunk->logs, i, mm_ledger_t), &why);
    }
    return rv == APR_SUCCESS ? rv : mm_err_set(err, rv == MM_STORE_AWAY ? rv : APR_EGENERAL, "%s", why.text);
}

apr_status_t mm_deliver_batch_at(mm_deliver_t *deliver, const char *dir, mm_store_t *store, const mm_wait_t *wait,
                                 int64_t now_us, apr_pool_t *pool, mm_err_t *err)
{
    chunk_t *chunk = apr_pcalloc(pool, sizeof(*chunk));
    mm_batch_reader_t reader = {.on_batch = on_batch, .on_log = on_log, .on_delta = on_delta, .baton = chunk};
    apr_status_t rv;

    if (deliver->chunk == 0) {
        deliver->chunk = MM_DELIVER_CHUNK_MAX;
    }
    chunk->progress = deliver;
    chunk->store = store;
    chunk->wait = wait;
    chunk->now_us = now_us;
    chunk->rejected.dir = dir;
    chunk->rejected.max = MM_REJECTED_MAX;
    chunk->skip = deliver->done;
    chunk->logs = apr_array_make(pool, 4, sizeof(mm_ledger_t));
    apr_pool_create(&chunk->pool, pool);
    rv = mm_batch_read(dir, MM_BATCH_FILE, &reader, pool, err);
    if (rv == APR_SUCCESS) {
        rv = chunk_apply(chunk, err);
    }
    if (rv == APR_SUCCESS) {
        rv = put_logs(chunk, err);
    }
    if (rv == APR_SUCCESS) {
        rv = settle(chunk, err);
    }
    apr_pool_destroy(chunk->pool);
    return rv;
}

apr_status_t mm_deliver_batch(mm_deliver_t *deliver, const char *dir, mm_store_t *store, const mm_wait_t *wait,
                              apr_pool_t *pool, mm_err_t *err)
{
    return mm_deliver_batch_at(deliver, dir, store, wait, mm_wait_clock_us(), pool, err);
}
