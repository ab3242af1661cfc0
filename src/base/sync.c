/* No state; any thread. */
#include "base/sync.h"

#include <string.h>

bool mm_sync_parse(mm_sync_t *sync, const char *name)
{
    static const char *const names[] = {[MM_SYNC_NONE] = "none", [MM_SYNC_BATCH] = "batch", [MM_SYNC_EVENT] = "event"};

    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(names[i], name) == 0) {
            *sync = (mm_sync_t)i;
            return true;
        }
    }
    return false;
}
