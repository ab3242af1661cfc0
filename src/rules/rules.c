/* A list of compiled patterns, tried in order.
 *
 * Most requests of a site match none of them (its images, scripts, pages of other kinds), and the others match one of
 * several. So each pattern's literal beginning is compared first, and PCRE2 is asked only where that is the path's,
 * too. And most patterns are ^PREFIX([^/]+)SUFFIX$, or have 24 hexadecimal digits between, for which it need not be
 * asked at all: not because it would be slow, but because what httpd does between two requests throws its code out of
 * the processor's caches.
 *
 * What is compiled hangs on the pool and is never changed after mm_rules_add, so threads share it without a lock. What
 * a match needs to write into is made for each call: one malloc, which is small beside the matching itself.
 */
#define PCRE2_CODE_UNIT_WIDTH 8

#include "rules/rules.h"

#include <string.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include <apr_tables.h>
#include <pcre2.h>
#include "base/hot.h"

/* The first bytes of what a path begins with, side by side for all rules: most paths are known by these to match none.
 */
typedef struct head {
    uint8_t len;
    char text[15];
} head_t;

typedef struct rule {
    mm_rule_spec_t spec;
    size_t prefix_len;
    const char *suffix; /* of a plain pattern, ^PREFIX SEGMENT SUFFIX$: what it ends with; otherwise NULL */
    size_t suffix_len;
    size_t digits;      /* of its segment; 0: any characters but "/" */
    const char *prefix; /* what every path begins with that the pattern matches; often "" */
    pcre2_code *code;
} rule_t;

struct mm_rules {
    int n;
    const head_t *heads;
    const rule_t *list;           /* in the same order */
    pcre2_match_context *context; /* the limits; read-only after mm_rules_create */
    apr_pool_t *pool;
    apr_array_header_t *made_heads, *made; /* what heads and list are in */
};

static apr_status_t free_context(void *context)
{
    pcre2_match_context_free(context);
    return APR_SUCCESS;
}

static apr_status_t free_code(void *code)
{
    pcre2_code_free(code);
    return APR_SUCCESS;
}

mm_rules_t *mm_rules_create(apr_pool_t *pool)
{
    mm_rules_t *rules = apr_pcalloc(pool, sizeof(*rules));

    rules->pool = pool;
    rules->made_heads = apr_array_make(pool, 8, sizeof(head_t));
    rules->made = apr_array_make(pool, 8, sizeof(rule_t));
    rules->context = pcre2_match_context_create(NULL);
    if (!rules->context) {
        return NULL;
    }
    apr_pool_cleanup_register(pool, rules->context, free_context, apr_pool_cleanup_null);
    pcre2_set_match_limit(rules->context, MM_RULES_MATCH_LIMIT);
    pcre2_set_depth_limit(rules->context, MM_RULES_MATCH_LIMIT);
    pcre2_set_heap_limit(rules->context, MM_RULES_HEAP_KIB);
    return rules;
}

static pcre2_code *compile(const char *pattern, mm_err_t *err)
{
    int why;
    PCRE2_SIZE offset;
    PCRE2_UCHAR text[256] = ""; /* pcre2_get_error_message: 256 are enough for every message */
    pcre2_code *code = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED,
                                     PCRE2_DOTALL | PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_UTF, &why, &offset, NULL);

    if (!code) {
        pcre2_get_error_message(why, text, sizeof(text));
        mm_err_set(err, APR_EINVAL, "the pattern \"%.200s\" is wrong at offset %lu: %s", pattern, (unsigned long)offset,
                   (const char *)text);
    }
    return code;
}

