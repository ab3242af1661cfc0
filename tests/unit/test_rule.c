/* The rules: what counts, and as whose use. */
#include "drain_unit.h"
#include "count/rule.h"

static const mm_policy_t every_click;

static void counts_what_a_browser_got(void **state)
{
    mm_event_t event = event_of(MM_ACTION_VIEW, "a", NULL, NOON_US);
    mm_class_t class;

    (void)state;
    assert_int_equal(mm_rule_judge(&event, &every_click, &class), MM_COUNTED);
    assert_int_equal(class, MM_CLASS_REGULAR);
}

static void counts_only_get(void **state)
{
    static const mm_method_t others[] = {MM_METHOD_HEAD, MM_METHOD_POST, MM_METHOD_OTHER};
    mm_event_t event = event_of(MM_ACTION_VIEW, "a", NULL, NOON_US);
    mm_class_t class;

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        event.method = others[i];
        assert_int_equal(mm_rule_judge(&event, &every_click, &class), MM_IGNORED_METHOD);
    }
}

static void counts_only_200(void **state)
{
    static const uint16_t others[] = {0, 100, 199, 201, 206, 301, 304, 403, 404, 500, 65535};
    mm_event_t event = event_of(MM_ACTION_DOWNLOAD, "a", NULL, NOON_US);
    mm_class_t class;

    (void)state;
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        event.status = others[i];
        assert_int_equal(mm_rule_judge(&event, &every_click, &class), MM_IGNORED_STATUS);
    }
}

static void leaves_out_robots(void **state)
{
    mm_event_t event = event_of(MM_ACTION_VIEW, "a", NULL, NOON_US);
    mm_class_t class;

    (void)state;
    event.class_mark = bytes_of("robot");
    assert_int_equal(mm_rule_judge(&event, &every_click, &class), MM_IGNORED_ROBOT);
    assert_int_equal(class, MM_CLASS_ROBOT);
}

static void names_every_verdict_once(void **state)
{
    (void)state;
    for (int i = 0; i < MM_VERDICTS; i++) {
        const char *name = mm_verdict_name((mm_verdict_t)i);

        assert_non_null(name);
        assert_string_not_equal(name, "unknown");
        for (int j = 0; j < i; j++) {
            assert_string_not_equal(name, mm_verdict_name((mm_verdict_t)j));
        }
    }
    assert_string_equal(mm_verdict_name(MM_VERDICTS), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_what_a_browser_got), cmocka_unit_test(counts_only_get),
        cmocka_unit_test(counts_only_200),           cmocka_unit_test(leaves_out_robots),
        cmocka_unit_test(names_every_verdict_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
