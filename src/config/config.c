/* Creating, merging and checking settings.
 *
 * There is one mm_config_t per run of the configuration. It is made when httpd asks for the main server's settings,
 * which is before any directive is read, and every virtual host is handed the same one. The static below only lets the
 * virtual hosts' calls find it while httpd reads its configuration, on one thread; nothing reads it later.
 */
#include "config/config.h"
#include "base/hot.h"
#include "config/directives.h"
#include "count/policy.h"

#include "http_log.h"
#include "apr_strings.h"

APLOG_USE_MODULE(metrics);

/* A tenth of the workers that Debian's httpd has. */
#define MAX_REPORTS 16
/* More than a busy database needs, less than a visitor waits. */
#define AUTHZ_TIMEOUT apr_time_from_sec(10)

static mm_config_t *being_read;

static mm_config_t *config_create(apr_pool_t *pool)
{
    mm_config_t *config = apr_pcalloc(pool, sizeof(*config));
    config->pool = pool;
    config->prefix = MM_STORE_PREFIX_DEFAULT;
    config->double_click_ms = MM_POLICY_DOUBLE_CLICK_MS;
    config->max_reports = MAX_REPORTS;
    config->authz_timeout = AUTHZ_TIMEOUT;
    config->drainer = 1;
    config->types = apr_array_make(pool, 4, sizeof(mm_type_t));
    config->catalogs = apr_array_make(pool, 4, sizeof(mm_catalog_t *));
    config->robots = apr_array_make(pool, 2, sizeof(const char *));
    config->machines = apr_array_make(pool, 2, sizeof(const char *));
    config->allow_agents = apr_array_make(pool, 8, sizeof(const char *));
    config->rules = mm_rules_create(pool);
    config->nobodies = apr_array_make(pool, 4, sizeof(const char *));
    config->authz = apr_array_make(pool, 4, sizeof(mm_authz_conf_t *));
    return config;
}

void *mm_server_config_create(apr_pool_t *pool, server_rec *s)
{
    if (!s->is_virtual || being_read == NULL) {
        being_read = config_create(pool);
    }
    return being_read;
}

void *mm_server_config_merge(apr_pool_t *pool, void *base, void *add)
{
    (void)pool;
    (void)add;
    return base;
}

mm_config_t *mm_config_being_read(void)
{
    return being_read;
}

MM_HOT const mm_config_t *mm_config_get(const server_rec *s)
{
    return ap_get_module_config(s->module_config, &metrics_module);
}

MM_HOT const mm_dir_config_t *mm_dir_config_get(const request_rec *r)
{
    return ap_get_module_config(r->per_dir_config, &metrics_module);
}

void *mm_dir_config_create(apr_pool_t *pool, char *dir)
{
    (void)dir;
    mm_dir_config_t *conf = apr_pcalloc(pool, sizeof(*conf));
    conf->capture = MM_UNSET;
    conf->record = MM_UNSET;
    conf->user = NULL;
    conf->agents = NULL;
    conf->ignores = NULL;
    conf->identity = NULL;
    conf->session_cookie = NULL;
    conf->authz = NULL;
    return conf;
}

void *mm_dir_config_merge(apr_pool_t *pool, void *basev, void *addv)
{
    const mm_dir_config_t *base = basev;
    const mm_dir_config_t *add = addv;
    mm_dir_config_t *conf = apr_pcalloc(pool, sizeof(*conf));
    conf->capture = add->capture != MM_UNSET ? add->capture : base->capture;
    conf->record = add->record != MM_UNSET ? add->record : base->record;
    conf->user = add->user ? add->user : base->user;
    conf->agents = add->agents ? add->agents : base->agents;
    conf->ignores = add->ignores ? add->ignores : base->ignores;
    conf->identity = add->identity ? add->identity : base->identity;
    conf->session_cookie = add->session_cookie ? add->session_cookie : base->session_cookie;
    conf->authz = add->authz ? add->authz : base->authz;
    return conf;
}

mm_type_t *mm_config_type(const mm_config_t *config, const char *name)
{
    for (int i = 0; i < config->types->nelts; i++) {
        mm_type_t *type = &APR_ARRAY_IDX(config->types, i, mm_type_t);
        if (strcmp(type->name, name) == 0) {
            return type;
        }
    }
    return NULL;
}

static void collect_types(mm_config_t *config)
{
    const char **names = apr_pcalloc(config->pool, sizeof(*names) * ((size_t)config->types->nelts + 1));
    apr_array_clear(config->catalogs);
    for (int i = 0; i < config->types->nelts; i++) {
        const mm_type_t *type = &APR_ARRAY_IDX(config->types, i, mm_type_t);
        names[i] = type->name;
        if (type->catalog) {
            APR_ARRAY_PUSH(config->catalogs, mm_catalog_t *) = type->catalog;
        }
    }
    config->type_names = names;
}

static int check_parents(const mm_config_t *config, server_rec *s)
{
    int status = OK;
    for (int i = 0; i < config->catalogs->nelts; i++) {
        const mm_catalog_t *catalog = APR_ARRAY_IDX(config->catalogs, i, const mm_catalog_t *);
        for (int k = 0; k < catalog->parents->nelts; k++) {
            const mm_parent_rule_t *rule = &APR_ARRAY_IDX(catalog->parents, k, mm_parent_rule_t);
            if (!mm_config_type(config, rule->type)) {
                ap_log_error(APLOG_MARK, APLOG_ERR, 0, s,
                             "MM0301: MetricsCatalog of %s names parents of type \"%s\", which is not configured: add "
                             "<MetricsType %s>, or correct the name",
                             catalog->type, rule->type, rule->type);
                status = HTTP_INTERNAL_SERVER_ERROR;
            }
        }
    }
    return status;
}

int mm_config_check(server_rec *s)
{
    mm_config_t *config = ap_get_module_config(s->module_config, &metrics_module);
    collect_types(config);
    int status = check_parents(config, s);
    if (mm_config_check_counter(config, s) != OK) {
        status = HTTP_INTERNAL_SERVER_ERROR;
    }
    if (mm_agent_lists_check(config, s) != OK) {
        status = HTTP_INTERNAL_SERVER_ERROR;
    }
    if (config->captures && mm_config_check_cache(s, ap_conftree) != OK) {
        status = HTTP_INTERNAL_SERVER_ERROR;
    }
    if (config->records && !config->spool_dir) {
        ap_log_error(
            APLOG_MARK, APLOG_ERR, 0, s,
            "MM0302: MetricsCapture On and MetricsRecord On need a spool: add MetricsSpool with a directory on "
            "a local disk, for example MetricsSpool /var/lib/mod_metrics");
        status = HTTP_INTERNAL_SERVER_ERROR;
    }
    if (config->spool_dir && config->drainer && !config->mongo_uri) {
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, s,
                     "MM0303: MetricsSpool needs to know where its events go: add MetricsMongoURI, or MetricsDrainer "
                     "Off where `metricsctl drain` empties the spool");
        status = HTTP_INTERNAL_SERVER_ERROR;
    }
    if (config->records && config->types->nelts == 0) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, s,
                     "MM0304: nothing can be recorded: no <MetricsType> says which requests are uses of what");
    }
    return status;
}
