/* The provider that asks expressions of httpd's own language: whether there is a report, which resources are in it,
 * which people. Expressions are compiled when httpd starts, so a mistake in one is found then; one that fails when it
 * is asked ends the report.
 *
 * What an expression is about is in the request's environment, as METRICS_TYPE and so on: a value there is a string and
 * nothing else, so no id can be taken for a part of the expression. One that mentions none of these is asked once for
 * the whole report.
 */
#include "authz/args.h"
#include "authz/providers.h"

#include "ap_expr.h"
#include "apr_lib.h"
#include "apr_strings.h"
#include "http_log.h"

APLOG_USE_MODULE(metrics);

#define ENV_OF_ALL "METRICS_"
#define ENV_TYPE   ENV_OF_ALL "TYPE"
#define ENV_ID     ENV_OF_ALL "ID"
#define ENV_PERSON ENV_OF_ALL "PERSON"

#define MATCHES_MAX 10 /* $0 to $9, as httpd has them */

typedef struct question {
    const ap_expr_info_t *expr; /* NULL: was not given */
    int of_each;                /* its answer may differ from one resource or person to another */
} question_t;

typedef struct conf {
    question_t report, resources, people;
} conf_t;

typedef struct state {
    request_rec *r;
    const conf_t *conf;
    metrics_verdict resources, people; /* of all, where of_each is not set */
} state_t;

/* Names in the environment are the same in small letters. */
static int mentions(const char *text, const char *name)
{
    const char *at = text ? ap_strcasestr(text, name) : NULL;
    while (at && (apr_isalnum(at[strlen(name)]) || at[strlen(name)] == '_')) {
        at = ap_strcasestr(at + 1, name);
    }
    return at != NULL;
}

/* What is not there yet when an expression is asked is "", which is != whatever somebody wants to keep hidden. */
static const char *check(const char *report, const char *resources)
{
    if (mentions(report, ENV_TYPE) || mentions(report, ENV_ID) || mentions(report, ENV_PERSON)) {
        return "report= is asked before there is a resource or a person: say with resources= and people= which of them "
               "may be seen";
    }
    return mentions(resources, ENV_PERSON) ? "resources= is not about a person: say with people= who may be seen"
                                           : NULL;
}

static const char *parse(question_t *question, apr_pool_t *pconf, apr_pool_t *ptemp, const char *text)
{
    if (!text) {
        return NULL;
    }
    ap_expr_info_t *info = apr_pcalloc(pconf, sizeof(*info));
    info->module_index = APLOG_MODULE_INDEX;
    info->filename = "MetricsAuthz";
    info->line_number = 1;
    info->flags = AP_EXPR_FLAG_DONT_VARY;
    const char *wrong = ap_expr_parse(pconf, ptemp, info, text, NULL);
    question->expr = info;
    question->of_each = ap_strcasestr(text, ENV_OF_ALL) != NULL;
    return wrong ? apr_psprintf(pconf, "cannot read the expression \"%s\": %s", text, wrong) : NULL;
}

/* One expression, and perhaps `users` and another. */
static const char *read_plain(const char *args, const char **report, const char **people, apr_pool_t *pool)
{
    *report = ap_getword_conf(pool, &args);
    const char *word = ap_getword_conf(pool, &args);
    const char *users = ap_getword_conf(pool, &args);
    if (!**report || *args || (*word && (strcmp(word, "users") != 0 || !*users))) {
        return "give one expression, in quotes, for example \"%{REMOTE_USER} == 'admin'\", and perhaps the word users "
               "and another one for who may see people; or report=, resources= and people=, each with one";
    }
    *people = *word ? users : NULL;
    return NULL;
}

static const char *expr_configure(apr_pool_t *pconf, apr_pool_t *ptemp, server_rec *s, const char *args,
                                  const void **config)
{
    const char *report = NULL, *resources = NULL, *people = NULL;
    const mm_arg_t known[] = {{"report", &report}, {"resources", &resources}, {"people", &people}};
    conf_t *conf = apr_pcalloc(pconf, sizeof(*conf));
    (void)s;
    *config = conf;
    const char *wrong = mm_args_are_named(args, known, 3) ? mm_args_read(args, known, 3, pconf)
                                                          : read_plain(args, &report, &people, pconf);
    if (!wrong && !report) {
        wrong = "report= is missing: who may see reports at all";
    }
    wrong = wrong ? wrong : check(report, resources);
    wrong = wrong ? wrong : parse(&conf->report, pconf, ptemp, report);
    wrong = wrong ? wrong : parse(&conf->resources, pconf, ptemp, resources);
    return wrong ? wrong : parse(&conf->people, pconf, ptemp, people);
}

