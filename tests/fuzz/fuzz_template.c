/* Ids and users in the path that an application is asked for: whatever they are, the path is one segment longer than
 * the template and decodes to them. Up to the first zero byte is the id, the rest is the user.
 */
#include "fuzz.h"

#include <apr_strings.h>

#include "base/query.h"
#include "base/template.h"

/* What httpd or the application makes of a path's segment. */
static void must_be(const char *encoded, size_t len, const char *value, apr_pool_t *pool)
{
    char *decoded = apr_pcalloc(pool, len + 1);

    for (size_t i = 0; i < len; i++) {
        HOLDS(strchr("/?#&=+ ", encoded[i]) == NULL && (unsigned char)encoded[i] > ' ' && (signed char)encoded[i] > 0);
    }
    HOLDS(mm_query_decode(decoded, encoded, len) == strlen(value));
    HOLDS(strcmp(decoded, value) == 0);
    HOLDS(strcmp(value, ".") != 0 && strcmp(value, "..") != 0 && *value);
    HOLDS(!strstr(value, "//") && value[0] != '/' && value[strlen(value) - 1] != '/');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_subpool();
    const char *id = apr_pstrmemdup(pool, (const char *)data, size);
    const char *user = strlen(id) < size ? id + strlen(id) + 1 : NULL;
    const mm_filling_t fillings[] = {{"type", "files"}, {"id", id}, {"user", user}};
    const char *path = mm_template_fill("/api/{type}/{id}/of?user={user}", fillings, 3, pool);

    if (path) {
        const char *end = strstr(path, "/of?user=");

        HOLDS(strncmp(path, "/api/files/", 11) == 0 && end && user);
        must_be(path + 11, (size_t)(end - path) - 11, id, pool);
        must_be(end + 9, strlen(end + 9), user, pool);
    }
    HOLDS(strcmp(mm_template_fill("/plain", fillings, 3, pool), "/plain") == 0);
    apr_pool_destroy(pool);
    return 0;
}
