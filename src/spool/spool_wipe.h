/* Giving back what was read from a segment that is still written to. For this room. */
#ifndef MM_SPOOL_WIPE_H
#define MM_SPOOL_WIPE_H

#include <stdint.h>

#include "base/err.h"

/* Bytes from `from` to `to` of a segment become zeros, without blocks on the disk where the file system can do that,
 * and its beginning says so: from then on nothing before `to` is a frame. `to` is an end of a frame, and every call's
 * `from` the last one's `to`. APR_SUCCESS also where the segment is gone, or too short to say it in. Its writer, who
 * only ever writes behind `to`, is not disturbed. */
apr_status_t mm_spool_wipe(int dirfd, const char *segment, uint32_t seed, int64_t from, int64_t to);

/* Up to where an open segment was wiped, whoever did it; 0: it was not. */
int64_t mm_spool_wiped(int fd, uint32_t seed);

#endif
