/* The provider that lets people see what is theirs: a resource's owner is who the catalogue says (owner= of
 * MetricsCatalog). Of other people they see those who used it, where the line says so.
 */
#include "authz/args.h"
#include "authz/catalog.h"
#include "authz/providers.h"
#include "authz/requester.h"

#include "ap_expr.h"
#include "apr_strings.h"
#include "config/config.h"
#include "http_log.h"
#include "store/catalog.h"

APLOG_USE_MODULE(metrics);

typedef struct conf {
    const ap_expr_info_t *as; /* who the requester is in the catalogue; NULL: REMOTE_USER */
    int people;               /* whether people who used a resource are shown to its owner */
} conf_t;

typedef struct state {
    request_rec *r;
    const conf_t *conf;
    const apr_array_header_t *catalogs;
    const char *self;
} state_t;

static const char *parse_as(conf_t *conf, apr_pool_t *pconf, apr_pool_t *ptemp, const char *text)
{
    ap_expr_info_t *info = apr_pcalloc(pconf, sizeof(*info));
    info->module_index = APLOG_MODULE_INDEX;
    info->filename = "MetricsAuthz";
    info->line_number = 1;
    info->flags = AP_EXPR_FLAG_DONT_VARY | AP_EXPR_FLAG_STRING_RESULT;
    const char *wrong = ap_expr_parse(pconf, ptemp, info, text, NULL);
    conf->as = info;
    return wrong ? apr_psprintf(pconf, "cannot read as=\"%s\": %s", text, wrong) : NULL;
}

static int some_owner_is_known(server_rec *s)
{
    const apr_array_header_t *catalogs = mm_config_get(s)->catalogs;
    for (int i = 0; i < catalogs->nelts; i++) {
        if (APR_ARRAY_IDX(catalogs, i, const mm_catalog_t *)->owner_path) {
            return 1;
        }
    }
    return 0;
}

static const char *owner_configure(apr_pool_t *pconf, apr_pool_t *ptemp, server_rec *s, const char *args,
                                   const void **config)
{
    const char *as = NULL, *people = NULL;
    const mm_arg_t known[] = {{"as", &as}, {"people", &people}};
    conf_t *conf = apr_pcalloc(pconf, sizeof(*conf));
    *config = conf;
    const char *wrong = mm_args_read(args, known, 2, pconf);
    if (!wrong && people && strcmp(people, "used") != 0 && strcmp(people, "self") != 0) {
        wrong = "people= is used (who used what is theirs) or self (nobody else)";
    }
    if (!wrong && !some_owner_is_known(s)) {
        wrong = "no MetricsCatalog says with owner= whose a resource is";
    }
    conf->people = people && strcmp(people, "used") == 0;
    return wrong || !as ? wrong : parse_as(conf, pconf, ptemp, as);
}

/* NULL for nobody in particular. */
static apr_status_t who(request_rec *r, const conf_t *conf, const char **self)
{
    const char *wrong = mm_authz_requester(self, r, conf->as);
    if (wrong) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, "MM0507: MetricsAuthz owner, as=: %s", wrong);
        return APR_EGENERAL;
    }
    return APR_SUCCESS;
}

static apr_status_t owner_open(request_rec *r, const void *config, const metrics_authz_query *query, void **statev,
                               metrics_verdict *verdict)
{
    state_t *state = apr_pcalloc(r->pool, sizeof(*state));
    state->r = r;
    state->conf = config;
    state->catalogs = mm_config_get(r->server)->catalogs;
    *statev = state;
    apr_status_t rv = who(r, state->conf, &state->self);
    /* The server's health is nobody's own. */
    *verdict = state->self && strcmp(query->kind, "status") != 0 ? METRICS_GRANTED : METRICS_DENIED;
    return rv;
}

static apr_status_t give_up(const state_t *state, const mm_err_t *err)
{
    ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, state->r, "MM0508: MetricsAuthz owner: %s", err->text);
    return err->status;
}

static apr_status_t owner_see_resources(void *statev, const char *type, const char *const *ids, size_t n,
                                        metrics_verdict *verdicts, apr_pool_t *scratch)
{
    const state_t *state = statev;
    mm_entry_t *entries = apr_palloc(scratch, n * sizeof(*entries));
    mm_store_t *store = NULL;
    mm_err_t err;
    apr_status_t rv = mm_authz_catalog(&store, state->r, &err);
    if (rv == APR_SUCCESS) {
        rv = mm_catalog_lookup(store, state->catalogs, type, ids, n, MM_CATALOG_OWNER, entries, scratch, &err);
    }
    for (size_t i = 0; i < n && rv == APR_SUCCESS; i++) {
        if (strcmp(entries[i].owner, state->self) == 0) {
            verdicts[i] = METRICS_GRANTED;
        }
    }
    return rv == APR_SUCCESS ? rv : give_up(state, &err);
}

/* The resources of these people are the requester's own: see_resources has said so. */
static apr_status_t owner_see_users_of(void *statev, const char *type, const char *const *ids, const char *const *users,
                                       size_t n, metrics_verdict *verdicts, apr_pool_t *scratch)
{
    const state_t *state = statev;
    (void)type;
    (void)ids;
    (void)scratch;
    for (size_t i = 0; i < n; i++) {
        if (state->conf->people || strcmp(users[i], state->self) == 0) {
            verdicts[i] = METRICS_GRANTED;
        }
    }
    return APR_SUCCESS;
}

static apr_status_t owner_narrow(void *statev, const char *type, const char *const **ids, size_t *n, apr_pool_t *pool)
{
    const state_t *state = statev;
    mm_store_t *store = NULL;
    mm_err_t err;
    apr_status_t rv = mm_authz_catalog(&store, state->r, &err);
    if (rv == APR_SUCCESS) {
        rv = mm_catalog_owned(store, state->catalogs, type, state->self, METRICS_AUTHZ_NARROW_MAX, ids, n, pool, &err);
    }
    return rv == APR_SUCCESS ? rv : give_up(state, &err);
}

const metrics_authz_provider mm_authz_owner = {.abi = METRICS_AUTHZ_ABI,
                                               .size = sizeof(metrics_authz_provider),
                                               .configure = owner_configure,
                                               .open = owner_open,
                                               .see_resources = owner_see_resources,
                                               .see_users_of = owner_see_users_of,
                                               .narrow = owner_narrow};
