/* What must be escaped is escaped and nothing else, but for U+007F: terminals obey it. */
#include "report/json.h"

#include <stdbool.h>

#include "base/text.h"

static bool is_plain(char byte)
{
    return (unsigned char)byte >= 0x20 && (unsigned char)byte < 0x7F && byte != '"' && byte != '\\';
}

static void put_escape(mm_out_t *out, char byte)
{
    static const char hex[] = "0123456789abcdef";
    unsigned char value = (unsigned char)byte;
    char escape[6] = {'\\', byte, '0', '0', hex[value >> 4], hex[value & 15]};

    switch (byte) {
    case '\n':
        escape[1] = 'n';
        break;
    case '\r':
        escape[1] = 'r';
        break;
    case '\t':
        escape[1] = 't';
        break;
    case '"':
    case '\\':
        break;
    default:
        escape[1] = 'u';
        mm_out_put(out, escape, 6);
        return;
    }
    mm_out_put(out, escape, 2);
}

void mm_json_text(mm_out_t *out, const char *text)
{
    mm_out_byte(out, '"');
    while (*text) {
        size_t len = 0;

        while (is_plain(text[len])) {
            len++;
        }
        if (len == 0 && (unsigned char)*text < 0x80) {
            put_escape(out, *text++);
            continue;
        }
        len = len > 0 ? len : mm_text_character(text);
        if (len == 0) {
            mm_out_percent(out, *text++);
            continue;
        }
        mm_out_put(out, text, len);
        text += len;
    }
    mm_out_byte(out, '"');
}

void mm_json_text_or_null(mm_out_t *out, const char *text)
{
    if (text && *text) {
        mm_json_text(out, text);
    }
    else {
        mm_out_text(out, "null");
    }
}
