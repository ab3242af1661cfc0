/* Compiling patterns one by one, to know that each is right, and then together, to be quick.
 *
 * A pattern becomes an alternative, (?:PATTERN), only if nothing in it can mean anything outside of it: see
 * patterns_join.c. The others are asked one by one, behind the joined ones.
 *
 * Where many alternatives stand at one place of the text, PCRE2 tries them in turn. Nearly all begin with a letter, so
 * those with the same one stand together behind one look at it, (?=b)(?:…|…): some three times quicker (52,000 against
 * 175,000 browsers a second through COUNTER's list).
 *
 * The joined expression shares one limit of steps. When a text exceeds it, the patterns are asked one by one, each with
 * its own limit; the one that exceeds that is left out from then on, or whoever sends such texts could make every look
 * at them as slow again.
 */
#define PCRE2_CODE_UNIT_WIDTH 8

#include "agents/patterns.h"

#include <string.h>
#include <apr_strings.h>
#include <pcre2.h>
#include "agents/patterns_join.h"

#define OPTIONS (PCRE2_CASELESS | PCRE2_DOTALL | PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_UTF | PCRE2_NEVER_BACKSLASH_C)

typedef struct one {
    mm_pattern_t pattern;
    pcre2_code *code;
    bool out; /* it took too long */
} one_t;

struct mm_patterns {
    const char *name;
    const mm_log_t *log;
    apr_pool_t *pool;
    apr_array_header_t *all;    /* of one_t */
    apr_array_header_t *joined; /* of pcre2_code *: several patterns in one */
    apr_array_header_t *alone;  /* of one_t *: those that cannot be joined */
    pcre2_match_data *data;
    pcre2_match_context *of_one, *of_all;
    pcre2_jit_stack *stack;
};

#define ONE(patterns, i)    (&APR_ARRAY_IDX((patterns)->all, i, one_t))
#define JOINED(patterns, i) APR_ARRAY_IDX((patterns)->joined, i, pcre2_code *)

/* --- life --- */

static void free_joined(mm_patterns_t *patterns)
{
    for (int i = 0; i < patterns->joined->nelts; i++) {
        pcre2_code_free(JOINED(patterns, i));
    }
    apr_array_clear(patterns->joined);
    apr_array_clear(patterns->alone);
}

static apr_status_t free_all(void *data)
{
    mm_patterns_t *patterns = data;

    free_joined(patterns);
    for (int i = 0; i < patterns->all->nelts; i++) {
        pcre2_code_free(ONE(patterns, i)->code);
    }
    pcre2_match_data_free(patterns->data);
    pcre2_match_context_free(patterns->of_one);
    pcre2_match_context_free(patterns->of_all);
    pcre2_jit_stack_free(patterns->stack);
    return APR_SUCCESS;
}

static pcre2_match_context *make_context(pcre2_jit_stack *stack, uint32_t steps)
{
    pcre2_match_context *context = pcre2_match_context_create(NULL);

    if (context) {
        pcre2_set_match_limit(context, steps);
        pcre2_set_depth_limit(context, steps);
        pcre2_set_heap_limit(context, MM_PATTERNS_HEAP_KIB);
        pcre2_jit_stack_assign(context, NULL, stack);
    }
    return context;
}

mm_patterns_t *mm_patterns_create(const char *name, const mm_log_t *log, apr_pool_t *pool)
{
    mm_patterns_t *patterns = apr_pcalloc(pool, sizeof(*patterns));

    patterns->name = name;
    patterns->log = log;
    patterns->pool = pool;
    patterns->all = apr_array_make(pool, 64, sizeof(one_t));
    patterns->joined = apr_array_make(pool, 1, sizeof(pcre2_code *));
    patterns->alone = apr_array_make(pool, 4, sizeof(one_t *));
    patterns->data = pcre2_match_data_create(1, NULL);
    patterns->stack = pcre2_jit_stack_create(32 * 1024, MM_PATTERNS_HEAP_KIB * 1024, NULL);
    patterns->of_one = make_context(patterns->stack, MM_PATTERN_STEPS_MAX);
    patterns->of_all = make_context(patterns->stack, MM_PATTERNS_STEPS_MAX);
    apr_pool_cleanup_register(pool, patterns, free_all, apr_pool_cleanup_null);
    return patterns->data && patterns->of_one && patterns->of_all ? patterns : NULL;
}

