/* Where a member ends: at the brace that closes it, not at one within quotes or within a member of its own. A quote
 * begins where httpd's words have one: at the beginning of a word, or behind name=.
 */
#include "authz/braces.h"

#include "apr_lib.h"
#include "apr_strings.h"

static const char *skip_space(const char *text)
{
    while (apr_isspace(*text)) {
        text++;
    }
    return text;
}

/* Behind the quoted word that begins at text; at the end where it is not closed. */
static const char *skip_quoted(const char *text)
{
    const char quote = *text++;
    while (*text && *text != quote) {
        text += *text == '\\' && text[1] ? 2 : 1;
    }
    return *text ? text + 1 : text;
}

static int begins_word(const char *text)
{
    return apr_isspace(text[-1]) || text[-1] == '=' || text[-1] == '{';
}

/* The brace that closes the one at text, or NULL. */
static const char *closing(const char *text)
{
    int depth = 0;
    while (*text) {
        if ((*text == '"' || *text == '\'') && begins_word(text)) {
            text = skip_quoted(text);
            continue;
        }
        depth += (*text == '{') - (*text == '}');
        if (depth == 0) {
            return text;
        }
        text++;
    }
    return NULL;
}

static const char *add(apr_array_header_t *members, const char *text, size_t len, apr_pool_t *pool)
{
    char *words = apr_pstrmemdup(pool, text, len);
    while (len > 0 && apr_isspace(words[len - 1])) {
        words[--len] = '\0';
    }
    mm_authz_conf_t *member = apr_pcalloc(pool, sizeof(*member));
    const char *args = words;
    member->provider_name = ap_getword_conf(pool, &args);
    member->args = args;
    member->file = "a part of a line";
    if (!*member->provider_name) {
        return "a pair of braces is empty: name a provider in it";
    }
    APR_ARRAY_PUSH(members, mm_authz_conf_t *) = member;
    return NULL;
}

const char *mm_braces_read(apr_array_header_t **members, const char *args, apr_pool_t *pool)
{
    *members = apr_array_make(pool, 4, sizeof(mm_authz_conf_t *));
    for (args = skip_space(args); *args; args = skip_space(args)) {
        const char *end = *args == '{' ? closing(args) : NULL;
        if (!end) {
            return "write each provider with its arguments in braces: { expr \"…\" } { owner }";
        }
        if ((*members)->nelts == MM_BRACES_MAX) {
            return apr_psprintf(pool, "more than %d providers", MM_BRACES_MAX);
        }
        const char *wrong = add(*members, args + 1, (size_t)(end - args - 1), pool);
        if (wrong) {
            return wrong;
        }
        args = end + 1;
    }
    return (*members)->nelts ? NULL : "write each provider with its arguments in braces: { expr \"…\" } { owner }";
}
