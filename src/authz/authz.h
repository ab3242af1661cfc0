/* Permission: from the name behind MetricsAuthz to a verdict. Closed unless a provider grants. */
#ifndef MM_AUTHZ_H
#define MM_AUTHZ_H

#include "config/config.h"

/* For register_hooks: the built-in providers `none` and `expr`. */
void mm_authz_register(apr_pool_t *pool);

/* For check_config, which also runs for apachectl -t and at every reload, with all modules loaded: looks up the
 * provider of every MetricsAuthz line and lets it read its arguments. A bad argument is an error (httpd does not
 * start); an unknown provider, or one of another ABI, is logged, and the reports it guards stay closed. */
int mm_authz_resolve(apr_pool_t *pconf, apr_pool_t *ptemp, server_rec *s);

/* The answer to somebody without the right: 401 for nobody, so that a browser asks who it is (the challenge is set
 * where an AuthType is configured), 403 for somebody. */
int mm_authz_denied(request_rec *r, mm_err_t *err);

typedef struct mm_authz_session mm_authz_session_t;

/* Asks the provider of conf (a directory's MetricsAuthz; NULL where there is none) whether the report may begin. OK:
 * yes; the session ends with r->pool. Otherwise the HTTP status for the answer: 401, 403 or 503, why in err, in words
 * fit for the requester; details go to the log. */
int mm_authz_open(mm_authz_session_t **session, request_rec *r, const mm_authz_conf_t *conf,
                  const metrics_authz_query *query, mm_err_t *err);

/* baton is the session; the signature of report/report.h's gate. */
apr_status_t mm_authz_see_resources(void *session, const char *type, const char *const *ids, size_t n,
                                    unsigned char *verdicts, mm_err_t *err);
apr_status_t mm_authz_see_users(void *session, const char *const *users, size_t n, unsigned char *verdicts,
                                mm_err_t *err);

#endif
