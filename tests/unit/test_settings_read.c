/* settings.json: what nobody should believe is refused. */
#include "unit_settings.h"

#include <sys/stat.h>

static void passes_over_what_it_does_not_know(void **state)
{
    unit_t *unit = *state;
    static const char text[] = "{\"colour\": {\"a\": [1]}, \"version\": 1, \"prefix\": \"m_\"}";
    mm_settings_t *read = NULL;

    assert_int_equal(mm_settings_parse(&read, text, strlen(text), unit->pool, NULL), APR_SUCCESS);
    assert_string_equal(read->prefix, "m_");
}

static void refuses(void **state)
{
    unit_t *unit = *state;
    static const char *const texts[] = {
        "",
        "nonsense",
        "{",
        "{}",
        "{\"version\": 2}",
        "{\"version\": \"1\"}",
        "{\"version\": 1, \"prefix\": 5}",
        "{\"version\": 1, \"prefix\": \"a\\u0000b\"}",
        "{\"version\": 1, \"double_click_ms\": -1}",
        "{\"version\": 1, \"double_click_ms\": 65001}",
        "{\"version\": 1, \"types\": \"datasets\"}",
        "{\"version\": 1, \"types\": [7]}",
        "{\"version\": 1, \"types\": [\"../x\"]}",
        "{\"version\": 1, \"rules\": [\"^/x$\"]}",
        "{\"version\": 1, \"rules\": [{\"type\": \"datasets\", \"action\": \"view\"}]}",
        "{\"version\": 1, \"rules\": [{\"type\": \"datasets\", \"action\": \"steal\", \"pattern\": \"^/(.)$\"}]}",
        "{\"version\": 1, \"prefix\": \"\xff\"}",
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        mm_settings_t *read = NULL;
        mm_err_t err = {.text = ""};

        if (mm_settings_parse(&read, texts[i], strlen(texts[i]), unit->pool, &err) != APR_EINVAL) {
            fail_msg("taken: %s", texts[i]);
        }
        assert_true(err.text[0] != '\0');
    }
}

static void waits_for_no_writer(void **state)
{
    unit_t *unit = *state;
    const char *path = apr_pstrcat(unit->pool, unit->dir, "/" MM_SETTINGS_FILE, NULL);
    mm_settings_t *read = NULL;
    mm_err_t err = {.text = ""};

    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(mm_settings_read(&read, path, unit->pool, &err), APR_EINVAL);
    assert_non_null(strstr(err.text, "plain file"));
}

#define test(f) cmocka_unit_test_setup_teardown(f, unit_setup, unit_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(passes_over_what_it_does_not_know),
        test(refuses),
        test(waits_for_no_writer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
