/* metricsctl drain: src/drain under systemd or by hand, where MetricsDrainer Off keeps httpd from doing it.
 *
 * SIGTERM and SIGINT end it after the step in hand; a harder end loses nothing either.
 */
#include <stdlib.h>
#include <string.h>
#include <apr_getopt.h>
#include <apr_strings.h>
#include "base/sync.h"
#include "base/text.h"
#include "ctl.h"
#include "drain/drain.h"
#include "drain/syncer.h"
#include "store/store.h"

#define TYPES_MAX      64
#define INTERVAL_MIN_S 0.01
#define INTERVAL_MAX_S 3600.0
#define SECOND_US      1000000.0
#define TYPES_DEFAULT  "datasets,collections,files"

enum {
    OPT_SPOOL = 256,
    OPT_SETTINGS,
    OPT_URI,
    OPT_URI_FILE,
    OPT_CATALOG,
    OPT_PREFIX,
    OPT_TYPES,
    OPT_INTERVAL,
    OPT_DOUBLE_CLICK,
    OPT_ROBOTS,
    OPT_MACHINES,
    OPT_ALLOW,
    OPT_SYNC,
    OPT_ONCE
};

static const apr_getopt_option_t option_table[] = {
    {"spool", OPT_SPOOL, 1, NULL},
    {"settings", OPT_SETTINGS, 1, NULL},
    {"uri", OPT_URI, 1, NULL},
    {"uri-file", OPT_URI_FILE, 1, NULL},
    {"catalog-uri-file", OPT_CATALOG, 1, NULL},
    {"prefix", OPT_PREFIX, 1, NULL},
    {"types", OPT_TYPES, 1, NULL},
    {"interval", OPT_INTERVAL, 1, NULL},
    {"double-click", OPT_DOUBLE_CLICK, 1, NULL},
    {"robots", OPT_ROBOTS, 1, NULL},
    {"machines", OPT_MACHINES, 1, NULL},
    {"allow", OPT_ALLOW, 1, NULL},
    {"sync", OPT_SYNC, 1, NULL},
    {"once", OPT_ONCE, 0, NULL},
    {"verbose", 'v', 0, NULL},
    {NULL, 0, 0, NULL},
};

static const char usage[] =
    "usage: metricsctl drain --spool DIR [--uri-file FILE | --uri URI] [OPTIONS]\n"
    "\n"
    "Counts what is in the spool into MongoDB, until it is told to stop (SIGTERM, SIGINT).\n"
    "\n"
    "  --spool DIR          the directory that MetricsSpool names\n"
    "  --uri-file FILE      where the database is, as the only line of a file that others cannot read\n"
    "  --uri URI            the same on the command line, where every user of this machine can see it, the password\n"
    "                       included: prefer --uri-file. Without either, the environment's " CTL_URI_ENVIRONMENT "\n"
    "                       is used, or the file that MetricsMongoURI names\n"
    "  --catalog-uri-file FILE\n"
    "                       the same for the application's own database, where visitors and share links are looked\n"
    "                       up; default the file that MetricsCatalogURI names, else the database of the counts\n"
    "  --settings FILE      how the site counts; default DIR/settings.json, which httpd writes when it starts\n"
    "  --prefix PREFIX      of the collections' names; default as in the settings, else " MM_STORE_PREFIX_DEFAULT "\n"
    "  --types NAME,NAME    the types whose indexes are made; default as in the settings, else\n"
    "                       " TYPES_DEFAULT "\n"
    "  --interval SECONDS   between two looks at the spool, 0.01 to 3600; default 2\n"
    "  --double-click SECS  within which clicks of one user on one thing are one, 0 (off) to 65; default as in the\n"
    "                       settings, else 30\n"
    "  --robots FILE, --machines FILE, --allow REGEX\n"
    "                       lists of agents, and those that are on none; each may be there several times. Default as\n"
    "                       in the settings\n"
    "  --sync batch         flush the spool to the disk every second, as MetricsSpool's sync=batch asks for; none and\n"
    "                       event need nothing of a drainer\n"
    "  --once               end when all is counted, or at the first failure\n"
    "  -v, --verbose        tell of every batch\n"
    "\n"
    "Run it as the owner of the spool (httpd's User). Run by root it becomes the owner by itself, once it has read "
    "FILE\n"
    "and before it opens anything in the spool; a directory that is a symbolic link, or that others can write to, it\n"
    "refuses.\n"
    "\n"
    "Exit codes: 0 done, 1 failed, 2 not understood. Only one drainer works on a spool; a second one fails.\n";

