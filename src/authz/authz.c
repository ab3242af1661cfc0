/* From a name in the configuration to verdicts during a report. Everything that is not an explicit METRICS_GRANTED from
 * a provider of our ABI is a denial; the code below never turns an error into anything else.
 */
#include "authz/authz.h"
#include "authz/providers.h"

#include "ap_provider.h"
#include "apr_strings.h"
#include "http_core.h"
#include "http_log.h"
#include "http_protocol.h"
#include "http_request.h"

APLOG_USE_MODULE(metrics);

struct mm_authz_session {
    request_rec *r;
    const mm_authz_conf_t *conf;
    void *state;
};

void mm_authz_register(apr_pool_t *pool)
{
    ap_register_provider(pool, METRICS_AUTHZ_GROUP, "none", METRICS_AUTHZ_VERSION, &mm_authz_none);
    ap_register_provider(pool, METRICS_AUTHZ_GROUP, "expr", METRICS_AUTHZ_VERSION, &mm_authz_expr);
}

static const char *configure(mm_authz_conf_t *conf, apr_pool_t *pconf, apr_pool_t *ptemp, server_rec *s)
{
    const metrics_authz_provider *provider =
        ap_lookup_provider(METRICS_AUTHZ_GROUP, conf->provider_name, METRICS_AUTHZ_VERSION);
    if (!provider || provider->abi != METRICS_AUTHZ_ABI || provider->size != sizeof(*provider) || !provider->open) {
        return NULL;
    }
    if (provider->configure) {
        const char *wrong = provider->configure(pconf, ptemp, s, conf->args, &conf->config);
        if (wrong) {
            return apr_psprintf(pconf, "MetricsAuthz %s: %s", conf->provider_name, wrong);
        }
    }
    else if (*conf->args) {
        return apr_psprintf(pconf, "MetricsAuthz %s: this provider takes no arguments", conf->provider_name);
    }
    conf->provider = provider;
    return NULL;
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

int mm_authz_resolve(apr_pool_t *pconf, apr_pool_t *ptemp, server_rec *s)
{
    const mm_config_t *config = mm_config_get(s);
    for (int i = 0; i < config->authz->nelts; i++) {
        mm_authz_conf_t *conf = APR_ARRAY_IDX(config->authz, i, mm_authz_conf_t *);
        if (conf->provider) {
            continue;
        }
        const char *wrong = configure(conf, pconf, ptemp, s);
        if (wrong) {
            ap_log_error(APLOG_MARK, APLOG_ERR, 0, s, "MM0503: %s (%s:%u)", wrong, conf->file, conf->line);
            return HTTP_INTERNAL_SERVER_ERROR;
        }
        if (!conf->provider) {
            log_unresolved(conf, ptemp, s);
        }
    }
    return OK;
}

static apr_status_t session_end(void *data)
{
    mm_authz_session_t *session = data;
    if (session->conf->provider->close) {
        session->conf->provider->close(session->state);
    }
    return APR_SUCCESS;
}

int mm_authz_denied(request_rec *r, mm_err_t *err)
{
    if (r->user) {
        mm_err_set(err, APR_EACCES, "You may not see this report.");
        return HTTP_FORBIDDEN;
    }
    if (ap_auth_type(r)) {
        ap_note_auth_failure(r);
    }
    mm_err_set(err, APR_EACCES, "This report needs to know who you are.");
    return HTTP_UNAUTHORIZED;
}

static int unavailable(mm_err_t *err)
{
    mm_err_set(err, APR_EGENERAL, "Whether you may see this report cannot be told now.");
    return HTTP_SERVICE_UNAVAILABLE;
}

int mm_authz_open(mm_authz_session_t **session, request_rec *r, const mm_authz_conf_t *conf,
                  const metrics_authz_query *query, mm_err_t *err)
{
    if (!conf) {
        return mm_authz_denied(r, err);
    }
    if (!conf->provider) {
        return unavailable(err);
    }
    mm_authz_session_t *opened = apr_pcalloc(r->pool, sizeof(*opened));
    opened->r = r;
    opened->conf = conf;
    metrics_verdict verdict = METRICS_DENIED;
    apr_status_t rv = conf->provider->open(r, conf->config, query, &opened->state, &verdict);
    if (rv != APR_SUCCESS) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, rv, r, "MM0504: MetricsAuthz %s failed; nothing is shown",
                      conf->provider_name);
        return unavailable(err);
    }
    apr_pool_cleanup_register(r->pool, opened, session_end, apr_pool_cleanup_null);
    if (verdict != METRICS_GRANTED) {
        return mm_authz_denied(r, err);
    }
    *session = opened;
    return OK;
}

static apr_status_t ask_failed(const mm_authz_session_t *session, apr_status_t rv, mm_err_t *err)
{
    return mm_err_set_os(err, rv, "MetricsAuthz %s could not tell what may be shown", session->conf->provider_name);
}

apr_status_t mm_authz_see_resources(void *sessionv, const char *type, const char *const *ids, size_t n,
                                    unsigned char *verdicts, mm_err_t *err)
{
    mm_authz_session_t *session = sessionv;
    const metrics_authz_provider *provider = session->conf->provider;
    if (!provider->see_resources) {
        memset(verdicts, METRICS_GRANTED, n);
        return APR_SUCCESS;
    }
    apr_pool_t *scratch = NULL;
    apr_pool_create(&scratch, session->r->pool);
    memset(verdicts, METRICS_DENIED, n);
    apr_status_t rv = provider->see_resources(session->state, type, ids, n, verdicts, scratch);
    apr_pool_destroy(scratch);
    if (rv != APR_SUCCESS) {
        memset(verdicts, METRICS_DENIED, n);
        return ask_failed(session, rv, err);
    }
    return APR_SUCCESS;
}

apr_status_t mm_authz_see_users(void *sessionv, const char *const *users, size_t n, unsigned char *verdicts,
                                mm_err_t *err)
{
    mm_authz_session_t *session = sessionv;
    const metrics_authz_provider *provider = session->conf->provider;
    memset(verdicts, METRICS_DENIED, n);
    if (!provider->see_users) {
        return APR_SUCCESS;
    }
    apr_pool_t *scratch = NULL;
    apr_pool_create(&scratch, session->r->pool);
    apr_status_t rv = provider->see_users(session->state, users, n, verdicts, scratch);
    apr_pool_destroy(scratch);
    if (rv != APR_SUCCESS) {
        memset(verdicts, METRICS_DENIED, n);
        return ask_failed(session, rv, err);
    }
    return APR_SUCCESS;
}
