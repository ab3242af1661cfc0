/* Reading lists of patterns. They come from a package or from an administrator's editor, so a byte order mark, CR LF
 * and blanks at the ends of lines are no surprise; something else than a list (an empty file, a page of a web server)
 * should be one. No state; any thread.
 */
#include "agents/pattern_file.h"

#include <stdbool.h>
#include <string.h>
#include <apr_strings.h>
#include <bson/bson.h>
#include "base/file.h"

typedef struct reading {
    apr_array_header_t *patterns;
    const char *name;
    apr_pool_t *pool;
    int before; /* patterns that were there when we began */
} reading_t;

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static apr_status_t take(const reading_t *reading, const char *text, size_t len, const char *what, int number,
                         mm_err_t *err)
{
    if (reading->patterns->nelts - reading->before >= MM_PATTERN_FILE_LINES) {
        return mm_err_set(err, APR_EINVAL, "%s holds more than %d patterns", reading->name, MM_PATTERN_FILE_LINES);
    }
    mm_pattern_t *pattern = apr_array_push(reading->patterns);
    pattern->text = apr_pstrmemdup(reading->pool, text, len);
    pattern->where = apr_psprintf(reading->pool, "%s %s %d", reading->name, what, number);
    return APR_SUCCESS;
}

/* --- plain text --- */

static apr_status_t parse_text(const reading_t *reading, const char *text, size_t len, mm_err_t *err)
{
    const char *end = text + len;
    apr_status_t rv = APR_SUCCESS;

    for (int line = 1; rv == APR_SUCCESS && text < end; line++) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        const char *stop = newline ? newline : end;

        while (text < stop && is_blank(*text)) {
            text++;
        }
        while (stop > text && is_blank(stop[-1])) {
            stop--;
        }
        if (stop > text && *text != '#') {
            rv = take(reading, text, (size_t)(stop - text), "line", line, err);
        }
        text = newline ? newline + 1 : end;
    }
    return rv;
}

/* --- JSON --- */

static size_t skip_space(const char *text, size_t at, size_t len)
{
    while (at < len && (is_blank(text[at]) || text[at] == '\n')) {
        at++;
    }
    return at;
}

/* A regular expression may begin with [ as well, but hardly with a class whose first member is a brace. */
static bool is_json(const char *text, size_t len)
{
    size_t at = skip_space(text, 0, len);

    if (at == len || text[at] != '[') {
        return false;
    }
    at = skip_space(text, at + 1, len);
    return at < len && text[at] == '{';
}

static apr_status_t take_entry(const reading_t *reading, const bson_iter_t *entry, int number, mm_err_t *err)
{
    bson_iter_t inner;
    const char *text;
    uint32_t len;

    if (!BSON_ITER_HOLDS_DOCUMENT(entry) || !bson_iter_recurse(entry, &inner) || !bson_iter_find(&inner, "pattern") ||
        !BSON_ITER_HOLDS_UTF8(&inner)) {
        return mm_err_set(err, APR_EINVAL, "%s entry %d has no \"pattern\" that is a text", reading->name, number);
    }
    text = bson_iter_utf8(&inner, &len);
    if (len == 0 || memchr(text, '\0', len)) {
        return mm_err_set(err, APR_EINVAL, "%s entry %d: its pattern is empty or holds a zero byte", reading->name,
                          number);
    }
    return take(reading, text, len, "entry", number, err);
}

static apr_status_t parse_json(const reading_t *reading, const char *text, size_t len, mm_err_t *err)
{
    bson_error_t why;
    bson_iter_t iter;
    bson_t doc;
    apr_status_t rv = APR_SUCCESS;
    int number = 0;

    /* libbson takes the list for an object with the members 0, 1, 2 … */
    if (!bson_init_from_json(&doc, text, (ssize_t)len, &why)) {
        return mm_err_set(err, APR_EINVAL, "%s begins like JSON but is none", reading->name);
    }
    if (bson_iter_init(&iter, &doc)) {
        while (rv == APR_SUCCESS && bson_iter_next(&iter)) {
            rv = take_entry(reading, &iter, ++number, err);
        }
    }
    bson_destroy(&doc);
    return rv;
}

/* --- either --- */

apr_status_t mm_pattern_file_parse(apr_array_header_t *patterns, const char *text, size_t len, const char *name,
                                   apr_pool_t *pool, mm_err_t *err)
{
    static const char mark[] = "\xEF\xBB\xBF";
    reading_t reading = {patterns, name, pool, patterns->nelts};
    apr_status_t rv;

    if (len > MM_PATTERN_FILE_MAX || memchr(text, '\0', len)) {
        return mm_err_set(err, APR_EINVAL, "%s is no list of patterns: it %s", name,
                          len > MM_PATTERN_FILE_MAX ? "has more than 1 MiB" : "holds a zero byte");
    }
    if (len >= 3 && memcmp(text, mark, 3) == 0) {
        text += 3;
        len -= 3;
    }
    rv = is_json(text, len) ? parse_json(&reading, text, len, err) : parse_text(&reading, text, len, err);
    if (rv == APR_SUCCESS && patterns->nelts == reading.before) {
        rv = mm_err_set(err, APR_EINVAL, "%s holds no pattern", name);
    }
    return rv;
}

apr_status_t mm_pattern_file_read(apr_array_header_t *patterns, const char *path, apr_pool_t *pool, mm_err_t *err)
{
    char *text;
    size_t len;
    apr_status_t rv = mm_file_slurp_plain(&text, &len, path, MM_PATTERN_FILE_MAX, 0, pool, err);

    return rv == APR_SUCCESS ? mm_pattern_file_parse(patterns, text, len, path, pool, err) : rv;
}
