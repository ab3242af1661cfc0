/* What the database refused for good: one line of canonical extended JSON per delta in DIR/rejected.ndjson, for a
 * person to look at.
 *
 *   {"spool": id, "seq": batch, "reason": sentence, "delta": the record of the batch file}
 *
 * A drainer that is killed between such a line and the end of its batch writes the line again: same spool, same seq,
 * same document, counted once.
 */
#ifndef MM_REJECTED_H
#define MM_REJECTED_H

#include <stddef.h>
#include <stdint.h>
#include "base/err.h"
#include "count/delta.h"

#define MM_REJECTED_FILE "rejected.ndjson"
/* Beyond this nothing is added: a database that refuses everything must not fill the disk. */
#define MM_REJECTED_MAX (INT64_C(64) * 1024 * 1024)

typedef struct mm_rejected {
    const char *dir;
    const char *spool_id;
    int64_t seq;
    int64_t max; /* bytes the file may have: MM_REJECTED_MAX */
} mm_rejected_t;

/* Appends n deltas and flushes them to the disk. Those for which there is no room, below max or on the disk, are left
 * out, *left_out says how many: waiting for room would hold up the one who makes it. A failure leaves the file as it
 * was and can be tried again. */
apr_status_t mm_rejected_append(const mm_rejected_t *rejected, const mm_delta_t *const *deltas, size_t n,
                                const char *reason, size_t *left_out, mm_err_t *err);

#endif
