/* From a name in the configuration to a provider that can be asked. What cannot be is never an open door: its sessions
 * (session.c) end in an error.
 */
#include "authz/authz.h"
#include "authz/application.h"
#include "authz/providers.h"

#include <stddef.h>

#include "ap_provider.h"
#include "apr_strings.h"
#include "http_log.h"

APLOG_USE_MODULE(metrics);

/* What a provider of the first header has; see there what may be missing. */
#define SIZE_LEAST offsetof(metrics_authz_provider, see_users_of)

void mm_authz_register(apr_pool_t *pool)
{
    static const struct {
        const char *name;
        const metrics_authz_provider *provider;
    } built_in[] = {
        {"none", &mm_authz_none},       {"expr", &mm_authz_expr},
        {"require", &mm_authz_require}, {"group", &mm_authz_group},
        {"owner", &mm_authz_owner},     {"any", &mm_authz_any},
        {"all", &mm_authz_all},         {"subrequest", &mm_authz_subrequest},
        {"clowder", &mm_authz_clowder},
    };

    mm_application_register();
    for (size_t i = 0; i < sizeof(built_in) / sizeof(built_in[0]); i++) {
        ap_register_provider(pool, METRICS_AUTHZ_GROUP, built_in[i].name, METRICS_AUTHZ_VERSION, built_in[i].provider);
    }
}

/* The provider of this name in the form of our own header, or NULL where it cannot be used. */
static const metrics_authz_provider *look_up(const char *name, apr_pool_t *pconf)
{
    const metrics_authz_provider *offered = ap_lookup_provider(METRICS_AUTHZ_GROUP, name, METRICS_AUTHZ_VERSION);
    if (!offered || offered->abi != METRICS_AUTHZ_ABI || offered->size < SIZE_LEAST ||
        offered->size > sizeof(*offered) || !offered->open) {
        return NULL;
    }
    metrics_authz_provider *provider = apr_pcalloc(pconf, sizeof(*provider));
    memcpy(provider, offered, offered->size);
    return provider;
}

static const char *known_providers(apr_pool_t *pool)
{
    const apr_array_header_t *names = ap_list_provider_names(pool, METRICS_AUTHZ_GROUP, METRICS_AUTHZ_VERSION);
    const char *text = "";
    for (int i = 0; i < names->nelts; i++) {
        text = apr_pstrcat(pool, text, i ? ", " : "", APR_ARRAY_IDX(names, i, ap_list_provider_names_t).provider_name,
                           NULL);
    }
    return text;
}

static void log_unresolved(const mm_authz_conf_t *conf, apr_pool_t *pool, server_rec *s)
{
    if (ap_lookup_provider(METRICS_AUTHZ_GROUP, conf->provider_name, METRICS_AUTHZ_VERSION)) {
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, s,
                     "MM0501: MetricsAuthz %s (%s:%u): the provider was built for another version of mod_metrics.h; "
                     "build its module against the installed one. Until then its reports stay closed",
                     conf->provider_name, conf->file, conf->line);
        return;
    }
    ap_log_error(APLOG_MARK, APLOG_ERR, 0, s,
                 "MM0502: MetricsAuthz %s (%s:%u): no loaded module provides this; known are: %s. Until it is loaded "
                 "the reports it guards stay closed",
                 conf->provider_name, conf->file, conf->line, known_providers(pool));
}

const char *mm_authz_configure(mm_authz_conf_t *conf, apr_pool_t *pconf, apr_pool_t *ptemp, server_rec *s)
{
    const metrics_authz_provider *provider = look_up(conf->provider_name, pconf);
    if (!provider) {
        log_unresolved(conf, ptemp, s);
        return NULL;
    }
    if (provider->configure) {
        const char *wrong = provider->configure(pconf, ptemp, s, conf->args, &conf->config);
        if (wrong) {
            return apr_psprintf(pconf, "%s: %s", conf->provider_name, wrong);
        }
    }
    else if (*conf->args) {
        return apr_psprintf(pconf, "%s: this provider takes no arguments", conf->provider_name);
    }
    conf->provider = provider;
    return NULL;
}

int mm_authz_resolve(apr_pool_t *pconf, apr_pool_t *ptemp, server_rec *s)
{
    const mm_config_t *config = mm_config_get(s);
    for (int i = 0; i < config->authz->nelts; i++) {
        mm_authz_conf_t *conf = APR_ARRAY_IDX(config->authz, i, mm_authz_conf_t *);
        const char *wrong = conf->provider ? NULL : mm_authz_configure(conf, pconf, ptemp, s);
        if (wrong) {
            ap_log_error(APLOG_MARK, APLOG_ERR, 0, s, "MM0503: MetricsAuthz %s (%s:%u)", wrong, conf->file, conf->line);
            return HTTP_INTERNAL_SERVER_ERROR;
        }
    }
    return OK;
}