typedef struct arguments {
    mm_drain_options_t options;
    const char *uri_file, *catalog_file, *types, *settings_file;
    mm_settings_t *settings;
    int64_t double_click_ms;                       /* -1: not said */
    apr_array_header_t *robots, *machines, *allow; /* of const char * */
    mm_sync_t sync;
    int verbose;
} arguments_t;

static int parse_interval(int64_t *interval_us, const char *text)
{
    char *end;
    double seconds = strtod(text, &end);

    if (end == text || *end != '\0' || !(seconds >= INTERVAL_MIN_S && seconds <= INTERVAL_MAX_S)) {
        return ctl_misuse("drain", "--interval %s: a number of seconds from 0.01 to 3600 is needed", text);
    }
    *interval_us = (int64_t)(seconds * SECOND_US);
    return CTL_OK;
}

static int parse_double_click(int64_t *double_click_ms, const char *text)
{
    char *end;
    double seconds = strtod(text, &end);

    if (end == text || *end != '\0' || !(seconds >= 0 && seconds * 1000 <= MM_POLICY_DOUBLE_CLICK_MAX_MS)) {
        return ctl_misuse("drain", "--double-click %s: a number of seconds from 0 (off) to 65 is needed", text);
    }
    *double_click_ms = (int64_t)(seconds * 1000);
    return CTL_OK;
}

static int parse_types(mm_drain_options_t *options, const char *list, apr_pool_t *pool)
{
    const char **types = apr_pcalloc(pool, TYPES_MAX * sizeof(*types));
    char *rest = apr_pstrdup(pool, list), *name;
    size_t n = 0;

    while ((name = strsep(&rest, ",")) != NULL) {
        if (!mm_text_is_type_name(name, strlen(name))) {
            return ctl_misuse("drain", "--types %s: \"%s\" is no name of a type (a-z, 0-9 and _, at most 32)", list,
                              name);
        }
        if (n == TYPES_MAX) {
            return ctl_misuse("drain", "--types: more than %d", TYPES_MAX);
        }
        types[n++] = name;
    }
    options->types = types;
    options->n_types = n;
    return CTL_OK;
}

static int set_option(arguments_t *arguments, int option, const char *value)
{
    switch (option) {
    case OPT_SPOOL:
        arguments->options.spool_dir = value;
        return CTL_OK;
    case OPT_SETTINGS:
        arguments->settings_file = value;
        return CTL_OK;
    case OPT_URI:
        arguments->options.mongo_uri = value;
        return CTL_OK;
    case OPT_URI_FILE:
        arguments->uri_file = value;
        return CTL_OK;
    case OPT_CATALOG:
        arguments->catalog_file = value;
        return CTL_OK;
    case OPT_PREFIX:
        arguments->options.prefix = value;
        return CTL_OK;
    case OPT_TYPES:
        arguments->types = value;
        return CTL_OK;
    case OPT_INTERVAL:
        return parse_interval(&arguments->options.interval_us, value);
    case OPT_DOUBLE_CLICK:
        return parse_double_click(&arguments->double_click_ms, value);
    case OPT_ROBOTS:
        APR_ARRAY_PUSH(arguments->robots, const char *) = value;
        return CTL_OK;
    case OPT_MACHINES:
        APR_ARRAY_PUSH(arguments->machines, const char *) = value;
        return CTL_OK;
    case OPT_ALLOW:
        APR_ARRAY_PUSH(arguments->allow, const char *) = value;
        return CTL_OK;
    case OPT_SYNC:
        return mm_sync_parse(&arguments->sync, value)
                   ? CTL_OK
                   : ctl_misuse("drain", "--sync %s: none, batch or event is needed", value);
    case OPT_ONCE:
        arguments->options.once = 1;
        return CTL_OK;
    default:
        arguments->verbose = 1;
        return CTL_OK;
    }
}

