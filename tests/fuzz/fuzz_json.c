/* Strings of JSON: whatever the bytes, the output is printable UTF-8 that a reader, which knows nothing of the writer,
 * reads back as one string: the text, with %XX for each byte that is no part of a character.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz_text.h"
#include "report/json.h"

/* The byte that an escape at s stands for; *len is how long it is. All escapes are of ASCII. */
static unsigned char unescape(const unsigned char *s, const unsigned char *end, size_t *len)
{
    static const char named[] = "\"\\nrtbf/", meaning[] = "\"\\\n\r\t\b\f/";
    const char *found;

    HOLDS(end - s >= 2);
    *len = 2;
    if (s[1] != 'u') {
        found = strchr(named, s[1]);
        HOLDS(s[1] && found);
        return (unsigned char)meaning[found - named];
    }
    char digits[5] = {0};
    HOLDS(end - s >= 6);
    memcpy(digits, s + 2, 4);
    *len = 6;
    HOLDS(strspn(digits, "0123456789abcdefABCDEF") == 4);
    long value = strtol(digits, NULL, 16);
    HOLDS(value > 0 && value < 0x80);
    return (unsigned char)value;
}

/* The next bytes of the string are those that s, of n bytes and one character or none, must become. */
static const unsigned char *check(const unsigned char *at, const unsigned char *end, const unsigned char *s, size_t n)
{
    static const char hex[] = "0123456789ABCDEF";
    size_t len = 1;

    HOLDS(at < end);
    if (n == 0) {
        HOLDS(end - at >= 3 && at[0] == '%' && at[1] == hex[*s / 16] && at[2] == hex[*s % 16]);
        return at + 3;
    }
    if (*at == '\\') {
        HOLDS(unescape(at, end, &len) == *s && n == 1);
        return at + len;
    }
    HOLDS((size_t)(end - at) >= n && memcmp(at, s, n) == 0 && *at >= 0x20 && *at != '"' && *at != 0x7F);
    return at + n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static mm_out_t out;
    text_t json = {0};
    unsigned char *text = malloc(size + 1);

    HOLDS(text);
    memcpy(text, size ? data : (const uint8_t *)"", size);
    text[size] = '\0';
    mm_out_init(&out, sink, &json);
    mm_json_text(&out, (const char *)text);
    HOLDS(mm_out_flush(&out) == APR_SUCCESS);

    HOLDS(json.len >= 2 && json.data[0] == '"' && json.data[json.len - 1] == '"');
    const unsigned char *at = (const unsigned char *)json.data + 1, *end = at + json.len - 2;
    size_t left = strlen((const char *)text);
    for (const unsigned char *s = text; *s;) {
        size_t n = code_point(s, left);
        at = check(at, end, s, n);
        s += n ? n : 1;
        left -= n ? n : 1;
    }
    HOLDS(at == end);
    free(text);
    free(json.data);
    return 0;
}
