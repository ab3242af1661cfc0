/* Rules: which paths match, what the id is, what a bad pattern is told, and that none runs wild. */
#include "unit.h"

#include <pthread.h>
#include <time.h>

#include "rules/rules.h"

static mm_rules_t *rules_of(unit_t *unit, const char *pattern)
{
    mm_err_t err;
    mm_rules_t *rules = mm_rules_create(unit->pool);

    assert_non_null(rules);
    assert_int_equal(mm_rules_add(rules, "datasets", MM_ACTION_VIEW, pattern, &err), APR_SUCCESS);
    return rules;
}

static void assert_id(const mm_rules_t *rules, const char *path, size_t len, const char *id, size_t id_len)
{
    mm_match_t match;

    assert_true(mm_rules_match(rules, path, len, &match));
    assert_int_equal(match.id.len, id_len);
    assert_memory_equal(match.id.data, id, id_len);
    assert_true(match.id.data >= path && match.id.data + match.id.len <= path + len);
}

static void assert_no_match(const mm_rules_t *rules, const char *path, size_t len)
{
    mm_match_t match = {.type = "untouched"};

    assert_false(mm_rules_match(rules, path, len, &match));
    assert_string_equal(match.type, "untouched");
}

#define MATCHES(rules, path, id) assert_id(rules, path, sizeof(path) - 1, id, sizeof(id) - 1)
#define MISSES(rules, path)      assert_no_match(rules, path, sizeof(path) - 1)

static void test_first_capture_is_the_id(void **state)
{
    mm_rules_t *rules = rules_of(*state, "^/datasets/([^/]+)$");

    MATCHES(rules, "/datasets/5a1b", "5a1b");
    MATCHES(rules, "/datasets/a b", "a b");
    MISSES(rules, "/datasets/");
    MISSES(rules, "/datasets/a/files");
    MISSES(rules, "/xdatasets/a");
    MISSES(rules, "");
}

static void test_further_captures_do_not_matter(void **state)
{
    MATCHES(rules_of(*state, "^/(?:d|data)/(x(.)(.)(.))$"), "/d/x123", "x123");
}

static void test_paths_are_bytes(void **state)
{
    mm_rules_t *rules = rules_of(*state, "^/datasets/([^/]+)$");
    mm_rules_t *any = rules_of(*state, "^/d/(.+)$");

    MATCHES(rules, "/datasets/\xFF\xFE", "\xFF\xFE");
    MATCHES(rules, "/datasets/a\0b", "a\0b");
    MATCHES(rules, "/datasets/a\n", "a\n"); /* $ is the very end, also before a newline */
    MATCHES(any, "/d/a\nb\n", "a\nb\n");
    MISSES(rules_of(*state, "^/d/(a)$"), "/d/a\n");
}

static void test_only_what_the_length_covers(void **state)
{
    mm_rules_t *rules = rules_of(*state, "^/d/([^/]+)$");

    assert_id(rules, "/d/abc/files", 6, "abc", 3);
    assert_no_match(rules, "/d/abc", 3);
    assert_no_match(rules, NULL, 0);
}

static void test_order_and_actions(void **state)
{
    unit_t *unit = *state;
    mm_rules_t *rules = mm_rules_create(unit->pool);
    mm_match_t match;
    char type[] = "files";

    assert_int_equal(mm_rules_count(rules), 0);
    assert_false(mm_rules_match(rules, "/f/1", 4, &match));
    assert_int_equal(mm_rules_add(rules, type, MM_ACTION_DOWNLOAD, "^/f/([^/]+)/blob$", NULL), APR_SUCCESS);
    assert_int_equal(mm_rules_add(rules, "datasets", MM_ACTION_VIEW, "^/f/(.+)$", NULL), APR_SUCCESS);
    type[0] = 'x'; /* the rules have their own copy */
    assert_int_equal(mm_rules_count(rules), 2);

    assert_true(mm_rules_match(rules, "/f/1/blob", 9, &match));
    assert_string_equal(match.type, "files");
    assert_int_equal(match.action, MM_ACTION_DOWNLOAD);
    assert_true(mm_rules_match(rules, "/f/1/blub", 9, &match));
    assert_string_equal(match.type, "datasets");
    assert_int_equal(match.action, MM_ACTION_VIEW);
    assert_int_equal(match.id.len, 6);
}

