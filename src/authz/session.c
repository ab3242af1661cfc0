/* Asking a provider, and what its answer is worth. Everything that is not an explicit METRICS_GRANTED, in time, is a
 * denial; the code below never turns an error into anything else.
 *
 * A provider runs on the request's thread. It cannot be interrupted there, so what can be done about one that hangs is
 * to look at the clock when it comes back, and to believe nothing that took too long.
 */
#include "authz/authz.h"
#include "authz/providers.h"

#include <time.h>

#include "apr_hash.h"
#include "apr_strings.h"
#include "http_core.h"
#include "http_log.h"
#include "http_protocol.h"
#include "http_request.h"

APLOG_USE_MODULE(metrics);

struct mm_authz_session {
    request_rec *r;
    const mm_authz_conf_t *conf;
    const metrics_authz_query *query;
    void *state;
};

static apr_time_t clock_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return apr_time_from_sec(now.tv_sec) + now.tv_nsec / 1000;
}

/* What an answer that began at `began` and said rv is worth. */
static apr_status_t judge(const mm_authz_session_t *session, apr_time_t began, apr_status_t rv, mm_err_t *err)
{
    const char *name = session->conf->provider_name;
    const apr_time_t took = clock_us() - began;
    if (rv != APR_SUCCESS) {
        return mm_err_set_os(err, rv, "MetricsAuthz %s could not tell what may be shown", name);
    }
    if (took > session->query->patience) {
        return mm_err_set(err, APR_TIMEUP, "MetricsAuthz %s took %d ms to answer, more than MetricsAuthzTimeout allows",
                          name, (int)apr_time_as_msec(took));
    }
    return APR_SUCCESS;
}

static apr_status_t session_end(void *data)
{
    mm_authz_session_t *session = data;
    if (session->conf->provider->close) {
        session->conf->provider->close(session->state);
    }
    return APR_SUCCESS;
}

apr_status_t mm_authz_begin(mm_authz_session_t **session, request_rec *r, const mm_authz_conf_t *conf,
                            const metrics_authz_query *query, metrics_verdict *verdict, mm_err_t *err)
{
    *verdict = METRICS_DENIED;
    if (!conf->provider) {
        return mm_err_set(err, APR_ENOTIMPL, "MetricsAuthz %s cannot be asked", conf->provider_name);
    }
    metrics_authz_query *own = apr_pmemdup(r->pool, query, sizeof(*query));
    own->patience = mm_config_get(r->server)->authz_timeout;
    mm_authz_session_t *begun = apr_pcalloc(r->pool, sizeof(*begun));
    *begun = (mm_authz_session_t){.r = r, .conf = conf, .query = own};
    metrics_verdict said = METRICS_DENIED;
    const apr_time_t began = clock_us();
    apr_status_t rv = conf->provider->open(r, conf->config, own, &begun->state, &said);
    if (rv == APR_SUCCESS) {
        apr_pool_cleanup_register(r->pool, begun, session_end, apr_pool_cleanup_null);
    }
    rv = judge(begun, began, rv, err);
    if (rv == APR_SUCCESS) {
        *verdict = said == METRICS_GRANTED ? METRICS_GRANTED : METRICS_DENIED;
        *session = begun;
    }
    return rv;
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

int mm_authz_open(mm_authz_session_t **session, request_rec *r, const mm_authz_conf_t *conf,
                  const metrics_authz_query *query, mm_err_t *err)
{
    metrics_verdict verdict = METRICS_DENIED;
    mm_err_t why;
    if (!conf) {
        return mm_authz_denied(r, err);
    }
    apr_status_t rv = mm_authz_begin(session, r, conf, query, &verdict, &why);
    if (rv != APR_SUCCESS) {
        if (conf->provider) { /* else it is said at every start */
            ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, "MM0504: %s; nothing is shown", why.text);
        }
        mm_err_set(err, APR_EGENERAL, "Whether you may see this report cannot be told now.");
        return HTTP_SERVICE_UNAVAILABLE;
    }
    return verdict == METRICS_GRANTED ? OK : mm_authz_denied(r, err);
}

