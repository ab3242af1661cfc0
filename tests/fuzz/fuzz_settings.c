/* Bytes as a settings file: what is taken keeps to the limits, and can be printed and read again to the same.
 */
#include "fuzz.h"

#include <assert.h>

#include "settings/settings.h"

static void print_again(const mm_settings_t *settings, apr_pool_t *pool)
{
    const char *text = mm_settings_print(settings, pool), *again;
    mm_settings_t *read = NULL;

    assert(text);
    assert(mm_settings_parse(&read, text, strlen(text), pool, NULL) == APR_SUCCESS);
    again = mm_settings_print(read, pool);
    assert(again && strcmp(again, text) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    mm_settings_t *settings = NULL;
    mm_err_t err = {.text = ""};
    apr_pool_t *pool;

    pool = fuzz_subpool();
    if (mm_settings_parse(&settings, (const char *)data, size, pool, &err) == APR_SUCCESS) {
        assert(settings->version == MM_SETTINGS_VERSION);
        assert(settings->types->nelts <= MM_SETTINGS_LIST_MAX && settings->rules->nelts <= MM_SETTINGS_LIST_MAX);
        print_again(settings, pool);
    }
    else {
        assert(err.text[0] != '\0');
    }
    apr_pool_destroy(pool);
    return 0;
}
