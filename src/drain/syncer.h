/* The thread that flushes the spool to the disk: MetricsSpool's sync=batch.
 *
 * It lives beside the drainer, in the same process, and needs nothing of it: not its lock, and not the database, which
 * may hold the drainer up for as long as it likes. Every MM_SYNCER_PERIOD_US it flushes the segments that have grown,
 * and the directory when there are new ones.
 */
#ifndef MM_SYNCER_H
#define MM_SYNCER_H

#include <stdint.h>
#include <apr_pools.h>
#include "base/err.h"
#include "base/log.h"

/* From the beginning of one pass to that of the next, if the disk is not slower. What was appended is on the disk after
 * at most this and the time that two passes take. */
#define MM_SYNCER_PERIOD_US (INT64_C(1) * 1000000)

typedef struct mm_syncer mm_syncer_t;

/* Starts the thread, which blocks all signals. The directory need not be there yet; what it cannot flush it logs, the
 * first time and then once a minute. dir and log must outlive it. */
apr_status_t mm_syncer_start(mm_syncer_t **syncer, const char *dir, const mm_log_t *log, apr_pool_t *pool,
                             mm_err_t *err);

/* A last pass, and the thread has ended when this returns. NULL is no syncer. */
void mm_syncer_stop(mm_syncer_t *syncer);

#endif
