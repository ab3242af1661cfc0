/* How much of the spool nobody has read yet. For this room. */
#ifndef MM_SPOOL_WAITING_H
#define MM_SPOOL_WAITING_H

#include <stdint.h>
#include "spool/spool_list.h"

/* Bytes of the segments in the list behind their offsets, without the room that is allocated ahead. What cannot be
 * looked at is left out. */
int64_t mm_spool_waiting(const mm_spool_list_t *list, int dirfd);

#endif