/* Whether an expression holds; APR_EGENERAL where it cannot be told. What it needs on the way is scratch's: a report
 * asks a million times. */
static apr_status_t holds(const state_t *state, const question_t *question, metrics_verdict *verdict,
                          apr_pool_t *scratch)
{
    request_rec *r = state->r;
    const char *wrong = NULL, *source = NULL;
    ap_regmatch_t matches[MATCHES_MAX];
    ap_expr_eval_ctx_t ctx = {.r = r,
                              .c = r->connection,
                              .s = r->server,
                              .p = scratch,
                              .err = &wrong,
                              .info = question->expr,
                              .re_pmatch = matches,
                              .re_nmatch = MATCHES_MAX,
                              .re_source = &source};
    *verdict = METRICS_DENIED;
    int answer = ap_expr_exec_ctx(&ctx);
    if (wrong || answer < 0) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, "MM0505: MetricsAuthz expr: %s", wrong ? wrong : "no answer");
        return APR_EGENERAL;
    }
    *verdict = answer > 0 ? METRICS_GRANTED : METRICS_DENIED;
    return APR_SUCCESS;
}

static apr_status_t of_all(const state_t *state, const question_t *question, metrics_verdict otherwise,
                           metrics_verdict *verdict)
{
    *verdict = otherwise;
    return question->expr && !question->of_each ? holds(state, question, verdict, state->r->pool) : APR_SUCCESS;
}

static apr_status_t expr_open(request_rec *r, const void *config, const metrics_authz_query *query, void **statev,
                              metrics_verdict *verdict)
{
    state_t *state = apr_pcalloc(r->pool, sizeof(*state));
    state->r = r;
    state->conf = config;
    *statev = state;
    apr_status_t rv = holds(state, &state->conf->report, verdict, r->pool);
    if (rv != APR_SUCCESS || *verdict != METRICS_GRANTED) {
        return rv;
    }
    rv = of_all(state, &state->conf->resources, METRICS_GRANTED, &state->resources);
    if (rv == APR_SUCCESS && query->per_user) {
        rv = of_all(state, &state->conf->people, METRICS_DENIED, &state->people);
    }
    return rv;
}

/* The same question about n resources, or about n people of theirs. */
static apr_status_t ask_each(const state_t *state, const question_t *question, const char *type, const char *const *ids,
                             const char *const *people, size_t n, metrics_verdict *verdicts, apr_pool_t *scratch)
{
    apr_table_t *env = state->r->subprocess_env;
    apr_status_t rv = APR_SUCCESS;
    apr_table_setn(env, ENV_TYPE, type);
    for (size_t i = 0; i < n && rv == APR_SUCCESS; i++) {
        apr_table_setn(env, ENV_ID, ids[i]);
        if (people) {
            apr_table_setn(env, ENV_PERSON, people[i]);
        }
        rv = holds(state, question, &verdicts[i], scratch);
    }
    apr_table_unset(env, ENV_TYPE);
    apr_table_unset(env, ENV_ID);
    apr_table_unset(env, ENV_PERSON);
    return rv;
}

static apr_status_t expr_see_resources(void *statev, const char *type, const char *const *ids, size_t n,
                                       metrics_verdict *verdicts, apr_pool_t *scratch)
{
    const state_t *state = statev;
    if (state->conf->resources.of_each) {
        return ask_each(state, &state->conf->resources, type, ids, NULL, n, verdicts, scratch);
    }
    memset(verdicts, state->resources, n);
    return APR_SUCCESS;
}

bool mm_authz_expr_sees_all(const void *statev)
{
    const state_t *state = statev;
    return !state->conf->resources.of_each && state->resources == METRICS_GRANTED;
}

static apr_status_t expr_see_users_of(void *statev, const char *type, const char *const *ids, const char *const *people,
                                      size_t n, metrics_verdict *verdicts, apr_pool_t *scratch)
{
    const state_t *state = statev;
    if (state->conf->people.of_each) {
        return ask_each(state, &state->conf->people, type, ids, people, n, verdicts, scratch);
    }
    memset(verdicts, state->people, n);
    return APR_SUCCESS;
}

const metrics_authz_provider mm_authz_expr = {.abi = METRICS_AUTHZ_ABI,
                                              .size = sizeof(metrics_authz_provider),
                                              .configure = expr_configure,
                                              .open = expr_open,
                                              .see_resources = expr_see_resources,
                                              .see_users_of = expr_see_users_of};
