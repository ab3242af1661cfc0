/* The DSR in its tabular form, byte by byte. */
#include "unit_dsr.h"

#define TABLE                                                                                                          \
    "Dataset_Title\tPublisher\tPublisher_ID\tDOI\tOther_ID\tURI\tAccess_Method\tMetric_Type\tReporting_Period_Total\t" \
    "Feb-2024\r\n"

static void test_tabular(void **state)
{
    fixture_t *fixture = dsr_make(*state, MONTH "-28&metric_type=Total_Dataset_Requests&x=1");
    mm_writer_t *writer = dsr_begin(fixture, MM_FORMAT_TSV);

    assert_int_equal(dsr_row(fixture, writer, "T", &both), APR_SUCCESS);
    assert_int_equal(writer->ops->end(writer, &tail, &fixture->err), APR_SUCCESS);
    assert_string_equal(
        fixture->kept.data,
        "Report_Name\tDataset Master Report\r\nReport_ID\tDSR\r\nRelease\tRD1\r\n"
        "Metric_Types\tTotal_Dataset_Requests\r\n"
        "Report_Filters\tbegin-date=2024-02; end-date=2024-02-28; metric-type=Total_Dataset_Requests\r\n"
        "Report_Attributes\t\r\n"
        "Exceptions\t3050: Parameter Not Recognized in this Context\r\n"
        "Reporting_Period\t2024-02-01 to 2024-02-28\r\nCreated\t2026-01-31\r\nCreated_By\tC\r\n"
        "\r\n" TABLE "T\t'=U\t\t10.5072/1\t\t\tRegular\tTotal_Dataset_Requests\t1\t1\r\n"
        "T\t'=U\t\t10.5072/1\t\t\tMachine\tTotal_Dataset_Requests\t2\t2\r\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_tabular, unit_setup, unit_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
