/* The built-in providers of permissions. */
#ifndef MM_PROVIDERS_H
#define MM_PROVIDERS_H

#include "mod_metrics.h"

/* `MetricsAuthz none`: nobody sees anything. */
extern const metrics_authz_provider mm_authz_none;

/* `MetricsAuthz expr "EXPRESSION"`: whoever meets the expression (httpd's ap_expr, boolean) sees all resources. It says
 * nothing about people, so it names none. */
extern const metrics_authz_provider mm_authz_expr;

#endif
