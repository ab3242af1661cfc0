/* Questions about text. */
#include "unit.h"

#include "base/text.h"

static bool is_utf8(const char *text)
{
    return mm_text_is_utf8(text, strlen(text));
}

static void well_formed(void **state)
{
    (void)state;
    assert_true(mm_text_is_utf8("", 0));
    assert_true(mm_text_is_utf8("a\0b", 3));
    assert_true(is_utf8("\x7F"));
    assert_true(is_utf8("\xC2\x80\xDF\xBF"));
    assert_true(is_utf8("\xE0\xA0\x80\xED\x9F\xBF\xEE\x80\x80\xEF\xBF\xBF"));
    assert_true(is_utf8("\xF0\x90\x80\x80\xF4\x8F\xBF\xBF"));
}

static void malformed(void **state)
{
    static const char *const bad[] = {
        "\x80",
        "\xBF",
        "a\xFF",
        "\xFE",
        "\xC0\x80",
        "\xC1\xBF",
        "\xC2",
        "\xC2\x41",
        "\xC2\xC2",
        "\xE0\x9F\xBF",
        "\xE0\xA0",
        "\xE1\x80",
        "\xE1\x80\x41",
        "\xED\xA0\x80",
        "\xED\xBF\xBF",
        "\xF0\x8F\xBF\xBF",
        "\xF0\x90\x80",
        "\xF4\x90\x80\x80",
        "\xF5\x80\x80\x80",
        "\xF1\x80\x80\x41",
        "\xF1\x80\x41\x80",
        "ok\xE2\x82",
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (is_utf8(bad[i])) {
            fail_msg("sequence %zu is taken for UTF-8", i);
        }
    }
    /* The length is believed, not the bytes behind it. */
    assert_false(mm_text_is_utf8("\xC2\x80", 1));
}

/* All code points, in the one form that RFC 3629 gives them. */
static void every_code_point(void **state)
{
    uint32_t c;

    (void)state;
    for (c = 0; c <= 0x110000; c++) {
        unsigned char s[4];
        size_t len;

        if (c < 0x80) {
            s[0] = (unsigned char)c;
            len = 1;
        }
        else if (c < 0x800) {
            s[0] = (unsigned char)(0xC0 | c >> 6);
            len = 2;
        }
        else if (c < 0x10000) {
            s[0] = (unsigned char)(0xE0 | c >> 12);
            s[1] = (unsigned char)(0x80 | (c >> 6 & 0x3F));
            len = 3;
        }
        else {
            s[0] = (unsigned char)(0xF0 | c >> 18);
            s[1] = (unsigned char)(0x80 | (c >> 12 & 0x3F));
            s[2] = (unsigned char)(0x80 | (c >> 6 & 0x3F));
            len = 4;
        }
        if (len > 1) {
            s[len - 1] = (unsigned char)(0x80 | (c & 0x3F));
        }
        if (mm_text_is_utf8((const char *)s, len) != (c <= 0x10FFFF && !(c >= 0xD800 && c <= 0xDFFF))) {
            fail_msg("U+%04X is judged wrongly", (unsigned)c);
        }
    }
}

static bool is_type(const char *name)
{
    return mm_text_is_type_name(name, strlen(name));
}

static void type_names(void **state)
{
    (void)state;
    assert_true(is_type("a"));
    assert_true(is_type("datasets"));
    assert_true(is_type("a_1"));
    assert_true(is_type("abcdefghijklmnopqrstuvwxyz012345"));
    assert_false(is_type("abcdefghijklmnopqrstuvwxyz0123456"));
    assert_false(is_type(""));
    assert_false(is_type("1a"));
    assert_false(is_type("_a"));
    assert_false(is_type("Datasets"));
    assert_false(is_type("data-sets"));
    assert_false(is_type("data/sets"));
    assert_false(is_type("data.sets"));
    assert_false(is_type("data$sets"));
    assert_false(mm_text_is_type_name("data\0x", 6));
}

static void sizes(void **state)
{
    static const struct {
        const char *text;
        int64_t bytes;
    } right[] = {{"0", 0},
                 {"1048576", 1048576},
                 {"8K", 8192},
                 {"8k", 8192},
                 {"64M", INT64_C(64) << 20},
                 {"4g", INT64_C(4) << 30},
                 {"8589934591G", INT64_C(8589934591) << 30},
                 {"9223372036854775807", INT64_MAX}};
    static const char *const wrong[] = {"",     "K",   "-1",   "+1", " 1",    "1 ",          "1.5G",
                                        "8MB",  "8KK", "0x10", "8T", "1\x0b", "8589934592G", "9223372036854775808",
                                        "1\xcb"};
    int64_t bytes;

    (void)state;
    for (size_t i = 0; i < sizeof(right) / sizeof(right[0]); i++) {
        bytes = -1;
        assert_true(mm_text_size(&bytes, right[i].text));
        assert_true(bytes == right[i].bytes);
    }
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        bytes = -1;
        assert_false(mm_text_size(&bytes, wrong[i]));
        assert_true(bytes == -1);
    }
}

static void test_character(void **state)
{
    (void)state;
    assert_int_equal(mm_text_character(""), 0);
    assert_int_equal(mm_text_character("a"), 1);
    assert_int_equal(mm_text_character("\xC3\xBCx"), 2);
    assert_int_equal(mm_text_character("\xE2\x82\xAC"), 3);
    assert_int_equal(mm_text_character("\xF0\x9F\x98\x80"), 4);
    assert_int_equal(mm_text_character("\xF0\x9F\x98"), 0);
    assert_int_equal(mm_text_character("\xC3"), 0);
    assert_int_equal(mm_text_character("\xBC"), 0);
    assert_int_equal(mm_text_character("\xED\xA0\x80"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_character),   cmocka_unit_test(well_formed), cmocka_unit_test(malformed),
        cmocka_unit_test(every_code_point), cmocka_unit_test(type_names),  cmocka_unit_test(sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
