/* Who a requester is to Clowder, by what the request brings. */
#ifndef MM_CLOWDER_IDENTIFY_H
#define MM_CLOWDER_IDENTIFY_H

#include "store/clowder.h"

/* Values of `key` in one request that are tried. */
#define MM_CLOWDER_KEYS_MAX 4
/* A longer secret is nobody's. */
#define MM_CLOWDER_SECRET_MAX 1024

/* What a request brings, each NULL where it does not, or where it is not taken. */
typedef struct mm_clowder_brought {
    const char *cookie;
    const char *authorization;
    const char *keys[MM_CLOWDER_KEYS_MAX]; /* in the order in which they are tried, up to the first NULL */
} mm_clowder_brought_t;

typedef struct mm_clowder_identity {
    mm_clowder_user_t *user; /* NULL: nobody whom Clowder knows */
    bool is_wrong;           /* a password or a key was brought, and is nobody's */
} mm_clowder_identity_t;

/* As Clowder's API: the session's cookie, the password, each key; the first that is good decides. A session is good
 * until it expires, and if it was used within idle_ms. */
apr_status_t mm_clowder_identify(mm_clowder_identity_t *identity, mm_store_t *store,
                                 const mm_clowder_brought_t *brought, int64_t idle_ms, int64_t now_ms, apr_pool_t *pool,
                                 mm_err_t *err);

#endif