/* Characters that mean themselves in a pattern, unless a quantifier follows. */
static const char literal[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/_-%~=&,;:@ ";

/* The characters behind a pattern's ^ that stand for themselves whatever follows. Where an alternative begins outside
 * of a group there are none: ^a|b matches what begins with b, too. */
static size_t literal_prefix(const char *pattern)
{
    size_t len;

    if (pattern[0] != '^' || strchr(pattern, '|')) {
        return 0;
    }
    len = strspn(pattern + 1, literal);
    /* Unless what follows can be no quantifier, nor anything that may stand before one (\E, a comment), the last one
     * may be there several times, or not at all. strchr finds the end of the pattern, too. */
    const char *next = pattern + 1 + len;
    bool sure = strchr("$[.", *next) || (*next == '(' && next[1] != '?' && next[1] != '*');
    return sure || len == 0 ? len : len - 1;
}

/* The ids of a plain pattern. */
static const struct {
    const char *text;
    size_t digits;
} segments[] = {{"([^/]+)", 0}, {"([0-9a-fA-F]{24})", 24}};

/* What the rest of a plain pattern, behind ^ and its prefix, ends with; NULL when it is not plain. */
static const char *plain_suffix(const char *rest, size_t *digits, apr_pool_t *pool)
{
    for (size_t i = 0; i < sizeof(segments) / sizeof(segments[0]); i++) {
        size_t len = strlen(segments[i].text), suffix_len;

        if (strncmp(rest, segments[i].text, len) != 0) {
            continue;
        }
        *digits = segments[i].digits;
        suffix_len = strspn(rest + len, literal);
        return strcmp(rest + len + suffix_len, "$") == 0 ? apr_pstrmemdup(pool, rest + len, suffix_len) : NULL;
    }
    return NULL;
}

/* Whether it has the capture that is the id; *code is freed where not. */
static apr_status_t check_captures(pcre2_code *code, const mm_rule_spec_t *rule, mm_err_t *err)
{
    uint32_t captures = 0;

    pcre2_pattern_info(code, PCRE2_INFO_CAPTURECOUNT, &captures);
    if (captures > 0 || rule->query) {
        return APR_SUCCESS;
    }
    pcre2_code_free(code);
    return mm_err_set(
        err, APR_EINVAL,
        "the pattern \"%.200s\" (offset %lu, its end) has no capture group: put the part of the path that "
        "is the id into parentheses",
        rule->pattern, (unsigned long)strlen(rule->pattern));
}

static mm_rule_spec_t copy_spec(const mm_rule_spec_t *rule, apr_pool_t *pool)
{
    return (mm_rule_spec_t){.type = apr_pstrdup(pool, rule->type),
                            .action = rule->action,
                            .pattern = apr_pstrdup(pool, rule->pattern),
                            .query = rule->query ? apr_pstrdup(pool, rule->query) : NULL,
                            .via = rule->via ? apr_pstrdup(pool, rule->via) : NULL,
                            .lower = rule->lower};
}

static void add_rule(mm_rules_t *rules, const rule_t *rule)
{
    head_t head = {.len = (uint8_t)(rule->prefix_len < sizeof(head.text) ? rule->prefix_len : sizeof(head.text))};

    memcpy(head.text, rule->prefix, head.len);
    APR_ARRAY_PUSH(rules->made_heads, head_t) = head;
    APR_ARRAY_PUSH(rules->made, rule_t) = *rule;
    rules->heads = (const head_t *)rules->made_heads->elts;
    rules->list = (const rule_t *)rules->made->elts;
    rules->n = rules->made->nelts;
}

apr_status_t mm_rules_add_spec(mm_rules_t *rules, const mm_rule_spec_t *spec, mm_err_t *err)
{
    const char *pattern = spec->pattern;
    pcre2_code *code = compile(pattern, err);

    if (!code || check_captures(code, spec, err) != APR_SUCCESS) {
        return APR_EINVAL;
    }
    apr_pool_cleanup_register(rules->pool, code, free_code, apr_pool_cleanup_null);
    /* Where the system allows no JIT, or the pattern has what JIT cannot do, the interpreter gives the same answers. */
    (void)pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);

    rule_t rule = {.spec = copy_spec(spec, rules->pool), .code = code, .prefix_len = literal_prefix(pattern)};
    rule.prefix = apr_pstrmemdup(rules->pool, pattern + 1, rule.prefix_len);
    rule.suffix = pattern[0] == '^' ? plain_suffix(pattern + 1 + rule.prefix_len, &rule.digits, rules->pool) : NULL;
    rule.suffix_len = rule.suffix ? strlen(rule.suffix) : 0;
    add_rule(rules, &rule);
    return APR_SUCCESS;
}

apr_status_t mm_rules_add(mm_rules_t *rules, const char *type, mm_action_t action, const char *pattern, mm_err_t *err)
{
    mm_rule_spec_t rule = {.type = type, .action = action, .pattern = pattern};

    return mm_rules_add_spec(rules, &rule, err);
}

int mm_rules_count(const mm_rules_t *rules)
{
    return rules->n;
}

const mm_rule_spec_t *mm_rules_spec(const mm_rules_t *rules, int rule)
{
    return &rules->list[rule].spec;
}

/* As pcre2_match, for a path and a pattern that JIT's own 32 KiB of stack are too small for: a group repeated for each
 * of some thousand bytes. The interpreter could do it too, but takes up to 3 s for what JIT does in 1 ms. */
