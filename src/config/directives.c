/* The table of directives, and the functions that read the simple ones. Each either stores a validated value or returns
 * a sentence that says what to write instead.
 */
#include "config/directives.h"

#include <math.h>
#include <stdlib.h>

#include "apr_strings.h"
#include "http_log.h"
#include "base/file.h"
#include "base/text.h"
#include "count/policy.h"

APLOG_USE_MODULE(metrics);

#define URI_FILE_MAX    (64 * 1024)
#define INTERVAL_MIN_S  0.05
#define INTERVAL_MAX_S  3600.0
#define PREFIX_MAX      32
#define MAX_REPORTS_MAX 4096
#define TEMP_MAX_MIN    (INT64_C(1024) * 1024)
/* Twice the largest frame, so that whatever can be recorded at all fits into a spool that is empty. */
#define SPOOL_MAX_MIN (INT64_C(8) * 1024 * 1024)
#define DOWNLOAD_RULE ((void *)1)

/* A URI as written, or the first line of the file that `file:PATH` names, so that a password needs not stand in the
 * configuration. */
static const char *read_uri(cmd_parms *cmd, const char *arg, const char **uri, const char **file)
{
    mm_err_t err;
    *uri = arg;
    *file = NULL;
    if (strncmp(arg, "file:", 5) == 0) {
        char *text = NULL;
        size_t len = 0;
        const char *path = ap_server_root_relative(cmd->pool, arg + 5);
        if (!path) {
            return apr_psprintf(cmd->pool, "%s: \"%s\" is no path", cmd->cmd->name, arg + 5);
        }
        if (mm_file_slurp(&text, &len, path, URI_FILE_MAX, cmd->pool, &err) != APR_SUCCESS) {
            return apr_psprintf(cmd->pool, "%s: %s", cmd->cmd->name, err.text);
        }
        text[strcspn(text, "\r\n")] = '\0';
        *uri = text;
        *file = path;
    }
    if (mm_store_check_uri(*uri, cmd->temp_pool, &err) != APR_SUCCESS) {
        return apr_psprintf(cmd->pool, "%s: %s", cmd->cmd->name, err.text);
    }
    return NULL;
}

static const char *set_mongo_uri(cmd_parms *cmd, void *dir, const char *arg)
{
    (void)dir;
    mm_config_t *config = mm_config_being_read();
    return read_uri(cmd, arg, &config->mongo_uri, &config->mongo_uri_file);
}

static const char *set_catalog_uri(cmd_parms *cmd, void *dir, const char *arg)
{
    (void)dir;
    mm_config_t *config = mm_config_being_read();
    return read_uri(cmd, arg, &config->catalog_uri, &config->catalog_uri_file);
}

static const char *set_spool_option(cmd_parms *cmd, mm_config_t *config, const char *arg)
{
    if (strncmp(arg, "sync=", 5) == 0) {
        return mm_sync_parse(&config->spool_sync, arg + 5)
                   ? NULL
                   : apr_psprintf(cmd->pool, "MetricsSpool: %s is not known; write sync=none, sync=batch or sync=event",
                                  arg);
    }
    if (strncmp(arg, "max=", 4) == 0) {
        return mm_text_size(&config->spool_max, arg + 4) && config->spool_max >= SPOOL_MAX_MIN
                   ? NULL
                   : apr_psprintf(cmd->pool,
                                  "MetricsSpool: %s is not a number of bytes of at least 8M; write it as "
                                  "max=512M or max=4G",
                                  arg);
    }
    return apr_psprintf(cmd->pool,
                        "MetricsSpool: \"%s\" is not known; behind the directory may stand max= and sync=", arg);
}

