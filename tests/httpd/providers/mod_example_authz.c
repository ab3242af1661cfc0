/* Providers of permissions as another module would write them, built outside the tree with apxs and one header.
 *
 * example        grants the report to the user of the header X-Requester (its arguments name who); hides resources and
 *                people whose name begins with "secret"
 * example-error  lets the report begin, then cannot tell (argument "late"), or cannot even tell that (no argument)
 * example-abi    was built for another version of the header
 * example-odd    gives a verdict that is neither of the two
 * example-old    was built for the first version of the header, whose struct was shorter
 * example-new    is longer than any struct that is known
 * example-slow   takes as many milliseconds as the header X-Slow says to tell whether the report may begin, and
 * X-Slow-See for each batch; grants everything example-narrow narrows a report to the resources that its arguments
 * name, and grants all; "error": cannot tell example-pairs  grants all resources, and of people those named with a
 * resource whose name begins as theirs does
 *
 * What is called is written to the error log, so that a test can see that every open has its close.
 */
#include <poll.h>
#include <stddef.h>
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

/* --- time --- */

static void wait_as_told(request_rec *r, const char *header)
{
    const char *ms = apr_table_get(r->headers_in, header);
    if (ms) {
        poll(NULL, 0, (int)apr_atoi64(ms));
    }
}

static apr_status_t slow_open(request_rec *r, const void *config, const metrics_authz_query *query, void **state,
                              metrics_verdict *verdict)
{
    (void)config;
    ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r, "example patience=%d", (int)apr_time_as_msec(query->patience));
    wait_as_told(r, "X-Slow");
    *state = r;
    *verdict = METRICS_GRANTED;
    return APR_SUCCESS;
}

static apr_status_t slow_see(void *state, const char *type, const char *const *ids, size_t n, metrics_verdict *verdicts,
                             apr_pool_t *scratch)
{
    (void)type;
    (void)ids;
    (void)scratch;
    wait_as_told(state, "X-Slow-See");
    memset(verdicts, METRICS_GRANTED, n);
    return APR_SUCCESS;
}

/* --- later --- */

typedef struct later {
    request_rec *r;
    int batches;
} later_t;

static apr_status_t later_open(request_rec *r, const void *config, const metrics_authz_query *query, void **state,
                               metrics_verdict *verdict)
{
    later_t *later = apr_pcalloc(r->pool, sizeof(*later));
    (void)config;
    (void)query;
    later->r = r;
    *state = later;
    *verdict = METRICS_GRANTED;
    return APR_SUCCESS;
}

static apr_status_t later_see(void *state, const char *type, const char *const *ids, size_t n,
                              metrics_verdict *verdicts, apr_pool_t *scratch)
{
    later_t *later = state;
    const char *then = apr_table_get(later->r->headers_in, "X-Then");
    (void)type;
    (void)ids;
    (void)scratch;
    memset(verdicts, METRICS_GRANTED, n);
    if (!then || ++later->batches < 2) {
        return APR_SUCCESS;
    }
    if (strcmp(then, "garbage") == 0) {
        memset(verdicts, 0xa5, n);
    }
    wait_as_told(later->r, "X-Then");
    return strcmp(then, "error") == 0 ? APR_EGENERAL : APR_SUCCESS;
}

/* --- narrowing --- */

typedef struct wide {
    request_rec *r;
    const char *args;
} wide_t;

static apr_status_t narrow_open(request_rec *r, const void *config, const metrics_authz_query *query, void **state,
                                metrics_verdict *verdict)
{
    wide_t *wide = apr_palloc(r->pool, sizeof(*wide));
    (void)query;
    wide->r = r;
    wide->args = config;
    *state = wide;
    *verdict = METRICS_GRANTED;
    return APR_SUCCESS;
}

static apr_status_t narrow(void *state, const char *type, const char *const **ids, size_t *n, apr_pool_t *pool)
{
    const wide_t *wide = state;
    const char *args = wide->args;
    apr_array_header_t *words = apr_array_make(pool, 4, sizeof(const char *));
    (void)type;
    wait_as_told(wide->r, "X-Slow-Narrow");
    while (*args) {
        APR_ARRAY_PUSH(words, const char *) = ap_getword_conf(pool, &args);
    }
    *ids = (const char *const *)words->elts;
    *n = (size_t)words->nelts;
    if (*n == 1 && strcmp((*ids)[0], "many") == 0) {
        *n = METRICS_AUTHZ_NARROW_MAX + 1;
    }
    return *n == 1 && strcmp((*ids)[0], "error") == 0 ? APR_EGENERAL : APR_SUCCESS;
}

/* --- pairs --- */

static apr_status_t see_initials(void *state, const char *type, const char *const *ids, const char *const *users,
                                 size_t n, metrics_verdict *verdicts, apr_pool_t *scratch)
{
    (void)state;
    (void)type;
    (void)scratch;
    for (size_t i = 0; i < n; i++) {
        verdicts[i] = ids[i][0] == users[i][0] ? METRICS_GRANTED : METRICS_DENIED;
    }
    return APR_SUCCESS;
}

#define OURS METRICS_AUTHZ_ABI, sizeof(metrics_authz_provider)
static const metrics_authz_provider example = {OURS,      read_args,     example_open, see_not_secret,
                                               see_users, example_close, NULL,         NULL};
static const metrics_authz_provider example_error = {OURS, read_args, error_open, error_see, NULL, NULL, NULL, NULL};
static const metrics_authz_provider example_abi = {
    METRICS_AUTHZ_ABI + 1, sizeof(metrics_authz_provider), NULL, example_open, NULL, NULL, NULL, NULL, NULL};
static const metrics_authz_provider example_odd = {OURS, NULL, odd_open, odd_see, NULL, NULL, NULL, NULL};
/* What it does not have is nonsense, which nobody must read. */
static const metrics_authz_provider example_old = {METRICS_AUTHZ_ABI, offsetof(metrics_authz_provider, see_users_of),
                                                   read_args,         example_open,
                                                   see_not_secret,    see_users,
                                                   example_close,     (void *)1,
                                                   (void *)1};
static const metrics_authz_provider example_new = {
    METRICS_AUTHZ_ABI, sizeof(metrics_authz_provider) + sizeof(void *), NULL, odd_open, NULL, NULL, NULL, NULL, NULL};
static const metrics_authz_provider example_slow = {OURS, NULL, slow_open, slow_see, NULL, NULL, NULL, NULL};
static const metrics_authz_provider example_later = {OURS, NULL, later_open, later_see, NULL, NULL, NULL, NULL};
static const metrics_authz_provider example_narrow = {OURS, read_args, narrow_open, NULL, NULL, NULL, NULL, narrow};
static const metrics_authz_provider example_pairs = {OURS, NULL, slow_open, NULL, NULL, NULL, see_initials, NULL};

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
    offer(pool, "example-old", &example_old);
    offer(pool, "example-new", &example_new);
    offer(pool, "example-slow", &example_slow);
    offer(pool, "example-later", &example_later);
    offer(pool, "example-narrow", &example_narrow);
    offer(pool, "example-pairs", &example_pairs);
}

module AP_MODULE_DECLARE_DATA example_authz_module = {
    STANDARD20_MODULE_STUFF, NULL, NULL, NULL, NULL, NULL, register_hooks, AP_MODULE_FLAG_NONE};
