/* Giving back what was read from a segment that is still written to. For this room. */
#ifndef MM_SPOOL_WIPE_H
#define MM_SPOOL_WIPE_H

#include <stdint.h>

#include "base/err.h"

/* Bytes from `from` to `to` of a segment become zeros, without blocks on the disk where the file system can do that.
 * APR_SUCCESS also where the segment is gone. Its writer, who only ever writes behind `to`, is not disturbed. */
apr_status_t mm_spool_wipe(int dirfd, const char *segment, int64_t from, int64_t to);

#endif
