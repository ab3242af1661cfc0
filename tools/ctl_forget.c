/* metricsctl forget-user: what is known of one person becomes what is known of nobody in particular. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <apr_getopt.h>
#include <apr_strings.h>
#include <apr_time.h>
#include "ctl.h"
#include "drain/wait.h"
#include "store/forget.h"
#include "store/pause.h"
#include "store/store.h"

#define WAIT_DEFAULT_S 60
#define WAIT_MAX_S     3600.0
#define LOOK_US        50000

enum { OPT_SPOOL = 256, OPT_SETTINGS, OPT_URI, OPT_URI_FILE, OPT_PREFIX, OPT_WAIT, OPT_FORCE };

static const apr_getopt_option_t option_table[] = {
    {"spool", OPT_SPOOL, 1, NULL},   {"settings", OPT_SETTINGS, 1, NULL},
    {"uri", OPT_URI, 1, NULL},       {"uri-file", OPT_URI_FILE, 1, NULL},
    {"prefix", OPT_PREFIX, 1, NULL}, {"wait", OPT_WAIT, 1, NULL},
    {"force", OPT_FORCE, 0, NULL},   {NULL, 0, 0, NULL},
};

static const char usage[] =
    "usage: metricsctl forget-user [--spool DIR] [OPTIONS] USER\n"
    "\n"
    "Removes a person from the database: their documents of metrics_users go, and what they did on a day is added to "
    "what\n"
    "nobody in particular did on that day. All totals, also of days, stay what they are.\n"
    "\n"
    "  --spool DIR          the directory that MetricsSpool names, for what httpd wrote there of the site\n"
    "  --settings FILE      the same from another file\n"
    "  --uri-file FILE      where the database is, as the only line of a file that others cannot read\n"
    "  --uri URI            the same on the command line. Without either, the environment's " CTL_URI_ENVIRONMENT
    " is used,\n"
    "                       or the file that MetricsMongoURI names\n"
    "  --prefix PREFIX      of the collections' names; default as in the settings, else " MM_STORE_PREFIX_DEFAULT "\n"
    "  --wait SECONDS       how long to wait for batches that are under way; default 60\n"
    "  --force              do not wait: a host that has one under way is gone for good\n"
    "\n"
    "USER is the id as MetricsUser or httpd's authentication gave it. While it works (seconds, mostly) no host "
    "counts;\n"
    "visits are recorded as ever, and counted behind it. It can be interrupted and run again.\n"
    "\n"
    "Visits of this person that still wait in a spool (metricsctl status) are counted when it is done: run it once "
    "more\n"
    "when they are. A rejected.ndjson in a spool, and access logs, may name the person, too: that is for you to "
    "remove.\n"
    "\n"
    "Exit codes: 0 done, 1 failed (can be run again), 2 not understood.\n";

typedef struct arguments {
    const char *spool, *settings_file, *uri, *uri_file, *prefix, *user;
    double wait_s;
    bool force;
    const volatile sig_atomic_t *stop;
} arguments_t;

/* --- arguments -----------------------------------------------------------------------------------------------------
 */

static int set_option(arguments_t *arguments, int option, const char *value)
{
    char *end;

    switch (option) {
    case OPT_SPOOL:
        arguments->spool = value;
        return CTL_OK;
    case OPT_SETTINGS:
        arguments->settings_file = value;
        return CTL_OK;
    case OPT_URI:
        arguments->uri = value;
        return CTL_OK;
    case OPT_URI_FILE:
        arguments->uri_file = value;
        return CTL_OK;
    case OPT_PREFIX:
        arguments->prefix = value;
        return CTL_OK;
    case OPT_FORCE:
        arguments->force = true;
        return CTL_OK;
    default:
        arguments->wait_s = strtod(value, &end);
        return end != value && *end == '\0' && arguments->wait_s >= 0 && arguments->wait_s <= WAIT_MAX_S
                   ? CTL_OK
                   : ctl_misuse("forget-user", "--wait %s: a number of seconds from 0 to 3600 is needed", value);
    }
}

