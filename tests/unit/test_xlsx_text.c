/* Texts and times as cells of a spreadsheet. */
#include "unit.h"

#include "report/xlsx.h"

static void test_texts(void **state)
{
    static const struct {
        const char *text, *cell;
    } texts[] = {{"", ""},
                 {"=1+1 <&> \t\r\n", "=1+1 <&> \t\r\n"},
                 {"Z\xC3\xBC \xF0\x9F\x98\x80", "Z\xC3\xBC \xF0\x9F\x98\x80"},
                 {"\xFC\xE2\x82", "%FC%E2%82"},
                 {"\xEF\xBF\xBD\xEF\xBF\xBE\xEF\xBF\xBF", "\xEF\xBF\xBD%EF%BF%BE%EF%BF%BF"}};
    unit_t *unit = *state;
    mm_xlsx_text_t cell;

    mm_xlsx_text_init(&cell, unit->pool);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        mm_xlsx_text_reset(&cell);
        mm_xlsx_text_add(&cell, texts[i].text);
        assert_string_equal(cell.text, texts[i].cell);
    }
    mm_xlsx_text_reset(&cell);
    mm_xlsx_text_add(&cell, NULL);
    mm_xlsx_text_add(&cell, "a");
    mm_xlsx_text_add(&cell, "b");
    assert_string_equal(cell.text, "ab");
}

static void test_cut_at_the_limit(void **state)
{
    unit_t *unit = *state;
    mm_xlsx_text_t cell;
    char *plain = apr_palloc(unit->pool, MM_XLSX_TEXT_MAX + 2);

    memset(plain, 'x', MM_XLSX_TEXT_MAX + 1);
    plain[MM_XLSX_TEXT_MAX + 1] = '\0';
    mm_xlsx_text_init(&cell, unit->pool);
    mm_xlsx_text_add(&cell, plain);
    mm_xlsx_text_add(&cell, "y");
    assert_int_equal(strlen(cell.text), MM_XLSX_TEXT_MAX);
    assert_int_equal(cell.text[MM_XLSX_TEXT_MAX - 1], 'x');

    /* What needs two units does not fit where one is left, and nothing stands in its place. */
    mm_xlsx_text_reset(&cell);
    mm_xlsx_text_add(&cell, plain + 2);
    mm_xlsx_text_add(&cell, "\xF0\x9F\x98\x80z");
    assert_int_equal(strlen(cell.text), MM_XLSX_TEXT_MAX - 1);

    mm_xlsx_text_reset(&cell);
    for (int i = 0; i < MM_XLSX_TEXT_MAX; i++) {
        mm_xlsx_text_add(&cell, "\xE2\x82\xAC");
    }
    mm_xlsx_text_add(&cell, "\xFF");
    assert_int_equal(strlen(cell.text), 3 * MM_XLSX_TEXT_MAX);
}

static void assert_date(int64_t ms, bool fits, double expected)
{
    double date;

    assert_true(mm_xlsx_date(&date, ms) == fits);
    if (fits) {
        assert_true(date > expected - 1e-9 && date < expected + 1e-9);
    }
}

static void test_dates(void **state)
{
    (void)state;
    assert_date(0, true, 25569);
    assert_date(INT64_C(1769860800999), true, 46053.5); /* 2026-01-31 12:00:00 */
    assert_date(-1, true, 25569 - 1.0 / 86400);
    assert_date(INT64_C(-25508) * 86400000, true, 61);
    assert_date(INT64_C(-25508) * 86400000 - 1, false, 0);
    assert_date(INT64_C(253402300799999), true, 2958465 + 86399.0 / 86400);
    assert_date(INT64_C(253402300800000), false, 0);
    assert_date(MM_TIME_NONE, false, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_texts, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(test_cut_at_the_limit, unit_setup, unit_teardown),
        cmocka_unit_test(test_dates),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
