/* Streams the deltas of a batch file to the store, a chunk at a time, in the order of the file.
 *
 * Invariant: `done` moves behind a chunk only when each of its deltas is applied, or rejected and written down. A chunk
 * of which a single delta must be tried again is applied again as a whole, which the store makes harmless. Memory is
 * one chunk. One thread.
 */
#include "drain/deliver.h"

#include <apr_strings.h>
#include "drain/batch.h"
#include "drain/rejected.h"

/* The store gives up a call after 10 s (see store.h); well below that is slow. */
#define SLOW_US  INT64_C(4000000)
#define QUICK_US INT64_C(1000000)

typedef struct chunk {
    mm_deliver_t *progress;
    mm_store_t *store;
    const mm_wait_t *wait;
    mm_rejected_t rejected; /* knows the spool and the seq, too */
    int64_t skip;           /* deltas at the beginning of the file that are done */
    apr_pool_t *pool;       /* the deltas' strings; cleared with each chunk */
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
        if (chunk->outcomes[i] == MM_REJECTED) {
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
        if (chunk->outcomes[i] == MM_RETRY) {
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
    *deliver = (mm_deliver_t){.chunk = deliver->chunk};
}

/* One call of the store; *reason is set unless all is applied. */
static apr_status_t call_store(chunk_t *chunk, mm_err_t *reason, mm_err_t *err)
{
    int64_t start_us = mm_wait_clock_us();
    bool failed;

    for (size_t i = 0; i < chunk->n; i++) {
        chunk->outcomes[i] = MM_RETRY;
    }
    failed = mm_store_apply(chunk->store, chunk->rejected.spool_id, chunk->rejected.seq, chunk->deltas, chunk->n,
                            chunk->outcomes, reason) != MM_APPLIED &&
             any_to_retry(chunk);
    chunk->progress->chunk = mm_deliver_next_chunk(chunk->progress->chunk, failed, mm_wait_clock_us() - start_us);
    if (!failed) {
        return APR_SUCCESS;
    }
    /* Not reason->status: to our caller EINVAL and EINTR mean other things. */
    return mm_err_set(err, reason->status == MM_STORE_AWAY ? MM_STORE_AWAY : APR_EGENERAL, "%s", reason->text);
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
    rv = call_store(chunk, &reason, err);
    if (rv == APR_SUCCESS) {
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

    (void)nonce;
    (void)err;
    chunk->rejected.spool_id = apr_pstrdup(apr_pool_parent_get(chunk->pool), spool_id);
    chunk->rejected.seq = seq;
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

apr_status_t mm_deliver_batch(mm_deliver_t *deliver, const char *dir, mm_store_t *store, const mm_wait_t *wait,
                              apr_pool_t *pool, mm_err_t *err)
{
    chunk_t *chunk = apr_pcalloc(pool, sizeof(*chunk));
    mm_batch_reader_t reader = {.on_batch = on_batch, .on_delta = on_delta, .baton = chunk};
    apr_status_t rv;

    if (deliver->chunk == 0) {
        deliver->chunk = MM_DELIVER_CHUNK_MAX;
    }
    chunk->progress = deliver;
    chunk->store = store;
    chunk->wait = wait;
    chunk->rejected.dir = dir;
    chunk->rejected.max = MM_REJECTED_MAX;
    chunk->skip = deliver->done;
    apr_pool_create(&chunk->pool, pool);
    rv = mm_batch_read(dir, MM_BATCH_FILE, &reader, pool, err);
    if (rv == APR_SUCCESS) {
        rv = chunk_apply(chunk, err);
    }
    apr_pool_destroy(chunk->pool);
    return rv;
}