static void test_empty_or_absent_capture_tries_the_next(void **state)
{
    unit_t *unit = *state;
    mm_rules_t *rules = mm_rules_create(unit->pool);
    mm_match_t match;

    assert_int_equal(mm_rules_add(rules, "a", MM_ACTION_VIEW, "^/x/(z*)y$", NULL), APR_SUCCESS);
    assert_int_equal(mm_rules_add(rules, "b", MM_ACTION_VIEW, "^/x/(?:(q)|y)", NULL), APR_SUCCESS);
    assert_int_equal(mm_rules_add(rules, "c", MM_ACTION_VIEW, "^/x/(?:(q)|(y))$", NULL), APR_SUCCESS);
    assert_false(mm_rules_match(rules, "/x/y", 4, &match));
    assert_int_equal(mm_rules_add(rules, "d", MM_ACTION_VIEW, "^/x/(y)", NULL), APR_SUCCESS);
    assert_true(mm_rules_match(rules, "/x/y", 4, &match));
    assert_string_equal(match.type, "d");
}

static void assert_refused(unit_t *unit, const char *pattern, const char *told, const char *told_too)
{
    mm_err_t err = {0};
    mm_rules_t *rules = mm_rules_create(unit->pool);

    assert_int_equal(mm_rules_add(rules, "datasets", MM_ACTION_VIEW, pattern, &err), APR_EINVAL);
    assert_int_equal(err.status, APR_EINVAL);
    assert_non_null(strstr(err.text, pattern));
    assert_non_null(strstr(err.text, told));
    assert_non_null(strstr(err.text, told_too));
    assert_int_equal(mm_rules_count(rules), 0);
}

static void test_bad_patterns(void **state)
{
    assert_refused(*state, "^/d/([^/]+$", "offset 11", "parenthesis");
    assert_refused(*state, "^/d/([^/]+", "offset 10", "parenthesis");
    assert_refused(*state, "^/d/[^/", "offset 7", "terminating ]");
    assert_refused(*state, "^/datasets/[^/]+$", "capture", "offset 17");
    assert_refused(*state, "^/d/(?:[^/]+)$", "capture", "offset 14");
    assert_refused(*state, "", "capture", "offset 0");
    assert_refused(*state, "(*UTF)^/d/(.+)$", "offset", "UTF");
}

static void test_long_id_is_returned_whole(void **state)
{
    char path[8192];
    mm_rules_t *rules = rules_of(*state, "^/d/([^/]+)$");

    memset(path, 'x', sizeof(path));
    memcpy(path, "/d/", 3);
    assert_id(rules, path, sizeof(path), path + 3, sizeof(path) - 3);
}

/* Needs more stack than JIT has by itself. */
static void test_deep_repeat_still_matches(void **state)
{
    char path[8190];
    mm_rules_t *rules = rules_of(*state, "^/d/((?:a|b|(?:cd))+)$");

    memset(path, 'a', sizeof(path));
    memcpy(path, "/d/", 3);
    assert_id(rules, path, sizeof(path), path + 3, sizeof(path) - 3);
}

/* Patterns that would take longer than the universe without a limit, on a path that has all they need but the end.
 * Processor time, which others on the machine do not lengthen. */
static void test_no_pattern_runs_wild(void **state)
{
    static const char *const wild[] = {
        "^/((a+)+)+==",  "^/(.*.*.*.*.*.*)==", "^/((?:.|a|[^b])*)*==",   "^/(?:(a)|a?)*\\1\\1b==", "^/(a(?1)?a?)+==",
        "(a+?)+?\\1===", "^/(?:(?=(a+))a)+==", "(?:a?){300}(a{300})===", "(a*)*(a*)*(a*)*(a*)*=="};
    char path[8190];
    clock_t begun = clock();

    memset(path, 'a', sizeof(path));
    path[0] = '/';
    memcpy(path + sizeof(path) - 5, "b=b=b", 5);
    for (size_t i = 0; i < sizeof(wild) / sizeof(wild[0]); i++) {
        assert_no_match(rules_of(*state, wild[i]), path, sizeof(path));
    }
    assert_true(clock() - begun < 2 * CLOCKS_PER_SEC);
}

