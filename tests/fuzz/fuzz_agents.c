/* Bytes as an agent string, a zero byte, and a file of patterns: reading keeps to its limits; and what the patterns say
 * together is what they say one by one.
 */
#include "fuzz.h"

#include <assert.h>

#include "agents/patterns.h"
#include "agents/patterns_join.h"

/* More of them would only be slow: each is tried on plain texts. */
#define PATTERNS_TRIED 6
#define AGENT_MAX      512

static int left_out;

static void hear(void *baton, mm_log_level_t level, const char *tag, const char *text)
{
    (void)baton;
    (void)level;
    assert(tag && text && *text);
    left_out++;
}

static void match(const apr_array_header_t *list, const char *agent, size_t len, apr_pool_t *pool)
{
    static const mm_log_t log = {hear, NULL};
    mm_patterns_t *patterns = mm_patterns_create("fuzz", &log, pool);
    mm_err_t err = {.text = ""};

    assert(patterns);
    for (int i = 0; i < list->nelts && i < PATTERNS_TRIED; i++) {
        const mm_pattern_t *pattern = &APR_ARRAY_IDX(list, i, mm_pattern_t);

        assert(mm_patterns_alike(pattern->text, pattern->text));
        if (mm_patterns_add(patterns, pattern, &err) != APR_SUCCESS) {
            assert(strstr(err.text, pattern->where));
        }
    }
    assert(mm_patterns_compile(patterns, &err) == APR_SUCCESS);
    left_out = 0;
    bool together = mm_patterns_match(patterns, agent, len);
    const mm_pattern_t *one = mm_patterns_find(patterns, agent, len);
    assert(left_out > 0 || together == (one != NULL));
    assert(mm_patterns_subtract(patterns, patterns) <= (size_t)list->nelts);
    assert(mm_patterns_count(patterns) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *zero = size ? memchr(data, '\0', size) : NULL;
    size_t agent_len = zero ? (size_t)(zero - data) : 0, len = zero ? size - agent_len - 1 : size;
    apr_array_header_t *list;
    mm_err_t err = {.text = ""};
    apr_pool_t *pool;

    pool = fuzz_subpool();
    list = apr_array_make(pool, 4, sizeof(mm_pattern_t));
    /* Copies of exactly this size, so that a byte read behind them is noticed. */
    char *text = malloc(len ? len : 1), *agent = malloc(agent_len ? agent_len : 1);
    assert(text && agent);
    if (len > 0) {
        memcpy(text, data + size - len, len);
    }
    if (agent_len > 0) {
        memcpy(agent, data, agent_len);
    }
    if (mm_pattern_file_parse(list, text, len, "file", pool, &err) == APR_SUCCESS) {
        assert(list->nelts > 0 && list->nelts <= MM_PATTERN_FILE_LINES);
        match(list, agent, agent_len < AGENT_MAX ? agent_len : AGENT_MAX, pool);
    }
    else {
        assert(strstr(err.text, "file"));
    }
    free(text);
    free(agent);
    apr_pool_destroy(pool);
    return 0;
}
