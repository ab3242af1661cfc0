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
    char *query = apr_pcalloc(unit->pool, 20000), *to = query + sprintf(query, "fileList=");
    mm_rules_t *rules = mm_rules_create(unit->pool);
    const mm_bytes_t *ids;
    mm_match_t match;
    mm_bytes_t all;

    for (int i = 0; i < MM_MATCH_IDS_MAX + 5; i++) {
        to += sprintf(to, "%d,", i);
    }
    assert_int_equal(mm_rules_add_spec(rules, &list, NULL), APR_SUCCESS);
    assert_true(mm_rules_match(rules, "/some", 5, &match));
    assert_int_equal(mm_match_ids(&ids, &match, mm_bytes_of(query), unit->pool), MM_MATCH_IDS_MAX);
    assert_memory_equal(ids[MM_MATCH_IDS_MAX - 1].data, "999", 3);
    /* One that no event can have does not cost the others. */
    query = apr_pcalloc(unit->pool, 20000);
    memset(query, 'x', MM_EVENT_ID_MAX + 1 + strlen("fileList="));
    memcpy(query, "fileList=", strlen("fileList="));
    strcat(query, ",a");
    all = mm_bytes_of(query);
    assert_int_equal(mm_match_ids(&ids, &match, all, unit->pool), 1);
    assert_memory_equal(ids[0].data, "a", 1);
}

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
        cmocka_unit_test_setup_teardown(one_id_in_the_path, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(a_list_in_the_query, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(a_list_is_bounded, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(options_are_kept, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(wrong_options_are_told, unit_setup, unit_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
