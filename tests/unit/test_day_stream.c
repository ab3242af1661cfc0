/* Cursors that waited too long, here before each batch: every row is what it is without that. */
#include "unit_days.h"

/* Before each batch: nothing is added twice, whoever adds up, whatever is hidden, from both ends. */
static void test_cursors_that_are_opened_anew(void **state)
{
    static const char *const no_d2[] = {"datasets:d2", NULL};
    fixture_t *fixture = filled(*state);

    for (int i = 0; i < 16; i++) {
        fixture->sees_all = i & 1;
        fixture->route.direction = i & 2 ? MM_DIRECTION_DESC : MM_DIRECTION_DEFAULT;
        fixture->route.per = i & 4 ? MM_PER_MONTH : MM_PER_DAY;
        fixture->denied = i & 8 ? no_d2 : NULL;
        const char *expected = all(fixture);
        assert_string_equal(all_with(fixture, 0), expected);
    }
}

/* 1800 documents of three days, a day in more than a batch. */
static void test_many_that_are_read_anew(void **state)
{
    fixture_t *fixture = many(*state);

    assert_string_equal(all_with(fixture, 0), "+0 d 400/0; +1 d 400/0; +2 d 400/0; ");
    fixture->route.direction = MM_DIRECTION_DESC;
    assert_string_equal(all_with(fixture, 0), "+2 d 400/0; +1 d 400/0; +0 d 400/0; ");
    fixture->route.per = MM_PER_MONTH;
    assert_string_equal(all_with(fixture, 0), "2026-02 d 800/0; 2026-01 d 400/0; ");
}

/* A day for each row, in more than a batch: read anew from the last one of each batch. */
static void test_sums_that_are_read_anew(void **state)
{
    fixture_t *fixture = fixture_make(*state);
    int rows = 0;

    for (int i = 0; i < 1200; i++) {
        use_on(fixture, LAST_OF_JANUARY + i * DAY, "datasets", "d1", NULL, 1, 0);
    }
    fixture_store(fixture);
    fixture->route.endpoint = MM_ENDPOINT_DAYS;
    fixture->sees_all = true;
    for (const char *at = all_with(fixture, 0); (at = strstr(at, " d 1/0; ")) != NULL; at++) {
        rows++;
    }
    assert_int_equal(rows, 1200);
    fixture->route.per = MM_PER_MONTH;
    assert_string_equal(all_with(fixture, 0), all(fixture));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_cursors_that_are_opened_anew, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(test_many_that_are_read_anew, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(test_sums_that_are_read_anew, unit_setup, unit_teardown),
    };

    return cmocka_run_group_tests(tests, unit_store_group, NULL);
}