/* The second alternative would match, but the first takes some 4 million steps to fail. */
static void test_limit_ends_in_no_match(void **state)
{
    char path[302];
    mm_rules_t *rules = rules_of(*state, "^/(a)(?:.*.*.*y|.*b)$");

    memset(path, 'a', sizeof(path));
    path[0] = '/';
    path[sizeof(path) - 1] = 'b';
    assert_no_match(rules, path, sizeof(path));
    path[20] = 'b';
    assert_id(rules, path, 21, path + 1, 1);
}

static bool matches(unit_t *unit, const char *pattern, const char *path)
{
    mm_rules_t *rules = rules_of(unit, pattern);
    mm_match_t match;

    return mm_rules_match(rules, path, strlen(path), &match);
}

/* What a pattern begins with is compared before it is asked; that must never leave out a path that it matches. */
static void test_what_a_pattern_begins_with(void **state)
{
    static const struct {
        const char *pattern, *path, *other;
    } cases[] = {
        {"^/a/([^/]+)x$", "/a/xx", "/a/x"},
        {"^/a/([^/]+)/x$", "/a/b/x", "/a/b/c/x"},
        {"^/a/([^/]+)$", "/a/\n", "/a/"},
        {"^/a?([^/]+)$", "/b", "/"},
        {"^([^/]+)x?$", "ab", "a/x"},
        {"^/ab\\E?/([^/]+)$", "/a/1", "/b/1"},
        {"^/ab\\Q\\E?/([^/]+)$", "/a/1", "/b/1"},
        {"^/datasets(?#c)?/([^/]+)$", "/dataset/1", "/data/1"},
        {"^/ab(x)", "/abx", "/ax"},
        {"^/ab?(x)", "/ax", "/bx"},
        {"^/ab*(x)", "/abbx", "/abb"},
        {"^/ab{0}(x)", "/ax", "/abx"},
        {"^/ab+(x)", "/abbx", "/ax"},
        {"^/ab|/(c)", "/c", "/ab"},
        {"^/a(x)?|/b", "/ax", "/b"},
        {"/b(y)", "/a/by", "/a"},
        {"^/a\\.(b)", "/a.b", "/acb"},
        {"^(?i)/A(b)", "/aB", "/c"},
        {"^/A(?i)(b)", "/AB", "/aB"},
        {"^/a/?(b)", "/ab", "/a/"},
        {"^/a/{0,1}(b)", "/ab", "/a//b"},
        {"^/a/(?:b|c)(d)", "/a/cd", "/bd"},
        {"^/a/([0-9a-fA-F]{24})$", "/a/0123456789abcdefABCDEF01", "/a/0123456789abcdefABCDEF0g"},
        {"^/a/([0-9a-fA-F]{24})$", "/a/0123456789abcdefABCDEF01", "/a/0123456789abcdefABCDEF0"},
        {"^/a/([0-9a-fA-F]{24})/x$", "/a/0123456789abcdefABCDEF01/x", "/a/0123456789abcdefABCDEF012/x"},
        {"^/a/([0-9a-fA-F]{24})x?$", "/a/0123456789abcdefABCDEF01", "/a/0123456789abcdefABCDEF01y"},
        {"^/a/([0-9a-fA-F]{24}).*$", "/a/0123456789abcdefABCDEF01/y", "/a/0123456789"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (!matches(*state, cases[i].pattern, cases[i].path)) {
            fail_msg("%s does not match %s", cases[i].pattern, cases[i].path);
        }
        if (matches(*state, cases[i].pattern, cases[i].other)) {
            fail_msg("%s matches %s", cases[i].pattern, cases[i].other);
        }
    }
}

/* The first 15 bytes of a path are compared apart from the rest. */
static void test_long_beginnings(void **state)
{
    mm_rules_t *above = rules_of(*state, "^/123456789012345/([^/]+)$");
    mm_rules_t *rules = rules_of(*state, "^/12345678901234/([^/]+)$");
    mm_rules_t *at_limit = rules_of(*state, "^/1234567890123/([^/]+)$");
    mm_rules_t *below = rules_of(*state, "^/123456789012/([^/]+)$");

    MATCHES(above, "/123456789012345/a", "a");
    MISSES(above, "/123456789012346/a");
    MATCHES(rules, "/12345678901234/a", "a");
    MISSES(rules, "/12345678901235/a");
    MISSES(rules, "/12345678901234");
    MISSES(rules, "/1234567890123");
    MATCHES(at_limit, "/1234567890123/a", "a");
    MISSES(at_limit, "/1234567890123");
    MISSES(at_limit, "/1234567890124/a");
    MATCHES(below, "/123456789012/a", "a");
    MISSES(below, "/123456789013/a");
}

static void test_many_rules(void **state)
{
    unit_t *unit = *state;
    mm_rules_t *rules = rules_of(unit, "^/type0/([^/]+)$");
    mm_match_t match;
    mm_err_t err;

    for (int i = 1; i < 50; i++) {
        const char *pattern = apr_psprintf(unit->pool, "^/type%d/([^/]+)$", i);

        assert_int_equal(mm_rules_add(rules, "datasets", MM_ACTION_VIEW, pattern, &err), APR_SUCCESS);
    }
    for (int i = 0; i < 50; i++) {
        const char *path = apr_psprintf(unit->pool, "/type%d/x%d", i, i);

        assert_true(mm_rules_match(rules, path, strlen(path), &match));
        assert_int_equal(match.rule, i);
        assert_ptr_equal(match.spec, mm_rules_spec(rules, i));
    }
}

static void *match_often(void *arg)
{
    const mm_rules_t *rules = arg;
    uintptr_t wrong = 0;

    for (int i = 0; i < 20000; i++) {
        char path[32];
        mm_match_t match;
        int len = snprintf(path, sizeof(path), "/datasets/%d%s", i, i % 3 ? "" : "/x");
        bool found = mm_rules_match(rules, path, (size_t)len, &match);
        bool right =
            found == (i % 3 != 0) && (!found || (match.id.data == path + 10 && match.id.len == (size_t)len - 10));
        wrong += right ? 0 : 1;
    }
    return (void *)wrong;
}

static void test_threads_share_rules(void **state)
{
    pthread_t threads[4];
    mm_rules_t *rules = rules_of(*state, "^/datasets/([^/]+)$");

    for (int i = 0; i < 4; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, match_often, rules), 0);
    }
    for (int i = 0; i < 4; i++) {
        void *wrong = NULL;
        assert_int_equal(pthread_join(threads[i], &wrong), 0);
        assert_null(wrong);
    }
}

