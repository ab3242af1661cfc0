/* metricsctl import: access logs into the database, by the rules of the site.
 *
 * Files are opened before root becomes the owner of the spool, who need not be allowed to read them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <apr_strings.h>
#include "ctl.h"
#include "ctl_import.h"
#include "import/import.h"
#include "store/store.h"

#define PATIENCE_US (INT64_C(120) * 1000000)
#define LOGS_MAX    100000

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
    "  --catalog-uri-file FILE\n"
    "                       the same for the application's own database, where share links and the like are looked "
    "up;\n"
    "                       default the file that MetricsCatalogURI names, else the database of the counts\n"
    "  --prefix PREFIX      of the collections' names; default as in the settings\n"
    "  --format FORMAT      common, combined, vhost_combined, or a LogFormat as it stands in httpd's configuration;\n"
    "                       default: vhost_combined, combined or common, whichever fits most lines\n"
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

/* A log, and what decides when it is its turn. */
typedef struct turn {
    mm_logfile_t *file;
    int64_t first_us;
    int64_t at; /* on the command line */
} turn_t;

/* --- setting up --- */

/* All of them at once, while we are still who we were. */
static int open_files(turn_t **turns, const ctl_import_t *arguments, apr_pool_t *pool)
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

static void tell_log(const ctl_import_t *arguments, const turn_t *turn, mm_import_end_t end, const char *format)
{
    char name[256];

    ctl_escape(name, sizeof(name), arguments->files[turn->at]);
    if (end == MM_IMPORT_KNOWN) {
        fprintf(stderr, "%s: all of it is counted already\n", name);
    }
    else if (end == MM_IMPORT_EMPTY) {
        fprintf(stderr, "%s: there is no whole line in it\n", name);
    }
    else if (arguments->verbose) {
        fprintf(stderr, "%s: read as %s\n", name, format);
    }
    if (mm_logfile_rest(turn->file) > 0) {
        fprintf(stderr, "%s: its last line has no end yet; it is left for the next time\n", name);
    }
}

/* A log that fails does not keep the others from being counted, but for what would fail again. */
static int import_all(mm_import_t *import, ctl_import_t *arguments, turn_t *turns, ctl_summary_t *summary)
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
            tell_log(arguments, &turns[i], end, mm_import_format(import));
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

static int run(ctl_import_t *arguments, turn_t *turns, const mm_log_t *log, apr_pool_t *pool)
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
    arguments->options.stop = ctl_catch_stop(true); /* by then somebody does not want to wait */
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
    ctl_import_t arguments = {.options = {.patience_us = PATIENCE_US}};
    mm_log_level_t least = MM_LOG_NOTICE;
    mm_log_t log = ctl_log(&least);
    turn_t *turns = NULL;
    int code = ctl_import_parse(&arguments, argc, argv, pool);

    if (code == CTL_OK) {
        code = ctl_import_settings(&arguments, pool);
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
