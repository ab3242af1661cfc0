/* metricsctl status: what /metrics/status tells, from the spool alone; httpd need not run. */
#include <stdio.h>
#include <apr_getopt.h>
#include "ctl.h"
#include "status/status_show.h"

enum { OPT_SPOOL = 256, OPT_JSON, OPT_OPENMETRICS };

static const apr_getopt_option_t option_table[] = {
    {"spool", OPT_SPOOL, 1, NULL},
    {"json", OPT_JSON, 0, NULL},
    {"openmetrics", OPT_OPENMETRICS, 0, NULL},
    {NULL, 0, 0, NULL},
};

static const char usage[] = "usage: metricsctl status [--json | --openmetrics] --spool DIR\n"
                            "\n"
                            "Prints what was recorded, dropped and counted since the spool was made, and what waits in "
                            "it. docs/status.md says\n"
                            "what each number means, and what to be alarmed by.\n"
                            "\n"
                            "  --spool DIR     the directory that MetricsSpool names\n"
                            "  --json          as GET /metrics/status gives it\n"
                            "  --openmetrics   for Prometheus and its kin\n"
                            "\n"
                            "Only reads. To be run as the directory's owner, or as root. httpd need not run.\n"
                            "\n"
                            "Exit codes: 0 done, 1 failed, 2 not understood.\n";

typedef struct arguments {
    const char *dir;
    const char *(*show)(const mm_status_view_t *view, apr_pool_t *pool);
} arguments_t;

static int parse(arguments_t *arguments, int argc, const char *const *argv, apr_pool_t *pool)
{
    apr_getopt_t *getopt;
    const char *value;
    apr_status_t rv;
    int option, formats = 0;

    apr_getopt_init(&getopt, pool, argc, argv);
    while ((rv = apr_getopt_long(getopt, option_table, &option, &value)) == APR_SUCCESS) {
        if (option == OPT_SPOOL) {
            arguments->dir = value;
        }
        else {
            arguments->show = option == OPT_JSON ? mm_status_json : mm_status_openmetrics;
            formats++;
        }
    }
    if (rv != APR_EOF) {
        return ctl_misuse("status", "the options are not understood");
    }
    if (getopt->ind < argc) {
        return ctl_misuse("status", "\"%s\" is too much", argv[getopt->ind]);
    }
    if (formats > 1) {
        return ctl_misuse("status", "--json and --openmetrics exclude each other");
    }
    return arguments->dir != NULL ? CTL_OK : ctl_misuse("status", "--spool is missing");
}

static int status_run(int argc, const char *const *argv, apr_pool_t *pool)
{
    arguments_t arguments = {.show = mm_status_text};
    mm_status_page_t page;
    mm_status_view_t view;
    mm_err_t err;
    int code = parse(&arguments, argc, argv, pool);

    if (code == CTL_OK) {
        code = ctl_become_owner(arguments.dir, pool);
    }
    if (code != CTL_OK) {
        return code;
    }
    if (mm_status_read(&page, arguments.dir, &err) != APR_SUCCESS) {
        return ctl_failed("%s", err.text);
    }
    mm_status_look(&view, arguments.dir, &page);
    fputs(arguments.show(&view, pool), stdout);
    return CTL_OK;
}

const ctl_command_t ctl_status = {
    .name = "status",
    .summary = "prints what was recorded, dropped and counted, and what waits",
    .usage = usage,
    .run = status_run,
};
