/* metricsctl import: access logs into the database, by the rules of the site.
 *
 * Files are opened before root becomes the owner of the spool, who need not be allowed to read them.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <apr_getopt.h>
#include <apr_strings.h>
#include "ctl.h"
#include "ctl_import.h"
#include "event/event_json.h"
#include "import/import.h"
#include "store/ledger.h"
#include "store/store.h"

#define IMPORT_DIR  "/import"
#define PATIENCE_US (INT64_C(120) * 1000000)
#define LOGS_MAX    100000

static volatile sig_atomic_t stop;

/* The second time the hard way: somebody does not want to wait. */
static void on_stop(int sig)
{
    stop = 1;
    signal(sig, SIG_DFL);
}

enum {
    OPT_SPOOL = 256,
    OPT_SETTINGS,
    OPT_URI,
    OPT_URI_FILE,
    OPT_PREFIX,
    OPT_FORMAT,
    OPT_SINCE,
    OPT_UNTIL,
    OPT_OVERLAP,
    OPT_SLASHES,
    OPT_TAKE_OVER,
    OPT_DRY_RUN,
    OPT_JSON
};

static const apr_getopt_option_t option_table[] = {
    {"spool", OPT_SPOOL, 1, NULL},
    {"settings", OPT_SETTINGS, 1, NULL},
    {"uri", OPT_URI, 1, NULL},
    {"uri-file", OPT_URI_FILE, 1, NULL},
    {"prefix", OPT_PREFIX, 1, NULL},
    {"format", OPT_FORMAT, 1, NULL},
    {"since", OPT_SINCE, 1, NULL},
    {"until", OPT_UNTIL, 1, NULL},
    {"overlap", OPT_OVERLAP, 1, NULL},
    {"encoded-slashes", OPT_SLASHES, 1, NULL},
    {"take-over", OPT_TAKE_OVER, 0, NULL},
    {"dry-run", OPT_DRY_RUN, 0, NULL},
    {"json", OPT_JSON, 0, NULL},
    {"verbose", 'v', 0, NULL},
    {NULL, 0, 0, NULL},
};

static const char usage[] =
    "usage: metricsctl import --spool DIR [OPTIONS] FILE… | -\n"
    "\n"
    "Counts access logs into the database, by the rules of the site, each line once: a log that was imported before "
    "is\n"
    "known by its beginning, also renamed, packed or grown, and read on from where it is counted. Interrupted (or\n"
    "killed), the same command goes on. Files packed by gzip, xz, bzip2 or zstd are unpacked; - is standard input.\n"
    "docs/import.md says what a log can tell, and what not.\n"
    "\n"
    "  --spool DIR          the directory that MetricsSpool names; the import works in its directory import\n"
    "  --settings FILE      how the site counts; default DIR/settings.json, which httpd writes when it starts\n"
    "  --uri-file FILE      where the database is, as the only line of a file that others cannot read\n"
    "  --uri URI            the same on the command line, where every user of this machine can see it. Without "
    "either,\n"
    "                       the environment's " CTL_URI_ENVIRONMENT " is used, or the file that MetricsMongoURI names\n"
    "  --prefix PREFIX      of the collections' names; default as in the settings\n"
    "  --format FORMAT      common, combined, vhost_combined, or a LogFormat as it stands in httpd's configuration;\n"
    "                       default: the first of these three that fits the first line\n"
    "  --since TIME, --until TIME\n"
    "                       only requests from then on, or before then: 2025-12-31, or 2025-12-31T12:00:00Z\n"
    "  --overlap count      also requests from after httpd began to record here, which are left out as they would "
    "count\n"
    "                       twice: for logs of another server, or where nothing was recorded\n"
    "  --encoded-slashes keep\n"
    "                       %2F stays as it is, as with AllowEncodedSlashes NoDecode; default decode\n"
    "  --take-over          also logs that another host says it is importing\n"
    "  --dry-run            tell what would be counted; needs no database\n"
    "  --json               the summary as JSON\n"
    "  -v, --verbose        tell of every log\n"
    "\n"
    "Run it as the owner of the spool (httpd's User), or as root, who opens the files and then becomes the owner.\n"
    "\n"
    "Exit codes: 0 done, 1 failed (can be run again), 2 not understood.\n";

