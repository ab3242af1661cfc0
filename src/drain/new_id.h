/* Another name for a spool whose numbers are given out twice: it was copied, or what it remembered is lost or old.
 *
 * Under the new id the database knows nothing of the spool, so its batches are taken again, from where its own files
 * say that it stands.
 */
#ifndef MM_NEW_ID_H
#define MM_NEW_ID_H

#include <stdbool.h>
#include <apr_pools.h>
#include "base/err.h"
#include "spool/spool.h"

typedef struct mm_new_id {
    char before[MM_SPOOL_ID_LEN + 1];
    char after[MM_SPOOL_ID_LEN + 1];
    bool pending;    /* a batch waits, and will be counted whole under the new id */
    bool remembered; /* there was a batch or a checkpoint; if not, all of the spool will be read */
} mm_new_id_t;

/* Takes the drainer's lock for as long as it works. May be killed at any instruction and called again: until it is
 * through, either everything is as before, or mm_resume refuses the spool. APR_EAGAIN: a drainer is at work. */
apr_status_t mm_new_id(mm_new_id_t *result, const char *dir, apr_pool_t *pool, mm_err_t *err);

#endif
