/* Reads a query as application/x-www-form-urlencoded, and a Cookie header as browsers write it. Nothing is copied but
 * what is decoded; nothing is refused: what makes no sense is simply not what is looked for.
 */
#include "base/query.h"

#include <string.h>

static int hex_of(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* One character of encoded text; *step is how many bytes it took. */
static char decode_one(const char *text, size_t len, size_t *step)
{
    *step = 1;
    if (text[0] == '+') {
        return ' ';
    }
    if (text[0] == '%' && len >= 3 && hex_of(text[1]) >= 0 && hex_of(text[2]) >= 0) {
        *step = 3;
        return (char)(hex_of(text[1]) * 16 + hex_of(text[2]));
    }
    return text[0];
}

size_t mm_query_decode(char *out, const char *text, size_t len)
{
    size_t n = 0, step;

    for (size_t at = 0; at < len; at += step) {
        out[n++] = decode_one(text + at, len - at, &step);
    }
    return n;
}

static bool is_named(const char *text, size_t len, const char *name)
{
    size_t at = 0, step;

    while (at < len && *name) {
        if (decode_one(text + at, len - at, &step) != *name++) {
            return false;
        }
        at += step;
    }
    return at == len && *name == '\0';
}

bool mm_query_next(const char **query, size_t *len, const char *name, const char **value, size_t *value_len)
{
    while (*len > 0) {
        const char *pair = *query, *amp = memchr(pair, '&', *len);
        size_t pair_len = amp ? (size_t)(amp - pair) : *len;
        const char *equals = memchr(pair, '=', pair_len);
        size_t name_len = equals ? (size_t)(equals - pair) : pair_len;

        *query += pair_len + (amp ? 1 : 0);
        *len -= pair_len + (amp ? 1 : 0);
        if (is_named(pair, name_len, name)) {
            *value = equals ? equals + 1 : pair + pair_len;
            *value_len = (size_t)(pair + pair_len - *value);
            return true;
        }
    }
    return false;
}

static bool take_value(const char *text, size_t len, const char **value, size_t *value_len)
{
    while (len > 0 && (text[len - 1] == ' ' || text[len - 1] == '\t')) {
        len--;
    }
    if (len >= 2 && text[0] == '"' && text[len - 1] == '"') {
        text++;
        len -= 2;
    }
    *value = text;
    *value_len = len;
    return len > 0;
}

bool mm_cookie_find(const char *header, const char *name, const char **value, size_t *value_len)
{
    size_t name_len = strlen(name);

    while (header && *header) {
        header += strspn(header, " \t;,");
        size_t len = strcspn(header, ";");

        if (len > name_len && header[name_len] == '=' && memcmp(header, name, name_len) == 0) {
            return take_value(header + name_len + 1, len - name_len - 1, value, value_len);
        }
        header += len;
    }
    return false;
}
