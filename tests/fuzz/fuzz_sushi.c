/* A path and a query string, with a zero byte between them, of somebody who harvests COUNTER reports: an answer that
 * exists, with words that can be shown; or whole days of one month, and sets that are not empty.
 */
#include "fuzz.h"

#include <apr_strings.h>

#include "route/sushi.h"

#define DAY_MS INT64_C(86400000)
#define NOW_MS INT64_C(1769860800000)

static void check_exceptions(const apr_array_header_t *exceptions)
{
    for (int i = 0; i < exceptions->nelts; i++) {
        const mm_sushi_exception_t *exception = &APR_ARRAY_IDX(exceptions, i, mm_sushi_exception_t);

        HOLDS(exception->code >= 1000 && *exception->severity && *exception->message);
        HOLDS(strlen(exception->data) < 1024);
        for (const char *at = exception->data; *at; at++) {
            HOLDS(*at >= 0x20 && *at < 0x7F);
        }
    }
}

static void check_dsr(const mm_sushi_t *sushi)
{
    int64_t days = (sushi->end_ms - sushi->begin_ms) / DAY_MS;

    HOLDS(sushi->begin_ms >= 0 && sushi->begin_ms % DAY_MS == 0 && sushi->end_ms % DAY_MS == 0);
    HOLDS(days >= 1 && days <= 31);
    HOLDS(sushi->methods && !(sushi->methods & ~(unsigned)MM_SUSHI_METHODS));
    HOLDS(sushi->metrics && !(sushi->metrics & ~(unsigned)MM_SUSHI_METRICS));
    HOLDS(!sushi->dataset_ids || (sushi->n_dataset_ids >= 1 && sushi->n_dataset_ids <= 10));
    for (size_t i = 0; i < sushi->n_dataset_ids; i++) {
        HOLDS(*sushi->dataset_ids[i] && strlen(sushi->dataset_ids[i]) <= MM_EVENT_ID_MAX + strlen("doi:"));
    }
    HOLDS(sushi->format == MM_FORMAT_ANY || sushi->format == MM_FORMAT_JSON || sushi->format == MM_FORMAT_TSV);
    HOLDS(sushi->filters->nelts >= 2 && sushi->filters->nelts <= 5 && sushi->attributes->nelts <= 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool;
    mm_sushi_t sushi;

    pool = fuzz_subpool();
    const char *path = apr_pstrmemdup(pool, size ? (const char *)data : "", size);
    size_t path_len = strlen(path);
    const char *args = path_len < size ? path + path_len + 1 : NULL;

    int status = mm_sushi_parse(&sushi, path, args, NOW_MS, pool);
    HOLDS(status == 0 || status == 400 || status == 404 || status == 406);
    HOLDS(status == 0 || sushi.exceptions->nelts > 0);
    HOLDS(status == 404 || mm_sushi_is_path(path));
    check_exceptions(sushi.exceptions);
    if (status == 0 && sushi.endpoint == MM_SUSHI_DSR) {
        check_dsr(&sushi);
    }
    apr_pool_destroy(pool);
    return 0;
}
