/* From a format to its writer: by what each of them begins with. */
#include "unit.h"

#include "report/writer.h"

static apr_status_t keep(void *baton, const char *data, size_t len)
{
    strncat(baton, data, len);
    return APR_SUCCESS;
}

static void assert_begins(unit_t *unit, mm_format_t format, const char *expected)
{
    static const mm_column_t columns[] = {{"a", MM_CELL_TEXT, NULL, NULL}, {"b", MM_CELL_TEXT, NULL, NULL}};
    const mm_envelope_t envelope = {.columns = columns, .n_columns = 2};
    const mm_cell_t cells[] = {{.text = "=x"}, {.text = "y"}};
    const mm_route_t route = {.raw = 1, .bom = 1};
    const mm_temp_t temp = {NULL, 0};
    char kept[512] = "";
    mm_writer_t *writer = mm_writer_make(&route, format, &temp, keep, kept, unit->pool);
    mm_err_t err;

    assert_int_equal(writer->ops->begin(writer, &envelope, &err), APR_SUCCESS);
    assert_int_equal(writer->ops->row(writer, cells, &err), APR_SUCCESS);
    assert_int_equal(writer->ops->flush(writer, &err), APR_SUCCESS);
    kept[strlen(expected)] = '\0';
    assert_string_equal(kept, expected);
}

static void test_each_format(void **state)
{
    assert_begins(*state, MM_FORMAT_CSV,
                  "\xEF\xBB\xBF"
                  "a,b\r\n=x,y");
    assert_begins(*state, MM_FORMAT_ANY,
                  "\xEF\xBB\xBF"
                  "a,b\r\n=x,y");
    assert_begins(*state, MM_FORMAT_TSV,
                  "\xEF\xBB\xBF"
                  "a\tb\r\n=x\ty");
    assert_begins(*state, MM_FORMAT_JSON, "{\"generated\"");
    assert_begins(*state, MM_FORMAT_NDJSON, "{\"a\":\"=x\",\"b\":\"y\"}\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_each_format, unit_setup, unit_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
