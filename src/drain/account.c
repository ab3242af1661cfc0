/* Events are counted when their batch is written, since that is what keeps them from being read again; documents when
 * the batch is applied. A drainer that is killed between such a moment and its counting has not counted one batch.
 *
 * spool_bytes is raised by whoever appends. It is set right here whenever nothing is in hand: appends that happen
 * between the two looks at it may be counted twice until the next time. One thread.
 */
#include "drain/account.h"

#include <apr_time.h>
#include "drain/wait.h"

/* Looking at many segments takes a while; rounds that follow each other at once need not each do it. */
#define LOOK_US INT64_C(1000000)

void mm_account_open(mm_account_t *account, const mm_drain_options_t *options, const mm_log_t *log)
{
    const char *dir = options->spool_dir;
    bool damaged;
    mm_err_t err;

    if (mm_status_prepare(dir, &damaged, &err) == APR_SUCCESS && damaged) {
        mm_log(log, MM_LOG_WARNING, "MM0212", "%s/" MM_STATUS_FILE " was damaged; its counters begin again at 0", dir);
    }
    if (mm_status_open(&account->page, dir, &err) != APR_SUCCESS) {
        mm_log(log, MM_LOG_WARNING, "MM0213",
               "the status of this spool is not complete, and does not outlive this process: %s. Recording and "
               "counting go on",
               err.text);
    }
    mm_status_add(account->page, MM_STATUS_DRAINER_STARTS, 1);
    mm_status_add(account->page, MM_STATUS_DRAINER_RESTARTS, options->restarted ? 1 : 0);
}

void mm_account_round(mm_account_t *account)
{
    account->page = mm_status_trust(account->page);
    account->round_us = apr_time_now();
    account->batch_us = mm_wait_clock_us();
}

void mm_account_written(mm_account_t *account, const mm_tally_t *tally, const mm_resolve_tally_t *resolved)
{
    mm_status_add(account->page, MM_STATUS_VISITORS_KNOWN, resolved->known);
    mm_status_add(account->page, MM_STATUS_VISITORS_NOBODY, resolved->nobody);
    mm_status_add(account->page, MM_STATUS_VISITORS_FAILED, resolved->visitors_failed);
    mm_status_add(account->page, MM_STATUS_KEYS_FAILED, resolved->keys_failed);
    mm_status_add(account->page, MM_STATUS_READ, tally->events);
    mm_status_add(account->page, MM_STATUS_UNREADABLE, tally->unreadable);
    mm_status_add(account->page, MM_STATUS_WINDOW_FORGOTTEN, tally->forgotten);
    for (unsigned i = 0; i < MM_VERDICTS; i++) {
        if (tally->verdicts[i] > 0) {
            mm_status_add_verdict(account->page, i, tally->verdicts[i]);
        }
    }
}

void mm_account_applied(mm_account_t *account, int64_t documents, int64_t rejected)
{
    mm_status_add(account->page, MM_STATUS_BATCHES, 1);
    mm_status_add(account->page, MM_STATUS_WRITTEN, documents - rejected);
    mm_status_add(account->page, MM_STATUS_REJECTED, rejected);
    mm_status_set(account->page, MM_STATUS_LAST_BATCH_US, apr_time_now());
    if (account->batch_us > 0) {
        mm_status_set(account->page, MM_STATUS_LAST_BATCH_TOOK_US, mm_wait_clock_us() - account->batch_us);
    }
}

apr_status_t mm_account_database(mm_account_t *account, apr_status_t rv)
{
    /* Damage of the batch file, and being told to stop, are not the database's. */
    if (rv != APR_SUCCESS && rv != APR_EINVAL && rv != APR_EINTR) {
        mm_status_add(account->page, MM_STATUS_DATABASE_ERRORS, 1);
    }
    return rv;
}

void mm_account_idle(mm_account_t *account, const mm_spool_reader_t *reader, bool emptied)
{
    int64_t now_us = mm_wait_clock_us(), before, waiting;

    if (emptied) {
        mm_status_set(account->page, MM_STATUS_EMPTIED_US, account->round_us);
    }
    else if (account->looked_us > 0 && now_us - account->looked_us < LOOK_US) {
        return;
    }
    account->looked_us = now_us;
    before = mm_status_get(account->page, MM_STATUS_SPOOL_BYTES);
    waiting = mm_spool_reader_waiting(reader);
    if (waiting != before) {
        mm_status_add(account->page, MM_STATUS_SPOOL_BYTES, waiting - before);
    }
}
