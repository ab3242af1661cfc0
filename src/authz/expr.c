/* The provider that asks an expression of httpd's own language, once per report; and, where a report names people,
 * another one. Expressions are compiled when httpd starts, so a mistake in one is found then; one that fails when it is
 * asked shows nothing.
 */
#include "authz/providers.h"

#include "ap_expr.h"
#include "apr_strings.h"
#include "http_log.h"

APLOG_USE_MODULE(metrics);

typedef struct conf {
    const ap_expr_info_t *report; /* who may see reports */
    const ap_expr_info_t *users;  /* who may see people in them; NULL: nobody */
} conf_t;

static const char *parse(const ap_expr_info_t **expr, apr_pool_t *pconf, apr_pool_t *ptemp, const char *text)
{
    ap_expr_info_t *info = apr_pcalloc(pconf, sizeof(*info));
    info->module_index = APLOG_MODULE_INDEX;
    info->filename = "MetricsAuthz";
    info->line_number = 1;
    info->flags = AP_EXPR_FLAG_DONT_VARY;
    const char *wrong = ap_expr_parse(pconf, ptemp, info, text, NULL);
    *expr = info;
    return wrong ? apr_psprintf(pconf, "cannot read the expression \"%s\": %s", text, wrong) : NULL;
}

static const char *expr_configure(apr_pool_t *pconf, apr_pool_t *ptemp, server_rec *s, const char *args,
                                  const void **config)
{
    (void)s;
    const char *report = ap_getword_conf(pconf, &args);
    const char *word = ap_getword_conf(pconf, &args);
    const char *users = ap_getword_conf(pconf, &args);
    if (!*report || *args || (*word && (strcmp(word, "users") != 0 || !*users))) {
        return "give one expression, in quotes, for example \"%{REMOTE_USER} == 'admin'\", and perhaps the word users "
               "and another one for who may see people";
    }
    conf_t *conf = apr_pcalloc(pconf, sizeof(*conf));
    const char *wrong = parse(&conf->report, pconf, ptemp, report);
    if (!wrong && *word) {
        wrong = parse(&conf->users, pconf, ptemp, users);
    }
    *config = conf;
    return wrong;
}

/* Whether an expression holds; APR_EGENERAL where it cannot be told. */
static apr_status_t holds(request_rec *r, const ap_expr_info_t *expr, metrics_verdict *verdict)
{
    const char *wrong = NULL;
    int answer = ap_expr_exec(r, expr, &wrong);
    if (wrong) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, "MM0505: MetricsAuthz expr: %s", wrong);
        return APR_EGENERAL;
    }
    *verdict = answer > 0 ? METRICS_GRANTED : METRICS_DENIED;
    return APR_SUCCESS;
}

static apr_status_t expr_open(request_rec *r, const void *config, const metrics_authz_query *query, void **state,
                              metrics_verdict *verdict)
{
    const conf_t *conf = config;
    metrics_verdict *people = apr_pcalloc(r->pool, sizeof(*people));
    *state = people;
    apr_status_t rv = holds(r, conf->report, verdict);
    if (rv == APR_SUCCESS && *verdict == METRICS_GRANTED && query->per_user && conf->users) {
        rv = holds(r, conf->users, people);
    }
    return rv;
}

static apr_status_t expr_see_users(void *state, const char *const *users, size_t n, metrics_verdict *verdicts,
                                   apr_pool_t *scratch)
{
    (void)users;
    (void)scratch;
    memset(verdicts, *(const metrics_verdict *)state, n);
    return APR_SUCCESS;
}

const metrics_authz_provider mm_authz_expr = {.abi = METRICS_AUTHZ_ABI,
                                              .size = sizeof(metrics_authz_provider),
                                              .configure = expr_configure,
                                              .open = expr_open,
                                              .see_users = expr_see_users};
