/* The built-in providers of permissions. */
#ifndef MM_PROVIDERS_H
#define MM_PROVIDERS_H

#include <stdbool.h>
#include "mod_metrics.h"

/* `MetricsAuthz none`: nobody sees anything. */
extern const metrics_authz_provider mm_authz_none;

/* `MetricsAuthz expr`: expressions of httpd's language (ap_expr) say who may see reports, which resources in them, and
 * which people. */
extern const metrics_authz_provider mm_authz_expr;

/* Whether it lets all resources pass, by the state that it has set. */
bool mm_authz_expr_sees_all(const void *state);

/* `MetricsAuthz require`: what httpd's `Require` takes says who may see reports, and who people in them; `MetricsAuthz
 * group`: the same for `Require group`. */
extern const metrics_authz_provider mm_authz_require, mm_authz_group;

/* `MetricsAuthz owner`: people see what the catalogue says is theirs. */
extern const metrics_authz_provider mm_authz_owner;

/* `MetricsAuthz any { PROVIDER … } { PROVIDER … } …` and `all`: several providers as one. */
extern const metrics_authz_provider mm_authz_any, mm_authz_all;

/* `MetricsAuthz subrequest`: the application itself is asked, by a request for each resource or person. */
extern const metrics_authz_provider mm_authz_subrequest;

/* `MetricsAuthz clowder`: NCSA Clowder 1's own rules, by its own documents. */
extern const metrics_authz_provider mm_authz_clowder;

#endif
