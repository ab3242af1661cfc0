/* The drainer's way to what only the application's database can tell (src/resolve). */
#ifndef MM_RESOLVING_H
#define MM_RESOLVING_H

#include "drain/wait.h"
#include "resolve/resolve.h"

/* log and wait must outlive it. Connects to nothing yet. */
mm_resolve_t *mm_resolving_make(const char *uri, const mm_log_t *log, mm_wait_t *wait, apr_pool_t *pool);

#endif
