/* Which patterns stand beside others, which are the same, and that the joined one matches what any of them does. */
#include "unit.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "agents/patterns_join.h"

static void test_who_can_be_joined(void **state)
{
    static const char *const can[] = {"bot",          "^Buck\\/[0-9]", "a|b",          "(\\s|\\+)x",  "^.?$",
                                      "[^a]fish",     "x(?:y|z)",      "x(?!y)(?=z)",  "(?<!a)b",     "(?<=a)b",
                                      "java\\d{1,2}", "\\bword\\b",    "^(a|b)|c(d)$", "\xE7\xA0\xB4"};
    static const char *const cannot[] = {"(a)\\1",  "(?i)a",   "(?x)a # b", "a(?-i)b",     "(?<n>a)",     "(?P<n>a)",
                                         "(?'n'a)", "(?1)(a)", "(?R)?a",    "(?&n)(?<n>)", "(*COMMIT)a",  "a(*ACCEPT)",
                                         "\\Qa.b",  "\\Qa\\E", "a\\Kb",     "\\Ga",        "(?|a|b)",     "(?>a)",
                                         "a(?#c)b", "\\g{1}",  "\\k<n>",    "\\p{L}",      "(?(?=a)b|c)", "\\x{41}"};

    (void)state;
    for (size_t i = 0; i < sizeof(can) / sizeof(can[0]); i++) {
        if (!mm_patterns_can_join(can[i])) {
            fail_msg("%s can be joined", can[i]);
        }
    }
    for (size_t i = 0; i < sizeof(cannot) / sizeof(cannot[0]); i++) {
        if (mm_patterns_can_join(cannot[i])) {
            fail_msg("%s cannot be joined", cannot[i]);
        }
    }
}

static void test_who_are_alike(void **state)
{
    static const char *const alike[][2] = {{"bot", "bot"},       {"Wget", "wget"},
                                           {"curl\\/", "curl/"}, {"pear.php.net", "pear\\.php\\.net"},
                                           {"a\\-b", "a-b"},     {"", ""}};
    static const char *const differ[][2] = {{"bot", "bots"}, {"a\\s", "a\\S"}, {"a\\+", "a+"}, {"\\d", "d"},
                                            {"", "a"},       {"a\\", "a"},     {"\\\\", "\\"}};

    (void)state;
    for (size_t i = 0; i < sizeof(alike) / sizeof(alike[0]); i++) {
        assert_true(mm_patterns_alike(alike[i][0], alike[i][1]));
        assert_true(mm_patterns_alike(alike[i][1], alike[i][0]));
    }
    for (size_t i = 0; i < sizeof(differ) / sizeof(differ[0]); i++) {
        assert_false(mm_patterns_alike(differ[i][0], differ[i][1]));
        assert_false(mm_patterns_alike(differ[i][1], differ[i][0]));
    }
}

static bool matches(const char *pattern, const char *text)
{
    PCRE2_SIZE offset;
    int why;
    pcre2_code *code = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, PCRE2_CASELESS, &why, &offset, NULL);
    pcre2_match_data *data = pcre2_match_data_create(1, NULL);
    int found;

    if (!code) {
        fail_msg("%s does not compile", pattern);
    }
    found = pcre2_match(code, (PCRE2_SPTR)text, strlen(text), 0, 0, data, NULL);
    pcre2_match_data_free(data);
    pcre2_code_free(code);
    return found >= 0;
}

/* Standing behind one look at a letter must never lose a text that one of them matches. */
static void test_joined_matches_what_any_does(void **state)
{
    unit_t *unit = *state;
    static const char *const patterns[] = {"bot",      "b?x1",     "b*x2",  "b{0}x3",  "b{2}",     "b+7",
                                           "Baidu|q1", "^ab",      "^a|q2", "^(c|d)9", "[^a]fish", "b[|]q3",
                                           "9$",       "1[(]x|q5", "\\bq6", "(?:b)q7", "b(?=q)q8"};
    static const char *const texts[] = {"",    "bot", "x1", "x2",  "x3",  "BB",   "b7",    "bbb7", "q1", "BAIDU", "ab",
                                        "xab", "q2",  "a",  "c9",  "xd9", "fish", "xfish", "b|q3", "q4", "q44",   "9",
                                        "99x", "1(x", "q5", " q6", "aq6", "bq7",  "zzz",   "b",    "q",  "\n",    "1"};

    for (size_t from = 0; from < sizeof(patterns) / sizeof(patterns[0]); from++) {
        const char *some[3];
        size_t n = 0;

        for (size_t i = 0; i < 3 && from + i < sizeof(patterns) / sizeof(patterns[0]); i++) {
            some[n++] = patterns[from + i];
        }
        const char *joined = mm_patterns_join(some, n, unit->pool);
        for (size_t t = 0; t < sizeof(texts) / sizeof(texts[0]); t++) {
            bool any = false;

            for (size_t i = 0; i < n; i++) {
                any = any || matches(some[i], texts[t]);
            }
            if (matches(joined, texts[t]) != any) {
                fail_msg("%s says %d of \"%s\"", joined, !any, texts[t]);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_can_be_joined),
        cmocka_unit_test(test_who_are_alike),
        cmocka_unit_test(test_joined_matches_what_any_does),
    };

    return cmocka_run_group_tests(tests, unit_setup, unit_teardown);
}
