/* Files of patterns: what is one, where it stands, and what is no list. */
#include "unit.h"

#include "agents/pattern_file.h"

static apr_array_header_t *parse(unit_t *unit, const char *text, size_t len)
{
    apr_array_header_t *patterns = apr_array_make(unit->pool, 2, sizeof(mm_pattern_t));
    mm_err_t err;

    if (mm_pattern_file_parse(patterns, text, len, "list", unit->pool, &err) != APR_SUCCESS) {
        fail_msg("%s", err.text);
    }
    return patterns;
}

static void assert_holds(const apr_array_header_t *patterns, int i, const char *text, const char *where)
{
    assert_true(i < patterns->nelts);
    assert_string_equal(APR_ARRAY_IDX(patterns, i, mm_pattern_t).text, text);
    assert_string_equal(APR_ARRAY_IDX(patterns, i, mm_pattern_t).where, where);
}

static void assert_refused(unit_t *unit, const char *text, size_t len, const char *told)
{
    apr_array_header_t *patterns = apr_array_make(unit->pool, 2, sizeof(mm_pattern_t));
    mm_err_t err = {0};

    assert_int_equal(mm_pattern_file_parse(patterns, text, len, "list", unit->pool, &err), APR_EINVAL);
    if (!strstr(err.text, told) || !strstr(err.text, "list")) {
        fail_msg("\"%s\" says nothing of \"%s\"", err.text, told);
    }
}

#define PARSE(unit, text)         parse(unit, text, sizeof(text) - 1)
#define REFUSED(unit, text, told) assert_refused(unit, text, sizeof(text) - 1, told)

static void test_one_pattern_a_line(void **state)
{
    apr_array_header_t *patterns = PARSE(*state, "# robots\n\nbot\n  spider\t\n#x\n[^a]fish\nDTS Agent");

    assert_int_equal(patterns->nelts, 4);
    assert_holds(patterns, 0, "bot", "list line 3");
    assert_holds(patterns, 1, "spider", "list line 4");
    assert_holds(patterns, 2, "[^a]fish", "list line 6");
    assert_holds(patterns, 3, "DTS Agent", "list line 7");
}

static void test_what_editors_leave(void **state)
{
    apr_array_header_t *patterns = PARSE(*state, "\xEF\xBB\xBF"
                                                 "bot\r\n\r\n\r\nspider#2\r\n");

    assert_int_equal(patterns->nelts, 2);
    assert_holds(patterns, 0, "bot", "list line 1");
    assert_holds(patterns, 1, "spider#2", "list line 4");
}

static void test_json_of_counter(void **state)
{
    apr_array_header_t *patterns = PARSE(*state, " \n[\n {\"pattern\": \"bot\", \"last_changed\": \"2017-08-08\"},\n"
                                                 "{\"url\": 1, \"pattern\": \"^Buck\\\\/[0-9]\"}]\n");

    assert_int_equal(patterns->nelts, 2);
    assert_holds(patterns, 0, "bot", "list entry 1");
    assert_holds(patterns, 1, "^Buck\\/[0-9]", "list entry 2");
}

static void test_a_class_is_no_json(void **state)
{
    apr_array_header_t *patterns = PARSE(*state, "[a{]x\n[\"]y\n");

    assert_int_equal(patterns->nelts, 2);
    assert_holds(patterns, 0, "[a{]x", "list line 1");
}

static void test_what_is_no_list(void **state)
{
    REFUSED(*state, "", "no pattern");
    REFUSED(*state, "# nothing\n \n", "no pattern");
    REFUSED(*state, "bot\0spider\n", "zero byte");
    REFUSED(*state, "[{\"pattern\": \"bot\"}", "none");
    REFUSED(*state, "[{\"patterns\": \"bot\"}]", "entry 1");
    REFUSED(*state, "[{\"pattern\": \"bot\"}, {\"pattern\": 1}]", "entry 2");
    REFUSED(*state, "[{\"pattern\": \"bot\"}, \"x\"]", "entry 2");
    REFUSED(*state, "[{\"pattern\": \"\"}]", "empty");
    REFUSED(*state, "[{\"pattern\": \"a\\u0000b\"}]", "zero byte");
}

static void test_limits(void **state)
{
    unit_t *unit = *state;
    size_t room = (size_t)MM_PATTERN_FILE_MAX + 1;
    char *text = apr_palloc(unit->pool, room);

    memset(text, 'x', room);
    assert_refused(unit, text, room, "1 MiB");
    for (size_t i = 1; i < room; i += 2) {
        text[i] = '\n';
    }
    assert_int_equal(parse(unit, text, (size_t)MM_PATTERN_FILE_LINES * 2)->nelts, MM_PATTERN_FILE_LINES);
    assert_refused(unit, text, (size_t)MM_PATTERN_FILE_LINES * 2 + 1, "more than 10000");
}

static void test_files_add_up(void **state)
{
    unit_t *unit = *state;
    apr_array_header_t *patterns = PARSE(unit, "one\n");
    const char *path = apr_pstrcat(unit->pool, unit->dir, "/list.txt", NULL);
    mm_err_t err;
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    fputs("two\n", file);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(mm_pattern_file_read(patterns, path, unit->pool, &err), APR_SUCCESS);
    assert_int_equal(patterns->nelts, 2);
    assert_holds(patterns, 1, "two", apr_pstrcat(unit->pool, path, " line 1", NULL));
    assert_int_not_equal(mm_pattern_file_read(patterns, unit->dir, unit->pool, &err), APR_SUCCESS);
    assert_int_not_equal(mm_pattern_file_read(patterns, "/no/such/list", unit->pool, &err), APR_SUCCESS);
    assert_non_null(strstr(err.text, "/no/such/list"));
    /* An empty file is no list, also behind one that is. */
    assert_int_equal(truncate(path, 0), 0);
    assert_int_equal(mm_pattern_file_read(patterns, path, unit->pool, &err), APR_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_pattern_a_line), cmocka_unit_test(test_what_editors_leave),
        cmocka_unit_test(test_json_of_counter),    cmocka_unit_test(test_a_class_is_no_json),
        cmocka_unit_test(test_what_is_no_list),    cmocka_unit_test(test_limits),
        cmocka_unit_test(test_files_add_up),
    };

    return cmocka_run_group_tests(tests, unit_setup, unit_teardown);
}