static int match_deep(const rule_t *rule, PCRE2_SPTR path, size_t len, pcre2_match_data *data,
                      pcre2_match_context *context)
{
    int found = PCRE2_ERROR_NOMEMORY;
    pcre2_match_context *deep = pcre2_match_context_copy(context);
    pcre2_jit_stack *stack = pcre2_jit_stack_create(32 * 1024, MM_RULES_HEAP_KIB * 1024, NULL);

    if (deep && stack) {
        pcre2_jit_stack_assign(deep, NULL, stack);
        found = pcre2_match(rule->code, path, len, 0, 0, data, deep);
    }
    pcre2_jit_stack_free(stack);
    pcre2_match_context_free(deep);
    return found;
}

/* Whether the rule matches with a first capture that is not empty; then that is the id. For one whose ids are in the
 * query, the match will do. */
static bool rule_matches(const rule_t *rule, const char *path, size_t len, pcre2_match_data *data,
                         pcre2_match_context *context, mm_bytes_t *id)
{
    PCRE2_SPTR subject = (PCRE2_SPTR)path;
    int found = pcre2_match(rule->code, subject, len, 0, 0, data, context);

    if (found == PCRE2_ERROR_JIT_STACKLIMIT) {
        found = match_deep(rule, subject, len, data, context);
    }
    if (rule->spec.query) {
        return found >= 0;
    }
    /* 0: more groups than data has room for; 1: no group took part; below 0: no match, or a limit. */
    if (found != 0 && found < 2) {
        return false;
    }
    const PCRE2_SIZE *at = pcre2_get_ovector_pointer(data);
    if (at[2] == PCRE2_UNSET || at[3] <= at[2]) {
        return false;
    }
    id->data = path + at[2];
    id->len = at[3] - at[2];
    return true;
}

static MM_HOT bool begins_like(const mm_rules_t *rules, int i, const char *path, size_t len)
{
    const head_t *head = &rules->heads[i];

    if (len < head->len || memcmp(path, head->text, head->len) != 0) {
        return false;
    }
    const rule_t *rule = &rules->list[i];
    return rule->prefix_len == head->len ||
           (len >= rule->prefix_len && memcmp(path, rule->prefix, rule->prefix_len) == 0);
}

static bool are_digits(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (!apr_isxdigit(text[i])) {
            return false;
        }
    }
    return true;
}

/* For a plain rule whose prefix is the path's: what stands between prefix and suffix, if it is one segment of a path,
 * or as many digits as the rule wants. */
static MM_HOT bool plain_matches(const rule_t *rule, const char *path, size_t len, mm_bytes_t *id)
{
    size_t id_len = len - rule->prefix_len - rule->suffix_len;
    const char *from = path + rule->prefix_len;

    if (len <= rule->prefix_len + rule->suffix_len ||
        (rule->suffix_len > 0 && memcmp(from + id_len, rule->suffix, rule->suffix_len) != 0)) {
        return false;
    }
    if (rule->digits > 0 ? id_len != rule->digits || !are_digits(from, id_len) : memchr(from, '/', id_len) != NULL) {
        return false;
    }
    id->data = from;
    id->len = id_len;
    return true;
}

MM_HOT bool mm_rules_match(const mm_rules_t *rules, const char *path, size_t len, mm_match_t *match)
{
    pcre2_match_data *data = NULL;
    bool found = false;

    for (int i = 0; path && i < rules->n && !found; i++) {
        if (!begins_like(rules, i, path, len)) {
            continue;
        }
        const rule_t *rule = &rules->list[i];
        mm_bytes_t id = {NULL, 0};

        if (rule->suffix) {
            found = plain_matches(rule, path, len, &id);
        }
        else if (data || (data = pcre2_match_data_create(2, NULL))) { /* the whole and the first group */
            found = rule_matches(rule, path, len, data, rules->context, &id);
        }
        if (found) {
            *match = (mm_match_t){i, rule->spec.type, rule->spec.action, id, &rule->spec};
        }
    }
    pcre2_match_data_free(data);
    return found;
}

bool mm_rules_untracked(const char *query, size_t len)
{
    static const char *const says[] = {"tracking=false", "tracking=0"};

    for (size_t at = 0; at < len;) {
        const char *end = memchr(query + at, '&', len - at);
        size_t part = end ? (size_t)(end - query) - at : len - at;

        for (size_t i = 0; i < sizeof(says) / sizeof(says[0]); i++) {
            if (part == strlen(says[i]) && memcmp(query + at, says[i], part) == 0) {
                return true;
            }
        }
        at += part + 1;
    }
    return false;
}
