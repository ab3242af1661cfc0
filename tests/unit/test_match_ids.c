/* Ids of a match: one from the path, or a list from the query; in lower case where that is wanted; bounded. */
#include "unit.h"
#include "rules/match_ids.h"

/* The ids of a download of path?query by this rule, joined by " "; "-" where the path does not match. */
static const char *ids_of(unit_t *unit, const mm_rule_spec_t *rule, const char *path, const char *query)
{
    mm_rules_t *rules = mm_rules_create(unit->pool);
    mm_match_t match;
    const mm_bytes_t *ids;
    const char *joined = "";
    mm_err_t err;

    if (mm_rules_add_spec(rules, rule, &err) != APR_SUCCESS) {
        fail_msg("%s", err.text);
    }
    if (!mm_rules_match(rules, path, strlen(path), &match)) {
        return "-";
    }
    assert_int_equal(match.action, MM_ACTION_DOWNLOAD);
    for (size_t i = 0, n = mm_match_ids(&ids, &match, mm_bytes_of(query), unit->pool); i < n; i++) {
        joined =
            apr_pstrcat(unit->pool, joined, i ? " " : "", apr_pstrmemdup(unit->pool, ids[i].data, ids[i].len), NULL);
    }
    return joined;
}

static const mm_rule_spec_t plain = {.type = "files", .action = MM_ACTION_DOWNLOAD, .pattern = "^/files/([^/]+)$"};
static const mm_rule_spec_t hex = {
    .type = "files", .action = MM_ACTION_DOWNLOAD, .pattern = "^/files/([0-9A-Fa-f]{4})$", .lower = true};
static const mm_rule_spec_t list = {
    .type = "files", .action = MM_ACTION_DOWNLOAD, .pattern = "^/some$", .query = "fileList", .lower = true};

static void one_id_in_the_path(void **state)
{
    assert_string_equal(ids_of(*state, &plain, "/files/aB,c", "fileList=x"), "aB,c");
    assert_string_equal(ids_of(*state, &hex, "/files/aBcD", NULL), "abcd");
    assert_string_equal(ids_of(*state, &hex, "/files/aBcX", NULL), "-");
}

static void a_list_in_the_query(void **state)
{
    assert_string_equal(ids_of(*state, &list, "/some", "fileList=a,b,c"), "a b c");
    assert_string_equal(ids_of(*state, &list, "/some", "x=1&fileList=a%2Cb&fileList=c"), "a b c");
    assert_string_equal(ids_of(*state, &list, "/some", "fileList=a,A,b,a&fileList=B"), "a b");
    assert_string_equal(ids_of(*state, &list, "/some", "fileList=,,a,"), "a");
    assert_string_equal(ids_of(*state, &list, "/some", "fileList=a%00,b"), "b");
    assert_string_equal(ids_of(*state, &list, "/some", "fileList="), "");
    assert_string_equal(ids_of(*state, &list, "/some", "other=a"), "");
    assert_string_equal(ids_of(*state, &list, "/some", NULL), "");
    assert_string_equal(ids_of(*state, &list, "/other", "fileList=a"), "-");
}

static void a_list_is_bounded(void **state)
{
    unit_t *unit = *state;
    mm_rules_t *rules = mm_rules_create(unit->pool);
    char *query = apr_pstrdup(unit->pool, "fileList=");
    const mm_bytes_t *ids;
    mm_match_t match;

    for (int i = 0; i < MM_MATCH_IDS_MAX + 5; i++) {
        query = apr_psprintf(unit->pool, "%s%d,", query, i);
    }
    assert_int_equal(mm_rules_add_spec(rules, &list, NULL), APR_SUCCESS);
    assert_true(mm_rules_match(rules, "/some", 5, &match));
    assert_int_equal(mm_match_ids(&ids, &match, mm_bytes_of(query), unit->pool), MM_MATCH_IDS_MAX);
    assert_memory_equal(ids[MM_MATCH_IDS_MAX - 1].data, "999", 3);
}

static void one_that_no_event_can_have_does_not_cost_the_others(void **state)
{
    unit_t *unit = *state;
    char *query = apr_psprintf(unit->pool, "fileList=%0*d,a", MM_EVENT_ID_MAX + 1, 0);

    assert_string_equal(ids_of(unit, &list, "/some", query), "a");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_id_in_the_path, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(a_list_in_the_query, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(a_list_is_bounded, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(one_that_no_event_can_have_does_not_cost_the_others, unit_setup, unit_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
