/* Finding out, at the start, where an earlier drainer stopped. */
#ifndef MM_RESUME_H
#define MM_RESUME_H

#include <stdbool.h>
#include <stdint.h>
#include <apr_pools.h>
#include "base/err.h"
#include "base/log.h"
#include "drain/window_log.h"
#include "spool/spool_reader.h"

typedef struct mm_resume {
    int64_t seq;              /* of the last batch that may be in the database; 0: there was none yet */
    bool pending;             /* DIR/batch is there, whole, and must be applied (again) */
    int64_t deltas;           /* in it */
    mm_window_place_t window; /* of the batch, else of the checkpoint */
} mm_resume_t;

/* Reads DIR/batch, else DIR/checkpoint, and tells reader the positions found there. When the batch is damaged this is
 * logged, a copy is kept as batch.damaged-TIME, and the checkpoint says where to go on: what the batch held is read
 * again from the segments.
 *
 * APR_EGENERAL: what is there cannot be gone on from (the checkpoint is damaged, too, or missing beside a damaged
 * batch, or belongs to another spool). Guessing would be worse: of a batch with a number that the database has seen it
 * takes nothing, in silence, for as long as it takes to catch up. err says what the administrator can do. */
apr_status_t mm_resume(mm_resume_t *resume, const char *dir, const char *spool_id, mm_spool_reader_t *reader,
                       const mm_log_t *log, apr_pool_t *pool, mm_err_t *err);

#endif
