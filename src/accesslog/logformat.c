/* A format is read once, from left to right, into steps: a field, and the text up to which it goes.
 *
 * What is given twice (%s and %>s, %h and %a) is read once, from where it is better. No state; any thread.
 */
#include "accesslog/logformat.h"

#include <string.h>
#include <strings.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include "accesslog/logtime.h"

#define TEXT_MAX 4096

static const char *const names[][2] = {
    {"vhost_combined", "%v:%p %h %l %u %t \"%r\" %>s %O \"%{Referer}i\" \"%{User-Agent}i\""},
    {"combined", "%h %l %u %t \"%r\" %>s %O \"%{Referer}i\" \"%{User-Agent}i\""},
    {"common", "%h %l %u %t \"%r\" %>s %O"},
};
#define NAMES (sizeof(names) / sizeof(names[0]))

const char *const mm_logformat_names[] = {"vhost_combined", "combined", "common", NULL};

typedef struct compiler {
    mm_logformat_t *format;
    const char *at; /* in the format */
    char *literal;  /* the text since the last field */
    size_t literal_len;
    apr_pool_t *pool;
    mm_err_t *err;
} compiler_t;

/* One %… as it is written. */
typedef struct directive {
    const char *text; /* for messages */
    const char *argument;
    char letter;
    bool final; /* has a > */
    bool two;   /* has a ^ */
} directive_t;

static void add_literal(compiler_t *compiler, const char *text, size_t len)
{
    memcpy(compiler->literal + compiler->literal_len, text, len);
    compiler->literal_len += len;
}

/* The text belongs to the field before it, or begins the line. */
static void end_literal(compiler_t *compiler)
{
    mm_logformat_t *format = compiler->format;
    const char *text = apr_pstrmemdup(compiler->pool, compiler->literal, compiler->literal_len);

    if (format->n == 0) {
        format->lead = text;
        format->lead_len = compiler->literal_len;
    }
    else {
        format->steps[format->n - 1].until = text;
        format->steps[format->n - 1].until_len = compiler->literal_len;
    }
    compiler->literal_len = 0;
}

/* Between % and its letter: conditions on the status, which request of a chain, a name in braces. */
static apr_status_t read_directive(compiler_t *compiler, directive_t *directive)
{
    const char *from = compiler->at++;

    *directive = (directive_t){.text = from};
    for (; *compiler->at && strchr("!<>,0123456789{^", *compiler->at); compiler->at++) {
        directive->final = directive->final || *compiler->at == '>';
        directive->two = directive->two || *compiler->at == '^';
        if (*compiler->at == '{') {
            const char *end = strchr(compiler->at, '}');

            if (!end) {
                return mm_err_set(compiler->err, APR_EINVAL, "the format has a { without a }: \"%.100s\"", from);
            }
            directive->argument = apr_pstrmemdup(compiler->pool, compiler->at + 1, (size_t)(end - compiler->at) - 1);
            compiler->at = end;
        }
    }
    directive->letter = *compiler->at;
    compiler->at += *compiler->at ? 1 : 0;
    compiler->at += directive->two && *compiler->at ? 1 : 0;
    if (!apr_isalpha(directive->letter) && directive->letter != '%') {
        return mm_err_set(compiler->err, APR_EINVAL, "the format has a %% that stands for nothing: \"%.100s\"", from);
    }
    directive->text = apr_pstrmemdup(compiler->pool, from, (size_t)(compiler->at - from));
    return APR_SUCCESS;
}

static mm_logfield_t header_field(const char *name)
{
    if (name && strcasecmp(name, "User-Agent") == 0) {
        return MM_LOG_AGENT;
    }
    return name && strcasecmp(name, "Range") == 0 ? MM_LOG_RANGE : MM_LOG_SKIP;
}

static mm_logfield_t field_of(const directive_t *directive)
{
    static const char letters[] = "hurmUqbBOHX";
    static const mm_logfield_t fields[] = {MM_LOG_HOST,  MM_LOG_USER,     MM_LOG_REQUEST,   MM_LOG_METHOD,
                                           MM_LOG_PATH,  MM_LOG_QUERY,    MM_LOG_BYTES,     MM_LOG_BYTES,
                                           MM_LOG_BYTES, MM_LOG_PROTOCOL, MM_LOG_CONNECTION};
    const char *found = strchr(letters, directive->letter);

    if (directive->two) {
        return MM_LOG_SKIP;
    }
    switch (directive->letter) {
    case 'a': /* %{c}a is the next hop's */
        return directive->argument ? MM_LOG_SKIP : MM_LOG_ADDRESS;
    case 's':
        return directive->final ? MM_LOG_FINAL_STATUS : MM_LOG_STATUS;
    case 't':
        return directive->argument && *directive->argument ? MM_LOG_TIME_PART : MM_LOG_TIME;
    case 'i':
        return header_field(directive->argument);
    default:
        return found ? fields[found - letters] : MM_LOG_SKIP;
    }
}

static bool ends_itself(mm_logfield_t field)
{
    return field == MM_LOG_TIME || field == MM_LOG_TIME_PART;
}

/* %U%q is one field: the path ends where the query begins. Two that are both passed over are one, too. */
static bool join(mm_logstep_t *last, mm_logfield_t field)
{
    if (last->field == MM_LOG_PATH && field == MM_LOG_QUERY) {
        last->field = MM_LOG_PATH_QUERY;
        return true;
    }
    return last->field == MM_LOG_SKIP && field == MM_LOG_SKIP;
}

