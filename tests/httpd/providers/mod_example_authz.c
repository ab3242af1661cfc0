/* Providers of permissions as another module would write them, built outside the tree with apxs and one header.
 *
 * example        grants the report to the user of the header X-Requester (its arguments name who); hides resources and
 *                people whose name begins with "secret"
 * example-error  lets the report begin, then cannot tell (argument "late"), or cannot even tell that (no argument)
 * example-abi    was built for another version of the header
 * example-odd    gives a verdict that is neither of the two
 *
 * What is called is written to the error log, so that a test can see that every open has its close.
 */
#include <string.h>

#include "mod_metrics.h"

#include "ap_provider.h"
#include "apr_strings.h"
#include "http_core.h"
#include "http_log.h"

APLOG_USE_MODULE(example_authz);

static const char *read_args(apr_pool_t *pconf, apr_pool_t *ptemp, server_rec *s, const char *args, const void **config)
{
    (void)ptemp;
    (void)s;
    *config = apr_pstrdup(pconf, args);
    return strcmp(args, "nobody") == 0 ? "name somebody" : NULL;
}

static apr_status_t example_open(request_rec *r, const void *config, const metrics_authz_query *query, void **state,
                                 metrics_verdict *verdict)
{
    const char *requester = apr_table_get(r->headers_in, "X-Requester");
    if (requester) {
        r->user = apr_pstrdup(r->pool, requester);
    }
    ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r, "example open type=%s id=%s per_user=%d kind=%s parent=%s:%s",
                  query->type ? query->type : "-", query->id ? query->id : "-", query->per_user, query->kind,
                  query->parent_type ? query->parent_type : "-", query->parent_id ? query->parent_id : "-");
    *state = r;
    *verdict = requester && strcmp(requester, config) == 0 ? METRICS_GRANTED : METRICS_DENIED;
    return APR_SUCCESS;
}

static apr_status_t see_not_secret(void *state, const char *type, const char *const *ids, size_t n,
                                   metrics_verdict *verdicts, apr_pool_t *scratch)
{
    ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, (request_rec *)state, "example see type=%s n=%d first=%s", type, (int)n,
                  n ? apr_pstrdup(scratch, ids[0]) : "-");
    for (size_t i = 0; i < n; i++) {
        if (verdicts[i] != METRICS_DENIED) {
            return APR_EINVAL;
        }
        if (strncmp(ids[i], "secret", 6) != 0) {
            verdicts[i] = METRICS_GRANTED;
        }
    }
    return APR_SUCCESS;
}

static apr_status_t see_users(void *state, const char *const *users, size_t n, metrics_verdict *verdicts,
                              apr_pool_t *scratch)
{
    return see_not_secret(state, "(people)", users, n, verdicts, scratch);
}

static void example_close(void *state)
{
    ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, (request_rec *)state, "example close");
}

static apr_status_t error_open(request_rec *r, const void *config, const metrics_authz_query *query, void **state,
                               metrics_verdict *verdict)
{
    (void)query;
    *state = r;
    *verdict = METRICS_GRANTED;
    return strcmp(config, "late") == 0 ? APR_SUCCESS : APR_EGENERAL;
}

static apr_status_t error_see(void *state, const char *type, const char *const *ids, size_t n,
                              metrics_verdict *verdicts, apr_pool_t *scratch)
{
    (void)state;
    (void)type;
    (void)ids;
    (void)scratch;
    memset(verdicts, METRICS_GRANTED, n);
    return APR_TIMEUP;
}

static apr_status_t odd_open(request_rec *r, const void *config, const metrics_authz_query *query, void **state,
                             metrics_verdict *verdict)
{
    (void)config;
    (void)query;
    *state = r;
    *verdict = apr_table_get(r->headers_in, "X-Odd") ? 2 : METRICS_GRANTED;
    return APR_SUCCESS;
}

static apr_status_t odd_see(void *state, const char *type, const char *const *ids, size_t n, metrics_verdict *verdicts,
                            apr_pool_t *scratch)
{
    (void)state;
    (void)type;
    (void)ids;
    (void)scratch;
    memset(verdicts, 0xff, n);
    return APR_SUCCESS;
}

static const metrics_authz_provider example = {
    METRICS_AUTHZ_ABI, sizeof(metrics_authz_provider), read_args, example_open, see_not_secret, see_users,
    example_close};
static const metrics_authz_provider example_error = {
    METRICS_AUTHZ_ABI, sizeof(metrics_authz_provider), read_args, error_open, error_see, NULL, NULL};
static const metrics_authz_provider example_abi = {
    METRICS_AUTHZ_ABI + 1, sizeof(metrics_authz_provider), NULL, example_open, NULL, NULL, NULL};
static const metrics_authz_provider example_odd = {
    METRICS_AUTHZ_ABI, sizeof(metrics_authz_provider), NULL, odd_open, odd_see, NULL, NULL};

static void offer(apr_pool_t *pool, const char *name, const metrics_authz_provider *provider)
{
    ap_register_provider(pool, METRICS_AUTHZ_GROUP, name, METRICS_AUTHZ_VERSION, provider);
}

static void register_hooks(apr_pool_t *pool)
{
    offer(pool, "example", &example);
    offer(pool, "example-error", &example_error);
    offer(pool, "example-abi", &example_abi);
    offer(pool, "example-odd", &example_odd);
}

module AP_MODULE_DECLARE_DATA example_authz_module = {
    STANDARD20_MODULE_STUFF, NULL, NULL, NULL, NULL, NULL, register_hooks, AP_MODULE_FLAG_NONE};
