/* Bytes as a LogFormat (the first line) and lines of its log: what is taken keeps to what the rest of the program is
 * promised, and no line is read beyond its end.
 */
#include "fuzz.h"

#include <assert.h>
#include <apr_strings.h>

#include "accesslog/logline.h"

static void assert_clean(const mm_bytes_t *path)
{
    assert(path->data[0] == '/');
    assert(!memchr(path->data, '\0', path->len));
}

static void one_line(mm_logparser_t *parser, const char *text, size_t len)
{
    char *copy = malloc(len + 1); /* its exact length is seen by the sanitizer, but for an empty one */
    mm_logline_t line;

    copy = realloc(copy, len ? len : 1);
    memcpy(copy, text, len);
    if (!mm_logparser_line(parser, copy, len, &line)) {
        assert(line.time_us >= 0 && line.time_us < INT64_C(253402300800) * 1000000);
        assert(line.bytes_out >= 0 && line.status <= 999 && line.range_start >= MM_RANGE_UNKNOWN);
        assert(line.method >= MM_METHOD_GET && line.method <= MM_METHOD_OTHER);
        if (line.path.len > 0) {
            assert_clean(&line.path);
        }
        assert(line.agent.len <= len && line.user.len <= len && line.address.len <= len && line.path.len <= len);
    }
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *at = (const char *)data, *end = at + size, *stop = memchr(at, '\n', size);
    mm_logformat_t *format = NULL;
    mm_err_t err = {.text = ""};
    apr_pool_t *pool;

    if (!stop) {
        return 0;
    }
    pool = fuzz_subpool();
    if (mm_logformat_compile(&format, apr_pstrmemdup(pool, at, (size_t)(stop - at)), pool, &err) == APR_SUCCESS) {
        mm_logparser_t *parser = mm_logparser_create(format, size % 2 ? MM_SLASHES_KEEP : MM_SLASHES_DECODE, pool);

        for (at = stop + 1; at < end; at = stop + 1) {
            stop = memchr(at, '\n', (size_t)(end - at));
            stop = stop ? stop : end;
            one_line(parser, at, (size_t)(stop - at));
        }
    }
    else {
        assert(err.text[0] != '\0');
    }
    apr_pool_destroy(pool);
    return 0;
}
