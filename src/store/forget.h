/* Forgetting a user: what is kept of them becomes part of what is kept of nobody in particular, so that every total and
 * every sum over days stays what it is.
 *
 * A batch that is being applied would bring half of it back. So it is done in a pause (pause.h), when no batch is under
 * way.
 */
#ifndef MM_FORGET_H
#define MM_FORGET_H

#include <stdint.h>
#include "base/err.h"
#include "store/store.h"

typedef struct mm_forgotten {
    int64_t resources; /* documents of metrics_users */
    int64_t days;      /* documents of metrics_days */
} mm_forgotten_t;

/* Renews the pause while it works. Can be tried again, also by another process, whatever ended it: nothing is added
 * twice. APR_TIMEUP: the pause ran out in between (this process stood still); begin anew. */
apr_status_t mm_forget_user(mm_store_t *store, const char *user, mm_forgotten_t *forgotten, mm_err_t *err);

#endif
