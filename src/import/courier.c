/* The thread lives for one batch: an import has one in some hundred thousand lines. Between start and join everything
 * in the courier is the thread's.
 */
#include "import/courier.h"

#include <unistd.h>
#include "drain/backoff.h"
#include "drain/batch.h"

static apr_status_t deliver_once(mm_courier_t *courier, mm_err_t *err)
{
    apr_pool_t *scratch;
    apr_status_t rv = apr_pool_create(&scratch, courier->connection.pool);

    if (rv != APR_SUCCESS) {
        return mm_err_set_os(err, rv, "no memory for a batch");
    }
    rv = mm_connection_ready(&courier->connection, err);
    if (rv == APR_SUCCESS) {
        rv = mm_deliver_batch(&courier->deliver, courier->dir, courier->connection.store, &courier->wait, scratch, err);
    }
    mm_connection_used(&courier->connection, rv);
    apr_pool_destroy(scratch);
    return rv;
}

/* Trying again is of no use. */
static bool is_final(apr_status_t rv)
{
    return rv == APR_SUCCESS || rv == APR_EINVAL || rv == APR_EINTR || rv == MM_STORE_FOREIGN;
}

static void *deliver(void *data)
{
    mm_courier_t *courier = data;
    int64_t since_us = mm_wait_clock_us();
    mm_backoff_t backoff;

    mm_backoff_init(&backoff, (uint64_t)since_us ^ ((uint64_t)getpid() << 32));
    while (!is_final(courier->status = deliver_once(courier, &courier->err)) && !mm_wait_over(&courier->wait) &&
           mm_wait_clock_us() - since_us < courier->patience_us) {
        mm_wait(&courier->wait, mm_backoff_failed(&backoff));
    }
    if (courier->status == APR_SUCCESS) {
        courier->rejected += courier->deliver.rejected;
        courier->status = mm_batch_commit(courier->dir, &courier->err);
    }
    return NULL;
}

apr_status_t mm_courier_start(mm_courier_t *courier, mm_err_t *err)
{
    int rc;

    mm_deliver_begin(&courier->deliver);
    rc = pthread_create(&courier->thread, NULL, deliver, courier);
    courier->away = rc == 0;
    if (rc != 0) {
        courier->status = mm_err_set_os(&courier->err, rc, "no thread to write to the database");
        return mm_err_set(err, courier->status, "%s", courier->err.text);
    }
    return APR_SUCCESS;
}

apr_status_t mm_courier_join(mm_courier_t *courier, mm_err_t *err)
{
    if (courier->away) {
        pthread_join(courier->thread, NULL);
        courier->away = false;
    }
    return courier->status == APR_SUCCESS ? APR_SUCCESS : mm_err_set(err, courier->status, "%s", courier->err.text);
}
