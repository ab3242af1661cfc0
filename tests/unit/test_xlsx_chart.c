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
            {.text = i % 2 ? "id" : "di"}, {.text = i == 0 ? name : NULL}, {.number = 7}, {.number = MM_CELL_NONE}};
        mm_xlsx_chart_row(chart, cells, &text);
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

/* The most used are found in any order of rows, and a resource with several rows is one. */
static void test_ranking_of_rows_in_another_order(void **state)
{
    static const mm_column_t columns[] = {TEXT("resource_type"), TEXT("resource_id"), TEXT("resource_name"),
                                          NUMBER("views"), NUMBER("downloads")};
    const mm_envelope_t envelope = {.columns = columns, .n_columns = 5};
    unit_t *unit = *state;
    mm_xlsx_chart_t *chart = mm_xlsx_chart_begin(&envelope, unit->pool);
    mm_xlsx_text_t text;

    mm_xlsx_text_init(&text, unit->pool);
    for (int i = 0; i < 100; i++) {
        const char *id = apr_psprintf(unit->pool, "d%d", i);
        const mm_cell_t cells[] = {{.text = "datasets"}, {.text = id}, {.text = ""}, {.number = i}, {.number = i % 2}};
        mm_xlsx_chart_row(chart, cells, &text);
        mm_xlsx_chart_row(chart, cells, &text);
    }
    const mm_cell_t other[] = {{.text = "files"}, {.text = "d99"}, {.text = ""}, {.number = 99}, {.number = 0}};
    mm_xlsx_chart_row(chart, other, &text);
    assert_int_equal(chart->n, MM_XLSX_RANKED);
    assert_string_equal(chart->points[0].label, "d99");
    assert_int_equal(chart->points[0].counts[1], 1);
    assert_string_equal(chart->points[1].label, "d99");
    assert_string_equal(chart->points[2].label, "d97");
    assert_string_equal(chart->points[3].label, "d98");
    assert_int_equal(chart->rest[0], 81 * 80 / 2);
    assert_int_equal(chart->rest[1], 40);
}

/* Two of what may be in a document do not add up to a number below zero. */
static void test_huge_counts(void **state)
{
    static const mm_column_t columns[] = {TEXT("resource_id"), TEXT("resource_name"), NUMBER("views"),
                                          NUMBER("downloads")};
    const mm_envelope_t envelope = {.columns = columns, .n_columns = 4};
    unit_t *unit = *state;
    mm_xlsx_chart_t *chart = mm_xlsx_chart_begin(&envelope, unit->pool);
    mm_xlsx_text_t text;

    mm_xlsx_text_init(&text, unit->pool);
    for (int i = 0; i < MM_XLSX_RANKED + 3; i++) {
        const mm_cell_t cells[] = {
            {.text = i % 2 ? "a" : "b"}, {.text = ""}, {.number = INT64_MAX}, {.number = INT64_MAX}};
        mm_xlsx_chart_row(chart, cells, &text);
    }
    assert_true(chart->rest[0] > 2.0 * (double)INT64_MAX);
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
    mm_xlsx_chart_row(chart, cells, &text);
    assert_string_equal(chart->points[0].label, "2026-01-31");
}

/* In a report of the site a day has a row for each type. */
static void test_a_day_of_several_types_is_one_point(void **state)
{
    static const mm_column_t columns[] = {
        {"day", MM_CELL_DAY, NULL, NULL}, TEXT("resource_type"), NUMBER("views"), NUMBER("downloads")};
    const mm_envelope_t envelope = {.columns = columns, .n_columns = 4};
    unit_t *unit = *state;
    mm_xlsx_chart_t *chart = mm_xlsx_chart_begin(&envelope, unit->pool);
    mm_xlsx_text_t text;

    mm_xlsx_text_init(&text, unit->pool);
    for (int i = 0; i < 2 * MM_XLSX_POINTS + 2; i++) {
        const mm_cell_t cells[] = {{.number = INT64_C(1769817600000) + i / 2 * INT64_C(86400000)},
                                   {.text = i % 2 ? "files" : "datasets"},
                                   {.number = 3},
                                   {.number = i % 2}};
        mm_xlsx_chart_row(chart, cells, &text);
    }
    assert_int_equal(chart->n, MM_XLSX_POINTS);
    assert_string_equal(chart->points[0].label, "2026-01-31");
    assert_string_equal(chart->points[1].label, "2026-02-01");
    for (size_t i = 0; i < chart->n; i++) {
        assert_int_equal(chart->points[i].counts[0], 6);
        assert_int_equal(chart->points[i].counts[1], 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_which_reports, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(test_ranking, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(test_ranking_of_rows_in_another_order, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(test_huge_counts, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(test_over_time, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(test_a_day_of_several_types_is_one_point, unit_setup, unit_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
