/* The drainer process, kept running by httpd's parent.
 *
 * Forked in post_config, it leaves httpd's process group (which httpd signals as a whole), becomes the configured User,
 * and runs src/drain. When it dies the parent starts another, after a pause that grows while it keeps dying early. It
 * ends within seconds when httpd stops or reloads (a new one then serves the new configuration) and when the parent is
 * gone.
 */
#ifndef MM_SUPERVISE_H
#define MM_SUPERVISE_H

#include "config/config.h"

/* For post_config, in the second pass and at each reload: makes the spool directory and starts the drainer, which
 * pconf's end stops. A spool that cannot be used keeps httpd from starting, but not from reloading. */
int mm_supervise_start(apr_pool_t *pconf, server_rec *s);

/* For the monitor hook, which httpd's parent runs every few seconds: starts the drainer if that has failed. */
int mm_supervise_monitor(void);

/* For pre_config: there is no drainer of this configuration yet. */
void mm_supervise_reset(void);

#endif
