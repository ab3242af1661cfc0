/* SUSHI: what a harvester may ask for, and what becomes of words nobody knows. */
#include "unit_sushi.h"

#include "route/params.h"

static void test_paths(void **state)
{
    static const struct {
        const char *path;
        int status;
    } paths[] = {{"/counter/status", 0},
                 {"/counter/reports", 0},
                 {DSR, 400},
                 {"/counter/reports/DSR", 400},
                 {"/counter/reports/Dsr", 404},
                 {"/counter", 404},
                 {"/counter/", 404},
                 {"/counter/reports/", 404},
                 {DSR "/", 404}};

    (void)state;
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        assert_true(mm_sushi_is_path(paths[i].path));
        assert_int_equal(mm_sushi_parse(&sushi, paths[i].path, "a=b", NOW_MS, unit->pool), paths[i].status);
    }
    assert_false(mm_sushi_is_path(""));
    assert_false(mm_sushi_is_path("/counters"));
    assert_false(mm_sushi_is_path("/datasets"));
    assert_true(mm_route_type_is_reserved("counter"));
}

#define MONTH "begin_date=2024-02&end_date=2024-02"

static void test_filters(void **state)
{
    (void)state;
    assert_int_equal(parse(MONTH), 0);
    assert_int_equal(sushi.methods, MM_SUSHI_METHODS);
    assert_int_equal(sushi.metrics, MM_SUSHI_METRICS);
    assert_null(sushi.dataset_ids);
    assert_int_equal(parse(MONTH "&access_method=machine&metric_type=unique-dataset-requests%7CTotal_Dataset_"
                                 "Investigations&dataset_id=a%2Fb&granularity=Month&format=tsv"),
                     0);
    assert_int_equal(sushi.methods, MM_SUSHI_MACHINE);
    assert_int_equal(sushi.metrics, MM_SUSHI_UNIQUE_REQUESTS | MM_SUSHI_TOTAL_INVESTIGATIONS);
    assert_int_equal(sushi.n_dataset_ids, 1);
    assert_string_equal(sushi.dataset_ids[0], "a/b");
    assert_int_equal(sushi.format, MM_FORMAT_TSV);
    assert_int_equal(sushi.filters->nelts, 5);
    assert_int_equal(sushi.attributes->nelts, 1);
    assert_refused(MONTH "&access_method=", MM_SUSHI_BAD_FILTER);
    assert_refused(MONTH "&access_method=Regular|", MM_SUSHI_BAD_FILTER);
    assert_refused(MONTH "&access_method=Regula", MM_SUSHI_BAD_FILTER);
    assert_refused(MONTH "&metric_type=Total_Dataset_RequestsX", MM_SUSHI_BAD_FILTER);
    assert_refused(MONTH "&dataset_id=", MM_SUSHI_BAD_FILTER);
    assert_refused(MONTH "&dataset_id=%00", MM_SUSHI_BAD_FILTER);
    assert_refused(MONTH "&end_date=2024-02", MM_SUSHI_BAD_FILTER);
    assert_refused(MONTH "&granularity=day", MM_SUSHI_BAD_ATTRIBUTE);
    assert_int_equal(parse(MONTH "&format=xlsx"), 406);
}

static void test_unknown_parameters(void **state)
{
    (void)state;
    assert_int_equal(parse("api_key=secret&" MONTH "&%22%0a=x&&=&flag"), 0);
    assert_int_equal(last()->code, MM_SUSHI_UNKNOWN_PARAMETER);
    assert_string_equal(last()->severity, "warning");
    assert_string_equal(last()->data, "api_key, ??, , flag");
    assert_int_equal(parse(MONTH "&a&b&c&d&e&f&g&h&i"), 0);
    assert_string_equal(last()->data, "a, b, c, d, e, f, g, h, ...");
    assert_refused("x=1&granularity=day&" MONTH, MM_SUSHI_BAD_ATTRIBUTE);
    assert_int_equal(sushi.exceptions->nelts, 2);
}

static void test_codes(void **state)
{
    (void)state;
    assert_int_equal(mm_sushi_code_of(401), MM_SUSHI_NOT_AUTHORIZED);
    assert_int_equal(mm_sushi_code_of(403), MM_SUSHI_NOT_AUTHORIZED);
    assert_int_equal(mm_sushi_code_of(404), MM_SUSHI_NO_SUCH_REPORT);
    assert_int_equal(mm_sushi_code_of(429), MM_SUSHI_BUSY);
    assert_int_equal(mm_sushi_code_of(503), MM_SUSHI_NOT_AVAILABLE);
    assert_int_equal(mm_sushi_code_of(500), MM_SUSHI_NOT_AVAILABLE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_paths, setup, unit_teardown),
        cmocka_unit_test_setup_teardown(test_filters, setup, unit_teardown),
        cmocka_unit_test_setup_teardown(test_unknown_parameters, setup, unit_teardown),
        cmocka_unit_test(test_codes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