/* --- one pattern --- */

static apr_status_t compile_one(pcre2_code **code, const mm_pattern_t *pattern, mm_err_t *err)
{
    PCRE2_UCHAR text[256] = "";
    PCRE2_SIZE offset;
    size_t len = strlen(pattern->text);
    int why;

    if (len == 0 || len > MM_PATTERN_MAX) {
        return mm_err_set(err, APR_EINVAL, "%s: a pattern has 1 to %d bytes, this one has %lu", pattern->where,
                          MM_PATTERN_MAX, (unsigned long)len);
    }
    *code = pcre2_compile((PCRE2_SPTR)pattern->text, len, OPTIONS, &why, &offset, NULL);
    if (!*code) {
        pcre2_get_error_message(why, text, sizeof(text));
        return mm_err_set(err, APR_EINVAL, "%s: the pattern \"%.160s\" is wrong at offset %lu: %s", pattern->where,
                          pattern->text, (unsigned long)offset, (const char *)text);
    }
    return APR_SUCCESS;
}

/* A limit, or another failure that has nothing to do with the text. */
static bool is_too_much(int found)
{
    return found < 0 && found != PCRE2_ERROR_NOMATCH;
}

static int match_code(const mm_patterns_t *patterns, const pcre2_code *code, pcre2_match_context *context,
                      const char *text, size_t len)
{
    return pcre2_match(code, (PCRE2_SPTR)text, len, 0, 0, patterns->data, context);
}

/* Whether it takes too long for nearly nothing. What is slow only with other texts is found out by matching. */
static bool is_wild(const mm_patterns_t *patterns, const pcre2_code *code)
{
    static const char letters[] = "a0 ;/.(";
    char text[512];

    for (const char *letter = letters; *letter; letter++) {
        memset(text, *letter, sizeof(text));
        text[sizeof(text) - 1] = '!';
        if (is_too_much(match_code(patterns, code, patterns->of_one, text, sizeof(text)))) {
            return true;
        }
    }
    return false;
}

apr_status_t mm_patterns_add(mm_patterns_t *patterns, const mm_pattern_t *pattern, mm_err_t *err)
{
    pcre2_code *code;
    apr_status_t rv;

    if (patterns->all->nelts >= MM_PATTERNS_MAX) {
        return mm_err_set(err, APR_EINVAL, "%s: more than %d patterns", pattern->where, MM_PATTERNS_MAX);
    }
    rv = compile_one(&code, pattern, err);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (is_wild(patterns, code)) {
        pcre2_code_free(code);
        return mm_err_set(
            err, APR_EINVAL,
            "%s: the pattern \"%.160s\" takes too long: it holds a repeat within a repeat, as in (a+)+, or "
            "several .* behind one another",
            pattern->where, pattern->text);
    }
    one_t *one = apr_array_push(patterns->all);
    *one = (one_t){.pattern = *pattern, .code = code};
    return APR_SUCCESS;
}

bool mm_patterns_last_matches(mm_patterns_t *patterns, const char *text, size_t len)
{
    const one_t *last = ONE(patterns, patterns->all->nelts - 1);

    return match_code(patterns, last->code, patterns->of_one, text, len) >= 0;
}

void mm_patterns_drop_last(mm_patterns_t *patterns)
{
    one_t *last = apr_array_pop(patterns->all);

    pcre2_code_free(last->code);
}

/* --- lists --- */

static bool holds(const mm_patterns_t *patterns, const char *text)
{
    for (int i = 0; i < patterns->all->nelts; i++) {
        if (mm_patterns_alike(ONE(patterns, i)->pattern.text, text)) {
            return true;
        }
    }
    return false;
}

size_t mm_patterns_subtract(mm_patterns_t *patterns, const mm_patterns_t *others)
{
    int kept = 0, before = patterns->all->nelts;

    for (int i = 0; i < before; i++) {
        if (holds(others, ONE(patterns, i)->pattern.text)) {
            pcre2_code_free(ONE(patterns, i)->code);
        }
        else {
            *ONE(patterns, kept++) = *ONE(patterns, i);
        }
    }
    patterns->all->nelts = kept;
    return (size_t)(before - kept);
}

size_t mm_patterns_count(const mm_patterns_t *patterns)
{
    return (size_t)patterns->all->nelts;
}

