/* Looking at the text of a pattern without understanding all of PCRE2: whatever is not surely harmless is not joined.
 *
 * Harmful are: a reference to a group by number or name, or a call of one (numbers change, (?R) would call everything);
 * a verb ((*COMMIT) gives up all alternatives, (*ACCEPT) ends them); an option that is set in the middle ((?x) makes a
 * comment of what follows a #, also of the bracket that ends the alternative); \Q without \E; \K, \G; names of groups,
 * which may be there only once. All of these begin with a backslash, with (? or with (*. Where such characters stand in
 * a class they mean nothing, and a pattern that could be joined is not: no harm.
 */
#include "agents/patterns_join.h"

#include <string.h>
#include <apr_strings.h>
#include <apr_tables.h>

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

bool mm_patterns_can_join(const char *pattern)
{
    /* Behind (?: a group without a number, and what looks ahead or behind. */
    static const char *const groups[] = {":", "=", "!", "<=", "<!"};

    for (const char *at = pattern; *at; at++) {
        if (*at == '\\') {
            at++;
            if (is_digit(*at) || *at == '\0' || (is_letter(*at) && !strchr("dDsSwWbBtnrfae", *at))) {
                return false;
            }
        }
        else if (*at == '(' && at[1] == '*') {
            return false;
        }
        else if (*at == '(' && at[1] == '?') {
            bool harmless = false;

            for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
                harmless = harmless || strncmp(at + 2, groups[i], strlen(groups[i])) == 0;
            }
            if (!harmless) {
                return false;
            }
        }
    }
    return true;
}

static const char *unescaped(const char *at)
{
    return at[0] == '\\' && at[1] != '\0' && strchr("./-", at[1]) ? at + 1 : at;
}

bool mm_patterns_alike(const char *a, const char *b)
{
    for (;;) {
        a = unescaped(a);
        b = unescaped(b);
        /* Behind a backslash case matters: \s and \S are opposites. */
        if (*a == '\\' && *b == '\\') {
            a++;
            b++;
            if (*a != *b) {
                return false;
            }
        }
        else if (lower(*a) != lower(*b)) {
            return false;
        }
        if (*a == '\0') {
            return true;
        }
        a++;
        b++;
    }
}

/* Whether an alternative stands outside of all groups, or may do so: counting brackets, one in a class misleads. */
static bool has_alternatives(const char *pattern)
{
    bool class = strchr(pattern, '[') != NULL;
    int depth = 0;

    for (const char *at = pattern; *at; at++) {
        if (*at == '\\' && at[1]) {
            at++;
        }
        else if (*at == '(') {
            depth++;
        }
        else if (*at == ')') {
            depth--;
        }
        else if (*at == '|' && (class || depth == 0)) {
            return true;
        }
    }
    return false;
}

/* What every text begins with that the pattern matches: a letter or digit (in lower case), ^ for the beginning, or 0.
 * Not sure of it where it may be repeated no time. */
static char first_of(const char *pattern)
{
    char c = pattern[0];

    if ((!is_letter(c) && !is_digit(c) && c != '^') || strchr("?*{", pattern[1] ? pattern[1] : ' ') ||
        has_alternatives(pattern)) {
        return '\0';
    }
    return lower(c);
}

/* Those of the patterns that begin so, as alternatives behind one look; "" if there are none. */
static const char *join_group(const char *const *patterns, size_t n, char first, apr_pool_t *pool)
{
    apr_array_header_t *parts = apr_array_make(pool, 16, sizeof(const char *));
    const char *look = "";

    for (size_t i = 0; i < n; i++) {
        if (first_of(patterns[i]) == first) {
            APR_ARRAY_PUSH(parts, const char *) = apr_pstrcat(pool, "(?:", patterns[i], ")", NULL);
        }
    }
    if (parts->nelts == 0) {
        return "";
    }
    if (first == '^') {
        look = "^";
    }
    else if (first) {
        look = apr_psprintf(pool, "(?=%c)", first);
    }
    return apr_pstrcat(pool, look, "(?:", apr_array_pstrcat(pool, parts, '|'), ")", NULL);
}

const char *mm_patterns_join(const char *const *patterns, size_t n, apr_pool_t *pool)
{
    static const char firsts[] = "^abcdefghijklmnopqrstuvwxyz0123456789";
    apr_array_header_t *groups = apr_array_make(pool, 40, sizeof(const char *));

    /* The last one is its terminating zero: those of which nothing is known. */
    for (size_t i = 0; i < sizeof(firsts); i++) {
        const char *group = join_group(patterns, n, firsts[i], pool);

        if (*group) {
            APR_ARRAY_PUSH(groups, const char *) = group;
        }
    }
    return apr_array_pstrcat(pool, groups, '|');
}
