/* Making a segment. For the writer of this room. */
#ifndef MM_SPOOL_CREATE_H
#define MM_SPOOL_CREATE_H

#include <stdbool.h>
#include <stdint.h>
#include "base/err.h"

typedef struct mm_spool_created {
    int fd; /* open for reading and appending, and locked */
    uint32_t seed;
} mm_spool_created_t;

/* Makes a segment in dir, the n-th of this process. durable: its name is on the disk when this returns. A failure
 * leaves nothing behind. */
apr_status_t mm_spool_create(mm_spool_created_t *created, const char *dir, uint32_t n, bool durable, mm_err_t *err);

#endif
