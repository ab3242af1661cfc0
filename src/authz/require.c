/* The providers that ask httpd's own authorization, as `Require` does: the modules that answer there (groups in files
 * or databases, LDAP, hosts, certificates, …) answer here, with all of their configuration in force at this address.
 *
 * They know nothing of resources: who may see the report sees all of it, and whoever people= lets, all people.
 */
#include "authz/args.h"
#include "authz/providers.h"

#include "ap_provider.h"
#include "apr_strings.h"
#include "http_core.h"
#include "http_log.h"
#include "mod_auth.h"

APLOG_USE_MODULE(metrics);

/* One check, what stands behind a Require. */
typedef struct check {
    const authz_provider *provider; /* NULL: was not given */
    const char *name, *line;
    const void *parsed;
} check_t;

typedef struct conf {
    check_t report, people;
} conf_t;

/* Modules read their line with the tools of a directive. */
static const char *parse_line(check_t *check, apr_pool_t *pconf, apr_pool_t *ptemp, server_rec *s)
{
    static const command_rec require = {.name = "Require"};
    ap_directive_t directive = {.directive = "MetricsAuthz", .args = check->line, .filename = "MetricsAuthz"};
    cmd_parms cmd = {.pool = pconf, .temp_pool = ptemp, .server = s, .cmd = &require, .directive = &directive};
    cmd.override = OR_AUTHCFG;
    cmd.limited = -1;
    cmd.override_opts = OPT_UNSET | OPT_ALL;
    const char *wrong = check->provider->parse_require_line
                            ? check->provider->parse_require_line(&cmd, check->line, &check->parsed)
                            : NULL;
    return wrong ? apr_psprintf(pconf, "\"%s %s\": %s", check->name, check->line, wrong) : NULL;
}

static const char *make(check_t *check, const char *text, apr_pool_t *pconf, apr_pool_t *ptemp, server_rec *s)
{
    if (!text) {
        return NULL;
    }
    check->name = ap_getword_white(pconf, &text);
    check->line = text;
    if (strcmp(check->name, "not") == 0) {
        return "there is no \"not\" here: who may is to be named, not who may not";
    }
    check->provider = ap_lookup_provider(AUTHZ_PROVIDER_GROUP, check->name, AUTHZ_PROVIDER_VERSION);
    if (!check->provider || !check->provider->check_authorization) {
        return apr_psprintf(pconf, "no loaded module knows \"Require %s\"", check->name);
    }
    return parse_line(check, pconf, ptemp, s);
}

/* prefix stands before each check. */
static const char *configure(apr_pool_t *pconf, apr_pool_t *ptemp, server_rec *s, const char *args, const char *prefix,
                             const void **config)
{
    const char *report = NULL, *people = NULL;
    const mm_arg_t known[] = {{"report", &report}, {"people", &people}};
    conf_t *conf = apr_pcalloc(pconf, sizeof(*conf));
    *config = conf;
    const char *wrong = mm_args_read(args, known, 2, pconf);
    if (!wrong && (!report || !*report || (people && !*people))) {
        wrong = "say who may see reports with report=, and perhaps who may see people with people=";
    }
    wrong = wrong ? wrong : make(&conf->report, apr_pstrcat(pconf, prefix, report, NULL), pconf, ptemp, s);
    if (!wrong && people) {
        wrong = make(&conf->people, apr_pstrcat(pconf, prefix, people, NULL), pconf, ptemp, s);
    }
    return wrong;
}

static const char *require_configure(apr_pool_t *pconf, apr_pool_t *ptemp, server_rec *s, const char *args,
                                     const void **config)
{
    return configure(pconf, ptemp, s, args, "", config);
}

static const char *group_configure(apr_pool_t *pconf, apr_pool_t *ptemp, server_rec *s, const char *args,
                                   const void **config)
{
    return configure(pconf, ptemp, s, args, "group ", config);
}

static apr_status_t ask(request_rec *r, const check_t *check, metrics_verdict *verdict)
{
    *verdict = METRICS_DENIED;
    if (!check->provider) {
        return APR_SUCCESS;
    }
    apr_table_setn(r->notes, AUTHZ_PROVIDER_NAME_NOTE, check->name); /* aliases of providers look at it */
    authz_status answer = check->provider->check_authorization(r, check->line, check->parsed);
    apr_table_unset(r->notes, AUTHZ_PROVIDER_NAME_NOTE);
    if (answer == AUTHZ_GENERAL_ERROR) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, "MM0506: \"Require %s %s\" failed", check->name, check->line);
        return APR_EGENERAL;
    }
    *verdict = answer == AUTHZ_GRANTED ? METRICS_GRANTED : METRICS_DENIED;
    return APR_SUCCESS;
}

static apr_status_t require_open(request_rec *r, const void *config, const metrics_authz_query *query, void **state,
                                 metrics_verdict *verdict)
{
    const conf_t *conf = config;
    metrics_verdict *people = apr_pcalloc(r->pool, sizeof(*people));
    *state = people;
    apr_status_t rv = ask(r, &conf->report, verdict);
    if (rv == APR_SUCCESS && *verdict == METRICS_GRANTED && query->per_user) {
        rv = ask(r, &conf->people, people);
    }
    return rv;
}

static apr_status_t require_see_users(void *state, const char *const *users, size_t n, metrics_verdict *verdicts,
                                      apr_pool_t *scratch)
{
    (void)users;
    (void)scratch;
    memset(verdicts, *(const metrics_verdict *)state, n);
    return APR_SUCCESS;
}

const metrics_authz_provider mm_authz_require = {.abi = METRICS_AUTHZ_ABI,
                                                 .size = sizeof(metrics_authz_provider),
                                                 .configure = require_configure,
                                                 .open = require_open,
                                                 .see_users = require_see_users};
const metrics_authz_provider mm_authz_group = {.abi = METRICS_AUTHZ_ABI,
                                               .size = sizeof(metrics_authz_provider),
                                               .configure = group_configure,
                                               .open = require_open,
                                               .see_users = require_see_users};
