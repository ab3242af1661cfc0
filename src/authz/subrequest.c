/* The provider that asks the application itself: a request for each resource, and one for each person, sent through
 * httpd with the requester's own cookies and credentials. What the application would show is seen.
 *
 * Answers are kept for some seconds for whoever sends the very same headers to the same virtual host, from the same
 * address with the same certificate: whatever the application decides by is among these. One report asks a bounded
 * number of times, for a bounded time; beyond that it ends, as with any answer that cannot be had.
 */
#include "authz/answers.h"
#include "authz/application.h"
#include "authz/args.h"
#include "authz/providers.h"
#include "base/template.h"

#include "apr_strings.h"
#include "http_log.h"
#include "http_ssl.h"

APLOG_USE_MODULE(metrics);

#define CACHE_S   10
#define MAX       1000
#define SECONDS   30
#define NUMBER_UP 1000000

typedef struct conf {
    const char *report, *resources, *people; /* templates; NULL where not given */
    const char *method;
    int max;                     /* requests in a report */
    apr_interval_time_t seconds; /* the same */
    mm_answers_t *answers;       /* NULL: none are kept */
} conf_t;

typedef struct state {
    request_rec *r;
    const conf_t *conf;
    const char *requester; /* a hash of all that an answer may depend on; "" where there is none */
    apr_interval_time_t patience;
    apr_time_t began;
    int asked;
} state_t;

static const char *check_template(const char *name, const char *template, const char *must, apr_pool_t *pool)
{
    if (template && (template[0] != '/' || template[1] == '/' || (must && !strstr(template, must)))) {
        return apr_psprintf(pool, "%s= is a path of this server%s%s, for example /api/{type}/%s", name,
                            must ? " that holds " : "", must ? must : "", must ? must : "");
    }
    return NULL;
}

static const char *read_numbers(conf_t *conf, const char *cache, const char *max, const char *seconds, apr_pool_t *pool)
{
    double cache_s = CACHE_S, n = MAX, s = SECONDS;
    const char *wrong = mm_args_number(&cache_s, "cache", cache, 0, 3600, pool);
    wrong = wrong ? wrong : mm_args_number(&n, "max", max, 1, NUMBER_UP, pool);
    wrong = wrong ? wrong : mm_args_number(&s, "seconds", seconds, 0.01, 3600, pool);
    conf->max = (int)n;
    conf->seconds = (apr_interval_time_t)(s * APR_USEC_PER_SEC);
    conf->answers = cache_s > 0 ? mm_answers_make((apr_interval_time_t)(cache_s * APR_USEC_PER_SEC), pool) : NULL;
    return wrong;
}

static const char *subrequest_configure(apr_pool_t *pconf, apr_pool_t *ptemp, server_rec *s, const char *args,
                                        const void **config)
{
    conf_t *conf = apr_pcalloc(pconf, sizeof(*conf));
    const char *cache = NULL, *max = NULL, *seconds = NULL;
    const mm_arg_t known[] = {{"report", &conf->report}, {"resources", &conf->resources},
                              {"people", &conf->people}, {"method", &conf->method},
                              {"cache", &cache},         {"max", &max},
                              {"seconds", &seconds}};
    (void)ptemp;
    (void)s;
    *config = conf;
    const char *wrong = mm_args_read(args, known, sizeof(known) / sizeof(known[0]), pconf);
    if (!wrong && !conf->resources) {
        wrong = "resources= is missing: the path of a resource in the application, with {id} in it";
    }
    wrong = wrong ? wrong : check_template("report", conf->report, NULL, pconf);
    wrong = wrong ? wrong : check_template("resources", conf->resources, "{id}", pconf);
    wrong = wrong ? wrong : check_template("people", conf->people, "{user}", pconf);
    if (!wrong && conf->method && strcmp(conf->method, "GET") != 0 && strcmp(conf->method, "HEAD") != 0) {
        wrong = "method= is GET or HEAD";
    }
    conf->method = conf->method ? conf->method : "HEAD";
    return wrong ? wrong : read_numbers(conf, cache, max, seconds, pconf);
}

/* --- who asks ------------------------------------------------------------------------------------------------------
 */

/* Each text with its length in front, so that two lists of texts are never the same bytes. */
static void append(apr_array_header_t *bytes, const char *text)
{
    size_t len = strlen(text ? text : "");
    for (const char *prefix = apr_psprintf(bytes->pool, "%d:%" APR_SIZE_T_FMT ":", text != NULL, len); *prefix;
         prefix++) {
        APR_ARRAY_PUSH(bytes, char) = *prefix;
    }
    for (size_t i = 0; i < len; i++) {
        APR_ARRAY_PUSH(bytes, char) = text[i];
    }
}

static const char *hash(const apr_array_header_t *bytes, apr_pool_t *pool)
{
    char *hex = apr_palloc(pool, MM_SHA256_HEX + 1);
    return mm_sha256_hex(hex, bytes->elts, (size_t)bytes->nelts) ? hex : "";
}

