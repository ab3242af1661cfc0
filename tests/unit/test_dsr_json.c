/* The DSR as JSON, byte by byte. */
#include "unit_dsr.h"

static void test_json(void **state)
{
    fixture_t *fixture = dsr_make(*state, MONTH);
    mm_writer_t *writer = dsr_begin(fixture, MM_FORMAT_JSON);

    assert_int_equal(dsr_row(fixture, writer, "T", &both), APR_SUCCESS);
    assert_int_equal(dsr_row(fixture, writer, "", &none), APR_SUCCESS);
    assert_int_equal(dsr_row(fixture, writer, NULL, &machine), APR_SUCCESS);
    assert_int_equal(writer->ops->end(writer, &tail, &fixture->err), APR_SUCCESS);
    assert_string_equal(
        fixture->kept.data,
        "{\"report-header\":{\"report-name\":\"dataset report\",\"report-id\":\"dsr\",\"release\":\"rd1\",\n"
        "\"created\":\"2026-01-31T12:00:01Z\",\"created-by\":\"C\",\"reporting-period\":" PERIOD ",\n"
        "\"report-filters\":[{\"name\":\"begin-date\",\"value\":\"2024-02\"},{\"name\":\"end-date\",\"value\":\"2024-"
        "02\"}],\n\"report-attributes\":[],\n\"exceptions\":[]},\n\"report-datasets\":[\n"
        "{\"dataset-title\":\"T\",\"dataset-id\":[{\"type\":\"doi\",\"value\":\"10.5072/1\"}],\"platform\":\"P\","
        "\"publisher\":\"=U\",\"publisher-id\":[],\"data-type\":\"dataset\",\"performance\":[{\"period\":" PERIOD
        ",\"instance\":["
        "{\"metric-type\":\"total-dataset-investigations\",\"access-method\":\"regular\",\"count\":5},"
        "{\"metric-type\":\"total-dataset-requests\",\"access-method\":\"regular\",\"count\":1},"
        "{\"metric-type\":\"unique-dataset-investigations\",\"access-method\":\"regular\",\"count\":2},"
        "{\"metric-type\":\"total-dataset-investigations\",\"access-method\":\"machine\",\"count\":3},"
        "{\"metric-type\":\"total-dataset-requests\",\"access-method\":\"machine\",\"count\":2},"
        "{\"metric-type\":\"unique-dataset-investigations\",\"access-method\":\"machine\",\"count\":2},"
        "{\"metric-type\":\"unique-dataset-requests\",\"access-method\":\"machine\",\"count\":2}]}]},\n"
        "{\"dataset-title\":\"\",\"dataset-id\":[{\"type\":\"proprietary\",\"value\":\"m%FF\"}],\"platform\":\"P\","
        "\"publisher\":\"=U\",\"publisher-id\":[],\"data-type\":\"dataset\",\"performance\":[{\"period\":" PERIOD
        ",\"instance\":["
        "{\"metric-type\":\"total-dataset-investigations\",\"access-method\":\"machine\",\"count\":3},"
        "{\"metric-type\":\"unique-dataset-investigations\",\"access-method\":\"machine\",\"count\":1}]}]}\n]}\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_json, unit_setup, unit_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
