/* Permission: from the name behind MetricsAuthz to a verdict. Closed unless a provider grants. */
#ifndef MM_AUTHZ_H
#define MM_AUTHZ_H

#include <stdbool.h>
#include "config/config.h"

/* For register_hooks: the built-in providers. */
void mm_authz_register(apr_pool_t *pool);

/* For check_config, which also runs for apachectl -t and at every reload, with all modules loaded: looks up the
 * provider of every MetricsAuthz line and lets it read its arguments. A bad argument is an error (httpd does not
 * start); an unknown provider, or one of another ABI, is logged, and the reports it guards stay closed. */
int mm_authz_resolve(apr_pool_t *pconf, apr_pool_t *ptemp, server_rec *s);

/* The same for one line, or for one of several providers in it. Returns NULL, or what is wrong with its arguments.
 * Where there is no such provider that is logged, and conf->provider stays NULL. */
const char *mm_authz_configure(mm_authz_conf_t *conf, apr_pool_t *pconf, apr_pool_t *ptemp, server_rec *s);

/* The answer to somebody without the right: 401 for nobody, so that a browser asks who it is (the challenge is set
 * where an AuthType is configured), 403 for somebody. */
int mm_authz_denied(request_rec *r, mm_err_t *err);

/* One provider that is asked about one report. It ends with r->pool. */
typedef struct mm_authz_session mm_authz_session_t;

/* Asks whether the report may begin. *session is set unless there is an error, whatever the verdict. */
apr_status_t mm_authz_begin(mm_authz_session_t **session, request_rec *r, const mm_authz_conf_t *conf,
                            const metrics_authz_query *query, metrics_verdict *verdict, mm_err_t *err);

/* The same as an HTTP status; conf is a directory's MetricsAuthz, NULL where there is none. OK: the report may begin.
 * Otherwise 401, 403 or 503, why in err, in words fit for the requester; details go to the log. */
int mm_authz_open(mm_authz_session_t **session, request_rec *r, const mm_authz_conf_t *conf,
                  const metrics_authz_query *query, mm_err_t *err);

/* Questions of a session whose verdict was METRICS_GRANTED; see mod_metrics.h for what they mean. On an error all
 * verdicts are METRICS_DENIED; an answer that came too late is one. */
apr_status_t mm_authz_see_resources(mm_authz_session_t *session, const char *type, const char *const *ids, size_t n,
                                    metrics_verdict *verdicts, mm_err_t *err);
/* Pairs of a resource, about which mm_authz_see_resources said yes, and a person. */
apr_status_t mm_authz_see_users(mm_authz_session_t *session, const char *type, const char *const *ids,
                                const char *const *users, size_t n, metrics_verdict *verdicts, mm_err_t *err);
/* Whether it is known, without asking about them, that all resources may be seen. */
bool mm_authz_sees_all(const mm_authz_session_t *session);
/* *ids is NULL where nothing is narrowed. */
apr_status_t mm_authz_narrow(mm_authz_session_t *session, const char *type, const char *const **ids, size_t *n,
                             apr_pool_t *pool, mm_err_t *err);

#endif
