/* From the path in a log to the one that capture records. */
#include "unit.h"

#include "accesslog/logpath.h"

static void becomes(const char *sent, mm_slashes_t slashes, const char *path)
{
    size_t len = strlen(sent);
    char *copy = malloc(len + 1);

    memcpy(copy, sent, len);
    if (!mm_logpath_clean(copy, &len, slashes)) {
        fail_msg("refused: %s", sent);
    }
    if (len != strlen(path) || memcmp(copy, path, len) != 0) {
        fail_msg("%s became %.*s, not %s", sent, (int)len, copy, path);
    }
    free(copy);
}

static void cleans_and_decodes(void **state)
{
    static const char *const pairs[][2] = {
        {"/", "/"},
        {"/datasets/5f", "/datasets/5f"},
        {"//datasets///5f//", "/datasets/5f/"},
        {"/a/./b/.", "/a/b/"},
        {"/a/../b", "/b"},
        {"/a/b/../..", "/"},
        {"/../../a", "/a"},
        {"/a/..", "/"},
        {"/..", "/"},
        {"/...", "/..."},
        {"/a..b/.c/d.", "/a..b/.c/d."},
        {"/%64atasets/5f%41", "/datasets/5fA"},
        {"/a/%2e%2e/b", "/b"},
        {"/a/.%2E/b", "/b"},
        {"/a%20b%C3%A4", "/a b\xc3\xa4"},
        {"/a%252e", "/a%2e"},
        {"/a/%252e%252e/b", "/a/%2e%2e/b"},
        {"/a%3Fb", "/a?b"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        becomes(pairs[i][0], MM_SLASHES_DECODE, pairs[i][1]);
        becomes(pairs[i][0], MM_SLASHES_KEEP, pairs[i][1]);
    }
}

static void treats_encoded_slashes_as_told(void **state)
{
    (void)state;
    becomes("/doi/10.1%2F%2fx", MM_SLASHES_DECODE, "/doi/10.1/x");
    becomes("/doi/10.1%2F%2fx", MM_SLASHES_KEEP, "/doi/10.1%2F%2fx");
    becomes("/a%2F..%2Fb", MM_SLASHES_DECODE, "/b");
    becomes("/a%2F..%2Fb", MM_SLASHES_KEEP, "/a%2F..%2Fb");
}

static void refuses_what_httpd_refuses(void **state)
{
    static const char *const paths[] = {"", "*", "a/b", "/%", "/a%2", "/a%zz", "/a%00b", "/%u0041"};

    (void)state;
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        size_t len = strlen(paths[i]);
        char *copy = malloc(len + 1);

        memcpy(copy, paths[i], len);
        if (mm_logpath_clean(copy, &len, MM_SLASHES_DECODE)) {
            fail_msg("taken: %s", paths[i]);
        }
        free(copy);
    }
}

static void knows_what_needs_no_cleaning(void **state)
{
    (void)state;
    assert_true(mm_logpath_is_clean("/datasets/5f.csv", 16));
    assert_false(mm_logpath_is_clean("/a//b", 5));
    assert_false(mm_logpath_is_clean("/a/./b", 6));
    assert_false(mm_logpath_is_clean("/a%20b", 6));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cleans_and_decodes),
        cmocka_unit_test(treats_encoded_slashes_as_told),
        cmocka_unit_test(refuses_what_httpd_refuses),
        cmocka_unit_test(knows_what_needs_no_cleaning),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