static apr_status_t add_step(compiler_t *compiler, const directive_t *directive, mm_logfield_t field)
{
    mm_logformat_t *format = compiler->format;
    const char *pattern = field == MM_LOG_TIME_PART ? directive->argument : NULL;

    if (pattern && (strncmp(pattern, "begin:", 6) == 0 || strncmp(pattern, "end:", 4) == 0)) {
        pattern = strchr(pattern, ':') + 1;
    }
    if (pattern && !mm_logtime_knows(pattern)) {
        return mm_err_set(compiler->err, APR_EINVAL, "%s: this way to write a time cannot be read", directive->text);
    }
    if (format->n > 0 && compiler->literal_len == 0 && !ends_itself(format->steps[format->n - 1].field)) {
        return join(&format->steps[format->n - 1], field)
                   ? APR_SUCCESS
                   : mm_err_set(compiler->err, APR_EINVAL,
                                "nothing stands before %s, so that it cannot be told where what is before it ends",
                                directive->text);
    }
    if (format->n == MM_LOG_STEPS_MAX) {
        return mm_err_set(compiler->err, APR_EINVAL, "the format has more than %d fields", MM_LOG_STEPS_MAX);
    }
    end_literal(compiler);
    format->steps[format->n++] = (mm_logstep_t){.field = field, .pattern = pattern, .until = ""};
    return APR_SUCCESS;
}

static apr_status_t add_directive(compiler_t *compiler)
{
    directive_t directive;
    mm_logfield_t field;
    apr_status_t rv = read_directive(compiler, &directive);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (directive.letter == '%') {
        add_literal(compiler, "%", 1);
        return APR_SUCCESS;
    }
    field = field_of(&directive);
    if (field == MM_LOG_TIME) {
        add_literal(compiler, "[", 1);
    }
    rv = add_step(compiler, &directive, field);
    if (rv == APR_SUCCESS && field == MM_LOG_TIME) {
        add_literal(compiler, "]", 1);
    }
    return rv;
}

static apr_status_t add_all(compiler_t *compiler)
{
    apr_status_t rv = APR_SUCCESS;

    while (*compiler->at && rv == APR_SUCCESS) {
        if (*compiler->at == '%') {
            rv = add_directive(compiler);
            continue;
        }
        if (*compiler->at == '\\' && compiler->at[1] && strchr("\"\\t", compiler->at[1])) {
            compiler->at++;
            add_literal(compiler, *compiler->at == 't' ? "\t" : compiler->at, 1);
        }
        else {
            add_literal(compiler, compiler->at, 1);
        }
        compiler->at++;
    }
    end_literal(compiler);
    return rv;
}

/* --- the whole -----------------------------------------------------------------------------------------------------
 */

static bool has(const mm_logformat_t *format, mm_logfield_t field)
{
    for (size_t i = 0; i < format->n; i++) {
        if (format->steps[i].field == field) {
            return true;
        }
    }
    return false;
}

/* Passes over a field where there is a better one. */
static void prefer(mm_logformat_t *format, mm_logfield_t better, mm_logfield_t field)
{
    for (size_t i = 0; has(format, better) && i < format->n; i++) {
        if (format->steps[i].field == field) {
            format->steps[i].field = MM_LOG_SKIP;
        }
    }
}

static void prefer_better(mm_logformat_t *format)
{
    static const mm_logfield_t of_request[] = {MM_LOG_METHOD, MM_LOG_PATH, MM_LOG_QUERY, MM_LOG_PATH_QUERY,
                                               MM_LOG_PROTOCOL};

    prefer(format, MM_LOG_FINAL_STATUS, MM_LOG_STATUS);
    prefer(format, MM_LOG_ADDRESS, MM_LOG_HOST);
    for (size_t i = 0; i < sizeof(of_request) / sizeof(of_request[0]); i++) {
        prefer(format, MM_LOG_REQUEST, of_request[i]);
    }
}

static apr_status_t check(const mm_logformat_t *format, mm_err_t *err)
{
    const char *lacks = NULL;

    if (!has(format, MM_LOG_TIME) && !has(format, MM_LOG_TIME_PART)) {
        lacks = "when a request was (%t)";
    }
    else if (!has(format, MM_LOG_REQUEST) && !has(format, MM_LOG_PATH) && !has(format, MM_LOG_PATH_QUERY)) {
        lacks = "what was asked for (%r, or %m and %U)";
    }
    else if (!has(format, MM_LOG_FINAL_STATUS) && !has(format, MM_LOG_STATUS)) {
        lacks = "the answer's status (%>s)";
    }
    return lacks ? mm_err_set(err, APR_EINVAL, "lines of the format \"%.200s\" do not tell %s", format->name, lacks)
                 : APR_SUCCESS;
}

apr_status_t mm_logformat_compile(mm_logformat_t **format, const char *text, apr_pool_t *pool, mm_err_t *err)
{
    compiler_t compiler = {.at = text, .pool = pool, .err = err};
    apr_status_t rv;

    if (strlen(text) > TEXT_MAX) {
        return mm_err_set(err, APR_EINVAL, "the format is longer than %d bytes", TEXT_MAX);
    }
    compiler.format = apr_pcalloc(pool, sizeof(*compiler.format));
    compiler.format->name = apr_pstrdup(pool, text);
    for (size_t i = 0; i < NAMES; i++) {
        if (strcmp(text, names[i][0]) == 0) {
            compiler.at = names[i][1];
        }
    }
    compiler.literal = apr_palloc(pool, 2 * TEXT_MAX); /* each %t brings two brackets */
    rv = add_all(&compiler);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    prefer_better(compiler.format);
    compiler.format->has_range = has(compiler.format, MM_LOG_RANGE);
    *format = compiler.format;
    return check(compiler.format, err);
}
