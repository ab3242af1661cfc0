/* Encoded, a value can be no query, no fragment, no header and no second path. Two dots remain two dots however they
 * are encoded, and servers decode before they resolve them, which is why such values are refused. So are empty
 * segments, which servers merge.
 */
#include "base/template.h"

#include <stdbool.h>
#include <string.h>
#include <apr_strings.h>

static bool is_safe(const char *value)
{
    for (;;) {
        size_t len = strcspn(value, "/");

        if (len == 0 || (len == 1 && value[0] == '.') || (len == 2 && value[0] == '.' && value[1] == '.')) {
            return false;
        }
        if (!value[len]) {
            return true;
        }
        value += len + 1;
    }
}

static bool is_plain(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("-._~", c));
}

static const char *encode(const char *value, apr_pool_t *pool)
{
    static const char digits[] = "0123456789ABCDEF";
    char *encoded = apr_palloc(pool, strlen(value) * 3 + 1), *to = encoded;

    for (const unsigned char *from = (const unsigned char *)value; *from; from++) {
        if (is_plain(*from)) {
            *to++ = (char)*from;
            continue;
        }
        *to++ = '%';
        *to++ = digits[*from >> 4];
        *to++ = digits[*from & 15];
    }
    *to = '\0';
    return encoded;
}

/* Which name in braces the text begins with, or NULL. */
static const mm_filling_t *find(const char *text, const mm_filling_t *fillings, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        size_t len = strlen(fillings[i].name);

        if (strncmp(text + 1, fillings[i].name, len) == 0 && text[1 + len] == '}') {
            return &fillings[i];
        }
    }
    return NULL;
}

const char *mm_template_fill(const char *template, const mm_filling_t *fillings, size_t n, apr_pool_t *pool)
{
    const char *path = "";

    while (*template) {
        size_t len = strcspn(template, "{");

        path = apr_pstrcat(pool, path, apr_pstrmemdup(pool, template, len), NULL);
        template += len;
        if (!*template) {
            break;
        }
        const mm_filling_t *filling = find(template, fillings, n);
        if (filling && (!filling->value || !is_safe(filling->value))) {
            return NULL;
        }
        path = apr_pstrcat(pool, path, filling ? encode(filling->value, pool) : "%7B", NULL);
        template += filling ? strlen(filling->name) + 2 : 1;
    }
    return path;
}
