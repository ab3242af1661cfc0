/* CSV cells: what is written for which bytes, and that a sink's failure ends all writing. */
#include "unit_sink.h"

#include "count/delta.h"
#include "report/csv.h"

/* The line that cell makes of text, without its CRLF. */
static const char *line_of(kept_t *out, mm_csv_t *csv)
{
    mm_csv_end_row(csv);
    assert_int_equal(mm_csv_flush(csv), APR_SUCCESS);
    assert_true(out->len >= 2);
    assert_string_equal(out->data + out->len - 2, "\r\n");
    out->data[out->len - 2] = '\0';
    return out->data;
}

/* Nothing is kept yet. */
static void begin(mm_csv_t *csv, kept_t *out, int raw)
{
    *out = (kept_t){.len = 0};
    mm_csv_init(csv, keep, out, ',', raw);
}

static void assert_text(const char *text, int raw, const char *expected)
{
    static kept_t out;
    mm_csv_t csv;

    begin(&csv, &out, raw);
    mm_csv_text(&csv, text);
    assert_string_equal(line_of(&out, &csv), expected);
}

static void test_plain(void **state)
{
    (void)state;
    assert_text("abc", 0, "abc");
    assert_text("with space; and 'this'", 0, "with space; and 'this'");
    assert_text("10.5072/FK2=x", 0, "10.5072/FK2=x");
}

static void test_quotes_where_they_must_be(void **state)
{
    (void)state;
    assert_text("a,b", 0, "\"a,b\"");
    assert_text("a\"b", 0, "\"a\"\"b\"");
    assert_text("a\nb", 0, "\"a\nb\"");
    assert_text("a\rb", 0, "\"a\rb\"");
    assert_text("\"", 0, "\"\"\"\"");
    assert_text("a\tb", 0, "a\tb");
}

static void test_formulas(void **state)
{
    (void)state;
    assert_text("=1+1", 0, "'=1+1");
    assert_text("+49", 0, "'+49");
    assert_text("-1", 0, "'-1");
    assert_text("@SUM(A1)", 0, "'@SUM(A1)");
    assert_text("\tx", 0, "'\tx");
    assert_text("\rx", 0, "\"'\rx\"");
    assert_text("=HYPERLINK(\"http://x\",\"y\")", 0, "\"'=HYPERLINK(\"\"http://x\"\",\"\"y\"\")\"");
    assert_text("=", 0, "'=");
    assert_text(" =1", 0, " =1");
    assert_text("'=1", 0, "'=1");
}

/* In much of Europe a spreadsheet splits a CSV at semicolons, whatever quotes stand within its cells. */
static void test_formulas_of_other_separators(void **state)
{
    (void)state;
    assert_text("x;=1+1;y", 0, "x;'=1+1;y");
    assert_text("x;;@A;+1;-1", 0, "x;;'@A;'+1;'-1");
    assert_text("x;\"=2;", 0, "\"x;\"\"'=2;\"");
    assert_text("x\r\n=3", 0, "\"x\r\n'=3\"");
    assert_text("x\t=4", 0, "x\t'=4");
    assert_text(";=5", 0, ";'=5");
    assert_text("x;\xC3\xBC=6", 0, "x;\xC3\xBC=6");
    assert_text("x;\xFC=7", 0, "x;%FC=7");
    assert_text("x; =8;y=9,=10", 0, "\"x; =8;y=9,=10\"");
    assert_text("x;", 0, "x;");
}

static void test_raw_leaves_formulas(void **state)
{
    (void)state;
    assert_text("x;=1+1", 1, "x;=1+1");
    assert_text("=1+1", 1, "=1+1");
    assert_text("=1,1", 1, "\"=1,1\"");
    assert_text("\rx", 1, "\"\rx\"");
    assert_text("a\xFF", 1, "a%FF");
}

static void test_bytes_that_are_not_utf8(void **state)
{
    (void)state;
    assert_text("Z\xC3\xBCrich \xE2\x82\xAC \xF0\x9F\x98\x80", 0, "Z\xC3\xBCrich \xE2\x82\xAC \xF0\x9F\x98\x80");
    assert_text("\xFC", 0, "%FC");
    assert_text("Z\xFCrich", 0, "Z%FCrich");
    assert_text("\xC3", 0, "%C3");
    assert_text("\xE2\x82", 0, "%E2%82");
    assert_text("\xE2\x82x", 0, "%E2%82x");
    assert_text("\xC0\xAF", 0, "%C0%AF");               /* overlong */
    assert_text("\xED\xA0\x80", 0, "%ED%A0%80");        /* surrogate */
    assert_text("\xF4\x90\x80\x80", 0, "%F4%90%80%80"); /* beyond U+10FFFF */
    assert_text("\xC3\"", 0, "\"%C3\"\"\"");
    assert_text("\x80\xC3\xBC", 0, "%80\xC3\xBC");
}

static void test_lone_empty_cell_is_seen(void **state)
{
    (void)state;
    assert_text("", 0, "\"\"");
    assert_text(NULL, 0, "\"\"");
}

static void test_rows_and_numbers(void **state)
{
    static kept_t out;
    mm_csv_t csv;

    (void)state;
    begin(&csv, &out, 0);
    mm_csv_bom(&csv);
    mm_csv_text(&csv, "");
    mm_csv_text(&csv, "");
    mm_csv_end_row(&csv);
    mm_csv_int(&csv, 0);
    mm_csv_int(&csv, INT64_MAX);
    mm_csv_int(&csv, INT64_MIN);
    mm_csv_int(&csv, -5);
    mm_csv_end_row(&csv);
    mm_csv_time(&csv, MM_TIME_NONE);
    mm_csv_end_row(&csv);
    assert_int_equal(out.calls, 0);
    assert_string_equal(line_of(&out, &csv), "\xEF\xBB\xBF,\r\n"
                                             "0,9223372036854775807,-9223372036854775808,-5\r\n"
                                             "\"\"\r\n");
}

