/* The configuration as a settings file.
 *
 * Since when requests are recorded here is the one thing that is not in the configuration: an import of old access logs
 * stops there, or a use would count twice. It is the time of the first start with MetricsCapture On, kept from file to
 * file; a spool that is older than the file takes the age of its id.
 */
#include "supervise/site.h"

#include <sys/stat.h>

#include "apr_strings.h"
#include "http_log.h"

#include "settings/settings.h"

APLOG_USE_MODULE(metrics);

static int64_t age_of_id(const char *spool_dir, apr_pool_t *pool)
{
    struct stat info;
    const char *path = apr_pstrcat(pool, spool_dir, "/id", NULL);
    return lstat(path, &info) == 0 ? (int64_t)info.st_mtime * 1000 : apr_time_as_msec(apr_time_now());
}

static int64_t recording_since(const mm_config_t *config, apr_pool_t *pool)
{
    mm_settings_t *before;
    const char *path = apr_pstrcat(pool, config->spool_dir, "/" MM_SETTINGS_FILE, NULL);
    if (mm_settings_read(&before, path, pool, NULL) != APR_SUCCESS) {
        return config->captures ? age_of_id(config->spool_dir, pool) : 0;
    }
    if (before->recording_since_ms == 0 && config->captures) {
        return apr_time_as_msec(apr_time_now());
    }
    return before->recording_since_ms;
}

static void add_rules(mm_settings_t *settings, const mm_rules_t *rules)
{
    for (int i = 0; i < mm_rules_count(rules); i++) {
        const mm_rule_spec_t *spec = mm_rules_spec(rules, i);
        mm_settings_rule_t *rule = apr_array_push(settings->rules);
        *rule = (mm_settings_rule_t){.type = spec->type,
                                     .action = mm_action_name(spec->action),
                                     .pattern = spec->pattern,
                                     .query = spec->query,
                                     .via = spec->via,
                                     .letter_case = spec->lower ? "lower" : NULL};
    }
}

void mm_site_tell(server_rec *s, apr_pool_t *ptemp)
{
    const mm_config_t *config = mm_config_get(s);
    mm_settings_t *settings = mm_settings_create(ptemp);
    mm_err_t err;
    settings->recording_since_ms = recording_since(config, ptemp);
    settings->mongo_uri_file = config->mongo_uri_file;
    settings->catalog_uri_file = config->catalog_uri_file;
    settings->nobodies = config->nobodies;
    settings->double_click_ms = config->double_click_ms;
    settings->robots = config->robots;
    settings->machines = config->machines;
    settings->allow_agents = config->allow_agents;
    settings->prefix = config->prefix;
    for (int i = 0; i < config->types->nelts; i++) {
        APR_ARRAY_PUSH(settings->types, const char *) = config->type_names[i];
    }
    add_rules(settings, config->rules);
    if (mm_settings_write(settings, config->spool_dir, ptemp, &err) != APR_SUCCESS) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, s,
                     "MM0711: metricsctl will not know this site's rules, because of its settings file: %s. Recording "
                     "goes on",
                     err.text);
    }
}
