/* By what an access log is known again: a hash of its beginning, whatever its name is and however long it has become.
 *
 * A log that is longer than its head keeps the hash for ever. One that is shorter grows into another; that it is the
 * same is seen because the old hash is that of one of the new head's beginnings.
 */
#ifndef MM_FINGERPRINT_H
#define MM_FINGERPRINT_H

#include <stddef.h>
#include <apr_pools.h>
#include "store/ledger.h"

typedef struct mm_fingerprint {
    const char *id;         /* of the whole head */
    const char *const *ids; /* of its beginnings up to each line end, and of the whole, which is the last */
    size_t n;
    size_t len; /* of the head */
} mm_fingerprint_t;

/* Of a head (mm_logfile_head) that is not empty. */
mm_fingerprint_t mm_fingerprint(const char *head, size_t len, apr_pool_t *pool);

#endif