static int parse(arguments_t *arguments, int argc, const char *const *argv, apr_pool_t *pool)
{
    apr_getopt_t *getopt;
    const char *value;
    apr_status_t rv;
    int option;

    apr_getopt_init(&getopt, pool, argc, argv);
    while ((rv = apr_getopt_long(getopt, option_table, &option, &value)) == APR_SUCCESS) {
        int code = set_option(arguments, option, value);

        if (code != CTL_OK) {
            return code;
        }
    }
    if (rv != APR_EOF) {
        return ctl_misuse("drain", "the options are not understood");
    }
    if (getopt->ind < argc) {
        return ctl_misuse("drain", "\"%s\" is too much", argv[getopt->ind]);
    }
    if (arguments->options.spool_dir == NULL) {
        return ctl_misuse("drain", "--spool is missing");
    }
    if (arguments->options.mongo_uri != NULL && arguments->uri_file != NULL) {
        return ctl_misuse("drain", "--uri and --uri-file exclude each other");
    }
    return arguments->types ? parse_types(&arguments->options, arguments->types, pool) : CTL_OK;
}

static void use_lists(mm_settings_t *settings, const arguments_t *arguments)
{
    if (arguments->robots->nelts > 0) {
        settings->robots = arguments->robots;
    }
    if (arguments->machines->nelts > 0) {
        settings->machines = arguments->machines;
    }
    if (arguments->allow->nelts > 0) {
        settings->allow_agents = arguments->allow;
    }
}

/* What the command line did not say. */
static int use_settings(arguments_t *arguments, apr_pool_t *pool)
{
    mm_drain_options_t *options = &arguments->options;
    mm_settings_t *settings;
    int code = ctl_settings(&arguments->settings, options->spool_dir, arguments->settings_file, pool);

    if (code != CTL_OK) {
        return code;
    }
    settings = arguments->settings;
    if (!options->prefix) {
        options->prefix = settings->prefix ? settings->prefix : MM_STORE_PREFIX_DEFAULT;
    }
    if (arguments->double_click_ms >= 0) {
        settings->double_click_ms = arguments->double_click_ms;
    }
    use_lists(settings, arguments);
    if (options->types) {
        return CTL_OK;
    }
    if (settings->types->nelts == 0) {
        return parse_types(options, TYPES_DEFAULT, pool);
    }
    options->types = (const char *const *)settings->types->elts;
    options->n_types = (size_t)settings->types->nelts;
    return CTL_OK;
}

static int run(arguments_t *arguments, const mm_log_t *log, apr_pool_t *pool)
{
    mm_syncer_t *syncer = NULL;
    mm_drain_t *drain;
    mm_err_t err;
    apr_status_t rv = mm_settings_policy(&arguments->options.policy, arguments->settings, log, pool, &err);

    arguments->options.stop = ctl_catch_stop(false);
    mm_store_init();
    if (rv == APR_SUCCESS && arguments->sync == MM_SYNC_BATCH) {
        rv = mm_syncer_start(&syncer, arguments->options.spool_dir, log, pool, &err);
    }
    if (rv == APR_SUCCESS) {
        rv = mm_drain_create(&drain, &arguments->options, log, pool, &err);
    }
    if (rv == APR_SUCCESS) {
        rv = mm_drain_run(drain, &err);
    }
    mm_syncer_stop(syncer);
    return rv == APR_SUCCESS ? CTL_OK : ctl_failed("%s", err.text);
}

static int drain_run(int argc, const char *const *argv, apr_pool_t *pool)
{
    arguments_t arguments = {.options = {.interval_us = MM_DRAIN_INTERVAL_DEFAULT_US},
                             .double_click_ms = -1,
                             .robots = apr_array_make(pool, 1, sizeof(const char *)),
                             .machines = apr_array_make(pool, 1, sizeof(const char *)),
                             .allow = apr_array_make(pool, 1, sizeof(const char *))};
    mm_log_level_t least = MM_LOG_NOTICE;
    mm_log_t log = ctl_log(&least);
    int code;

    code = parse(&arguments, argc, argv, pool);
    if (code == CTL_OK) {
        code = use_settings(&arguments, pool);
    }
    if (code == CTL_OK) {
        code = ctl_find_uri(&arguments.options.mongo_uri, arguments.uri_file, arguments.settings, "drain", pool);
    }
    if (code == CTL_OK) {
        code = ctl_find_catalog(&arguments.options.catalog_uri, arguments.catalog_file, arguments.settings, pool);
    }
    if (code == CTL_OK) {
        code = ctl_become_owner(arguments.options.spool_dir, pool);
    }
    if (code != CTL_OK) {
        return code;
    }
    if (arguments.verbose) {
        least = MM_LOG_DEBUG;
    }
    return run(&arguments, &log, pool);
}

const ctl_command_t ctl_drain = {
    .name = "drain",
    .summary = "counts what is in a spool into MongoDB",
    .usage = usage,
    .run = drain_run,
};
