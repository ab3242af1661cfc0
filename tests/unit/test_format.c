/* The table of formats: which an endpoint has, and which one a client gets. */
#include "unit.h"

#include "route/format.h"
#include "route/params.h"

static void assert_accepted(const char *accept, mm_format_t format)
{
    const mm_format_info_t *info = mm_format_accepted(MM_PARAMS_REPORT, accept);

    if ((info ? info->format : MM_FORMAT_ANY) != format) {
        fail_msg("\"%s\" gets %s", accept ? accept : "", info ? info->name : "nothing");
    }
}

static void test_accepted(void **state)
{
    (void)state;
    assert_accepted(NULL, MM_FORMAT_CSV);
    assert_accepted("*/*", MM_FORMAT_CSV);
    assert_accepted("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", MM_FORMAT_CSV);
    assert_accepted("application/json, text/plain, */*", MM_FORMAT_JSON);
    assert_accepted("application/*", MM_FORMAT_JSON);
    assert_accepted("application/x-ndjson", MM_FORMAT_NDJSON);
    assert_accepted("text/tab-separated-values, text/csv;q=0.9", MM_FORMAT_TSV);
    assert_accepted("application/json;q=0.5, text/csv;q=0.6", MM_FORMAT_CSV);
    assert_accepted("application/json, text/csv", MM_FORMAT_CSV);
    assert_accepted("text/csv;q=0, */*", MM_FORMAT_JSON);
    assert_accepted("text/html", MM_FORMAT_ANY);
    assert_accepted("*/*;q=0", MM_FORMAT_ANY);
    assert_accepted("application/openmetrics-text", MM_FORMAT_ANY);
}

static void test_named(void **state)
{
    unit_t *unit = *state;

    assert_int_equal(mm_format_named(MM_PARAMS_REPORT, "json")->format, MM_FORMAT_JSON);
    assert_int_equal(mm_format_named(MM_PARAMS_STATUS, "json")->format, MM_FORMAT_JSON);
    assert_null(mm_format_named(MM_PARAMS_STATUS, "csv"));
    assert_null(mm_format_named(MM_PARAMS_REPORT, "openmetrics"));
    assert_null(mm_format_named(MM_PARAMS_REPORT, ""));
    assert_null(mm_format_info(MM_PARAMS_REPORT, MM_FORMAT_ANY));
    assert_string_equal(mm_format_info(MM_PARAMS_REPORT, MM_FORMAT_TSV)->name, "tsv");
    assert_string_equal(mm_format_names(MM_PARAMS_STATUS, unit->pool), "json, openmetrics");
    assert_string_equal(mm_format_media(MM_PARAMS_STATUS, unit->pool),
                        "application/json, application/openmetrics-text");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepted),
        cmocka_unit_test_setup_teardown(test_named, unit_setup, unit_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
