/* All spools are asked to begin no batch, for whoever must change documents that a batch would change, too.
 *
 * It ends by itself when whoever asked dies.
 */
#ifndef MM_PAUSE_H
#define MM_PAUSE_H

#include <stdbool.h>
#include <stdint.h>
#include "base/err.h"
#include "store/store.h"

/* How long a pause lasts unless it is renewed; much longer than hosts' clocks may differ. */
#define MM_PAUSE_MS (INT64_C(10) * 60 * 1000)

/* Asks all spools to begin no batch from now on. */
apr_status_t mm_pause_begin(mm_store_t *store, mm_err_t *err);

/* Goes on asking. APR_TIMEUP: it ran out, and somebody may have begun a batch since. */
apr_status_t mm_pause_renew(mm_store_t *store, mm_err_t *err);

apr_status_t mm_pause_end(mm_store_t *store, mm_err_t *err);

/* Whether no batch is under way; if one is, err says whose. */
apr_status_t mm_pause_is_quiet(mm_store_t *store, bool *quiet, mm_err_t *err);

#endif
