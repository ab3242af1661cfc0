/* metricsctl explain: why a line of an access log, or an event, counts or does not.
 *
 * Several lines are judged one after the other by one count, as the drainer would, so that double clicks are seen.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <apr_getopt.h>
#include <apr_strings.h>
#include <apr_time.h>
#include "ctl.h"
#include "ctl_explain.h"
#include "event/event_json.h"
#include "import/logfile.h"

enum { OPT_SPOOL = 256, OPT_SETTINGS, OPT_FORMAT, OPT_JSON };

static const apr_getopt_option_t option_table[] = {
    {"spool", OPT_SPOOL, 1, NULL},
    {"settings", OPT_SETTINGS, 1, NULL},
    {"format", OPT_FORMAT, 1, NULL},
    {"json", OPT_JSON, 0, NULL},
    {NULL, 0, 0, NULL},
};

static const char usage[] =
    "usage: metricsctl explain --spool DIR [OPTIONS] [LINE… | -]\n"
    "\n"
    "Says of lines of an access log, or of events as NDJSON (POST /metrics/events), whether they count, by which rule "
    "of\n"
    "the site, and why not. Changes nothing and needs no database.\n"
    "\n"
    "  --spool DIR       the directory that MetricsSpool names; httpd writes into it how the site counts\n"
    "  --settings FILE   the same from another file\n"
    "  --format FORMAT   of the access log; see metricsctl help import. Default: what fits the first line\n"
    "  --json            an object for each line\n"
    "  LINE              without one, or as -, lines are read from standard input\n"
    "\n"
    "Several lines are taken for what came one after the other: double clicks are seen.\n"
    "\n"
    "Exit codes: 0 done, 1 failed, 2 not understood.\n";

typedef struct arguments {
    const char *spool, *settings_file, *format;
    bool json;
    int n;
    const char *const *lines;
} arguments_t;

typedef struct explainer {
    const arguments_t *arguments;
    mm_policy_t policy;
    mm_rules_t *rules;
    mm_count_t *count;
    mm_sieve_t sieve; /* its parser is NULL until the first line of a log */
    apr_pool_t *pool, *line_pool;
    int64_t n;
} explainer_t;

static int parse(arguments_t *arguments, int argc, const char *const *argv, apr_pool_t *pool)
{
    apr_getopt_t *getopt;
    const char *value;
    apr_status_t rv;
    int option;

    apr_getopt_init(&getopt, pool, argc, ctl_without_dash(argc, argv, pool));
    while ((rv = apr_getopt_long(getopt, option_table, &option, &value)) == APR_SUCCESS) {
        switch (option) {
        case OPT_SPOOL:
            arguments->spool = value;
            break;
        case OPT_SETTINGS:
            arguments->settings_file = value;
            break;
        case OPT_FORMAT:
            arguments->format = value;
            break;
        default:
            arguments->json = true;
        }
    }
    if (rv != APR_EOF) {
        return ctl_misuse("explain", "the options are not understood");
    }
    arguments->n = argc - getopt->ind;
    arguments->lines = getopt->argv + getopt->ind;
    return arguments->spool || arguments->settings_file ? CTL_OK : ctl_misuse("explain", "--spool is missing");
}

/* --- one line ------------------------------------------------------------------------------------------------------
 */

/* In the format that was named, else in the first that fits. */
static const char *choose_format(explainer_t *explainer, const char *text, size_t len)
{
    const char *const one[] = {explainer->arguments->format, NULL};
    const char *const *names = explainer->arguments->format ? one : mm_logformat_names, *wrong = NULL;
    mm_logformat_t *format;
    mm_logline_t line;
    mm_err_t err;

    for (; *names; names++) {
        if (mm_logformat_compile(&format, *names, explainer->pool, &err) != APR_SUCCESS) {
            return apr_pstrdup(explainer->pool, err.text);
        }
        explainer->sieve.parser = mm_logparser_create(format, MM_SLASHES_DECODE, explainer->pool);
        wrong = mm_logparser_line(explainer->sieve.parser, text, len, &line);
        if (!wrong) {
            return NULL;
        }
    }
    if (!explainer->arguments->format) {
        explainer->sieve.parser = NULL;
        wrong = "it is no event, and a line of neither common, combined nor vhost_combined (--format)";
    }
    return wrong;
}