static void test_who_asks_not_to_be_tracked(void **state)
{
    static const char *const asks[] = {"tracking=false", "tracking=0", "a=b&tracking=false", "tracking=0&a",
                                       "&tracking=0"};
    static const char *const does_not[] = {"",
                                           "tracking",
                                           "tracking=",
                                           "tracking=true",
                                           "tracking=00",
                                           "tracking=falsely",
                                           "xtracking=0",
                                           "a=tracking=0",
                                           "tracking=FALSE"};

    (void)state;
    for (size_t i = 0; i < sizeof(asks) / sizeof(asks[0]); i++) {
        assert_true(mm_rules_untracked(asks[i], strlen(asks[i])));
    }
    for (size_t i = 0; i < sizeof(does_not) / sizeof(does_not[0]); i++) {
        assert_false(mm_rules_untracked(does_not[i], strlen(does_not[i])));
    }
    assert_false(mm_rules_untracked("tracking=0", 9));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_capture_is_the_id),
        cmocka_unit_test(test_further_captures_do_not_matter),
        cmocka_unit_test(test_paths_are_bytes),
        cmocka_unit_test(test_only_what_the_length_covers),
        cmocka_unit_test(test_order_and_actions),
        cmocka_unit_test(test_empty_or_absent_capture_tries_the_next),
        cmocka_unit_test(test_bad_patterns),
        cmocka_unit_test(test_long_id_is_returned_whole),
        cmocka_unit_test(test_deep_repeat_still_matches),
        cmocka_unit_test(test_no_pattern_runs_wild),
        cmocka_unit_test(test_limit_ends_in_no_match),
        cmocka_unit_test(test_what_a_pattern_begins_with),
        cmocka_unit_test(test_long_beginnings),
        cmocka_unit_test(test_many_rules),
        cmocka_unit_test(test_threads_share_rules),
        cmocka_unit_test(test_who_asks_not_to_be_tracked),
    };

    return cmocka_run_group_tests(tests, unit_setup, unit_teardown);
}
