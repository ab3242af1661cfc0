/* What metricsctl is told by the site's own settings, and where the database is. */
#include <stdlib.h>
#include <string.h>
#include <apr_strings.h>
#include "base/file.h"
#include "ctl.h"
#include "import/logfile.h"

/* No URI is longer; a file that is, is another file. */
#define URI_MAX 4096

int ctl_settings(mm_settings_t **settings, const char *spool_dir, const char *path, apr_pool_t *pool)
{
    const char *from = path ? path : spool_dir ? apr_pstrcat(pool, spool_dir, "/" MM_SETTINGS_FILE, NULL) : NULL;
    apr_status_t rv = APR_ENOENT;
    mm_err_t err;

    if (from) {
        rv = mm_settings_read(settings, from, pool, &err);
    }
    if (APR_STATUS_IS_ENOENT(rv) && !path) {
        *settings = mm_settings_create(pool);
        return CTL_OK;
    }
    return rv == APR_SUCCESS ? CTL_OK : ctl_failed("%s", err.text);
}

static int take_uri(const char **uri, char *text, size_t len, const char *path)
{
    if (strlen(text) != len) {
        return ctl_failed("%s holds bytes that no URI has", path);
    }
    text[strcspn(text, "\r\n")] = '\0'; /* the first line, as httpd reads it */
    apr_collapse_spaces(text, text);    /* a URI has none */
    *uri = text;
    return CTL_OK;
}

static int read_uri(const char **uri, const char *path, apr_pool_t *pool)
{
    mm_err_t err;
    char *text;
    size_t len;

    if (mm_file_slurp(&text, &len, path, URI_MAX, pool, &err) != APR_SUCCESS) {
        return ctl_failed("%s", err.text);
    }
    return take_uri(uri, text, len, path);
}

/* The settings stand in a directory of somebody whom root must not trust, who could name any file: only a file of
 * root's is read, and only what is meant to be a URI is taken out of it. */
static int read_named(const char **uri, const char *path, apr_pool_t *pool)
{
    const char *found = NULL;
    mm_err_t err;
    char *text;
    size_t len;
    int code;

    if (mm_file_slurp_plain(&text, &len, path, URI_MAX, MM_FILE_ROOTS, pool, &err) != APR_SUCCESS) {
        return ctl_failed("%s; the settings name it as the place of the URI. --uri-file says another one", err.text);
    }
    code = take_uri(&found, text, len, path);

    if (code == CTL_OK && strncmp(found, "mongodb", 7) != 0) {
        return ctl_failed("%s, which the settings name, holds no mongodb URI", path);
    }
    *uri = found;
    return code;
}

int ctl_find_uri(const char **uri, const char *uri_file, const mm_settings_t *settings, const char *command,
                 apr_pool_t *pool)
{
    if (*uri) {
        return CTL_OK;
    }
    if (uri_file) {
        return read_uri(uri, uri_file, pool);
    }
    *uri = getenv(CTL_URI_ENVIRONMENT);
    if (*uri && **uri) {
        return CTL_OK;
    }
    *uri = NULL; /* set, and empty, is not set */
    if (settings && settings->mongo_uri_file) {
        return read_named(uri, settings->mongo_uri_file, pool);
    }
    return ctl_misuse(command, "where is the database? --uri-file, --uri or " CTL_URI_ENVIRONMENT " must say");
}

int ctl_site_rules(mm_rules_t **rules, const mm_settings_t *settings, apr_pool_t *pool)
{
    mm_err_t err;

    if (settings->rules->nelts == 0) {
        return ctl_failed("the settings have no rules, or there are none: httpd writes " MM_SETTINGS_FILE
                          " into the spool when it starts with <MetricsType> sections; --settings names another file");
    }
    if (mm_settings_rules(rules, settings, pool, &err) != APR_SUCCESS) {
        return ctl_failed("%s", err.text);
    }
    return CTL_OK;
}

const char *const *ctl_without_dash(int argc, const char *const *argv, apr_pool_t *pool)
{
    const char **names = apr_pmemdup(pool, argv, (size_t)argc * sizeof(*names));

    for (int i = 0; i < argc; i++) {
        names[i] = strcmp(argv[i], "-") == 0 ? MM_LOGFILE_STDIN : argv[i];
    }
    return names;
}

int ctl_find_catalog(const char **uri, const char *uri_file, const mm_settings_t *settings, apr_pool_t *pool)
{
    if (uri_file) {
        return read_uri(uri, uri_file, pool);
    }
    return settings && settings->catalog_uri_file ? read_named(uri, settings->catalog_uri_file, pool) : CTL_OK;
}
