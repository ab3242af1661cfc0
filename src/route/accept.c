/* One walk over the ranges. A comma or semicolon within a quoted string separates nothing. Pure functions of their
 * arguments.
 */
#include "route/accept.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#define WHOLE 1000

static const char *skip_blanks(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\t')) {
        at++;
    }
    return at;
}

/* Where the piece ends that begins at at: at stop, a comma or a semicolon. */
static const char *end_of_piece(const char *at, const char *stop)
{
    for (bool quoted = false; at < stop; at++) {
        if (quoted && *at == '\\' && at + 1 < stop) {
            at++;
        }
        else if (*at == '"') {
            quoted = !quoted;
        }
        else if (!quoted && (*at == ',' || *at == ';')) {
            break;
        }
    }
    return at;
}

static size_t length_of(const char *at, const char *end)
{
    while (end > at && (end[-1] == ' ' || end[-1] == '\t')) {
        end--;
    }
    return (size_t)(end - at);
}

/* A q as 0, 1, 0.125 or 1.000; what is none counts as 1, as httpd's own negotiation has it. */
static int read_quality(const char *at, size_t len)
{
    int quality = 0, worth = WHOLE;

    if (len == 0 || len > 5 || (at[0] != '0' && at[0] != '1') || (len > 1 && at[1] != '.')) {
        return WHOLE;
    }
    for (size_t i = 0; i < len; i++) {
        if (i == 1) {
            continue;
        }
        if (at[i] < '0' || at[i] > '9') {
            return WHOLE;
        }
        quality += (at[i] - '0') * worth;
        worth /= 10;
    }
    return quality < WHOLE ? quality : WHOLE;
}

/* How specific a range is about the media type; -1: does not hold it. */
static int match(const char *range, size_t len, const char *media)
{
    size_t kind = (size_t)(strchr(media, '/') - media) + 1;

    if (len == strlen(media) && strncasecmp(range, media, len) == 0) {
        return 2;
    }
    if (len == kind + 1 && range[kind] == '*' && strncasecmp(range, media, kind) == 0) {
        return 1;
    }
    return (len == 3 && memcmp(range, "*/*", 3) == 0) || (len == 1 && *range == '*') ? 0 : -1;
}

mm_accept_t mm_accept_look(const char *accept, const char *media)
{
    mm_accept_t found = {0, -1};
    const char *at = accept ? accept : "", *stop = at + strlen(at);

    if (skip_blanks(at, stop) == stop) {
        return (mm_accept_t){WHOLE, 0};
    }
    while (at < stop) {
        at = skip_blanks(at, stop);
        const char *end = end_of_piece(at, stop);
        int named = match(at, length_of(at, end), media), quality = WHOLE;

        while (end < stop && *end == ';') {
            const char *name = skip_blanks(end + 1, stop);
            end = end_of_piece(name, stop);
            if (end - name >= 2 && (name[0] | 0x20) == 'q' && name[1] == '=') {
                quality = read_quality(name + 2, length_of(name + 2, end));
            }
        }
        if (named > found.named) {
            found = (mm_accept_t){quality, named};
        }
        at = end + 1;
    }
    return found;
}
