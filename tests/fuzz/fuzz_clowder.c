/* What says who somebody is to Clowder: an Authorization header as a visitor may send it, and a user's document as the
 * database may have it. The first byte chooses.
 */

#include "fuzz.h"

#include "clowder/password.h"
#include "store/clowder_private.h"

static void try_header(const uint8_t *data, size_t size, apr_pool_t *pool)
{
    char *text = malloc(size + 1); /* of exactly this size, so that a byte read behind it is noticed */
    mm_clowder_basic_t basic = {NULL, NULL};

    HOLDS(text != NULL);
    memcpy(text, data, size);
    text[size] = '\0';
    if (mm_clowder_basic_read(&basic, text, pool)) {
        HOLDS(strlen(text) <= MM_CLOWDER_BASIC_MAX && *basic.email);
        HOLDS(!strchr(basic.email, ':') && !strchr(basic.password, ':'));
    }
    else {
        HOLDS(!basic.email && !basic.password);
    }
    free(text);
}

static void try_user(const uint8_t *data, size_t size, apr_pool_t *pool)
{
    mm_clowder_user_t user;
    bson_t doc;

    if (!bson_init_static(&doc, data, size) || !mm_clowder_parse_user(&user, &doc, pool)) {
        return;
    }
    HOLDS(user.status >= MM_CLOWDER_INACTIVE && user.status <= MM_CLOWDER_ADMIN && user.password);
    for (size_t i = 0; i < user.n_roles; i++) {
        HOLDS(user.roles[i].permissions < MM_CLOWDER_VIEW_USER * 2u);
    }
    bson_iter_t iter;
    /* Nobody is active who does not say so. */
    HOLDS(user.status == MM_CLOWDER_INACTIVE || bson_iter_init_find(&iter, &doc, "status"));
    HOLDS(user.terms_ms == MM_CLOWDER_NEVER || bson_iter_init_find(&iter, &doc, "termsOfServices"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = NULL;

    if (size < 1) {
        return 0;
    }
    pool = fuzz_subpool();
    (data[0] == 'h' ? try_header : try_user)(data + 1, size - 1, pool);
    apr_pool_destroy(pool);
    return 0;
}
