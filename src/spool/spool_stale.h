/* Files that a writer died over before they were segments. For this room. */
#ifndef MM_SPOOL_STALE_H
#define MM_SPOOL_STALE_H

#include <dirent.h>

/* Removes them from the directory, where nobody holds them. A writer that lives finds its lock taken, or its file gone,
 * and makes another. */
void mm_spool_remove_stale(DIR *dir);

#endif
