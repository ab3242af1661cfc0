/* One thread reads and counts, the courier's writes. The state that they share is the batch file.
 *
 *   read lines, count --full--> wait for the courier, write the batch file, send the courier --> read on
 *
 * Invariant: `logs` says, for each log that the count holds lines of, where the count stops in it; both go into one
 * batch file, or neither is remembered.
 */
#include "import/import_private.h"

#include <inttypes.h>
#include <unistd.h>
#include <apr_time.h>
#include "drain/batch.h"
#include "drain/reserve.h"
#include "drain/resolving.h"
#include "drain/resume.h"
#include "drain/wait.h"

static mm_wait_t wait_of(const mm_import_t *import)
{
    return (mm_wait_t){.stop = import->options.stop};
}

/* --- life ----------------------------------------------------------------------------------------------------------
 */

static apr_status_t destroy(void *data)
{
    mm_import_t *import = data;

    (void)mm_courier_join(&import->courier, NULL);
    mm_window_log_close(&import->window_log);
    apr_pool_destroy(import->courier.connection.pool);
    close(import->lock);
    return APR_SUCCESS;
}

/* Waits for the batch that is under way. */
static apr_status_t join(mm_import_t *import, mm_err_t *err)
{
    apr_status_t rv = mm_courier_join(&import->courier, err);

    if (rv == APR_SUCCESS) {
        mm_window_log_settled(&import->window_log);
    }
    return rv;
}

static apr_status_t deliver_left(mm_import_t *import, mm_err_t *err)
{
    mm_resume_t found;
    apr_status_t rv;

    rv = mm_resume(&found, import->options.dir, import->spool_id, import->reader, import->log, import->pool, err);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    import->seq = found.seq;
    mm_window_log_load(&import->window_log, &found.window);
    mm_window_set_clock(mm_count_window(import->count), import->sieve.now_us);
    if (!found.pending) {
        return APR_SUCCESS;
    }
    mm_log(import->log, MM_LOG_NOTICE, "MM0901", "an earlier import left a batch: it is applied (again)");
    rv = mm_courier_start(&import->courier, err);
    return rv == APR_SUCCESS ? join(import, err) : rv;
}

/* Once, with patience: a database that is just being started. The courier's connection needs no indexes then. */
static apr_status_t reach_database(mm_import_t *import, mm_err_t *err)
{
    const mm_wait_t wait = wait_of(import);
    int64_t since_us = mm_wait_clock_us();
    apr_status_t rv;

    rv = mm_connection_open(&import->connection, err);
    while (rv == APR_SUCCESS && (rv = mm_connection_ready(&import->connection, err)) != APR_SUCCESS &&
           rv != MM_STORE_UNFIT && mm_wait_clock_us() - since_us < import->options.patience_us &&
           !mm_wait_over(&wait)) {
        mm_connection_used(&import->connection, rv);
        mm_wait(&wait, 1000000);
        rv = mm_connection_open(&import->connection, err);
    }
    return rv;
}

