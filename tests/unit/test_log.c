/* Messages across the border. */
#include "unit.h"

#include "base/log.h"

typedef struct seen {
    int n;
    mm_log_level_t level;
    char tag[16];
    char text[4096];
} seen_t;

static void write_seen(void *baton, mm_log_level_t level, const char *tag, const char *text)
{
    seen_t *seen = baton;

    seen->n++;
    seen->level = level;
    snprintf(seen->tag, sizeof(seen->tag), "%s", tag);
    snprintf(seen->text, sizeof(seen->text), "%s", text);
}

static void hands_over(void **state)
{
    seen_t seen = {0};
    mm_log_t log = {write_seen, &seen};

    (void)state;
    mm_log(&log, MM_LOG_WARNING, "MM9999", "%d of %s", 3, "these");
    assert_int_equal(seen.n, 1);
    assert_int_equal(seen.level, MM_LOG_WARNING);
    assert_string_equal(seen.tag, "MM9999");
    assert_string_equal(seen.text, "3 of these");
}

static void is_silent_without_a_log(void **state)
{
    mm_log_t log = {NULL, NULL};

    (void)state;
    mm_log(NULL, MM_LOG_ERROR, "MM9999", "x");
    mm_log(&log, MM_LOG_ERROR, "MM9999", "x");
}

static void cuts_long_messages(void **state)
{
    seen_t seen = {0};
    mm_log_t log = {write_seen, &seen};
    char text[3000];

    (void)state;
    memset(text, 'a', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    mm_log(&log, MM_LOG_INFO, "MM9999", "%s", text);
    assert_int_equal(seen.n, 1);
    assert_in_range(strlen(seen.text), 512, sizeof(text) - 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hands_over),
        cmocka_unit_test(is_silent_without_a_log),
        cmocka_unit_test(cuts_long_messages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
