/* What one frame of the spool holds: a pack of events. */
#ifndef MM_PACK_H
#define MM_PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "count/count.h"

/* Whether one of its events was written by a newer version of this program, so that nothing of the pack may be counted
 * or thrown away by this one. */
bool mm_pack_is_newer(const uint8_t *data, size_t len);

/* Counts its events, *events more, and returns how many, or how many ends of a pack, could not be read. */
int64_t mm_pack_count(mm_count_t *count, const uint8_t *data, size_t len, int64_t *events);

#endif
