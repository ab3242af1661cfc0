/* What the drainer writes into the page of counters (src/status). Nothing here can fail, and nothing depends on it. */
#ifndef MM_ACCOUNT_H
#define MM_ACCOUNT_H

#include <stdbool.h>
#include <stdint.h>
#include "base/log.h"
#include "drain/drain.h"
#include "drain/pack.h"
#include "spool/spool_reader.h"
#include "status/status.h"

/* All zeros counts nothing. */
typedef struct mm_account {
    mm_status_page_t *page;
    int64_t round_us;  /* when the last round began, of the wall clock */
    int64_t batch_us;  /* when the batch in hand was begun, of a clock that never runs backwards; 0: an earlier one's */
    int64_t looked_us; /* when the spool was last looked at, of that clock; 0: never */
} mm_account_t;

/* Makes the page where there is none, and counts a start. Logs why the page cannot be used. */
void mm_account_open(mm_account_t *account, const mm_drain_options_t *options, const mm_log_t *log);

void mm_account_round(mm_account_t *account);

/* A batch is written: what was read for it will not be read again. */
void mm_account_written(mm_account_t *account, const mm_tally_t *tally, const mm_resolve_tally_t *resolved);

/* It is in the database and remembered. */
void mm_account_applied(mm_account_t *account, int64_t documents, int64_t rejected);

/* A use of the database that ended with rv, which it returns. */
apr_status_t mm_account_database(mm_account_t *account, apr_status_t rv);

/* All that was read is applied; emptied: that was all that there was when the round began. */
void mm_account_idle(mm_account_t *account, const mm_spool_reader_t *reader, bool emptied);

#endif
