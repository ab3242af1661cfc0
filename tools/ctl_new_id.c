/* metricsctl new-id: for a spool directory that is a copy of another one, or has lost what it remembers. */
#include <stdio.h>
#include <apr_getopt.h>
#include "ctl.h"
#include "drain/new_id.h"

enum { OPT_SPOOL = 256 };

static const apr_getopt_option_t option_table[] = {
    {"spool", OPT_SPOOL, 1, NULL},
    {NULL, 0, 0, NULL},
};

static const char usage[] =
    "usage: metricsctl new-id --spool DIR\n"
    "\n"
    "Gives a spool directory another id. For a directory that is a copy of another one (a cloned machine), of which "
    "the\n"
    "drainer says that the database knows its batches from elsewhere; and for one whose checkpoint is lost, or older\n"
    "than what is in the database, and cannot be had back.\n"
    "\n"
    "  --spool DIR   the directory that MetricsSpool names\n"
    "\n"
    "Stop its drainer (httpd, or metricsctl drain) first, and run this as the directory's owner, or as root, who "
    "becomes\n"
    "the owner before anything in the directory is opened. What the spool has not\n"
    "counted yet is counted under the new id. Events that were in the spool when it was copied, or that were counted\n"
    "after the checkpoint that it now has, are counted twice.\n"
    "\n"
    "Exit codes: 0 done, 1 failed (can be run again), 2 not understood.\n";

static int parse(const char **dir, int argc, const char *const *argv, apr_pool_t *pool)
{
    apr_getopt_t *getopt;
    apr_status_t rv;
    int option;

    apr_getopt_init(&getopt, pool, argc, argv);
    while ((rv = apr_getopt_long(getopt, option_table, &option, dir)) == APR_SUCCESS) {
    }
    if (rv != APR_EOF) {
        return ctl_misuse("new-id", "the options are not understood");
    }
    if (getopt->ind < argc) {
        return ctl_misuse("new-id", "\"%s\" is too much", argv[getopt->ind]);
    }
    return *dir != NULL ? CTL_OK : ctl_misuse("new-id", "--spool is missing");
}

static int new_id_run(int argc, const char *const *argv, apr_pool_t *pool)
{
    const char *dir = NULL;
    mm_new_id_t result;
    mm_err_t err;
    int code = parse(&dir, argc, argv, pool);

    if (code == CTL_OK) {
        code = ctl_become_owner(dir, pool);
    }
    if (code != CTL_OK) {
        return code;
    }
    if (mm_new_id(&result, dir, pool, &err) != APR_SUCCESS) {
        return ctl_failed("%s", err.text);
    }
    printf("The spool %s is now %s; it was %s.\n", dir, result.after, result.before);
    if (result.pending) {
        puts("The batch that waits in it is counted, whole, under the new id.");
    }
    puts(result.remembered
             ? "What it has not counted yet is counted under the new id. Events that were in the spool when "
               "it was copied are counted by both spools."
             : "It has no checkpoint, so all events that are in it are counted under the new id, also those "
               "that were counted before.");
    return CTL_OK;
}

const ctl_command_t ctl_new_id = {
    .name = "new-id",
    .summary = "gives a spool that was copied an id of its own",
    .usage = usage,
    .run = new_id_run,
};