static int parse(arguments_t *arguments, int argc, const char *const *argv, apr_pool_t *pool)
{
    apr_getopt_t *getopt;
    const char *value;
    apr_status_t rv;
    int option;

    apr_getopt_init(&getopt, pool, argc, argv);
    getopt->interleave = 1;
    while ((rv = apr_getopt_long(getopt, option_table, &option, &value)) == APR_SUCCESS) {
        int code = set_option(arguments, option, value);

        if (code != CTL_OK) {
            return code;
        }
    }
    if (rv != APR_EOF) {
        return ctl_misuse("forget-user", "the options are not understood");
    }
    if (argc - getopt->ind != 1 || !*getopt->argv[getopt->ind]) {
        return ctl_misuse("forget-user", "one user is needed");
    }
    arguments->user = getopt->argv[getopt->ind];
    return CTL_OK;
}

static int use_settings(arguments_t *arguments, apr_pool_t *pool)
{
    mm_settings_t *settings;
    int code = ctl_settings(&settings, arguments->spool, arguments->settings_file, pool);

    if (code != CTL_OK) {
        return code;
    }
    if (!arguments->prefix) {
        arguments->prefix = settings->prefix ? settings->prefix : MM_STORE_PREFIX_DEFAULT;
    }
    return ctl_find_uri(&arguments->uri, arguments->uri_file, settings, "forget-user", pool);
}

/* --- work ----------------------------------------------------------------------------------------------------------
 */

static apr_status_t wait_for_quiet(mm_store_t *store, const arguments_t *arguments, mm_err_t *err)
{
    const mm_wait_t wait = {.stop = arguments->stop};
    apr_time_t until = apr_time_now() + (apr_time_t)(arguments->wait_s * APR_USEC_PER_SEC);
    bool quiet = arguments->force;
    apr_status_t rv = APR_SUCCESS;

    while (!quiet && (rv = mm_pause_is_quiet(store, &quiet, err)) == APR_SUCCESS && !quiet) {
        if (*arguments->stop || apr_time_now() >= until) {
            return APR_EAGAIN;
        }
        mm_wait(&wait, LOOK_US);
    }
    return rv;
}

static apr_status_t forget(mm_store_t *store, const arguments_t *arguments, mm_forgotten_t *forgotten, mm_err_t *err)
{
    mm_err_t second;
    apr_status_t rv = mm_pause_begin(store, err), end_rv;

    if (rv == APR_SUCCESS) {
        rv = wait_for_quiet(store, arguments, err);
        if (rv == APR_SUCCESS) {
            rv = mm_forget_user(store, arguments->user, forgotten, err);
        }
        end_rv = mm_pause_end(store, &second);
        if (rv == APR_SUCCESS && end_rv != APR_SUCCESS) {
            rv = mm_err_set(err, end_rv, "%s. Counting goes on within ten minutes", second.text);
        }
    }
    return rv;
}

static int run(const arguments_t *arguments, apr_pool_t *pool)
{
    mm_forgotten_t forgotten;
    mm_store_t *store;
    mm_err_t err;
    apr_status_t rv;

    mm_store_init();
    rv = mm_store_open(&store, arguments->uri, arguments->prefix, pool, &err);
    if (rv == APR_SUCCESS) {
        rv = forget(store, arguments, &forgotten, &err);
    }
    if (rv == APR_EAGAIN) {
        return ctl_failed(
            "nothing is changed, because %s. See that its drainer runs, or say --force if that host is gone "
            "for good",
            err.text);
    }
    if (rv != APR_SUCCESS) {
        return ctl_failed("%s. Run it again", err.text);
    }
    if (forgotten.resources == 0 && forgotten.days == 0) {
        puts("Nothing is known of this user.");
    }
    else {
        printf("Forgotten: %" PRId64 " resource(s), on %" PRId64 " day(s) of them. All totals are as they were.\n",
               forgotten.resources, forgotten.days);
    }
    puts(
        "Visits of this user that wait in a spool are not counted yet: say it again when they are. rejected.ndjson and "
        "access logs are not looked at.");
    return CTL_OK;
}

static int forget_run(int argc, const char *const *argv, apr_pool_t *pool)
{
    arguments_t arguments = {.wait_s = WAIT_DEFAULT_S};
    int code = parse(&arguments, argc, argv, pool);

    if (code == CTL_OK) {
        code = use_settings(&arguments, pool);
    }
    if (code == CTL_OK && arguments.spool) {
        code = ctl_become_owner(arguments.spool, pool);
    }
    if (code != CTL_OK) {
        return code;
    }
    arguments.stop = ctl_catch_stop(false);
    return run(&arguments, pool);
}

const ctl_command_t ctl_forget = {
    .name = "forget-user",
    .summary = "removes a person from the database; totals stay",
    .usage = usage,
    .run = forget_run,
};
