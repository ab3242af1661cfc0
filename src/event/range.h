/* Where a request for a part begins. */
#ifndef MM_RANGE_H
#define MM_RANGE_H

#include <stddef.h>
#include <stdint.h>

/* Of the value of a Range header: the first byte asked for. "bytes=N-" and "bytes=N-M" tell, and of a list of
 * ranges the first one; a suffix or anything else is MM_RANGE_UNKNOWN. */
int64_t mm_range_start(const char *range, size_t len);

/* Of the value of a Content-Range header: the first byte of the answer, or MM_RANGE_UNKNOWN. It tells more than what
 * was asked for: the last thousand bytes of a thing of a thousand are all of it. */
int64_t mm_range_answered(const char *range, size_t len);

#endif
