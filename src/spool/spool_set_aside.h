/* Bytes of a segment that are no frame, kept for whoever wants to know. For this room. */
#ifndef MM_SPOOL_SET_ASIDE_H
#define MM_SPOOL_SET_ASIDE_H

#include <stddef.h>
#include <stdint.h>
#include <apr_errno.h>

#define MM_SPOOL_CORRUPT_SUFFIX ".corrupt"
/* Bytes at this offset of a segment and behind it are not kept. Eight times what a segment grows to by default. */
#define MM_SPOOL_CORRUPT_MAX (INT64_C(64) * 1024 * 1024)

/* Writes them into SEGMENT.corrupt at the offset they had in the segment, so that doing it again after a restart
 * changes nothing. APR_ENOSPC when they, or the end of them, lie behind MM_SPOOL_CORRUPT_MAX. */
apr_status_t mm_spool_set_aside(int dirfd, const char *segment, int64_t offset, const uint8_t *data, size_t len);

#endif
