/* The drainer's files. */
#ifndef MM_OWN_H
#define MM_OWN_H

#include "base/err.h"

/* Opens NAME in the directory for writing (flags: O_TRUNC, O_APPEND, …), creating it for the owner alone; never through
 * a symbolic link. */
apr_status_t mm_own_create(int *fd, int dirfd, const char *name, int flags, mm_err_t *err);

#endif
