/* The sheet that says what was asked for. Its text is read back in tests/httpd/test_xlsx.py. */
#include "unit.h"

#include "report/xlsx.h"

static void test_sheet(void **state)
{
    unit_t *unit = *state;
    lxw_workbook *workbook = workbook_new(apr_pstrcat(unit->pool, unit->dir, "/x.xlsx", NULL));
    apr_array_header_t *given = apr_array_make(unit->pool, 1, sizeof(mm_given_t));
    mm_envelope_t envelope = {.since_ms = 0, .until_ms = MM_TIME_NONE, .given = given};
    mm_xlsx_text_t text;

    APR_ARRAY_PUSH(given, mm_given_t) = (mm_given_t){"limit", "7\xFF"};
    mm_xlsx_text_init(&text, unit->pool);
    assert_true(mm_xlsx_about(workbook, &envelope, 7, NULL, &text));
    lxw_worksheet *sheet = workbook_get_worksheet_by_name(workbook, "About");
    assert_non_null(sheet);
    assert_true(sheet->dim_rowmax > 6);
    assert_int_equal(sheet->dim_colmax, 1);
    lxw_workbook_free(workbook);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_sheet, unit_setup, unit_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
