/* Forgetting a user: what is kept of them becomes part of what is kept of nobody in particular, so that every total and
 * every sum over days stays what it is.
 *
 * A batch that is being applied would bring half of it back. So all spools are asked to begin no batch (a field of
 * their documents in metrics_meta, which mm_store_claim heeds), those that are under way are waited for, and only then
 * documents are touched. The pause ends by itself when we die.
 */
#ifndef MM_FORGET_H
#define MM_FORGET_H

#include <stdbool.h>
#include <stdint.h>
#include <apr_pools.h>
#include "base/err.h"
#include "store/store.h"

/* How long a pause lasts unless it is renewed; much longer than hosts' clocks may differ. */
#define MM_FORGET_PAUSE_MS (INT64_C(10) * 60 * 1000)

/* Asks all spools to begin no batch from now on, or goes on asking. */
apr_status_t mm_forget_pause(mm_store_t *store, mm_err_t *err);

/* Whether no batch is under way; if one is, err says whose. */
apr_status_t mm_forget_is_quiet(mm_store_t *store, bool *quiet, mm_err_t *err);

typedef struct mm_forgotten {
    int64_t resources; /* documents of metrics_users */
    int64_t days;      /* documents of metrics_days */
} mm_forgotten_t;

/* Between pause and resume. Can be tried again, also by another process, whatever ended it: nothing is added twice.
 * APR_TIMEUP: the pause ran out in between (this process stood still); begin anew. */
apr_status_t mm_forget_user(mm_store_t *store, const char *user, mm_forgotten_t *forgotten, mm_err_t *err);

apr_status_t mm_forget_resume(mm_store_t *store, mm_err_t *err);

#endif
