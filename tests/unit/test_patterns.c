/* Lists of patterns: any of them matches, none disturbs another, none runs wild. */
#include "unit.h"

#include <time.h>

#include "agents/patterns.h"

typedef struct heard {
    int n;
    char last[1024];
} heard_t;

static void hear(void *baton, mm_log_level_t level, const char *tag, const char *text)
{
    heard_t *heard = baton;

    assert_int_equal(level, MM_LOG_WARNING);
    assert_string_equal(tag, "MM0801");
    heard->n++;
    snprintf(heard->last, sizeof(heard->last), "%s", text);
}

static mm_patterns_t *list_of(unit_t *unit, const char *const *texts, size_t n, const mm_log_t *log)
{
    mm_patterns_t *patterns = mm_patterns_create("robots", log, unit->pool);
    mm_err_t err;

    assert_non_null(patterns);
    for (size_t i = 0; i < n; i++) {
        mm_pattern_t pattern = {texts[i], apr_psprintf(unit->pool, "list line %d", (int)i + 1)};

        if (mm_patterns_add(patterns, &pattern, &err) != APR_SUCCESS) {
            fail_msg("%s", err.text);
        }
    }
    assert_int_equal(mm_patterns_compile(patterns, &err), APR_SUCCESS);
    return patterns;
}

#define LIST(unit, ...)                                                                                                \
    list_of(unit, (const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *), NULL)

static bool matches(mm_patterns_t *patterns, const char *text)
{
    return mm_patterns_match(patterns, text, strlen(text));
}

static void assert_found(mm_patterns_t *patterns, const char *text, const char *where)
{
    const mm_pattern_t *pattern = mm_patterns_find(patterns, text, strlen(text));

    assert_int_equal(matches(patterns, text), where != NULL);
    if (where) {
        assert_non_null(pattern);
        assert_string_equal(pattern->where, where);
    }
    else {
        assert_null(pattern);
    }
}

static void test_any_of_them_in_any_case(void **state)
{
    mm_patterns_t *patterns = LIST(*state, "bot", "^Buck\\/[0-9]", "^.?$", "Web(\\s|\\+)Downloader", "[^a]fish");

    assert_found(patterns, "GoogleBOT/2.1", "list line 1");
    assert_found(patterns, "buck/2", "list line 2");
    assert_found(patterns, "a buck/2", NULL);
    assert_found(patterns, "", "list line 3");
    assert_found(patterns, "x", "list line 3");
    assert_found(patterns, "xy", NULL);
    assert_found(patterns, "a WEB+downloader", "list line 4");
    assert_found(patterns, "bafish", NULL);
    assert_found(patterns, "befish", "list line 5");
    assert_found(patterns, "bot befish", "list line 1");
}

static void test_an_empty_list_has_nobody(void **state)
{
    unit_t *unit = *state;
    mm_patterns_t *patterns = list_of(unit, NULL, 0, NULL);

    assert_found(patterns, "", NULL);
    assert_found(patterns, "bot", NULL);
    assert_int_equal(mm_patterns_count(patterns), 0);
}

/* Each stands between two that must still match, and not match more than they did. */
static void test_none_disturbs_its_neighbours(void **state)
{
    static const struct {
        const char *pattern, *match, *no_match;
    } odd[] = {
        {"(a)(b)\\2\\1", "abba", "abab"},  {"(x)\\1", "xx", "xyx"},
        {"(?<n>q)\\k<n>", "qq", "q"},      {"(?<n>w)\\k<n>", "ww", "w"},
        {"(?-i)CaSe", "CaSe", "case"},     {"(?x) sp ace # comment", "space", "sp ace"},
        {"\\Qa.b|c", "a.b|c", "axb"},      {"no(*COMMIT)way", "noway", "no spider"},
        {"ac(*ACCEPT)cept", "ac", "xyz"},  {"(*COMMIT)zz", "zz", "z spider"},
        {"r(?R)?x", "rrxx", "r"},          {"(y)(?1)", "yy", "y"},
        {"^only$", "only", "only one"},    {"k\\Kl", "kl", "k"},
        {"(?|(c)|(d))e\\1", "cec", "ced"}, {"e(?#note)f", "ef", "e"},
        {"a|", "anything", NULL},
    };
    unit_t *unit = *state;

    for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
        mm_patterns_t *patterns = LIST(unit, "(m)(n)b1", odd[i].pattern, "spider(s)?9", "(t)u\\1");

        if (!matches(patterns, odd[i].match) || (odd[i].no_match && matches(patterns, odd[i].no_match))) {
            fail_msg("%s among others", odd[i].pattern);
        }
        assert_true(matches(patterns, "MNB1"));
        assert_true(matches(patterns, "no spiders9 z"));
        assert_true(matches(patterns, "tut"));
        assert_int_equal(matches(patterns, "tuv"), odd[i].no_match == NULL);
    }
    mm_patterns_t *all = mm_patterns_create("robots", NULL, unit->pool);
    for (size_t i = 0; i + 1 < sizeof(odd) / sizeof(odd[0]); i++) {
        mm_pattern_t pattern = {odd[i].pattern, "here"};
        assert_int_equal(mm_patterns_add(all, &pattern, NULL), APR_SUCCESS);
    }
    assert_int_equal(mm_patterns_compile(all, NULL), APR_SUCCESS);
    for (size_t i = 0; i + 1 < sizeof(odd) / sizeof(odd[0]); i++) {
        assert_true(matches(all, odd[i].match));
    }
    assert_false(matches(all, "nothing at all"));
}

