/* metricsctl: what its subcommands share. Each is one file, tools/ctl_NAME.c, and one line in the table of
 * metricsctl.c.
 *
 * Exit codes: 0 done, 1 failed, 2 not understood. What was asked for goes to stdout, everything else to stderr.
 */
#ifndef MM_CTL_H
#define MM_CTL_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <apr_pools.h>
#include "base/log.h"
#include "base/version.h"
#include "count/policy.h"
#include "settings/settings.h"

#define CTL_OK     0
#define CTL_FAILED 1
#define CTL_USAGE  2

#define CTL_VERSION MM_VERSION

typedef struct ctl_command {
    const char *name;
    const char *summary; /* half a line for `metricsctl help` */
    const char *usage;   /* for `metricsctl help NAME`, whole lines */
    /* argv[0] is the subcommand's name. Returns an exit code. */
    int (*run)(int argc, const char *const *argv, apr_pool_t *pool);
} ctl_command_t;

extern const ctl_command_t ctl_drain;
extern const ctl_command_t ctl_explain;
extern const ctl_command_t ctl_forget;
extern const ctl_command_t ctl_import;
extern const ctl_command_t ctl_new_id;
extern const ctl_command_t ctl_status;

/* Copies text to `to` (room bytes, one at least), cut where it no longer fits, with control characters and what is no
 * UTF-8 as \xHH and a backslash doubled. */
void ctl_escape(char *to, size_t room, const char *text);

/* A log that writes to stderr what is at least as grave as the given level, escaped. */
mm_log_t ctl_log(const mm_log_level_t *least);

/* Says, escaped, what is wrong with the call and how to learn more; returns CTL_USAGE. */
int ctl_misuse(const char *command, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Says, escaped, what failed; returns CTL_FAILED. */
int ctl_failed(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* SPOOL/settings.json, or the file that was named instead (NULL: none was). Where there is none *settings is an empty
 * one, unless it was named. Returns an exit code. */
int ctl_settings(mm_settings_t **settings, const char *spool_dir, const char *path, apr_pool_t *pool);

/* What is a use on this site, out of its settings. Says what to do when there are no rules. Returns an exit code. */
int ctl_site_rules(mm_rules_t **rules, const mm_settings_t *settings, apr_pool_t *pool);

/* The arguments with MM_LOGFILE_STDIN for a dash alone, which apr_getopt would take for an option. */
const char *const *ctl_without_dash(int argc, const char *const *argv, apr_pool_t *pool);

/* Where the database is: the URI that was given, else what is in the file that was given, else in the environment's
 * MONGODB_URI, else in the file that the settings name. Returns an exit code; CTL_USAGE for none. */
int ctl_find_uri(const char **uri, const char *uri_file, const mm_settings_t *settings, const char *command,
                 apr_pool_t *pool);

/* Where the application's documents are: a file named on the command line (NULL: none) or by the settings. *uri stays
 * as it is where neither says. */
int ctl_find_catalog(const char **uri, const char *uri_file, const mm_settings_t *settings, apr_pool_t *pool);

#define CTL_URI_ENVIRONMENT "MONGODB_URI"

/* From now on SIGTERM and SIGINT set what it returns, and end the process only when they come again and second_ends;
 * SIGPIPE is ignored. */
const volatile sig_atomic_t *ctl_catch_stop(bool second_ends);

/* Called by root, becomes the owner of this directory for good: to be called before anything in it is opened. Says what
 * is wrong with a directory that root should not believe. */
int ctl_become_owner(const char *dir, apr_pool_t *pool);

#endif
