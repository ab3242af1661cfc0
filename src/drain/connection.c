/* Two facts, open and prepared, and a count of failures that takes both back. One thread. */
#include "drain/connection.h"

#include "drain/wait.h"

static void close_it(mm_connection_t *connection)
{
    apr_pool_destroy(connection->store_pool);
    connection->store_pool = NULL;
    connection->store = NULL;
    connection->prepared = false;
    connection->prepare_at_us = 0;
    connection->failures = 0;
}

apr_status_t mm_connection_open(mm_connection_t *connection, mm_err_t *err)
{
    apr_status_t rv;

    if (connection->store != NULL) {
        return APR_SUCCESS;
    }
    apr_pool_create(&connection->store_pool, connection->pool);
    rv = mm_store_open(&connection->store, connection->uri, connection->prefix, connection->store_pool, err);
    if (rv != APR_SUCCESS) {
        close_it(connection);
        return rv;
    }
    mm_store_expect_new(connection->store, connection->expects_new);
    return rv;
}

/* What was opened before cannot have become invalid: whatever a server answers, trying again is right. */
static apr_status_t transient(apr_status_t rv)
{
    return rv == APR_EINVAL ? APR_EGENERAL : rv;
}

static apr_status_t prepare(mm_connection_t *connection, int64_t now_us, mm_err_t *err)
{
    mm_err_t why;
    apr_status_t rv = mm_store_prepare(connection->store, connection->types, connection->n_types, &why);

    if (rv == MM_STORE_AWAY || rv == MM_STORE_UNFIT) {
        return mm_err_set(err, rv, "%s", why.text);
    }
    connection->prepared = rv == APR_SUCCESS;
    connection->prepare_at_us = now_us + MM_CONNECTION_PREPARE_US;
    if (rv == APR_SUCCESS) {
        why.status = APR_SUCCESS;
        why.text[0] = '\0';
    }
    connection->unprepared = why;
    return APR_SUCCESS;
}

apr_status_t mm_connection_ready_at(mm_connection_t *connection, int64_t now_us, mm_err_t *err)
{
    apr_status_t rv = mm_connection_open(connection, err);

    if (rv == APR_SUCCESS && !connection->prepared && now_us >= connection->prepare_at_us) {
        rv = prepare(connection, now_us, err);
    }
    return transient(rv);
}

apr_status_t mm_connection_ready(mm_connection_t *connection, mm_err_t *err)
{
    return mm_connection_ready_at(connection, mm_wait_clock_us(), err);
}

apr_status_t mm_connection_used(mm_connection_t *connection, apr_status_t rv)
{
    if (rv == APR_SUCCESS) {
        connection->failures = 0;
    }
    else if (++connection->failures >= MM_CONNECTION_FAILURES_MAX && connection->store != NULL) {
        close_it(connection);
    }
    return rv;
}
