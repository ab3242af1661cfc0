/* What metricsctl import is asked for: its options, and what the site's settings say. */
#include <stdlib.h>
#include <string.h>
#include <apr_getopt.h>
#include <apr_strings.h>
#include "base/sha256.h"
#include "ctl.h"
#include "ctl_import.h"
#include "event/event_json.h"
#include "store/store.h"

#define IMPORT_DIR "/import"

enum {
    OPT_SPOOL = 256,
    OPT_SETTINGS,
    OPT_URI,
    OPT_URI_FILE,
    OPT_CATALOG,
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
    {"catalog-uri-file", OPT_CATALOG, 1, NULL},
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

static int set_option(ctl_import_t *arguments, int option, const char *value, apr_pool_t *pool)
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
    case OPT_CATALOG:
        arguments->catalog_file = value;
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

static int check_arguments(ctl_import_t *arguments, apr_pool_t *pool)
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

int ctl_import_parse(ctl_import_t *arguments, int argc, const char *const *argv, apr_pool_t *pool)
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

/* One for each database and prefix: what is on its way into one of them, and the clicks that were seen for it, are not
 * another's. Named by a hash of where it is, without user and password. */
static int choose_dir(ctl_import_t *arguments, apr_pool_t *pool)
{
    const char *uri = mm_store_redact_uri(arguments->options.mongo_uri, pool), *at = strrchr(uri, '@');
    const char *from = at ? at + 1 : strstr(uri, "://"), *target;
    char hash[MM_SHA256_HEX + 1];

    from = from ? from : uri;
    from += strncmp(from, "://", 3) == 0 ? 3 : 0;
    target = apr_pstrcat(pool, apr_pstrmemdup(pool, from, strcspn(from, "?")), " ", arguments->options.prefix, NULL);
    if (!mm_sha256_hex(hash, target, strlen(target))) {
        return ctl_failed("the name of a directory cannot be made");
    }
    arguments->options.dir = apr_psprintf(pool, "%s" IMPORT_DIR "/%.16s", arguments->spool, hash);
    return CTL_OK;
}

int ctl_import_settings(ctl_import_t *arguments, apr_pool_t *pool)
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
        code = ctl_find_uri(&options->mongo_uri, arguments->uri_file, settings, "import", pool);
        if (code == CTL_OK) {
            code = choose_dir(arguments, pool);
        }
        return code == CTL_OK ? ctl_find_catalog(&options->catalog_uri, arguments->catalog_file, settings, pool) : code;
    }
    return CTL_OK;
}
