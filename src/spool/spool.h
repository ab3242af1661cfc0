/* The spool directory: where events wait for the drainer.
 *
 *   id                   names this spool in the database (24 hex digits), made once
 *   status               counters that all processes share, see src/status
 *   settings.json        how the site counts, for metricsctl, see src/settings
 *   drain.lock           held (flock) by the one drainer; its pid as text
 *   TIME-PID-N-SEED.seg  segments: frames (seeded with SEED, see frame.h), one per append; held (flock) by the
 *                        process that writes it, and only by it
 *   .TIME-….new          a segment between its creation and its lock; never read, removed when nobody holds it
 *   NAME.seg.corrupt     bytes that were no frame, set aside, each at the offset it had; holes elsewhere
 *   batch, checkpoint,   the drainer's, see src/drain
 *   batch.tmp, …
 *
 * A segment belongs to one process for life. When its lock can be had, nobody will write to it again: only then may the
 * end of the file be believed, and the file be removed once all of it has been applied.
 */
#ifndef MM_SPOOL_H
#define MM_SPOOL_H

#include <sys/types.h>
#include <apr_pools.h>
#include "base/err.h"

#define MM_SPOOL_ID_LEN    24
#define MM_SPOOL_SUFFIX    ".seg"
#define MM_SPOOL_LOCK_FILE "drain.lock"

/* Makes the directory (0700) with its parents (0755) and its id file, as uid:gid when we are root (pass -1 to leave the
 * owner alone). Safe to call again and from several processes at once. Everything else in it is for the owner alone to
 * make. Refused, with what to do: a directory that group or world may write to, one that belongs to a third user, one
 * on a network file system, and, to be given to uid, one of root's that holds something else. */
apr_status_t mm_spool_prepare(const char *dir, uid_t uid, gid_t gid, apr_pool_t *pool, mm_err_t *err);

/* Reads the id into id[MM_SPOOL_ID_LEN + 1]. */
apr_status_t mm_spool_id(char *id, const char *dir, apr_pool_t *pool, mm_err_t *err);

/* Takes the drainer's lock without waiting: APR_EAGAIN when another process holds it (err names its pid). Needs no room
 * on the disk once the file is there. Refused as by mm_spool_prepare, and for everybody but the directory's owner, root
 * included: what root left in it would lock the owner out. The lock goes when *fd is closed. */
apr_status_t mm_spool_lock(int *fd, const char *dir, apr_pool_t *pool, mm_err_t *err);

#endif
