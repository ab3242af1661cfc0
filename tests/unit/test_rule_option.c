/* Options behind a rule's pattern: kept as they are, or refused with what may be written. */
#include "unit.h"
#include "rules/rules.h"

static void options_are_kept(void **state)
{
    unit_t *unit = *state;
    mm_rule_spec_t rule = {.type = "files", .action = MM_ACTION_VIEW, .pattern = "^/x/(.)"};
    mm_rules_t *rules = mm_rules_create(unit->pool);
    const mm_rule_spec_t *kept;
    mm_err_t err;

    assert_int_equal(mm_rule_option(&rule, "case=lower", unit->pool, &err), APR_SUCCESS);
    assert_int_equal(mm_rule_option(&rule, "via=a:b:c", unit->pool, &err), APR_SUCCESS);
    assert_int_equal(mm_rules_add_spec(rules, &rule, &err), APR_SUCCESS);
    kept = mm_rules_spec(rules, 0);
    assert_string_equal(kept->type, "files");
    assert_string_equal(kept->pattern, "^/x/(.)");
    assert_string_equal(kept->via, "a:b:c");
    assert_null(kept->query);
    assert_true(kept->lower);
}

static void wrong_options_are_told(void **state)
{
    static const char *const wrong[] = {"query=", "query=a&b", "case=upper", "case=", "via=", "what=x", "lower", ""};
    unit_t *unit = *state;
    mm_rule_spec_t rule = {0};
    char *via = apr_pcalloc(unit->pool, MM_EVENT_VIA_MAX + 10);

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        mm_err_t err = {0};

        assert_int_equal(mm_rule_option(&rule, wrong[i], unit->pool, &err), APR_EINVAL);
        assert_non_null(strstr(err.text, i < 2 ? "query=" : i < 4 ? "case=" : "via="));
    }
    memset(via, 'a', MM_EVENT_VIA_MAX + 5);
    memcpy(via, "via=", 4);
    assert_int_equal(mm_rule_option(&rule, via, unit->pool, NULL), APR_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(options_are_kept, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(wrong_options_are_told, unit_setup, unit_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
