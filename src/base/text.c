/* Questions about text. Pure functions; any thread. */
#include "base/text.h"

#include <stdint.h>
#include <string.h>

#define TYPE_NAME_MAX 32

/* The length of the well-formed sequence that begins at s, or 0. The second byte's range carries all special cases of
 * RFC 3629: E0 and F0 have overlong forms below it, ED surrogates and F4 code points that do not exist above it. */
static size_t sequence(const unsigned char *s, size_t len)
{
    unsigned char low = 0x80, high = 0xBF;
    size_t need, i;

    if (s[0] >= 0xC2 && s[0] <= 0xDF) {
        need = 2;
    }
    else if (s[0] >= 0xE0 && s[0] <= 0xEF) {
        need = 3;
        low = s[0] == 0xE0 ? 0xA0 : 0x80;
        high = s[0] == 0xED ? 0x9F : 0xBF;
    }
    else if (s[0] >= 0xF0 && s[0] <= 0xF4) {
        need = 4;
        low = s[0] == 0xF0 ? 0x90 : 0x80;
        high = s[0] == 0xF4 ? 0x8F : 0xBF;
    }
    else {
        return 0;
    }
    if (len < need || s[1] < low || s[1] > high) {
        return 0;
    }
    for (i = 2; i < need; i++) {
        if ((s[i] & 0xC0) != 0x80) {
            return 0;
        }
    }
    return need;
}

bool mm_text_is_utf8(const char *text, size_t len)
{
    const unsigned char *s = (const unsigned char *)text;
    size_t i = 0;

    while (i < len) {
        size_t step = s[i] < 0x80 ? 1 : sequence(s + i, len - i);

        if (step == 0) {
            return false;
        }
        i += step;
    }
    return true;
}

size_t mm_text_character(const char *text)
{
    const unsigned char *s = (const unsigned char *)text;

    return s[0] < 0x80 ? s[0] != '\0' : sequence(s, strnlen(text, 4));
}

bool mm_text_is_type_name(const char *name, size_t len)
{
    size_t i;

    if (len == 0 || len > TYPE_NAME_MAX || name[0] < 'a' || name[0] > 'z') {
        return false;
    }
    for (i = 1; i < len; i++) {
        char c = name[i];

        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_')) {
            return false;
        }
    }
    return true;
}

bool mm_text_size(int64_t *bytes, const char *text)
{
    static const char units[] = "kmg";
    const char *at = text, *unit;
    int64_t n = 0;

    for (; *at >= '0' && *at <= '9'; at++) {
        if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, *at - '0', &n)) {
            return false;
        }
    }
    if (at == text) {
        return false;
    }
    if (*at != '\0') {
        unit = strchr(units, *at | 0x20);
        if (unit == NULL || at[1] != '\0' || __builtin_mul_overflow(n, INT64_C(1) << (10 * (unit - units + 1)), &n)) {
            return false;
        }
    }
    *bytes = n;
    return true;
}
