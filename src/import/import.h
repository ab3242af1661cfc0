/* Access logs into the database, each line once.
 *
 * Lines are counted as the drainer counts events, batch by batch, and a batch brings along, for each log it has lines
 * of, up to where the log is counted then (store/ledger.h). What the drainer has its spool for is here a directory of
 * its own with an id, numbers of batches, and a state of double clicks that have nothing to do with those of live
 * recording: the batch file in it is whole before anything of it is applied, and applied again after a crash, so that
 * counts and ledger move together whenever the process dies.
 */
#ifndef MM_IMPORT_H
#define MM_IMPORT_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <apr_pools.h>
#include "base/err.h"
#include "base/log.h"
#include "count/count.h"
#include "import/logfile.h"
#include "import/sieve.h"

typedef struct mm_import mm_import_t;

typedef struct mm_import_options {
    const char *dir; /* ours; made if it is not there. NULL: a dry run, which needs no database either */
    const char *mongo_uri, *prefix;
    const char *catalog_uri; /* of the application's documents; NULL: as mongo_uri */
    const char *const *types;
    size_t n_types;
    mm_policy_t policy;
    const mm_rules_t *rules;
    mm_slashes_t slashes;
    const char *format; /* NULL: found out, for each log */
    int64_t since_us, until_us, live_us;
    int64_t events_max;  /* in one batch; 0: a million */
    size_t deltas_max;   /* documents in one batch; 0: a hundred thousand */
    int64_t patience_us; /* how long a database that is away is waited for */
    bool take_over;      /* logs that somebody else is importing */
    const volatile sig_atomic_t *stop;
    /* Each may be NULL. number counts the lines of the log from 1. */
    void (*on_bad)(void *baton, const char *log, int64_t number, const char *wrong);
    void (*on_progress)(void *baton, const mm_import_t *import); /* once in some thousand lines */
    void *baton;
} mm_import_options_t;

/* Of this run. */
typedef struct mm_import_tally {
    int64_t lines, bytes;
    int64_t sifted[MM_SIFTED_KINDS];
    int64_t verdicts[MM_VERDICTS]; /* of the events */
    int64_t overlapping;       /* logs that begin an hour or more before the end of those that were read before them */
    int64_t windowless;        /* batches that went without what is remembered of clicks, for want of room */
    int64_t known_bytes;       /* passed over: an earlier import has counted them */
    int64_t first_us, last_us; /* of lines that were read well; 0 where there were none */
} mm_import_tally_t;

/* Takes the directory's lock and applies what an earlier import left. mm_store_init must have been called, unless dir
 * is NULL. What options points to must outlive it. APR_EAGAIN: another import is at work. */
apr_status_t mm_import_create(mm_import_t **import, const mm_import_options_t *options, const mm_log_t *log,
                              apr_pool_t *pool, mm_err_t *err);

/* When the first request of a log was, so that logs can be read in their order; INT64_MAX where that cannot be told, or
 * not without losing what was read. */
int64_t mm_import_first_us(mm_import_t *import, mm_logfile_t *file);

typedef enum mm_import_end {
    MM_IMPORT_READ,  /* to its end */
    MM_IMPORT_KNOWN, /* an earlier import has counted all of it */
    MM_IMPORT_EMPTY  /* there is not one whole line in it */
} mm_import_end_t;

/* Reads one log, from where it is not counted yet. Afterwards file can be closed. APR_EINTR: told to stop; what was
 * read since the last batch is as if it had not been. MM_LEDGER_TAKEN: somebody else's, and the next may be read. */
apr_status_t mm_import_log(mm_import_t *import, mm_logfile_t *file, mm_import_end_t *end, mm_err_t *err);

/* All that was read is in the database when this returns. */
apr_status_t mm_import_finish(mm_import_t *import, mm_err_t *err);

const mm_import_tally_t *mm_import_tally(const mm_import_t *import);

/* The log that is being read, or NULL. */
const mm_logfile_t *mm_import_current(const mm_import_t *import);

/* The format of the last log. */
const char *mm_import_format(const mm_import_t *import);

#endif