static void explain_line(explainer_t *explainer, ctl_explained_t *explained, const char *text, size_t len)
{
    explained->sifted = MM_SIFTED_BAD;
    explained->wrong = explainer->sieve.parser ? NULL : choose_format(explainer, text, len);
    if (!explained->wrong) {
        explained->sifted = mm_sieve_line(&explainer->sieve, text, len, &explained->sifting, &explained->event);
        explained->wrong = explained->sifting.wrong;
        explained->rule = explained->sifting.matched ? explained->sifting.match.rule : -1;
    }
}

static void explain_event(explainer_t *explainer, ctl_explained_t *explained, const char *text, size_t len)
{
    mm_err_t err;

    explained->sifted = MM_SIFTED_EVENT;
    if (mm_event_from_json(&explained->event, text, len, apr_time_now(), explainer->line_pool, &err) != APR_SUCCESS) {
        explained->sifted = MM_SIFTED_BAD;
        explained->wrong = apr_pstrdup(explainer->line_pool, err.text);
    }
}

static void explain(explainer_t *explainer, const char *text, size_t len)
{
    ctl_explained_t explained = {.number = ++explainer->n, .rule = -1, .rules = explainer->rules};

    apr_pool_clear(explainer->line_pool);
    if (len > 0 && text[0] == '{') {
        explain_event(explainer, &explained, text, len);
    }
    else {
        explain_line(explainer, &explained, text, len);
    }
    if (explained.sifted == MM_SIFTED_EVENT && mm_policy_is_nobody(&explainer->policy, explained.event.user)) {
        explained.event.user = mm_bytes_of(NULL);
    }
    if (explained.sifted == MM_SIFTED_EVENT) {
        explained.verdict = mm_count_add(explainer->count, &explained.event);
        ctl_explained_class(&explained, &explainer->policy, explainer->line_pool);
        mm_count_reset(explainer->count);
    }
    if (explainer->arguments->json) {
        ctl_explained_json(&explained, explainer->line_pool);
    }
    else {
        ctl_explained_text(&explained);
    }
}

/* --- all of them ---------------------------------------------------------------------------------------------------
 */

static int explain_stdin(explainer_t *explainer)
{
    mm_logfile_t *file;
    const char *line;
    mm_err_t err;
    size_t len;
    apr_status_t rv = mm_logfile_open(&file, MM_LOGFILE_STDIN, explainer->pool, &err);

    while (rv == APR_SUCCESS && (rv = mm_logfile_next(file, &line, &len, &err)) == APR_SUCCESS) {
        explain(explainer, line, len);
    }
    if (rv != APR_EOF) {
        return ctl_failed("%s", err.text);
    }
    if (mm_logfile_rest(file) > 0) {
        fputs("metricsctl: the last line has no end and is passed over\n", stderr);
    }
    return CTL_OK;
}

static int explain_all(explainer_t *explainer)
{
    const arguments_t *arguments = explainer->arguments;

    if (arguments->n == 0 || strcmp(arguments->lines[0], MM_LOGFILE_STDIN) == 0) {
        return explain_stdin(explainer);
    }
    for (int i = 0; i < arguments->n; i++) {
        explain(explainer, arguments->lines[i], strlen(arguments->lines[i]));
    }
    return CTL_OK;
}

static int explain_run(int argc, const char *const *argv, apr_pool_t *pool)
{
    arguments_t arguments = {.json = false};
    explainer_t explainer = {.arguments = &arguments, .pool = pool};
    mm_log_level_t least = MM_LOG_NOTICE;
    mm_log_t log = ctl_log(&least);
    mm_settings_t *settings;
    mm_err_t err;
    int code = parse(&arguments, argc, argv, pool);

    if (code == CTL_OK && arguments.spool) {
        code = ctl_become_owner(arguments.spool, pool);
    }
    if (code == CTL_OK) {
        code = ctl_settings(&settings, arguments.spool, arguments.settings_file, pool);
    }
    if (code == CTL_OK) {
        code = ctl_site_rules(&explainer.rules, settings, pool);
    }
    if (code == CTL_OK && mm_settings_policy(&explainer.policy, settings, &log, pool, &err) != APR_SUCCESS) {
        code = ctl_failed("%s", err.text);
    }
    if (code != CTL_OK) {
        return code;
    }
    explainer.count = mm_count_create(&explainer.policy, pool);
    explainer.sieve.rules = explainer.rules;
    explainer.sieve.now_us = apr_time_now();
    apr_pool_create(&explainer.line_pool, pool);
    explainer.sieve.pool = explainer.line_pool;
    return explain_all(&explainer);
}

const ctl_command_t ctl_explain = {
    .name = "explain",
    .summary = "says why a line of an access log, or an event, counts or not",
    .usage = usage,
    .run = explain_run,
};
