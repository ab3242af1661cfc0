/* The drainer's connection to the database: opened when needed, replaced when it keeps failing.
 *
 * libmongoc finds its way back to a database by itself; a connection that has failed several times in a row is replaced
 * all the same, and the indexes are asked for again, in case the database is a new one.
 *
 * The indexes come first, so that a fresh database has them before it has documents. But a server that refuses one must
 * not keep the counts out: then they are asked for again from time to time, and counting goes on.
 */
#ifndef MM_CONNECTION_H
#define MM_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <apr_pools.h>
#include "base/err.h"
#include "store/store.h"

#define MM_CONNECTION_FAILURES_MAX 3
/* Between two tries to make the indexes. */
#define MM_CONNECTION_PREPARE_US (INT64_C(60) * 1000000)

/* The first six are the caller's; the rest begins as zeros. */
typedef struct mm_connection {
    const char *uri, *prefix;
    const char *const *types;
    size_t n_types;
    apr_pool_t *pool; /* what is opened lives below it */
    bool expects_new; /* see mm_store_expect_new */
    apr_pool_t *store_pool;
    mm_store_t *store;     /* NULL when closed */
    bool prepared;         /* the indexes are there */
    int64_t prepare_at_us; /* not: when they are asked for again */
    mm_err_t unprepared;   /* and why the server refused them; status is 0 where it did not. To be logged */
    int failures;          /* in a row, with this store */
} mm_connection_t;

/* Opens it if it is closed; that needs no server. APR_EINVAL: the URI or the prefix will never do. */
apr_status_t mm_connection_open(mm_connection_t *connection, mm_err_t *err);

/* Opens it and makes the indexes, where that has not been done: at once, and after a refusal of the server when now_us
 * (of a clock that never runs backwards) says that it is time. Succeeds also when the server refuses them, see
 * unprepared. Any failure is transient, and none is APR_EINVAL: the server is away, or a collection is not fit for
 * counts (MM_STORE_UNFIT). */
apr_status_t mm_connection_ready_at(mm_connection_t *connection, int64_t now_us, mm_err_t *err);

/* The same, now. */
apr_status_t mm_connection_ready(mm_connection_t *connection, mm_err_t *err);

/* To be called after each use, mm_connection_ready included, with its result, which it returns. */
apr_status_t mm_connection_used(mm_connection_t *connection, apr_status_t rv);

#endif