static const char *set_spool(cmd_parms *cmd, void *dir, int argc, char *const argv[])
{
    (void)dir;
    mm_config_t *config = mm_config_being_read();
    const char *wrong = ap_check_cmd_context(cmd, GLOBAL_ONLY);
    if (wrong) {
        return wrong;
    }
    const char *path = argc > 0 && *argv[0] ? ap_server_root_relative(cmd->pool, argv[0]) : NULL;
    if (!path) {
        return apr_psprintf(cmd->pool, "MetricsSpool: \"%s\" is no path of a directory", argc > 0 ? argv[0] : "");
    }
    config->spool_dir = path;
    config->spool_sync = MM_SYNC_NONE;
    config->spool_max = 0;
    for (int i = 1; i < argc && !wrong; i++) {
        wrong = set_spool_option(cmd, config, argv[i]);
    }
    return wrong;
}

static const char *set_catalog_users(cmd_parms *cmd, void *dir, const char *words)
{
    (void)dir;
    mm_config_t *config = mm_config_being_read();
    mm_catalog_t *people = NULL;
    mm_err_t err;
    if (mm_catalog_parse(&people, MM_CATALOG_PEOPLE, words, config->pool, &err) != APR_SUCCESS) {
        return apr_psprintf(cmd->pool, "MetricsCatalogUsers: %s", err.text);
    }
    if (!people->name_path || people->owner_path || people->created_path || people->size_path || people->status_path ||
        people->location_path || people->parents->nelts) {
        return "MetricsCatalogUsers: write the collection, id=PATH and name=PATH, and nothing else";
    }
    config->people = apr_array_make(config->pool, 1, sizeof(mm_catalog_t *));
    APR_ARRAY_PUSH(config->people, mm_catalog_t *) = people;
    return NULL;
}

static const char *set_prefix(cmd_parms *cmd, void *dir, const char *arg)
{
    (void)dir;
    if (strlen(arg) > PREFIX_MAX || !mm_text_is_type_name(arg, strlen(arg))) {
        return apr_psprintf(
            cmd->pool, "MetricsCollectionPrefix: \"%s\" must be 1 to %d of a-z, 0-9 and _, beginning with a letter",
            arg, PREFIX_MAX);
    }
    mm_config_being_read()->prefix = arg;
    return NULL;
}

static const char *set_interval(cmd_parms *cmd, void *dir, const char *arg)
{
    (void)dir;
    char *end = NULL;
    double seconds = strtod(arg, &end);
    if (end == arg || *end != '\0' || !isfinite(seconds) || seconds < INTERVAL_MIN_S || seconds > INTERVAL_MAX_S) {
        return apr_psprintf(cmd->pool, "MetricsFlushInterval: \"%s\" is not a number of seconds from 0.05 to 3600",
                            arg);
    }
    mm_config_being_read()->interval_us = (int64_t)(seconds * 1e6);
    return NULL;
}

static const char *set_double_click(cmd_parms *cmd, void *dir, const char *arg)
{
    (void)dir;
    char *end = NULL;
    double seconds = strtod(arg, &end);
    if (end == arg || *end != '\0' || !isfinite(seconds) || seconds < 0 ||
        seconds * 1000 > MM_POLICY_DOUBLE_CLICK_MAX_MS) {
        return apr_psprintf(cmd->pool,
                            "MetricsDoubleClick: \"%s\" is not a number of seconds from 0 (off) to 65; the Code of "
                            "Practice says 30",
                            arg);
    }
    mm_config_being_read()->double_click_ms = (int64_t)(seconds * 1e3);
    return NULL;
}

static const char *set_report_temp(cmd_parms *cmd, void *dir, const char *path, const char *max)
{
    (void)dir;
    mm_temp_t *temp = &mm_config_being_read()->report_temp;
    const char *wrong = ap_check_cmd_context(cmd, GLOBAL_ONLY);
    if (wrong) {
        return wrong;
    }
    *temp = (mm_temp_t){*path ? ap_server_root_relative(cmd->pool, path) : NULL, 0};
    if (!temp->dir || !ap_is_directory(cmd->temp_pool, temp->dir)) {
        return apr_psprintf(cmd->pool, "MetricsReportTemp: \"%s\" is no directory", path);
    }
    if (max && (strncmp(max, "max=", 4) != 0 || !mm_text_size(&temp->max, max + 4) || temp->max < TEMP_MAX_MIN)) {
        return apr_psprintf(cmd->pool,
                            "MetricsReportTemp: %s is not a number of bytes of at least 1M; write it as max=512M or "
                            "max=4G",
                            max);
    }
    return NULL;
}

