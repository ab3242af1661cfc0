/* A provider of permissions for mod_metrics, whole: who is signed in sees the resources of a department, which are
 * those whose id begins with its name, and of people only themselves.
 *
 *     apxs -i -c mod_metrics_authz_example.c        (mod_metrics.h must be installed, or lie beside it)
 *
 *     LoadModule metrics_authz_example_module modules/mod_metrics_authz_example.so
 *     <Location "/metrics">
 *         SetHandler metrics
 *         AuthType Basic
 *         AuthName "usage"
 *         AuthUserFile conf/passwords
 *         Require valid-user
 *         MetricsAuthz department biology-
 *     </Location>
 *
 * mod_metrics.h says of each function when it is called and what it must do. Needed is `open` alone; the rest is here
 * to be seen.
 */
#include <string.h>

#include "mod_metrics.h"

#include "ap_provider.h"
#include "apr_strings.h"

/* What the arguments said: read-only once httpd serves, since all threads read it. */
typedef struct department {
    const char *prefix;
    size_t len;
} department_t;

/* What one report has of its own. */
typedef struct requester {
    const department_t *department;
    const char *user;
} requester_t;

static const char *department_configure(apr_pool_t *pconf, apr_pool_t *ptemp, server_rec *s, const char *args,
                                        const void **config)
{
    department_t *department = apr_pcalloc(pconf, sizeof(*department));
    (void)ptemp;
    (void)s;
    department->prefix = ap_getword_conf(pconf, &args);
    department->len = strlen(department->prefix);
    *config = department;
    return department->len > 0 && !*args ? NULL : "name one department, for example MetricsAuthz department biology-";
}

/* Whether there is a report at all. The kinds are those that this provider knows how to decide about: of another it
 * could not say what its rows show. */
static apr_status_t department_open(request_rec *r, const void *config, const metrics_authz_query *query, void **state,
                                    metrics_verdict *verdict)
{
    requester_t *requester = apr_pcalloc(r->pool, sizeof(*requester));
    requester->department = config;
    requester->user = r->user;
    *state = requester;
    if (r->user && (strcmp(query->kind, "totals") == 0 || strcmp(query->kind, "users") == 0)) {
        *verdict = METRICS_GRANTED;
    }
    return APR_SUCCESS; /* an error would be 503: for a directory that does not answer, say */
}

/* A provider that asks a database asks it once for all n, not n times. */
static apr_status_t department_see_resources(void *state, const char *type, const char *const *ids, size_t n,
                                             metrics_verdict *verdicts, apr_pool_t *scratch)
{
    const requester_t *requester = state;
    size_t i;
    (void)type;
    (void)scratch;
    for (i = 0; i < n; i++) {
        if (strncmp(ids[i], requester->department->prefix, requester->department->len) == 0) {
            verdicts[i] = METRICS_GRANTED;
        }
    }
    return APR_SUCCESS;
}

static apr_status_t department_see_users(void *state, const char *const *users, size_t n, metrics_verdict *verdicts,
                                         apr_pool_t *scratch)
{
    const requester_t *requester = state;
    size_t i;
    (void)scratch;
    for (i = 0; i < n; i++) {
        if (strcmp(users[i], requester->user) == 0) {
            verdicts[i] = METRICS_GRANTED;
        }
    }
    return APR_SUCCESS;
}

static const metrics_authz_provider department_provider = {METRICS_AUTHZ_ABI,
                                                           sizeof(metrics_authz_provider),
                                                           department_configure,
                                                           department_open,
                                                           department_see_resources,
                                                           department_see_users,
                                                           NULL,  /* close: nothing is held */
                                                           NULL,  /* see_users_of: it does not matter with what */
                                                           NULL}; /* narrow: the ids are not known beforehand */

static void register_hooks(apr_pool_t *pool)
{
    ap_register_provider(pool, METRICS_AUTHZ_GROUP, "department", METRICS_AUTHZ_VERSION, &department_provider);
}

module AP_MODULE_DECLARE_DATA metrics_authz_example_module = {STANDARD20_MODULE_STUFF, NULL, NULL, NULL, NULL, NULL,
                                                              register_hooks,          0};
