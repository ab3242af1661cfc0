/* The loop: spool -> count -> batch file -> store -> checkpoint. One per spool, in a process of its own.
 *
 * It may be killed at any instruction: what it had in hand is read again, or re-applied from the batch file, and
 * nothing is lost or counted twice.
 */
#ifndef MM_DRAIN_H
#define MM_DRAIN_H

#include <signal.h>
#include <apr_pools.h>
#include <apr_tables.h>
#include "base/err.h"
#include "base/log.h"
#include "count/policy.h"

#define MM_DRAIN_INTERVAL_DEFAULT_US (INT64_C(2) * 1000000)
/* Events in one batch; bounds the time until the first of them is in the database. */
#define MM_DRAIN_EVENTS_MAX 200000
/* A database that is away is asked again after 1, 2, 4 … this many seconds, with jitter; libmongoc itself refuses for 5
 * s after a failure. */
#define MM_DRAIN_BACKOFF_MAX_S 30

typedef struct mm_drain_options {
    const char *spool_dir;
    const char *mongo_uri;
    const char *catalog_uri; /* of the application's database; NULL: as mongo_uri */
    const char *prefix;
    const char *const *types; /* whose indexes are made */
    size_t n_types;
    mm_policy_t policy;  /* how it is counted */
    int64_t interval_us; /* between two looks at the spool */
    int restarted;       /* it takes the place of one that died */
    int once;            /* end when nothing is left in the spool that could be counted */
    /* Set (by a signal handler) when the loop should end soon; checked between steps, and every wait ends on it. */
    const volatile sig_atomic_t *stop;
    /* Asked between steps: non-zero when the parent that supervises us is gone. May be NULL. */
    int (*orphaned)(void);
} mm_drain_options_t;

typedef struct mm_drain mm_drain_t;

/* Takes the spool's lock and finds out where an earlier drainer stopped. Needs no database, but mm_store_init must have
 * been called. What options, log and their strings point to must outlive the drain; pool's end gives the lock back.
 * APR_EAGAIN: another drainer holds the lock. Any other failure is final: the spool cannot be drained as it is, err
 * says why. A failure leaves nothing in pool, so it can be tried for as long as it takes. */
apr_status_t mm_drain_create(mm_drain_t **drain, const mm_drain_options_t *options, const mm_log_t *log,
                             apr_pool_t *pool, mm_err_t *err);

/* One step: re-applies a left batch, or reads, counts and applies one. *worked says whether there was anything to do.
 * An error is transient: the same step can be tried again. The exception is APR_EINVAL, a batch file that was damaged
 * on disk under our eyes: a new drain has to sort that out. */
apr_status_t mm_drain_step(mm_drain_t *drain, int *worked, mm_err_t *err);

/* Steps until stop, orphaned, or, with once, until nothing is left. Logs and backs off on errors; with once returns the
 * first, and APR_EGENERAL when all is counted but what a newer version wrote. APR_EINVAL as above. */
apr_status_t mm_drain_run(mm_drain_t *drain, mm_err_t *err);

#endif
