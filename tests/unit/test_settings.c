/* Settings as a value: an empty one, and the rules that are made of one. */
#include "unit_settings.h"

static void an_empty_one_has_lists(void **state)
{
    unit_t *unit = *state;
    const char *text = mm_settings_print(mm_settings_create(unit->pool), unit->pool);
    mm_settings_t *read = NULL;

    assert_int_equal(mm_settings_parse(&read, text, strlen(text), unit->pool, NULL), APR_SUCCESS);
    assert_int_equal(read->double_click_ms, 30000);
    assert_int_equal(read->types->nelts, 0);
    assert_int_equal(read->rules->nelts, 0);
    assert_null(read->prefix);
}

static void makes_rules(void **state)
{
    unit_t *unit = *state;
    mm_settings_t *settings = sample(unit);
    mm_rules_t *rules = NULL;
    mm_match_t match;
    mm_err_t err = {.text = ""};

    assert_int_equal(mm_settings_rules(&rules, settings, unit->pool, &err), APR_SUCCESS);
    assert_int_equal(mm_rules_count(rules), 2);
    assert_true(mm_rules_match(rules, "/datasets/5f", 12, &match));
    assert_int_equal(match.rule, 0);
    assert_string_equal(mm_rules_spec(rules, match.rule)->pattern, "^/datasets/([^/]+)$");
    add_rule(settings, "files", "view", "^/(");
    assert_int_equal(mm_settings_rules(&rules, settings, unit->pool, &err), APR_EINVAL);
}

#define test(f) cmocka_unit_test_setup_teardown(f, unit_setup, unit_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(an_empty_one_has_lists),
        test(makes_rules),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
