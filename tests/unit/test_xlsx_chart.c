/* What charts are drawn from: which reports have any, the first rows, and what the others come to. */
#include "unit.h"

#include "report/xlsx.h"

#define TEXT(name)                                                                                                     \
    {                                                                                                                  \
        name, MM_CELL_TEXT, NULL, NULL                                                                                 \
    }
#define NUMBER(name)                                                                                                   \
    {                                                                                                                  \
        name, MM_CELL_INT, NULL, NULL                                                                                  \
    }

static void test_which_reports(void **state)
{
    static const mm_column_t totals[] = {TEXT("resource_id"), TEXT("resource_name"), NUMBER("views"),
                                         NUMBER("downloads")};
    static const mm_column_t users[] = {TEXT("resource_id"), TEXT("user_id"), NUMBER("views"), NUMBER("downloads")};
    static const mm_column_t days[] = {TEXT("day"), NUMBER("views"), NUMBER("downloads")};
    mm_envelope_t envelope = {.columns = totals, .n_columns = 4};
    unit_t *unit = *state;

    assert_int_equal(mm_xlsx_chart_begin(&envelope, unit->pool)->is_over_time, 0);
    envelope.n_columns = 3;
    assert_null(mm_xlsx_chart_begin(&envelope, unit->pool));
    envelope = (mm_envelope_t){.columns = users, .n_columns = 4};
    assert_null(mm_xlsx_chart_begin(&envelope, unit->pool));
    envelope = (mm_envelope_t){.columns = days, .n_columns = 3};
    assert_int_equal(mm_xlsx_chart_begin(&envelope, unit->pool)->is_over_time, 1);
}

static void test_ranking(void **state)
{
    static const mm_column_t columns[] = {TEXT("resource_id"), TEXT("resource_name"), NUMBER("views"),
                                          NUMBER("downloads")};
    const mm_envelope_t envelope = {.columns = columns, .n_columns = 4};
    unit_t *unit = *state;
    mm_xlsx_chart_t *chart = mm_xlsx_chart_begin(&envelope, unit->pool);
    mm_xlsx_text_t text;
    char name[64];

    mm_xlsx_text_init(&text, unit->pool);
    memset(name, 'n', 59);
    memcpy(name + 59, "\xC3\xBC", 3);
    for (int i = 0; i < MM_XLSX_RANKED + 2; i++) {
        const mm_cell_t cells[] = {
            {.text = "id"}, {.text = i == 0 ? name : NULL}, {.number = 7}, {.number = MM_CELL_NONE}};
        mm_xlsx_chart_row(chart, cells, &text, unit->pool);
    }
    assert_int_equal(chart->n, MM_XLSX_RANKED);
    name[59] = '\0';
    assert_string_equal(chart->points[0].label, name);
    assert_string_equal(chart->points[1].label, "id");
    assert_int_equal(chart->points[1].counts[0], 7);
    assert_int_equal(chart->points[1].counts[1], 0);
    assert_int_equal(chart->rest[0], 14);
    assert_int_equal(chart->rest[1], 0);
}

static void test_over_time(void **state)
{
    static const mm_column_t columns[] = {{"month", MM_CELL_TIME, NULL, NULL}, NUMBER("views"), NUMBER("downloads")};
    const mm_envelope_t envelope = {.columns = columns, .n_columns = 3};
    const mm_cell_t cells[] = {{.number = INT64_C(1769860800000)}, {.number = 1}, {.number = 2}};
    unit_t *unit = *state;
    mm_xlsx_chart_t *chart = mm_xlsx_chart_begin(&envelope, unit->pool);
    mm_xlsx_text_t text;

    mm_xlsx_text_init(&text, unit->pool);
    mm_xlsx_chart_row(chart, cells, &text, unit->pool);
    assert_string_equal(chart->points[0].label, "2026-01-31");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_which_reports, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(test_ranking, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(test_over_time, unit_setup, unit_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
