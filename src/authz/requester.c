/* One way for all providers to take a name from httpd, so that nobody is somebody to one of them only. */
#include "authz/requester.h"

#include "config/config.h"

const char *mm_authz_requester(const char **name, request_rec *r, const ap_expr_info_t *as)
{
    const apr_array_header_t *nobodies = mm_config_get(r->server)->nobodies;
    const char *wrong = NULL;
    const char *said = as ? ap_expr_str_exec(r, as, &wrong) : r->user;
    *name = NULL;
    if (wrong) {
        return wrong;
    }
    for (int i = 0; said && i < nobodies->nelts; i++) {
        if (strcmp(said, APR_ARRAY_IDX(nobodies, i, const char *)) == 0) {
            return NULL;
        }
    }
    *name = said && *said ? said : NULL;
    return NULL;
}
