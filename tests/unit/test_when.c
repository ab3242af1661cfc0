/* Points in time as people write them into a query string. */
#include "unit.h"

#include "route/when.h"

static void test_forms(void **state)
{
    static const struct {
        const char *text;
        int64_t ms;
    } forms[] = {{"1970-01-01", 0},
                 {"2026-01-31", 1769817600000},
                 {"2026-01-31T12:00", 1769860800000},
                 {"2026-01-31T12:00:01", 1769860801000},
                 {"2026-01-31T12:00:01Z", 1769860801000},
                 {"2026-01-31T13:00:01+01:00", 1769860801000},
                 {"2026-01-31T13:00+01:00", 1769860800000},
                 {"2026-01-31T11:30-00:30", 1769860800000},
                 {"2026-01-31T12:00Z", 1769860800000},
                 {"2026-01-31t12:00z", 1769860800000},
                 {"2026-01-31T12:00:01.5Z", 1769860801500},
                 {"2026-01-31T12:00:01.5", 1769860801500},
                 {"1969-12-31T23:59:59.9999Z", -1},
                 {"2024-02-29", 1709164800000}};

    (void)state;
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        int64_t ms = 77;
        if (!mm_when_parse(&ms, forms[i].text)) {
            fail_msg("%s is refused", forms[i].text);
        }
        assert_int_equal(ms, forms[i].ms);
    }
}

static void test_what_is_none(void **state)
{
    static const char *const none[] = {
        "",
        "2026",
        "2026-01",
        "2026-1-31",
        "2026-02-29",
        "2026-01-31T",
        "2026-01-31T25:00",
        "2026-01-31 12:00x",
        "2026-01-31T12",
        "2026-01-31T12Z",
        "2026-01-31T12+01:00",
        "2026-01-31T12:00.5",
        "2026-01-31T12:00.5Z",
        "2026-01-31T12:00+01",
        "2026-01-31T12:00+0100",
        "2026-01-31T12:00ZZ",
        "2026-01-31T12:00Z:00",
        "2026-01-31T12:00 01:00",
        "2026-01-31Z",
        "today",
        "2026-01-31T13:00:01 01:00",
        "1769817600000",
        "2026-01-31T12:00:01.55555555555555555555555555555555555555555555555555555555555555Z"};

    (void)state;
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
        int64_t ms = 77;
        if (mm_when_parse(&ms, none[i])) {
            fail_msg("%s is taken", none[i]);
        }
        assert_int_equal(ms, 77);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, unit_setup, unit_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_forms),
        TEST(test_what_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
