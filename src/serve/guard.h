/* Who may see which type: the permission in force at the type's own address.
 *
 * A report can be asked for under several addresses: /metrics/datasets, /metrics/datasets.csv, or as a part of
 * /metrics. httpd's sections and our MetricsAuthz may treat /metrics/datasets more strictly than /metrics, and must not
 * be got around by the choice of address: so what decides about a type is always its canonical address, looked up as a
 * subrequest.
 */
#ifndef MM_GUARD_H
#define MM_GUARD_H

#include "httpd.h"
#include "authz/authz.h"
#include "report/report.h"
#include "route/route.h"
#include "serve/location.h"

typedef struct mm_guard mm_guard_t;

/* Asks about every type of the route. OK: the
 * report may begin; types[0..*n_types) are those to be shown (of a report on all types, those that are open to the
 * requester). Otherwise the HTTP status for the answer, why in err. */
int mm_guard_open(mm_guard_t **guard, const char *const **types, size_t *n_types, request_rec *r,
                  const mm_route_t *route, const mm_location_t *location, mm_err_t *err);

/* The same for /status, by whichever address it was asked for. */
int mm_guard_status(request_rec *r, const mm_location_t *location, mm_err_t *err);

/* The signature of report.h's gate; baton is the guard. Resources of a type that is not open to the requester are not
 * shown, also not as parents. */
apr_status_t mm_guard_see_resources(void *guard, const char *type, const char *const *ids, size_t n,
                                    unsigned char *verdicts, mm_err_t *err);
/* The same for people, users[i] being named with the resource ids[i] of this type. */
apr_status_t mm_guard_see_users(void *guard, const char *type, const char *const *ids, const char *const *users,
                                size_t n, unsigned char *verdicts, mm_err_t *err);
bool mm_guard_sees_all(void *guard, const char *type);
apr_status_t mm_guard_narrow(void *guard, const char *type, const char *const **ids, size_t *n, apr_pool_t *pool,
                             mm_err_t *err);

#endif