static const char *set_max_reports(cmd_parms *cmd, void *dir, const char *arg)
{
    (void)dir;
    char *end = NULL;
    long n = strtol(arg, &end, 10);
    if (end == arg || *end != '\0' || n < 1 || n > MAX_REPORTS_MAX) {
        return apr_psprintf(cmd->pool, "MetricsMaxReports: \"%s\" is not a number of reports from 1 to %d", arg,
                            MAX_REPORTS_MAX);
    }
    mm_config_being_read()->max_reports = (int)n;
    return NULL;
}

static const char *set_drainer(cmd_parms *cmd, void *dir, int on)
{
    (void)cmd;
    (void)dir;
    mm_config_being_read()->drainer = on;
    return NULL;
}

static const char *set_capture(cmd_parms *cmd, void *dir, int on)
{
    (void)cmd;
    ((mm_dir_config_t *)dir)->capture = on;
    if (on) {
        mm_config_being_read()->records = 1;
        mm_config_being_read()->captures = 1;
    }
    return NULL;
}

static const char *set_record(cmd_parms *cmd, void *dir, int on)
{
    (void)cmd;
    ((mm_dir_config_t *)dir)->record = on;
    if (on) {
        mm_config_being_read()->records = 1;
    }
    return NULL;
}

static const char *parse_expr(cmd_parms *cmd, const char *text, unsigned flags, const ap_expr_info_t **expr)
{
    const char *wrong = NULL;
    *expr = ap_expr_parse_cmd(cmd, text, flags | AP_EXPR_FLAG_DONT_VARY, &wrong, NULL);
    return wrong ? apr_psprintf(cmd->pool, "%s: cannot read the expression \"%s\": %s", cmd->cmd->name, text, wrong)
                 : NULL;
}

static const char *set_user(cmd_parms *cmd, void *dir, const char *arg)
{
    return parse_expr(cmd, arg, AP_EXPR_FLAG_STRING_RESULT, &((mm_dir_config_t *)dir)->user);
}

static const char *set_ignore(cmd_parms *cmd, void *dirv, const char *arg)
{
    mm_dir_config_t *dir = dirv;
    apr_array_header_t *ignores = dir->ignores ? (apr_array_header_t *)dir->ignores
                                               : apr_array_make(cmd->pool, 2, sizeof(const ap_expr_info_t *));
    dir->ignores = ignores;
    if (ap_cstr_casecmp(arg, "none") == 0) {
        apr_array_clear(dir->ignores);
        return NULL;
    }
    const ap_expr_info_t *expr = NULL;
    const char *wrong = parse_expr(cmd, arg, 0, &expr);
    if (!wrong) {
        APR_ARRAY_PUSH(dir->ignores, const ap_expr_info_t *) = expr;
    }
    return wrong;
}

static int is_class_mark(const char *text)
{
    size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_-");
    return len > 0 && len <= MM_EVENT_CLASS_MAX && text[len] == '\0';
}

static const char *set_agent(cmd_parms *cmd, void *dirv, const char *class_mark, const char *arg)
{
    mm_dir_config_t *dir = dirv;
    if (!is_class_mark(class_mark)) {
        return apr_psprintf(cmd->pool, "MetricsAgent: \"%s\" must be 1 to %d of a-z, 0-9, _ and -", class_mark,
                            MM_EVENT_CLASS_MAX);
    }
    mm_agent_rule_t rule = {class_mark, NULL};
    const char *wrong = parse_expr(cmd, arg, 0, &rule.when);
    if (wrong) {
        return wrong;
    }
    if (!dir->agents) {
        dir->agents = apr_array_make(cmd->pool, 2, sizeof(mm_agent_rule_t));
    }
    APR_ARRAY_PUSH(dir->agents, mm_agent_rule_t) = rule;
    return NULL;
}

