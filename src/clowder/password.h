/* A password as Clowder's API takes it, and as its database has it. */
#ifndef MM_CLOWDER_PASSWORD_H
#define MM_CLOWDER_PASSWORD_H

#include <stdbool.h>
#include <apr_pools.h>

/* Longer headers are nobody's. */
#define MM_CLOWDER_BASIC_MAX 2048

typedef struct mm_clowder_basic {
    const char *email, *password;
} mm_clowder_basic_t;

/* Reads an Authorization header, whatever a visitor sent; NULL for none. False where it is not `Basic` with base64 of
 * email:password. As in Clowder, a password with a colon in it is none. */
bool mm_clowder_basic_read(mm_clowder_basic_t *basic, const char *authorization, apr_pool_t *pool);

/* Whether a bcrypt hash is this password's. It takes as long where there is no hash (""), which is never. */
bool mm_clowder_password_fits(const char *hash, const char *password);

#endif