typedef struct arguments {
    mm_import_options_t options;
    const char *spool, *settings_file, *uri_file, *prefix;
    bool dry, json, verbose, overlap;
    mm_settings_t *settings;
    int64_t n_files;
    const char *const *files;
} arguments_t;

/* A log, and what decides when it is its turn. */
typedef struct turn {
    mm_logfile_t *file;
    int64_t first_us;
    int64_t at; /* on the command line */
} turn_t;

/* --- arguments -----------------------------------------------------------------------------------------------------
 */

static int parse_time(int64_t *time_us, const char *option, const char *text, apr_pool_t *pool)
{
    const char *whole = strlen(text) == 10 ? apr_pstrcat(pool, text, "T00:00:00Z", NULL) : text;

    if (mm_time_from_rfc3339(time_us, whole, strlen(whole)) != APR_SUCCESS || *time_us <= 0) {
        return ctl_misuse("import", "--%s %s: a time as 2025-12-31 or 2025-12-31T12:00:00Z is needed", option, text);
    }
    return CTL_OK;
}

static int parse_word(const char *option, const char *text, const char *word)
{
    return strcmp(text, word) == 0 ? CTL_OK : ctl_misuse("import", "--%s %s: only %s is known", option, text, word);
}

static int set_option(arguments_t *arguments, int option, const char *value, apr_pool_t *pool)
{
    mm_import_options_t *options = &arguments->options;

    switch (option) {
    case OPT_SPOOL:
        arguments->spool = value;
        return CTL_OK;
    case OPT_SETTINGS:
        arguments->settings_file = value;
        return CTL_OK;
    case OPT_URI:
        options->mongo_uri = value;
        return CTL_OK;
    case OPT_URI_FILE:
        arguments->uri_file = value;
        return CTL_OK;
    case OPT_PREFIX:
        arguments->prefix = value;
        return CTL_OK;
    case OPT_FORMAT:
        options->format = value;
        return CTL_OK;
    case OPT_SINCE:
        return parse_time(&options->since_us, "since", value, pool);
    case OPT_UNTIL:
        return parse_time(&options->until_us, "until", value, pool);
    case OPT_OVERLAP:
        arguments->overlap = true;
        return parse_word("overlap", value, "count");
    case OPT_SLASHES:
        options->slashes = strcmp(value, "keep") == 0 ? MM_SLASHES_KEEP : MM_SLASHES_DECODE;
        return options->slashes == MM_SLASHES_KEEP ? CTL_OK : parse_word("encoded-slashes", value, "decode");
    case OPT_TAKE_OVER:
        options->take_over = true;
        return CTL_OK;
    case OPT_DRY_RUN:
        arguments->dry = true;
        return CTL_OK;
    case OPT_JSON:
        arguments->json = true;
        return CTL_OK;
    default:
        arguments->verbose = true;
        return CTL_OK;
    }
}

static int check_arguments(arguments_t *arguments, apr_pool_t *pool)
{
    mm_logformat_t *format;
    mm_err_t err;

    if (arguments->n_files == 0) {
        return ctl_misuse("import", "which log? Name files, or - for standard input");
    }
    if (!arguments->spool && !(arguments->dry && arguments->settings_file)) {
        return ctl_misuse("import", "--spool is missing");
    }
    if (arguments->options.mongo_uri && arguments->uri_file) {
        return ctl_misuse("import", "--uri and --uri-file exclude each other");
    }
    if (arguments->options.format &&
        mm_logformat_compile(&format, arguments->options.format, pool, &err) != APR_SUCCESS) {
        return ctl_misuse("import", "--format: %s", err.text);
    }
    return CTL_OK;
}

