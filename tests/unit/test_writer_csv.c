/* The writer of CSV: each kind of cell, cells that have nothing in them, and a sink that fails. */
#include "unit_sink.h"

#include "report/writer.h"

static const mm_column_t columns[] = {{"name", MM_CELL_TEXT, NULL, NULL},
                                      {"views", MM_CELL_INT, NULL, NULL},
                                      {"last", MM_CELL_TIME, NULL, NULL},
                                      {"parent_id", MM_CELL_TEXTS, "parents", "id"}};
static const mm_envelope_t envelope = {.columns = columns, .n_columns = 4};
static const mm_tail_t tail = {-1};

static void write_report(mm_writer_t *writer)
{
    static const char *const parents[] = {"c1", "c2"};
    const mm_cell_t full[] = {{.text = "=1"}, {.number = -5}, {.number = 1000}, {.pieces = {parents, 2}}};
    const mm_cell_t bare[] = {
        {.text = NULL}, {.number = MM_CELL_NONE}, {.number = MM_TIME_NONE}, {.pieces = {NULL, 0}}};
    mm_err_t err;

    assert_int_equal(writer->ops->begin(writer, &envelope, &err), APR_SUCCESS);
    assert_int_equal(writer->ops->row(writer, full, &err), APR_SUCCESS);
    assert_int_equal(writer->ops->flush(writer, &err), APR_SUCCESS);
    assert_int_equal(writer->ops->row(writer, bare, &err), APR_SUCCESS);
    assert_int_equal(writer->ops->end(writer, &tail, &err), APR_SUCCESS);
}

static void test_every_kind_of_cell(void **state)
{
    unit_t *unit = *state;
    kept_t out = {.len = 0};

    write_report(mm_writer_csv(keep, &out, ',', 0, 0, unit->pool));
    assert_string_equal(out.data, "name,views,last,parent_id\r\n'=1,-5,1970-01-01 00:00:01,c1; c2\r\n,,,\r\n");
}

static void test_raw_and_a_byte_order_mark(void **state)
{
    unit_t *unit = *state;
    kept_t out = {.len = 0};

    write_report(mm_writer_csv(keep, &out, ',', 1, 1, unit->pool));
    assert_string_equal(out.data,
                        "\xEF\xBB\xBFname,views,last,parent_id\r\n=1,-5,1970-01-01 00:00:01,c1; c2\r\n,,,\r\n");
}

static void test_sink_fails(void **state)
{
    unit_t *unit = *state;
    kept_t out = {.status = APR_ECONNABORTED};
    mm_writer_t *writer = mm_writer_csv(keep, &out, ',', 0, 0, unit->pool);
    mm_err_t err = {0};

    assert_int_equal(writer->ops->begin(writer, &envelope, &err), APR_SUCCESS);
    assert_int_equal(writer->ops->flush(writer, &err), APR_ECONNABORTED);
    assert_non_null(strstr(err.text, "could not be sent"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_every_kind_of_cell, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(test_raw_and_a_byte_order_mark, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(test_sink_fails, unit_setup, unit_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
