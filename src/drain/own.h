/* The drainer's files belong to whom the spool belongs to, whoever drains: what root left after a `metricsctl drain` by
 * hand must not lock out httpd's drainer, which runs as another user.
 */
#ifndef MM_OWN_H
#define MM_OWN_H

#include "base/err.h"

/* Opens NAME in the directory for writing (flags: O_TRUNC, O_APPEND, …), creating it as 0600 of the directory's owner;
 * never through a symbolic link. */
apr_status_t mm_own_create(int *fd, int dirfd, const char *name, int flags, mm_err_t *err);

#endif