static const char *requester_of(request_rec *r)
{
    apr_array_header_t *bytes = apr_array_make(r->pool, 1000, 1);
    const apr_array_header_t *headers = apr_table_elts(r->headers_in);
    append(bytes, r->user);
    append(bytes, r->useragent_ip);
    append(bytes, apr_psprintf(r->pool, "%pp", (void *)r->server)); /* two may have one name */
    append(bytes, ap_ssl_var_lookup(r->pool, r->server, r->connection, r, "SSL_CLIENT_CERT"));
    for (int i = 0; i < headers->nelts; i++) {
        const apr_table_entry_t *header = &APR_ARRAY_IDX(headers, i, apr_table_entry_t);
        append(bytes, header->key);
        append(bytes, header->val);
    }
    return hash(bytes, r->pool);
}

/* --- what is answered ----------------------------------------------------------------------------------------------
 */

/* Only a success is a yes. What the application did not decide about (it failed, it is too busy) is an error. */
static apr_status_t verdict_of(const state_t *state, const char *uri, int status, metrics_verdict *verdict)
{
    *verdict = status == HTTP_OK || status == HTTP_NO_CONTENT ? METRICS_GRANTED : METRICS_DENIED;
    if (status >= 200 && status < 500 && status != HTTP_REQUEST_TIME_OUT && status != HTTP_TOO_MANY_REQUESTS) {
        return APR_SUCCESS;
    }
    ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, state->r, "MM0510: MetricsAuthz subrequest: %s answers %d", uri, status);
    return APR_EGENERAL;
}

static apr_status_t may_ask(state_t *state, apr_time_t batch_began)
{
    const apr_time_t now = apr_time_now();
    if (state->asked++ < state->conf->max && now - state->began <= state->conf->seconds &&
        now - batch_began <= state->patience) {
        return APR_SUCCESS;
    }
    ap_log_rerror(
        APLOG_MARK, APLOG_ERR, 0, state->r,
        "MM0511: MetricsAuthz subrequest: the application was asked %d times in %d ms, more than max=, seconds= "
        "or MetricsAuthzTimeout allows for one report",
        state->asked - 1, (int)apr_time_as_msec(now - state->began));
    return APR_TIMEUP;
}

static apr_status_t ask(state_t *state, const char *uri, apr_time_t batch_began, metrics_verdict *verdict,
                        apr_pool_t *scratch)
{
    mm_answers_t *answers = *state->requester ? state->conf->answers : NULL;
    apr_array_header_t *bytes = apr_array_make(scratch, 200, 1);
    append(bytes, state->requester);
    append(bytes, uri);
    const char *key = hash(bytes, scratch);
    int known = answers && *key ? mm_answers_get(answers, key, apr_time_now()) : -1;
    if (known >= 0) {
        *verdict = (metrics_verdict)known;
        return APR_SUCCESS;
    }
    apr_status_t rv = may_ask(state, batch_began);
    if (rv == APR_SUCCESS) {
        rv = verdict_of(state, uri, mm_application_status(state->r, state->conf->method, uri), verdict);
    }
    if (rv == APR_SUCCESS && answers && *key) {
        mm_answers_put(answers, key, *verdict, apr_time_now());
    }
    return rv;
}

static apr_status_t subrequest_open(request_rec *r, const void *config, const metrics_authz_query *query, void **statev,
                                    metrics_verdict *verdict)
{
    state_t *state = apr_pcalloc(r->pool, sizeof(*state));
    state->r = r;
    state->conf = config;
    state->patience = query->patience;
    state->began = apr_time_now();
    *statev = state;
    if (r->main) {
        return APR_SUCCESS; /* a template that leads to reports again */
    }
    state->requester = requester_of(r);
    if (state->conf->report) {
        return ask(state, state->conf->report, state->began, verdict, r->pool);
    }
    *verdict = strcmp(query->kind, "status") != 0 ? METRICS_GRANTED : METRICS_DENIED;
    return APR_SUCCESS;
}

/* users NULL: about resources. */
static apr_status_t ask_each(state_t *state, const char *template, const char *type, const char *const *ids,
                             const char *const *users, size_t n, metrics_verdict *verdicts, apr_pool_t *scratch)
{
    const apr_time_t began = apr_time_now();
    apr_status_t rv = APR_SUCCESS;
    for (size_t i = 0; i < n && rv == APR_SUCCESS; i++) {
        const mm_filling_t fillings[] = {{"type", type}, {"id", ids[i]}, {"user", users ? users[i] : NULL}};
        const char *uri = mm_template_fill(template, fillings, 3, scratch);
        if (uri) {
            rv = ask(state, uri, began, &verdicts[i], scratch);
        }
    }
    return rv;
}

static apr_status_t subrequest_see_resources(void *statev, const char *type, const char *const *ids, size_t n,
                                             metrics_verdict *verdicts, apr_pool_t *scratch)
{
    state_t *state = statev;
    return ask_each(state, state->conf->resources, type, ids, NULL, n, verdicts, scratch);
}

static apr_status_t subrequest_see_users_of(void *statev, const char *type, const char *const *ids,
                                            const char *const *users, size_t n, metrics_verdict *verdicts,
                                            apr_pool_t *scratch)
{
    state_t *state = statev;
    return state->conf->people ? ask_each(state, state->conf->people, type, ids, users, n, verdicts, scratch)
                               : APR_SUCCESS;
}

const metrics_authz_provider mm_authz_subrequest = {.abi = METRICS_AUTHZ_ABI,
                                                    .size = sizeof(metrics_authz_provider),
                                                    .configure = subrequest_configure,
                                                    .open = subrequest_open,
                                                    .see_resources = subrequest_see_resources,
                                                    .see_users_of = subrequest_see_users_of};