static int parse(arguments_t *arguments, int argc, const char *const *argv, apr_pool_t *pool)
{
    apr_getopt_t *getopt;
    const char *value;
    apr_status_t rv;
    int option;

    apr_getopt_init(&getopt, pool, argc, ctl_without_dash(argc, argv, pool));
    getopt->interleave = 1;
    while ((rv = apr_getopt_long(getopt, option_table, &option, &value)) == APR_SUCCESS) {
        int code = set_option(arguments, option, value, pool);

        if (code != CTL_OK) {
            return code;
        }
    }
    if (rv != APR_EOF) {
        return ctl_misuse("import", "the options are not understood");
    }
    arguments->n_files = argc - getopt->ind;
    arguments->files = getopt->argv + getopt->ind;
    return check_arguments(arguments, pool);
}

/* --- setting up ----------------------------------------------------------------------------------------------------
 */

static int use_settings(arguments_t *arguments, apr_pool_t *pool)
{
    mm_import_options_t *options = &arguments->options;
    const mm_settings_t *settings;
    mm_rules_t *rules;
    int code = ctl_settings(&arguments->settings, arguments->spool, arguments->settings_file, pool);

    if (code != CTL_OK) {
        return code;
    }
    settings = arguments->settings;
    code = ctl_site_rules(&rules, settings, pool);
    if (code != CTL_OK) {
        return code;
    }
    options->rules = rules;
    options->prefix = arguments->prefix  ? arguments->prefix
                      : settings->prefix ? settings->prefix
                                         : MM_STORE_PREFIX_DEFAULT;
    options->types = (const char *const *)settings->types->elts;
    options->n_types = (size_t)settings->types->nelts;
    options->live_us = arguments->overlap ? 0 : settings->recording_since_ms * 1000;
    if (!arguments->dry) {
        options->dir = apr_pstrcat(pool, arguments->spool, IMPORT_DIR, NULL);
        code = ctl_find_uri(&options->mongo_uri, arguments->uri_file, settings, "import", pool);
        return code == CTL_OK ? ctl_find_catalog(&options->catalog_uri, NULL, settings, pool) : code;
    }
    return CTL_OK;
}

/* All of them at once, while we are still who we were. */
static int open_files(turn_t **turns, const arguments_t *arguments, apr_pool_t *pool)
{
    struct rlimit limit;
    mm_err_t err;

    if (arguments->n_files > LOGS_MAX) {
        return ctl_misuse("import", "more than %d files", LOGS_MAX);
    }
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    *turns = apr_pcalloc(pool, (size_t)arguments->n_files * sizeof(**turns));
    for (int64_t i = 0; i < arguments->n_files; i++) {
        (*turns)[i].at = i;
        if (mm_logfile_open(&(*turns)[i].file, arguments->files[i], pool, &err) != APR_SUCCESS) {
            return ctl_failed("%s", err.text);
        }
    }
    return CTL_OK;
}

static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_stop};

    sigemptyset(&action.sa_mask);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    action.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &action, NULL);
}

/* --- work ----------------------------------------------------------------------------------------------------------
 */

static int by_time(const void *one, const void *other)
{
    const turn_t *a = one, *b = other;

    if (a->first_us != b->first_us) {
        return a->first_us < b->first_us ? -1 : 1;
    }
    return a->at < b->at ? -1 : a->at > b->at ? 1 : 0;
}

/* The oldest first, whatever the order on the command line: a shell puts access.log before access.log.1. */
static void order(mm_import_t *import, turn_t *turns, int64_t n)
{
    for (int64_t i = 0; n > 1 && i < n; i++) {
        turns[i].first_us = mm_import_first_us(import, turns[i].file);
    }
    qsort(turns, (size_t)n, sizeof(*turns), by_time);
}

static void tell_log(const arguments_t *arguments, const mm_logfile_t *file, mm_import_end_t end, const char *format)
{
    char name[256];

    ctl_escape(name, sizeof(name), mm_logfile_name(file));
    if (end == MM_IMPORT_KNOWN) {
        fprintf(stderr, "%s: all of it is counted already\n", name);
    }
    else if (end == MM_IMPORT_EMPTY) {
        fprintf(stderr, "%s: there is no line in it\n", name);
    }
    else if (arguments->verbose) {
        fprintf(stderr, "%s: read as %s\n", name, format);
    }
    if (mm_logfile_rest(file) > 0) {
        fprintf(stderr, "%s: its last line has no end yet; it is left for the next time\n", name);
    }
}

