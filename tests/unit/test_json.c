/* Strings of JSON: what each byte becomes. tests/fuzz/fuzz_json.c reads back whatever comes. */
#include "unit.h"

#include "report/json.h"

static apr_status_t keep(void *baton, const char *data, size_t len)
{
    char *kept = baton;

    strncat(kept, data, len);
    return APR_SUCCESS;
}

static void assert_json(const char *text, const char *expected)
{
    char kept[256] = "";
    mm_out_t out;

    mm_out_init(&out, keep, kept);
    mm_json_text(&out, text);
    assert_int_equal(mm_out_flush(&out), APR_SUCCESS);
    assert_string_equal(kept, expected);
}

static void test_strings(void **state)
{
    (void)state;
    assert_json("", "\"\"");
    assert_json("plain, 'text' </script>", "\"plain, 'text' </script>\"");
    assert_json("a\"b\\c/", "\"a\\\"b\\\\c/\"");
    assert_json("\n\r\t\b\f\x01\x1f\x7f", "\"\\n\\r\\t\\u0008\\u000c\\u0001\\u001f\\u007f\"");
    assert_json("Z\xC3\xBCrich \xE2\x82\xAC \xF0\x9F\x98\x80", "\"Z\xC3\xBCrich \xE2\x82\xAC \xF0\x9F\x98\x80\"");
    assert_json("\xFC", "\"%FC\"");
    assert_json("\xE2\x82\"", "\"%E2%82\\\"\"");
    assert_json("\xC0\xAF\xED\xA0\x80", "\"%C0%AF%ED%A0%80\"");
    assert_json("=1+1", "\"=1+1\"");
}

static void test_nothing(void **state)
{
    static const char *const texts[] = {NULL, "", "x"};
    char kept[64] = "";
    mm_out_t out;

    (void)state;
    mm_out_init(&out, keep, kept);
    for (int i = 0; i < 3; i++) {
        mm_json_text_or_null(&out, texts[i]);
        mm_out_byte(&out, ' ');
    }
    mm_out_flush(&out);
    assert_string_equal(kept, "null null \"x\" ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_strings),
        cmocka_unit_test(test_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
