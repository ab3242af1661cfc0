/* The provider that asks an expression of httpd's own language, once per report. The expression is compiled when httpd
 * starts, so a mistake in it is found then; one that fails when it is asked shows nothing.
 */
#include "authz/providers.h"

#include "ap_expr.h"
#include "apr_strings.h"
#include "http_log.h"

APLOG_USE_MODULE(metrics);

static const char *expr_configure(apr_pool_t *pconf, apr_pool_t *ptemp, server_rec *s, const char *args,
                                  const void **config)
{
    (void)s;
    const char *text = ap_getword_conf(pconf, &args);
    if (!*text || *args) {
        return "give one expression, in quotes, for example \"%{REMOTE_USER} == 'admin'\"";
    }
    ap_expr_info_t *info = apr_pcalloc(pconf, sizeof(*info));
    info->module_index = APLOG_MODULE_INDEX;
    info->filename = "MetricsAuthz";
    info->line_number = 1;
    info->flags = AP_EXPR_FLAG_DONT_VARY;
    const char *wrong = ap_expr_parse(pconf, ptemp, info, text, NULL);
    if (wrong) {
        return apr_psprintf(pconf, "cannot read the expression \"%s\": %s", text, wrong);
    }
    *config = info;
    return NULL;
}

static apr_status_t expr_open(request_rec *r, const void *config, const metrics_authz_query *query, void **state,
                              metrics_verdict *verdict)
{
    (void)query;
    const char *wrong = NULL;
    *state = NULL;
    int holds = ap_expr_exec(r, config, &wrong);
    if (wrong) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, "MM0505: MetricsAuthz expr: %s", wrong);
        return APR_EGENERAL;
    }
    *verdict = holds > 0 ? METRICS_GRANTED : METRICS_DENIED;
    return APR_SUCCESS;
}

const metrics_authz_provider mm_authz_expr = {
    .abi = METRICS_AUTHZ_ABI, .size = sizeof(metrics_authz_provider), .configure = expr_configure, .open = expr_open};
