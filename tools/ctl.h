/* metricsctl: what its subcommands share. Each is one file, tools/ctl_NAME.c, and one line in the table of
 * metricsctl.c.
 *
 * Exit codes: 0 done, 1 failed, 2 not understood. What was asked for goes to stdout, everything else to stderr.
 */
#ifndef MM_CTL_H
#define MM_CTL_H

#include <apr_pools.h>
#include "base/log.h"

#define CTL_OK     0
#define CTL_FAILED 1
#define CTL_USAGE  2

#define CTL_VERSION "0.1.0"

typedef struct ctl_command {
    const char *name;
    const char *summary; /* half a line for `metricsctl help` */
    const char *usage;   /* for `metricsctl help NAME`, whole lines */
    /* argv[0] is the subcommand's name. Returns an exit code. */
    int (*run)(int argc, const char *const *argv, apr_pool_t *pool);
} ctl_command_t;

extern const ctl_command_t ctl_drain;
extern const ctl_command_t ctl_new_id;

/* A log that writes to stderr what is at least as grave as the given level. */
mm_log_t ctl_log(const mm_log_level_t *least);

/* Says what is wrong with the call and how to learn more; returns CTL_USAGE. */
int ctl_misuse(const char *command, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Says what failed; returns CTL_FAILED. */
int ctl_failed(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
