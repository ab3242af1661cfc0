/* What says who somebody is to Clowder, and what may be seen: an Authorization header as a visitor may send it, and a
 * user's and a resource's document as the database may have them. The first byte chooses.
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

static bool count_file(void *baton, const mm_oid_t *file)
{
    size_t *left = baton;

    HOLDS(mm_oid_compare(file, file) == 0);
    return --*left > 0;
}

/* What the document does not say makes nothing visible. */
static void try_resource(const uint8_t *data, size_t size)
{
    static const mm_clowder_kind_t kinds[] = {MM_CLOWDER_FILES, MM_CLOWDER_DATASETS, MM_CLOWDER_COLLECTIONS,
                                              MM_CLOWDER_SPACES};
    static mm_oid_t spaces[MM_CLOWDER_SPACES_MAX];
    bson_t doc;

    if (!bson_init_static(&doc, data, size)) {
        return;
    }
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        mm_clowder_doc_t parsed;
        size_t left = 3;
        bson_iter_t iter;

        if (mm_clowder_parse(&parsed, kinds[i], spaces, &doc)) {
            HOLDS(parsed.n_spaces <= MM_CLOWDER_SPACES_MAX);
            HOLDS(!(parsed.is_public || parsed.is_default) || bson_iter_init_find(&iter, &doc, "status"));
        }
        HOLDS(mm_clowder_each_file(&doc, count_file, &left) == (left > 0));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = NULL;

    if (size < 1) {
        return 0;
    }
    pool = fuzz_subpool();
    if (data[0] == 'r') {
        try_resource(data + 1, size - 1);
    }
    else {
        (data[0] == 'h' ? try_header : try_user)(data + 1, size - 1, pool);
    }
    apr_pool_destroy(pool);
    return 0;
}
