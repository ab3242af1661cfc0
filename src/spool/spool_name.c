/* Names of segments. Pure functions; any thread.
 *
 * Invariant: what does not come back the same from parse and format is not a segment's name.
 */
#include "spool/spool_name.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "spool/spool.h"

#define STEM_LEN   (MM_SPOOL_NAME_LEN - 4)
#define NEW_SUFFIX ".new"

static void format_stem(char *text, const mm_spool_name_t *name)
{
    snprintf(text, STEM_LEN + 1, "%016" PRIx64 "-%08" PRIx32 "-%08" PRIx32 "-%08" PRIx32, (uint64_t)name->time_us,
             name->pid, name->n, name->seed);
}

void mm_spool_name_format(char *text, const mm_spool_name_t *name)
{
    format_stem(text, name);
    memcpy(text + STEM_LEN, MM_SPOOL_SUFFIX, sizeof(MM_SPOOL_SUFFIX));
}

void mm_spool_name_format_new(char *text, const mm_spool_name_t *name)
{
    text[0] = '.';
    format_stem(text + 1, name);
    memcpy(text + 1 + STEM_LEN, NEW_SUFFIX, sizeof(NEW_SUFFIX));
}

static bool hex(const char **text, int n, uint64_t *value)
{
    *value = 0;
    for (; n > 0; n--, (*text)++) {
        char c = **text;

        if (c >= '0' && c <= '9') {
            *value = *value << 4 | (uint64_t)(c - '0');
        }
        else if (c >= 'a' && c <= 'f') {
            *value = *value << 4 | (uint64_t)(c - 'a' + 10);
        }
        else {
            return false; /* the terminating zero, too */
        }
    }
    return true;
}

static bool dash(const char **text)
{
    return *(*text)++ == '-';
}

static bool parse_stem(mm_spool_name_t *name, const char *text)
{
    uint64_t time_us, pid, n, seed;

    if (!hex(&text, 16, &time_us) || !dash(&text) || !hex(&text, 8, &pid) || !dash(&text) || !hex(&text, 8, &n) ||
        !dash(&text) || !hex(&text, 8, &seed) || time_us > INT64_MAX) {
        return false;
    }
    name->time_us = (int64_t)time_us;
    name->pid = (uint32_t)pid;
    name->n = (uint32_t)n;
    name->seed = (uint32_t)seed;
    return true;
}

bool mm_spool_name_parse(mm_spool_name_t *name, const char *text)
{
    mm_spool_name_t parsed;

    if (!parse_stem(&parsed, text) || strcmp(text + STEM_LEN, MM_SPOOL_SUFFIX) != 0) {
        return false;
    }
    *name = parsed;
    return true;
}

bool mm_spool_name_is_new(const char *text)
{
    mm_spool_name_t parsed;

    return text[0] == '.' && parse_stem(&parsed, text + 1) && strcmp(text + 1 + STEM_LEN, NEW_SUFFIX) == 0;
}
