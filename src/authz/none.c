/* The provider that denies: what is in force where nothing else is, and a way to close a section inside an open one. */
#include "authz/providers.h"

static apr_status_t none_open(request_rec *r, const void *config, const metrics_authz_query *query, void **state,
                              metrics_verdict *verdict)
{
    (void)r;
    (void)config;
    (void)query;
    *state = NULL;
    *verdict = METRICS_DENIED;
    return APR_SUCCESS;
}

const metrics_authz_provider mm_authz_none = {
    .abi = METRICS_AUTHZ_ABI, .size = sizeof(metrics_authz_provider), .open = none_open};
