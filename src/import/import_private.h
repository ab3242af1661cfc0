/* What the files of an import share: import.c, its life and its batches, import_log.c, which reads one log, and
 * import_format.c, which finds out how.
 */
#ifndef MM_IMPORT_PRIVATE_H
#define MM_IMPORT_PRIVATE_H

#include <apr_hash.h>
#include "drain/connection.h"
#include "drain/pack.h"
#include "drain/window_log.h"
#include "import/courier.h"
#include "import/import.h"
#include "spool/spool.h"
#include "spool/spool_reader.h"
#include "store/ledger.h"

/* Events, and documents, in one batch. Larger than the drainer's, since nobody waits: a document that many days have
 * uses of is written less often. Some 60 MB of memory and of the batch file; the database is sent 1000 at a time all
 * the same. */
#define MM_IMPORT_EVENTS_MAX 1000000
#define MM_IMPORT_DELTAS_MAX 100000
/* Logs in one batch: there may be many that are small. */
#define MM_IMPORT_LOGS_MAX 256

/* What a log's ledger was behind the line of a collected event. */
typedef struct mm_import_place {
    int64_t offset, lines, bad, first_ms, last_ms; /* offset -1: it is not the last event of its line */
} mm_import_place_t;

struct mm_import {
    mm_import_options_t options;
    const mm_log_t *log;
    apr_pool_t *pool;
    apr_pool_t *log_pool; /* of the log that is being read */
    apr_pool_t *ids_pool; /* of one line */
    mm_import_tally_t tally;
    mm_count_t *count;
    int64_t events; /* in the count */
    mm_sieve_t sieve;
    mm_logfile_t *file;
    int64_t first_us;           /* of it; 0: no line yet */
    mm_passes_t passes;         /* what earlier imports have counted of it */
    int64_t since_ms, until_ms; /* what is taken: the narrower of what was asked for and what was not recorded live */
    const char *format;
    /* Not in a dry run. */
    int lock;
    char spool_id[MM_SPOOL_ID_LEN + 1];
    int64_t seq;
    mm_window_log_t window_log; /* clicks on both sides of a batch, or of an import, are double clicks, too */
    mm_spool_reader_t *reader;  /* finds nothing: there are no segments */
    mm_connection_t connection;
    mm_resolve_t *resolve;      /* for rules with via= */
    apr_array_header_t *places; /* of mm_import_place_t, one for each event that it has collected */
    mm_wait_t wait;
    mm_err_t unresolved; /* why nothing more may be counted; its status is 0 where all is well */
    mm_courier_t courier;
    mm_ledger_t logs[MM_IMPORT_LOGS_MAX];
    size_t n_logs;
    apr_hash_t *seen; /* ids of the logs of this run, whose counts may still be on their way */
};

static inline bool mm_import_is_full(const mm_import_t *import)
{
    return import->events >= import->options.events_max || mm_count_full_at(import->count, import->options.deltas_max);
}

static inline bool mm_import_is_dry(const mm_import_t *import)
{
    return import->options.dir == NULL;
}

/* Of the log in hand: the format that most of its first lines fit. APR_EINVAL: less than half of them. */
apr_status_t mm_import_choose_format(mm_import_t *import, mm_err_t *err);

/* Notes where the line that was just read ends, if an event of it was collected. */
void mm_import_note_place(mm_import_t *import, const mm_ledger_t *ledger);

/* Counts what was collected, in as many batches as it takes: before the ledger says that the log is counted up to here.
 * A failure is for good. */
apr_status_t mm_import_resolve(mm_import_t *import, mm_ledger_t *ledger, mm_err_t *err);

/* Adds to the tally. */
void mm_import_note_verdicts(mm_import_t *import, mm_ledger_t *ledger, const mm_tally_t *counted);

/* Where the log stands now, among those of the next batch. */
void mm_import_note_log(mm_import_t *import, const mm_ledger_t *ledger);

/* What is counted, and where it stops in each log, is on its way to the database when this returns. */
apr_status_t mm_import_flush(mm_import_t *import, mm_err_t *err);

#endif
