/* Brings one batch file into the database while the next is being counted: in a thread of its own, and with patience
 * for a database that is away.
 */
#ifndef MM_COURIER_H
#define MM_COURIER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <apr_pools.h>
#include "base/err.h"
#include "base/log.h"
#include "drain/connection.h"
#include "drain/deliver.h"
#include "drain/wait.h"

/* The first four are the caller's, the rest begins as zeros. */
typedef struct mm_courier {
    const char *dir;
    mm_connection_t connection; /* its pool belongs to the courier alone */
    mm_wait_t wait;
    int64_t patience_us; /* how long a failing database is asked again */
    pthread_t thread;
    bool away; /* a batch is under way */
    mm_deliver_t deliver;
    apr_status_t status; /* of the last batch */
    int64_t rejected;    /* documents that the database refuses for good */
    mm_err_t err;
} mm_courier_t;

/* Takes DIR/batch along. No other may be under way. */
apr_status_t mm_courier_start(mm_courier_t *courier, mm_err_t *err);

/* Waits for the batch that is under way, if one is: it is in the database and its file is the checkpoint. Behind a
 * failure the file stays, and nobody may write another; every later call tells of it again. APR_EINTR: told to stop. */
apr_status_t mm_courier_join(mm_courier_t *courier, mm_err_t *err);

#endif
