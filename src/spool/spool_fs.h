/* File systems on which a spool cannot work. For this room. */
#ifndef MM_SPOOL_FS_H
#define MM_SPOOL_FS_H

#include <stdint.h>
#include "base/err.h"

/* Everything here rests on flock(2), which must tell at once and for sure whether the holder lives. Over a network it
 * does not: an unreachable server or a lost lease makes two drainers, or takes the lock from a writer that lives. The
 * name of such a file system, of statfs(2)'s type; NULL for any other. */
const char *mm_spool_fs_refused(uint32_t type);

/* Refuses a directory, open as fd, that is on one of them. */
apr_status_t mm_spool_fs_check(int fd, const char *dir, mm_err_t *err);

#endif