/* A log that fails does not keep the others from being counted, but for what would fail again. */
static int import_all(mm_import_t *import, arguments_t *arguments, turn_t *turns, ctl_summary_t *summary)
{
    ctl_progress_t *progress = arguments->options.baton;
    int64_t n = arguments->n_files;
    mm_import_end_t end;
    mm_err_t err;

    order(import, turns, n);
    for (int64_t i = 0; i < n; i++) {
        apr_status_t rv;

        progress->bad = 0;
        rv = mm_import_log(import, turns[i].file, &end, &err);
        ctl_progress_clear(progress);
        if (rv == APR_EINTR) {
            return ctl_failed("stopped; the same command goes on");
        }
        if (rv != APR_SUCCESS) {
            (void)ctl_failed("%s: %s", mm_logfile_name(turns[i].file), err.text);
            summary->failed++;
        }
        else {
            tell_log(arguments, turns[i].file, end, mm_import_format(import));
            summary->logs++;
            summary->known += end == MM_IMPORT_KNOWN;
        }
        progress->done += mm_logfile_size(turns[i].file);
        mm_logfile_close(turns[i].file);
    }
    if (mm_import_finish(import, &err) != APR_SUCCESS) {
        return ctl_failed("%s. What was read waits in %s; the same command goes on", err.text, arguments->options.dir);
    }
    return summary->failed > 0 ? CTL_FAILED : CTL_OK;
}

static int run(arguments_t *arguments, turn_t *turns, const mm_log_t *log, apr_pool_t *pool)
{
    ctl_progress_t progress = {.on = false};
    ctl_summary_t summary = {.dry = arguments->dry};
    int64_t began_us = apr_time_now();
    mm_import_t *import;
    mm_err_t err;
    int code;

    arguments->options.baton = &progress;
    arguments->options.on_progress = ctl_progress_show;
    arguments->options.on_bad = ctl_progress_bad;
    for (int64_t i = 0; i < arguments->n_files; i++) {
        progress.size += mm_logfile_size(turns[i].file);
    }
    catch_signals();
    if (!arguments->dry) {
        mm_store_init();
    }
    if (mm_settings_policy(&arguments->options.policy, arguments->settings, log, pool, &err) != APR_SUCCESS ||
        mm_import_create(&import, &arguments->options, log, pool, &err) != APR_SUCCESS) {
        return ctl_failed("%s", err.text);
    }
    ctl_progress_begin(&progress, !arguments->json);
    code = import_all(import, arguments, turns, &summary);
    summary.took_us = apr_time_now() - began_us;
    summary.tally = mm_import_tally(import);
    if (arguments->json) {
        ctl_summary_json(&summary);
    }
    else {
        ctl_summary_text(&summary);
    }
    return code;
}

static int import_run(int argc, const char *const *argv, apr_pool_t *pool)
{
    arguments_t arguments = {.options = {.patience_us = PATIENCE_US, .stop = &stop}};
    mm_log_level_t least = MM_LOG_NOTICE;
    mm_log_t log = ctl_log(&least);
    turn_t *turns = NULL;
    int code = parse(&arguments, argc, argv, pool);

    if (code == CTL_OK) {
        code = use_settings(&arguments, pool);
    }
    if (code == CTL_OK) {
        code = open_files(&turns, &arguments, pool);
    }
    if (code == CTL_OK && arguments.spool) {
        code = ctl_become_owner(arguments.spool, pool);
    }
    if (code != CTL_OK) {
        return code;
    }
    least = arguments.verbose ? MM_LOG_DEBUG : MM_LOG_NOTICE;
    return run(&arguments, turns, &log, pool);
}

const ctl_command_t ctl_import = {
    .name = "import",
    .summary = "counts access logs into MongoDB, each line once",
    .usage = usage,
    .run = import_run,
};