/* Compiles those texts into one; where that is too large for PCRE2, into two, and so on. */
static apr_status_t join(mm_patterns_t *patterns, const char *const *texts, size_t n, apr_pool_t *scratch,
                         mm_err_t *err)
{
    const char *text = mm_patterns_join(texts, n, scratch);
    PCRE2_SIZE offset;
    pcre2_code *code;
    apr_status_t rv;
    int why;

    code = pcre2_compile((PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED, OPTIONS | PCRE2_NO_AUTO_CAPTURE, &why, &offset, NULL);
    if (code) {
        /* Without JIT (the system may forbid it) the answers are the same. */
        (void)pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
        APR_ARRAY_PUSH(patterns->joined, pcre2_code *) = code;
        return APR_SUCCESS;
    }
    if (n == 1) {
        return mm_err_set(err, APR_EGENERAL, "the pattern \"%.160s\" cannot be compiled with others (%d)", texts[0],
                          why);
    }
    rv = join(patterns, texts, n / 2, scratch, err);
    return rv == APR_SUCCESS ? join(patterns, texts + n / 2, n - n / 2, scratch, err) : rv;
}

apr_status_t mm_patterns_compile(mm_patterns_t *patterns, mm_err_t *err)
{
    const char **texts;
    apr_pool_t *scratch = NULL;
    apr_status_t rv = APR_SUCCESS;
    size_t n = 0;

    free_joined(patterns);
    apr_pool_create(&scratch, patterns->pool);
    texts = apr_pcalloc(scratch, sizeof(*texts) * ((size_t)patterns->all->nelts + 1));
    for (int i = 0; i < patterns->all->nelts; i++) {
        one_t *one = ONE(patterns, i);

        if (one->out) {
            continue;
        }
        if (mm_patterns_can_join(one->pattern.text)) {
            texts[n++] = one->pattern.text;
        }
        else {
            (void)pcre2_jit_compile(one->code, PCRE2_JIT_COMPLETE);
            APR_ARRAY_PUSH(patterns->alone, one_t *) = one;
        }
    }
    if (n > 0) {
        rv = join(patterns, texts, n, scratch, err);
    }
    apr_pool_destroy(scratch);
    return rv;
}

/* --- matching --- */

static void leave_out(mm_patterns_t *patterns, one_t *one)
{
    one->out = true;
    mm_log(patterns->log, MM_LOG_WARNING, "MM0801",
           "%s: the pattern \"%s\" of %s took too long for a text that somebody sent: it is left out until the next "
           "start. Write it without a repeat within a repeat",
           one->pattern.where, one->pattern.text, patterns->name);
}

/* Each by itself. */
static one_t *ask_each(mm_patterns_t *patterns, const char *text, size_t len)
{
    one_t *matching = NULL;
    bool left_out = false;

    for (int i = 0; i < patterns->all->nelts && !matching; i++) {
        one_t *one = ONE(patterns, i);
        int found = one->out ? PCRE2_ERROR_NOMATCH : match_code(patterns, one->code, patterns->of_one, text, len);

        if (is_too_much(found)) {
            leave_out(patterns, one);
            left_out = true;
        }
        matching = found >= 0 ? one : NULL;
    }
    if (left_out) {
        /* What was compiled before compiles again; without memory for it, nothing of this list matches. */
        (void)mm_patterns_compile(patterns, NULL);
    }
    return matching;
}

bool mm_patterns_match(mm_patterns_t *patterns, const char *text, size_t len)
{
    int found = PCRE2_ERROR_NOMATCH;

    for (int i = 0; i < patterns->joined->nelts && found == PCRE2_ERROR_NOMATCH; i++) {
        found = match_code(patterns, JOINED(patterns, i), patterns->of_all, text, len);
    }
    for (int i = 0; i < patterns->alone->nelts && found == PCRE2_ERROR_NOMATCH; i++) {
        found = match_code(patterns, APR_ARRAY_IDX(patterns->alone, i, one_t *)->code, patterns->of_one, text, len);
    }
    return is_too_much(found) ? ask_each(patterns, text, len) != NULL : found >= 0;
}

const mm_pattern_t *mm_patterns_find(mm_patterns_t *patterns, const char *text, size_t len)
{
    one_t *one = ask_each(patterns, text, len);

    return one ? &one->pattern : NULL;
}