bool mm_authz_sees_all(const mm_authz_session_t *session)
{
    const metrics_authz_provider *provider = session->conf->provider;
    /* Providers are copies of what was registered; their functions are the same. */
    return provider->see_resources == mm_authz_expr.see_resources ? mm_authz_expr_sees_all(session->state)
                                                                  : !provider->see_resources;
}

apr_status_t mm_authz_see_resources(mm_authz_session_t *session, const char *type, const char *const *ids, size_t n,
                                    metrics_verdict *verdicts, mm_err_t *err)
{
    const metrics_authz_provider *provider = session->conf->provider;
    if (!provider->see_resources) {
        memset(verdicts, METRICS_GRANTED, n);
        return APR_SUCCESS;
    }
    apr_pool_t *scratch = NULL;
    apr_pool_create(&scratch, session->r->pool);
    memset(verdicts, METRICS_DENIED, n);
    const apr_time_t began = clock_us();
    apr_status_t rv = provider->see_resources(session->state, type, ids, n, verdicts, scratch);
    apr_pool_destroy(scratch);
    rv = judge(session, began, rv, err);
    if (rv != APR_SUCCESS) {
        memset(verdicts, METRICS_DENIED, n);
    }
    return rv;
}

/* Asks about people as such, each once. */
static apr_status_t see_users(const mm_authz_session_t *session, const char *const *users, size_t n,
                              metrics_verdict *verdicts, apr_pool_t *scratch)
{
    apr_hash_t *known = apr_hash_make(scratch);
    const char **names = apr_palloc(scratch, n * sizeof(*names));
    metrics_verdict *answers = apr_pcalloc(scratch, n);
    size_t *at = apr_palloc(scratch, n * sizeof(*at)), n_names = 0;
    for (size_t i = 0; i < n; i++) {
        const char **same = apr_hash_get(known, users[i], APR_HASH_KEY_STRING);
        if (!same) {
            same = &names[n_names++];
            *same = users[i];
            apr_hash_set(known, users[i], APR_HASH_KEY_STRING, same);
        }
        at[i] = (size_t)(same - names);
    }
    apr_status_t rv = session->conf->provider->see_users(session->state, names, n_names, answers, scratch);
    for (size_t i = 0; i < n; i++) {
        verdicts[i] = answers[at[i]];
    }
    return rv;
}

apr_status_t mm_authz_see_users(mm_authz_session_t *session, const char *type, const char *const *ids,
                                const char *const *users, size_t n, metrics_verdict *verdicts, mm_err_t *err)
{
    const metrics_authz_provider *provider = session->conf->provider;
    memset(verdicts, METRICS_DENIED, n);
    if (!provider->see_users && !provider->see_users_of) {
        return APR_SUCCESS;
    }
    apr_pool_t *scratch = NULL;
    apr_pool_create(&scratch, session->r->pool);
    const apr_time_t began = clock_us();
    apr_status_t rv = provider->see_users_of
                          ? provider->see_users_of(session->state, type, ids, users, n, verdicts, scratch)
                          : see_users(session, users, n, verdicts, scratch);
    apr_pool_destroy(scratch);
    rv = judge(session, began, rv, err);
    if (rv != APR_SUCCESS) {
        memset(verdicts, METRICS_DENIED, n);
    }
    return rv;
}

apr_status_t mm_authz_narrow(mm_authz_session_t *session, const char *type, const char *const **ids, size_t *n,
                             apr_pool_t *pool, mm_err_t *err)
{
    const metrics_authz_provider *provider = session->conf->provider;
    *ids = NULL;
    *n = 0;
    if (!provider->narrow) {
        return APR_SUCCESS;
    }
    const apr_time_t began = clock_us();
    apr_status_t rv = provider->narrow(session->state, type, ids, n, pool);
    if (rv != APR_SUCCESS) {
        rv = judge(session, began, rv, err);
    }
    /* One that comes too late is thrown away as any other, which leaves the report as wide as it was. */
    if (rv != APR_SUCCESS || *n > METRICS_AUTHZ_NARROW_MAX || clock_us() - began > session->query->patience) {
        *ids = NULL;
        *n = 0;
    }
    return rv;
}