static void test_wrong_patterns_are_named(void **state)
{
    static const char *const wrong[][2] = {
        {"a)(?:b", "parenthes"}, {"(bot", "parenthes"},     {"[a", "terminating ]"}, {"", "1 to"},
        {"*", "quantifier"},     {"a\\", "end of pattern"}, {"(a)\\2", "reference"}, {"(a+)+$", "too long"},
        {"(a*)*b", NULL},        {"(*UTF)a", "UTF"},        {"a\\Cb", "\\C"},
    };
    unit_t *unit = *state;
    mm_patterns_t *patterns = mm_patterns_create("robots", NULL, unit->pool);

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        mm_pattern_t pattern = {wrong[i][0], "list line 7"};
        mm_err_t err = {0};
        apr_status_t rv = mm_patterns_add(patterns, &pattern, &err);

        if (wrong[i][1] && (rv != APR_EINVAL || !strstr(err.text, wrong[i][1]) || !strstr(err.text, "list line 7"))) {
            fail_msg("%s: %s", wrong[i][0], err.text);
        }
    }
    char *longest = memset(apr_pcalloc(unit->pool, MM_PATTERN_MAX + 2), 'x', MM_PATTERN_MAX + 1);
    mm_pattern_t pattern = {longest, "here"};
    assert_int_equal(mm_patterns_add(patterns, &pattern, NULL), APR_EINVAL);
    longest[MM_PATTERN_MAX] = '\0';
    assert_int_equal(mm_patterns_add(patterns, &pattern, NULL), APR_SUCCESS);
}

static void test_the_last_one_can_go_again(void **state)
{
    unit_t *unit = *state;
    mm_patterns_t *patterns = mm_patterns_create("robots", NULL, unit->pool);
    mm_pattern_t one = {"one", "1"}, two = {"two", "2"};

    assert_int_equal(mm_patterns_add(patterns, &one, NULL), APR_SUCCESS);
    assert_int_equal(mm_patterns_add(patterns, &two, NULL), APR_SUCCESS);
    assert_true(mm_patterns_last_matches(patterns, "TWO", 3));
    assert_false(mm_patterns_last_matches(patterns, "one", 3));
    mm_patterns_drop_last(patterns);
    assert_true(mm_patterns_last_matches(patterns, "one", 3));
    assert_int_equal(mm_patterns_compile(patterns, NULL), APR_SUCCESS);
    assert_false(matches(patterns, "two"));
}

static void test_subtracting_a_list(void **state)
{
    mm_patterns_t *robots = LIST(*state, "bot", "curl\\/", "Wget", "pear\\.php\\.net", "spider");
    mm_patterns_t *machines = LIST(*state, "curl/", "wget", "pear.php.net", "python");

    assert_int_equal(mm_patterns_subtract(robots, machines), 3);
    assert_int_equal(mm_patterns_count(robots), 2);
    assert_int_equal(mm_patterns_compile(robots, NULL), APR_SUCCESS);
    assert_found(robots, "curl/8", NULL);
    assert_found(robots, "wget", NULL);
    assert_found(robots, "a bot", "list line 1");
    assert_found(robots, "spider", "list line 5");
}

/* Not wild on plain texts, but on this one. */
static void test_what_runs_wild_is_left_out(void **state)
{
    heard_t heard = {0};
    mm_log_t log = {hear, &heard};
    const char *const texts[] = {"bot", "(?:xy?z?|x)+(?:x|xx)+(?:x+y)+=$", "spider"};
    mm_patterns_t *patterns = list_of(*state, texts, 3, &log);
    char hostile[400];
    clock_t begun = clock();

    memset(hostile, 'x', sizeof(hostile));
    memcpy(hostile + sizeof(hostile) - 8, "=bo=spi=", 8);
    assert_false(mm_patterns_match(patterns, hostile, sizeof(hostile)));
    assert_int_equal(heard.n, 1);
    assert_non_null(strstr(heard.last, "list line 2"));
    assert_non_null(strstr(heard.last, "robots"));
    memcpy(hostile + sizeof(hostile) - 8, " spider=", 8);
    for (int i = 0; i < 1000; i++) {
        assert_true(mm_patterns_match(patterns, hostile, sizeof(hostile)));
    }
    assert_int_equal(heard.n, 1);
    assert_true(clock() - begun < 2 * CLOCKS_PER_SEC);
}

/* More than PCRE2 takes into one expression. */
static void test_a_list_of_any_length(void **state)
{
    unit_t *unit = *state;
    const char *texts[5000];

    for (int i = 0; i < 5000; i++) {
        texts[i] = apr_psprintf(unit->pool, "agent-%d[a-f0-9_]x", i);
    }
    mm_patterns_t *patterns = list_of(unit, texts, 5000, NULL);
    assert_found(patterns, "AGENT-0ax", "list line 1");
    assert_found(patterns, "agent-2500_x", "list line 2501");
    assert_found(patterns, "agent-4999fx", "list line 5000");
    assert_found(patterns, "agent-4999gx", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_of_them_in_any_case),      cmocka_unit_test(test_an_empty_list_has_nobody),
        cmocka_unit_test(test_none_disturbs_its_neighbours), cmocka_unit_test(test_wrong_patterns_are_named),
        cmocka_unit_test(test_the_last_one_can_go_again),    cmocka_unit_test(test_subtracting_a_list),
        cmocka_unit_test(test_what_runs_wild_is_left_out),   cmocka_unit_test(test_a_list_of_any_length),
    };

    return cmocka_run_group_tests(tests, unit_setup, unit_teardown);
}