static apr_status_t set_up(mm_import_t *import, mm_err_t *err)
{
    const mm_import_options_t *options = &import->options;
    apr_status_t rv = mm_spool_id(import->spool_id, options->dir, import->pool, err);

    if (rv == APR_SUCCESS) {
        rv = mm_spool_reader_create(&import->reader, options->dir, import->log, import->pool, err);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    import->connection = (mm_connection_t){.uri = options->mongo_uri,
                                           .prefix = options->prefix,
                                           .types = options->types,
                                           .n_types = options->n_types,
                                           .pool = import->pool,
                                           .expects_new = true};
    import->courier = (mm_courier_t){.dir = options->dir,
                                     .connection = import->connection,
                                     .wait = wait_of(import),
                                     .patience_us = options->patience_us};
    /* A root pool: what is made below it is another thread's. */
    rv = apr_pool_create_unmanaged_ex(&import->courier.connection.pool, NULL, NULL);
    if (rv != APR_SUCCESS) {
        return mm_err_set_os(err, rv, "no memory");
    }
    apr_pool_cleanup_register(import->pool, import, destroy, apr_pool_cleanup_null);
    mm_window_log_init(&import->window_log, options->dir, mm_count_window(import->count), import->log);
    import->wait = wait_of(import);
    import->resolve = mm_resolving_make(options->catalog_uri ? options->catalog_uri : options->mongo_uri, import->log,
                                        &import->wait, import->pool);
    import->places = apr_array_make(import->pool, MM_RESOLVE_PENDING_MAX, sizeof(mm_import_place_t));
    (void)mm_reserve_make(options->dir);
    rv = reach_database(import, err);
    return rv == APR_SUCCESS ? deliver_left(import, err) : rv;
}

/* As the sieve has it; in milliseconds, as the ledger keeps it. */
static void find_span(mm_import_t *import)
{
    int64_t live_ms = import->sieve.live_us / 1000000 * 1000;

    import->since_ms = import->sieve.since_us / 1000;
    import->until_ms = import->sieve.until_us / 1000;
    if (live_ms > 0 && (import->until_ms == 0 || live_ms < import->until_ms)) {
        import->until_ms = live_ms;
    }
}

static apr_status_t lock_dir(mm_import_t *import, mm_err_t *err)
{
    mm_err_t why;
    apr_status_t rv = mm_spool_lock(&import->lock, import->options.dir, import->pool, &why);

    if (rv == APR_SUCCESS) {
        return rv;
    }
    return mm_err_set(err, rv, "%s%s", APR_STATUS_IS_EAGAIN(rv) ? "another import is at work: " : "", why.text);
}

apr_status_t mm_import_create(mm_import_t **result, const mm_import_options_t *options, const mm_log_t *log,
                              apr_pool_t *parent, mm_err_t *err)
{
    mm_import_t *import;
    apr_pool_t *pool;
    apr_status_t rv = APR_SUCCESS;

    apr_pool_create(&pool, parent);
    import = apr_pcalloc(pool, sizeof(*import));
    import->options = *options;
    import->options.events_max = options->events_max > 0 ? options->events_max : MM_IMPORT_EVENTS_MAX;
    import->options.deltas_max = options->deltas_max > 0 ? options->deltas_max : MM_IMPORT_DELTAS_MAX;
    import->log = log;
    import->pool = pool;
    import->count = mm_count_create(&options->policy, pool);
    import->sieve = (mm_sieve_t){.rules = options->rules,
                                 .since_us = options->since_us / 1000 * 1000,
                                 .until_us = options->until_us / 1000 * 1000,
                                 .now_us = apr_time_now(),
                                 .live_us = options->live_us};
    find_span(import);
    import->seen = apr_hash_make(pool);
    apr_pool_create(&import->log_pool, pool);
    apr_pool_create(&import->ids_pool, pool);
    import->sieve.pool = import->ids_pool;
    if (!mm_import_is_dry(import)) {
        rv = mm_spool_prepare(options->dir, (uid_t)-1, (gid_t)-1, pool, err);
        if (rv == APR_SUCCESS) {
            rv = lock_dir(import, err);
        }
        if (rv == APR_SUCCESS) {
            rv = set_up(import, err);
        }
    }
    if (rv != APR_SUCCESS) {
        apr_pool_destroy(pool);
        return rv;
    }
    *result = import;
    return APR_SUCCESS;
}

const mm_import_tally_t *mm_import_tally(const mm_import_t *import)
{
    return &import->tally;
}

const mm_logfile_t *mm_import_current(const mm_import_t *import)
{
    return import->file;
}

const char *mm_import_format(const mm_import_t *import)
{
    return import->format;
}

/* --- batches -------------------------------------------------------------------------------------------------------
 */

static apr_status_t write_batch(mm_import_t *import, mm_err_t *err)
{
    mm_batch_more_t more = {.logs = import->logs, .n_logs = import->n_logs};
    char nonce[MM_BATCH_NONCE_LEN + 1];
    bool windowless = false;
    apr_status_t rv = mm_batch_nonce(nonce, err);

    if (rv == APR_SUCCESS) {
        rv = mm_window_log_append(&import->window_log, &more.window, err);
    }
    if (mm_reserve_no_room(rv)) { /* as the drainer: the batch goes without, and the window with a later one */
        mm_window_log_forgo(&import->window_log, &more.window);
        windowless = true;
        rv = APR_SUCCESS;
    }
    if (rv == APR_SUCCESS) {
        rv = mm_batch_write(import->options.dir, import->spool_id, import->seq + 1, nonce, import->count,
                            import->reader, &more, err);
    }
    if (rv == APR_SUCCESS) {
        import->seq++;
        import->tally.windowless += windowless;
        mm_window_log_written(&import->window_log);
    }
    return rv;
}

static void begin_count(mm_import_t *import)
{
    mm_count_reset(import->count);
    import->events = 0;
    import->n_logs = 0;
}

apr_status_t mm_import_flush(mm_import_t *import, mm_err_t *err)
{
    apr_status_t rv;

    if (mm_import_is_dry(import)) {
        begin_count(import);
        return APR_SUCCESS;
    }
    rv = join(import, err);
    if (rv == APR_SUCCESS && import->unresolved.status != APR_SUCCESS) {
        rv = mm_err_set(err, import->unresolved.status, "%s", import->unresolved.text);
    }
    if (rv != APR_SUCCESS || import->n_logs == 0) {
        return rv;
    }
    rv = write_batch(import, err);
    if (rv == APR_SUCCESS) {
        begin_count(import);
        (void)mm_reserve_make(import->options.dir);
        rv = mm_courier_start(&import->courier, err);
    }
    return rv;
}

apr_status_t mm_import_finish(mm_import_t *import, mm_err_t *err)
{
    apr_status_t rv = mm_import_flush(import, err);

    if (rv == APR_SUCCESS && !mm_import_is_dry(import)) {
        rv = join(import, err);
    }
    if (import->courier.rejected > 0) {
        mm_log(import->log, MM_LOG_WARNING, "MM0902",
               "the database refuses %" PRId64 " documents for good; they are in %s/rejected.ndjson",
               import->courier.rejected, import->options.dir);
    }
    return rv;
}
