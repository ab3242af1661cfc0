/* How sure an event that was taken is to be there after a power cut: MetricsSpool's sync=. docs/reliability.md says
 * what survives what. */
#ifndef MM_SYNC_H
#define MM_SYNC_H

#include <stdbool.h>

typedef enum mm_sync {
    MM_SYNC_NONE,  /* when the kernel writes it, some 30 s later */
    MM_SYNC_BATCH, /* once a second the drainer's process flushes the spool */
    MM_SYNC_EVENT  /* an append returns when it is on the disk */
} mm_sync_t;

/* none, batch or event; false for anything else. */
bool mm_sync_parse(mm_sync_t *sync, const char *name);

#endif
