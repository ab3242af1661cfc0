/* Who the requester is to httpd, for providers that know people by name. */
#ifndef MM_AUTHZ_REQUESTER_H
#define MM_AUTHZ_REQUESTER_H

#include "httpd.h"
#include "ap_expr.h"

/* Sets *name to what `as` says (a provider's as=), or to httpd's own user where as is NULL; to NULL for nobody in
 * particular, which the names of MetricsAnonymousUser are, too. Returns NULL, or what is wrong with the expression. */
const char *mm_authz_requester(const char **name, request_rec *r, const ap_expr_info_t *as);

#endif