static const char *set_authz(cmd_parms *cmd, void *dir, const char *args)
{
    const char *name = ap_getword_conf(cmd->pool, &args);
    if (!*name) {
        return "MetricsAuthz: name a provider of permissions, for example MetricsAuthz expr \"%{REMOTE_USER} == "
               "'admin'\"";
    }
    mm_authz_conf_t *conf = apr_pcalloc(cmd->pool, sizeof(*conf));
    conf->provider_name = name;
    conf->args = apr_pstrdup(cmd->pool, args);
    conf->file = cmd->directive->filename;
    conf->line = (unsigned)cmd->directive->line_num;
    ((mm_dir_config_t *)dir)->authz = conf;
    APR_ARRAY_PUSH(mm_config_being_read()->authz, mm_authz_conf_t *) = conf;
    return NULL;
}

static const char *set_authz_timeout(cmd_parms *cmd, void *dir, const char *arg)
{
    (void)dir;
    char *end = NULL;
    double seconds = strtod(arg, &end);
    if (end == arg || *end != '\0' || !isfinite(seconds) || seconds < 0.01 || seconds > 3600) {
        return apr_psprintf(cmd->pool, "MetricsAuthzTimeout: \"%s\" is not a number of seconds from 0.01 to 3600", arg);
    }
    mm_config_being_read()->authz_timeout = (apr_interval_time_t)(seconds * APR_USEC_PER_SEC);
    return NULL;
}

/* Every directive of the server, before its own function: there is one set of these, not one for each virtual host. */
#define GLOBAL(function, arg_type)                                                                                     \
    static const char *function##_globally(cmd_parms *cmd, void *dir, arg_type arg)                                    \
    {                                                                                                                  \
        const char *wrong = ap_check_cmd_context(cmd, GLOBAL_ONLY);                                                    \
        return wrong ? wrong : function(cmd, dir, arg);                                                                \
    }

GLOBAL(set_mongo_uri, const char *)
GLOBAL(set_catalog_uri, const char *)
GLOBAL(set_catalog_users, const char *)
GLOBAL(set_prefix, const char *)
GLOBAL(set_interval, const char *)
GLOBAL(set_double_click, const char *)
GLOBAL(set_max_reports, const char *)
GLOBAL(set_authz_timeout, const char *)
GLOBAL(set_drainer, int)

#define ANYWHERE (RSRC_CONF | ACCESS_CONF)

