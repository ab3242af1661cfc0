/* Parameters and cookies as visitors write them, well or badly. */
#include "unit.h"
#include "base/query.h"

/* The values of all parameters of a name, decoded and joined by "|"; "-" when there is none. */
static const char *all(unit_t *unit, const char *query, const char *name)
{
    const char *value, *rest = query, *joined = "-";
    size_t len = query ? strlen(query) : 0, value_len;

    while (mm_query_next(&rest, &len, name, &value, &value_len)) {
        char *text = apr_pcalloc(unit->pool, value_len + 1);

        mm_query_decode(text, value, value_len);
        joined = strcmp(joined, "-") == 0 ? text : apr_pstrcat(unit->pool, joined, "|", text, NULL);
    }
    return joined;
}

static void parameters(void **state)
{
    static const struct {
        const char *query, *values;
    } vectors[] = {
        {"key=a", "a"},
        {"x=1&key=a&y=2", "a"},
        {"key=a&key=b", "a|b"},
        {"key=", ""},
        {"key", ""},
        {"key=a=b", "a=b"},
        {"key=a%2Cb+c%20d", "a,b c d"},
        {"key=%zz%4", "%zz%4"},
        {"k%65y=a", "a"},
        {"&&key=a&", "a"},
        {"keys=a&ke=b&Key=c", "-"},
        {"xkey=a", "-"},
        {"", "-"},
        {NULL, "-"},
    };

    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        assert_string_equal(all(*state, vectors[i].query, "key"), vectors[i].values);
    }
}

static void only_what_the_length_covers(void **state)
{
    const char *value, *query = "key=abc";
    size_t len = 5, value_len;

    (void)state;
    assert_true(mm_query_next(&query, &len, "key", &value, &value_len));
    assert_int_equal(value_len, 1);
    assert_false(mm_query_next(&query, &len, "key", &value, &value_len));
}

static void cookies(void **state)
{
    static const struct {
        const char *header, *value;
    } vectors[] = {
        {"id=abc", "abc"},
        {"a=1; id=abc; b=2", "abc"},
        {"a=1;id=abc", "abc"},
        {"id=abc; id=def", "abc"},
        {"id=\"abc\"", "abc"},
        {"id=abc \t; b=2", "abc"},
        {"id=a=b", "a=b"},
        {"a=1; id=abc, b=2", "abc, b=2"},
        {"xid=abc", NULL},
        {"idx=abc", NULL},
        {"ID=abc", NULL},
        {"a=id=abc", NULL},
        {"id=", NULL},
        {"id=\"\"", NULL},
        {"id", NULL},
        {" ; ;", NULL},
        {"", NULL},
        {NULL, NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        const char *value = NULL;
        size_t len = 0;

        assert_int_equal(mm_cookie_find(vectors[i].header, "id", &value, &len), vectors[i].value != NULL);
        if (vectors[i].value) {
            assert_int_equal(len, strlen(vectors[i].value));
            assert_memory_equal(value, vectors[i].value, len);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(parameters, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(only_what_the_length_covers, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(cookies, unit_setup, unit_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
