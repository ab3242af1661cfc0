/* For fuzz targets of what is written: a text that grows as a sink, and characters read by somebody who knows nothing
 * of the writer. */
#ifndef FUZZ_TEXT_H
#define FUZZ_TEXT_H

#include "fuzz.h"

#include <apr_errno.h>

typedef struct text {
    char *data;
    size_t len, room;
} text_t;

static inline void add(text_t *text, const char *data, size_t len)
{
    if (len == 0) {
        return;
    }
    if (text->len + len > text->room) {
        text->room = (text->len + len) * 2;
        text->data = realloc(text->data, text->room);
        HOLDS(text->data);
    }
    memcpy(text->data + text->len, data, len);
    text->len += len;
}

static inline apr_status_t sink(void *baton, const char *data, size_t len)
{
    add(baton, data, len); /* a flush of nothing comes, too: it asks whether the reader is still there */
    return APR_SUCCESS;
}

/* Reads one code point by arithmetic, the textbook way; its length, or 0. */
static inline size_t code_point(const unsigned char *s, size_t len)
{
    static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
    size_t n = s[0] < 0x80 ? 1 : (s[0] & 0xE0) == 0xC0 ? 2 : (s[0] & 0xF0) == 0xE0 ? 3 : (s[0] & 0xF8) == 0xF0 ? 4 : 0;
    uint32_t value = n == 1 ? s[0] : s[0] & (0xFFu >> (n + 1));

    if (n == 0 || n > len) {
        return 0;
    }
    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xC0) != 0x80) {
            return 0;
        }
        value = value << 6 | (s[i] & 0x3F);
    }
    return value >= least[n] && value <= 0x10FFFF && !(value >= 0xD800 && value <= 0xDFFF) ? n : 0;
}

#endif