static void test_bom_leaves_a_lone_empty_cell(void **state)
{
    static kept_t out;
    mm_csv_t csv;

    (void)state;
    begin(&csv, &out, 0);
    mm_csv_bom(&csv);
    mm_csv_text(&csv, "");
    assert_string_equal(line_of(&out, &csv), "\xEF\xBB\xBF\"\"");
}

static void assert_time(int64_t ms, const char *expected)
{
    static kept_t out;
    mm_csv_t csv;

    begin(&csv, &out, 0);
    mm_csv_text(&csv, "t");
    mm_csv_time(&csv, ms);
    assert_string_equal(line_of(&out, &csv) + 2, expected);
}

static void test_times(void **state)
{
    (void)state;
    assert_time(0, "1970-01-01 00:00:00");
    assert_time(999, "1970-01-01 00:00:00");
    assert_time(1000, "1970-01-01 00:00:01");
    assert_time(-1, "1969-12-31 23:59:59");
    assert_time(-1000, "1969-12-31 23:59:59");
    assert_time(-1001, "1969-12-31 23:59:58");
    assert_time(INT64_C(951782400000), "2000-02-29 00:00:00");
    assert_time(INT64_C(1769860800123), "2026-01-31 12:00:00");
    assert_time(INT64_C(-2208988800000), "1900-01-01 00:00:00");
    assert_time(INT64_C(253402300799999), "9999-12-31 23:59:59");
    assert_time(INT64_C(253402300800000), "");
    assert_time(INT64_C(-62167219200000), "0000-01-01 00:00:00");
    assert_time(INT64_C(-62167219200001), "");
    assert_time(INT64_MAX, "");
    assert_time(INT64_MIN, "");
}

static void assert_join(const char *const *pieces, size_t n, const char *expected)
{
    static kept_t out;
    mm_csv_t csv;

    begin(&csv, &out, 0);
    mm_csv_join(&csv, pieces, n, "; ");
    assert_string_equal(line_of(&out, &csv), expected);
}

static void test_join(void **state)
{
    (void)state;
    assert_join(NULL, 0, "\"\"");
    assert_join((const char *const[]){"a"}, 1, "a");
    assert_join((const char *const[]){"a", "b", "c"}, 3, "a; b; c");
    assert_join((const char *const[]){"a", "=b"}, 2, "a; =b");
    assert_join((const char *const[]){"=a", "b"}, 2, "'=a; b");
    assert_join((const char *const[]){"", "=b"}, 2, "; =b");
    assert_join((const char *const[]){"a", "b\"c,"}, 2, "\"a; b\"\"c,\"");
    assert_join((const char *const[]){"a", NULL, "\xFF"}, 3, "a; ; %FF");
}

/* A piece that ends within a character must not become one with the next. */
static void test_join_without_separator(void **state)
{
    static kept_t out;
    mm_csv_t csv;

    (void)state;
    begin(&csv, &out, 0);
    mm_csv_join(&csv, (const char *const[]){"", "=\xC3", "\xBC"}, 3, "");
    assert_string_equal(line_of(&out, &csv), "'=%C3%BC");
}

static void test_more_than_the_buffer(void **state)
{
    static kept_t out;
    static char long_text[20001];
    mm_csv_t csv;

    (void)state;
    memset(long_text, 'x', sizeof(long_text) - 1);
    long_text[10000] = '"';
    begin(&csv, &out, 0);
    mm_csv_text(&csv, long_text);
    mm_csv_text(&csv, "end");
    assert_true(out.calls >= 2);
    const char *line = line_of(&out, &csv);
    assert_int_equal(strlen(line), 20000 + 3 + 4);
    assert_memory_equal(line + 10000, "x\"\"x", 4);
    assert_string_equal(line + 20003, ",end");
    for (size_t i = 1; i < 20002; i++) {
        assert_true(line[i] == 'x' || i == 10001 || i == 10002);
    }
}

static void test_failure_of_the_sink_stays(void **state)
{
    static kept_t out;
    static char long_text[20001];
    mm_csv_t csv;

    (void)state;
    memset(long_text, 'x', sizeof(long_text) - 1);
    out.fail_at = 2;
    mm_csv_init(&csv, keep, &out, ',', 0);
    mm_csv_text(&csv, long_text);
    mm_csv_text(&csv, long_text);
    mm_csv_end_row(&csv);
    assert_int_equal(csv.out.status, APR_ECONNABORTED);
    assert_int_equal(mm_csv_flush(&csv), APR_ECONNABORTED);
    assert_int_equal(mm_csv_flush(&csv), APR_ECONNABORTED);
    assert_int_equal(out.calls, 2);
    assert_int_equal(out.len, sizeof(csv.out.buffer));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),
        cmocka_unit_test(test_quotes_where_they_must_be),
        cmocka_unit_test(test_formulas),
        cmocka_unit_test(test_formulas_of_other_separators),
        cmocka_unit_test(test_raw_leaves_formulas),
        cmocka_unit_test(test_bytes_that_are_not_utf8),
        cmocka_unit_test(test_lone_empty_cell_is_seen),
        cmocka_unit_test(test_rows_and_numbers),
        cmocka_unit_test(test_bom_leaves_a_lone_empty_cell),
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_join),
        cmocka_unit_test(test_join_without_separator),
        cmocka_unit_test(test_more_than_the_buffer),
        cmocka_unit_test(test_failure_of_the_sink_stays),
    };

    return cmocka_run_group_tests(tests, unit_setup, unit_teardown);
}
