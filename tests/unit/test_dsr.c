/* When the top of a DSR is written, and what ends it. */
#include "unit_dsr.h"

static void test_the_top_waits_for_what_it_tells(void **state)
{
    fixture_t *fixture = dsr_make(*state, MONTH);
    mm_writer_t *writer = dsr_begin(fixture, MM_FORMAT_JSON);

    assert_int_equal(dsr_row(fixture, writer, "", &none), APR_SUCCESS);
    assert_int_equal(writer->ops->flush(writer, &fixture->err), APR_SUCCESS);
    assert_int_equal(fixture->kept.len, 0);
    assert_int_equal(writer->ops->end(writer, &tail, &fixture->err), APR_SUCCESS);
    assert_non_null(strstr(fixture->kept.data, "\"code\":3030,\"severity\":\"error\""));
    assert_non_null(strstr(fixture->kept.data, "\"report-datasets\":[]}\n"));
}

static void test_a_month_to_come_needs_no_second_word(void **state)
{
    fixture_t *fixture = dsr_make(*state, "begin_date=2026-02&end_date=2026-02");
    mm_writer_t *writer = dsr_begin(fixture, MM_FORMAT_JSON);

    assert_int_equal(writer->ops->end(writer, &tail, &fixture->err), APR_SUCCESS);
    assert_non_null(strstr(fixture->kept.data, "\"code\":3031"));
    assert_null(strstr(fixture->kept.data, "3030"));
}

/* Counts that no repository has, but that a document can hold. */
static void test_a_sum_does_not_turn_over(void **state)
{
    static const mm_use_t huge = {.id = "h", .views = INT64_MAX, .downloads = INT64_MAX, .machine_views = 1};
    fixture_t *fixture = dsr_make(*state, MONTH "&metric_type=Total_Dataset_Investigations&access_method=Regular");
    mm_writer_t *writer = dsr_begin(fixture, MM_FORMAT_JSON);

    assert_int_equal(dsr_row(fixture, writer, "", &huge), APR_SUCCESS);
    assert_int_equal(writer->ops->end(writer, &tail, &fixture->err), APR_SUCCESS);
    assert_non_null(strstr(fixture->kept.data, "\"count\":9223372036854775806}"));
}

static void test_sink_fails(void **state)
{
    fixture_t *fixture = dsr_make(*state, MONTH);
    mm_writer_t *writer = dsr_begin(fixture, MM_FORMAT_JSON);

    fixture->kept.status = APR_ECONNABORTED;
    assert_int_equal(dsr_row(fixture, writer, "T", &both), APR_SUCCESS);
    assert_int_equal(writer->ops->flush(writer, &fixture->err), APR_ECONNABORTED);
    assert_non_null(strstr(fixture->err.text, "could not be sent"));
}

static void test_columns_that_are_missing(void **state)
{
    fixture_t *fixture = dsr_make(*state, MONTH);
    mm_writer_t *writer =
        mm_dsr_writer(&names, &fixture->sushi, MM_FORMAT_JSON, keep, &fixture->kept, fixture->unit->pool);

    fixture->envelope.n_columns--;
    assert_int_equal(writer->ops->begin(writer, &fixture->envelope, &fixture->err), APR_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_the_top_waits_for_what_it_tells, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(test_a_month_to_come_needs_no_second_word, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(test_a_sum_does_not_turn_over, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(test_sink_fails, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(test_columns_that_are_missing, unit_setup, unit_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
