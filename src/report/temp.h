/* A directory for the files of one report, that nobody else can look into and nothing is left of. */
#ifndef MM_TEMP_H
#define MM_TEMP_H

#include <stdint.h>
#include <apr_pools.h>
#include "base/err.h"

/* Where such directories are made, and how many bytes a report may put there before they are packed. */
typedef struct mm_temp {
    const char *dir; /* NULL: the system's */
    int64_t max;     /* 0: MM_TEMP_MAX */
} mm_temp_t;

#define MM_TEMP_MAX (INT64_C(2) * 1024 * 1024 * 1024)

/* Makes one; the pool's end removes it with what is in it. Those that processes left which are gone are removed, too.
 */
apr_status_t mm_temp_make(const char **path, const mm_temp_t *temp, apr_pool_t *pool, mm_err_t *err);

/* How many bytes can still be written there; INT64_MAX where that is not known. */
int64_t mm_temp_room(const char *path);

#endif
