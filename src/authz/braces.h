/* Several lines of MetricsAuthz in one: { PROVIDER ARGUMENTS } { PROVIDER ARGUMENTS } … */
#ifndef MM_AUTHZ_BRACES_H
#define MM_AUTHZ_BRACES_H

#include "config/config.h"

/* More are refused. */
#define MM_BRACES_MAX 16

/* Reads one to MM_BRACES_MAX members, whose providers are not looked up yet. Braces within quotes, and pairs of them
 * within a member, belong to the member. Returns NULL, or what is wrong. */
const char *mm_braces_read(apr_array_header_t **members, const char *args, apr_pool_t *pool);

#endif
