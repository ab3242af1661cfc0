/* Values in a path: what they become, and which are refused. */
#include "unit.h"
#include "base/template.h"

static const char *fill(unit_t *unit, const char *template, const char *id, const char *user)
{
    const mm_filling_t fillings[] = {{"type", "files"}, {"id", id}, {"user", user}};

    return mm_template_fill(template, fillings, 3, unit->pool);
}

static void values(void **state)
{
    static const struct {
        const char *template, *id, *path;
    } vectors[] = {
        {"/api/{type}/{id}", "52f1", "/api/files/52f1"},
        {"/{id}/{id}?of={type}", "a", "/a/a?of=files"},
        {"/{id}", "aZ09-._~", "/aZ09-._~"},
        {"/{id}", "10.5/x?y#z&%25+ \"", "/10.5%2Fx%3Fy%23z%26%2525%2B%20%22"},
        {"/{id}", "\xC3\xA4\xFF\r\n\x7F", "/%C3%A4%FF%0D%0A%7F"},
        {"/{id}", "{user}", "/%7Buser%7D"},
        {"/{id}", "...", "/..."},
        {"/{id}", ".a/b..", "/.a%2Fb.."},
        {"/{no}/{id", "a", "/%7Bno}/%7Bid"},
        {"/{{id}}", "a", "/%7Ba}"},
        {"/plain", "a", "/plain"},
        {"", "a", ""},
    };

    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        assert_string_equal(fill(*state, vectors[i].template, vectors[i].id, NULL), vectors[i].path);
    }
    assert_string_equal(fill(*state, "/{id}/{user}", "a", "b c"), "/a/b%20c");
}

static void refused(void **state)
{
    static const char *const ids[] = {"", ".", "..", "/", "a/", "/a", "a//b", "a/../b", "./a", "a/.", "..//", "a/.."};

    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        assert_null(fill(*state, "/{id}", ids[i], NULL));
        assert_null(fill(*state, "/{user}", "a", ids[i]));
        assert_non_null(fill(*state, "/a", ids[i], NULL));
    }
    assert_null(fill(*state, "/{id}/{user}", "a", NULL));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, unit_setup, unit_teardown)
    const struct CMUnitTest tests[] = {TEST(values), TEST(refused)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