const command_rec mm_config_commands[] = {
    AP_INIT_TAKE1("MetricsMongoURI", set_mongo_uri_globally, NULL, RSRC_CONF,
                  "where usage is stored: a mongodb:// URI, or file:PATH of a file that holds it"),
    AP_INIT_TAKE1("MetricsCatalogURI", set_catalog_uri_globally, NULL, RSRC_CONF,
                  "where the application's documents are, if not in MetricsMongoURI's database"),
    AP_INIT_RAW_ARGS("MetricsCatalogUsers", set_catalog_users_globally, NULL, RSRC_CONF,
                     "the application's collection of people, and the paths of id and name in its documents"),
    AP_INIT_TAKE1("MetricsCollectionPrefix", set_prefix_globally, NULL, RSRC_CONF,
                  "how the names of the collections begin; metrics_ if not set"),
    AP_INIT_TAKE_ARGV(
        "MetricsSpool", set_spool, NULL, RSRC_CONF,
        "a directory on a local disk where events wait for the database, max=SIZE and sync=none, batch or event"),
    AP_INIT_TAKE1("MetricsFlushInterval", set_interval_globally, NULL, RSRC_CONF,
                  "seconds between two looks of the drainer at the spool; 2 if not set"),
    AP_INIT_TAKE1("MetricsDoubleClick", set_double_click_globally, NULL, RSRC_CONF,
                  "seconds within which clicks of one user on one thing are one; 30 if not set, 0 for off"),
    AP_INIT_ITERATE("MetricsRobots", mm_set_robots, NULL, RSRC_CONF,
                    "files of patterns: agents whose visits are not counted"),
    AP_INIT_ITERATE("MetricsMachines", mm_set_machines, NULL, RSRC_CONF,
                    "files of patterns: agents whose visits are counted apart, as those of scripts"),
    AP_INIT_ITERATE("MetricsAllowAgents", mm_set_allow_agents, NULL, RSRC_CONF,
                    "regular expressions: agents that are neither, whatever the lists say"),
    AP_INIT_TAKE1("MetricsMaxReports", set_max_reports_globally, NULL, RSRC_CONF,
                  "how many reports may run at once, in all children together; 16 if not set"),
    AP_INIT_TAKE12("MetricsReportTemp", set_report_temp, NULL, RSRC_CONF,
                   "a directory where a spreadsheet is built before it is sent, and max=SIZE"),
    AP_INIT_TAKE_ARGV(
        "MetricsCounter", mm_set_counter, NULL, RSRC_CONF,
        "COUNTER reports: types= that are datasets, platform=, publisher=, publisher-id=, created-by=, help="),
    AP_INIT_FLAG("MetricsDrainer", set_drainer_globally, NULL, RSRC_CONF,
                 "On (as if not set): httpd runs the drainer; Off: `metricsctl drain` does"),
    AP_INIT_RAW_ARGS("<MetricsType", mm_set_type_section, NULL, RSRC_CONF,
                     "a type of resource: what counts as a use of it, and where its names are"),
    AP_INIT_TAKE_ARGV("MetricsView", mm_set_rule, NULL, RSRC_CONF,
                      "regular expression on the path; a match is a view of the resource in the first capture. Then "
                      "query=, case= and via="),
    AP_INIT_TAKE_ARGV("MetricsDownload", mm_set_rule, DOWNLOAD_RULE, RSRC_CONF,
                      "regular expression on the path; a match is a download of the resource in the first capture. "
                      "Then query=, case= and via="),
    AP_INIT_RAW_ARGS("MetricsCatalog", mm_set_catalog, NULL, RSRC_CONF,
                     "the application's collection and the paths of id, name, parents … in its documents"),
    AP_INIT_FLAG("MetricsCapture", set_capture, NULL, ANYWHERE,
                 "On: requests here are recorded by <MetricsType> rules"),
    AP_INIT_TAKE1("MetricsUser", set_user, NULL, ANYWHERE,
                  "expression for the visitor's user id; REMOTE_USER if not set"),
    AP_INIT_TAKE_ARGV("MetricsIdentity", mm_set_identity, NULL, ANYWHERE,
                      "clowder and where its visitors' credentials are: cookie=, header=, parameter=, commkey-file=; "
                      "or none"),
    AP_INIT_TAKE1("MetricsSessionCookie", mm_set_session_cookie, NULL, ANYWHERE,
                  "name of a cookie that tells visitors apart whose name is not known, or none"),
    AP_INIT_ITERATE("MetricsAnonymousUser", mm_set_anonymous_user, NULL, RSRC_CONF,
                    "names of users that are nobody in particular, as guest"),
    AP_INIT_TAKE2("MetricsAgent", set_agent, NULL, ANYWHERE,
                  "class and condition: marks visits that meet the condition, as robot, machine, extractor …"),
    AP_INIT_TAKE1("MetricsIgnore", set_ignore, NULL, ANYWHERE,
                  "condition under which a request leaves no trace, or none; tracking=false or 0 if not set"),
    AP_INIT_FLAG("MetricsRecord", set_record, NULL, ANYWHERE, "On: POST may record events here"),
    AP_INIT_RAW_ARGS("MetricsAuthz", set_authz, NULL, ACCESS_CONF,
                     "provider of permissions for reports, and its arguments; nothing is shown if not set"),
    AP_INIT_TAKE1("MetricsAuthzTimeout", set_authz_timeout_globally, NULL, RSRC_CONF,
                  "seconds that one answer of a provider of permissions may take"),
    {.name = NULL}};
