/* What several passes through a log, each for its span of time, have counted together. */
#include "unit.h"
#include "store/passes.h"

static bool add(mm_passes_t *passes, int64_t to, int64_t since_ms, int64_t until_ms)
{
    return mm_passes_add(passes, &(mm_pass_t){to, since_ms, until_ms});
}

static void a_line_is_counted_by_the_pass_of_its_time(void **state)
{
    mm_passes_t passes = {.n = 0};

    (void)state;
    assert_false(mm_passes_counted(&passes, 0, 50));
    assert_true(add(&passes, 1000, 100, 200));
    assert_true(mm_passes_counted(&passes, 999, 100));
    assert_true(mm_passes_counted(&passes, 0, 199));
    assert_false(mm_passes_counted(&passes, 1000, 100));
    assert_false(mm_passes_counted(&passes, 0, 99));
    assert_false(mm_passes_counted(&passes, 0, 200));
    assert_true(add(&passes, 10, 0, 0));
    assert_true(mm_passes_counted(&passes, 9, 99));
    assert_int_equal(passes.n, 2);
}

static void a_span_goes_on_where_one_that_contains_it_stopped(void **state)
{
    mm_passes_t passes = {.n = 0};

    (void)state;
    add(&passes, 1000, 100, 200);
    add(&passes, 10, 0, 0);
    assert_int_equal(mm_passes_to(&passes, 100, 200), 1000);
    assert_int_equal(mm_passes_to(&passes, 150, 160), 1000);
    assert_int_equal(mm_passes_to(&passes, 100, 0), 10);
    assert_int_equal(mm_passes_to(&passes, 99, 200), 10);
    assert_int_equal(mm_passes_furthest(&passes), 1000);
}

static void a_wider_one_that_is_as_far_takes_the_place(void **state)
{
    mm_passes_t passes = {.n = 0};

    (void)state;
    for (int64_t night = 1; night <= 100; night++) { /* --until today */
        assert_true(add(&passes, night * 10, 0, night));
    }
    assert_int_equal(passes.n, 1);
    assert_true(add(&passes, 500, 0, 50));
    assert_int_equal(mm_passes_to(&passes, 0, 50), 1000);
    for (int64_t i = 1; i < MM_PASSES_ROOM; i++) { /* --since yesterday */
        assert_true(add(&passes, 1000 + i, i, 0));
    }
    assert_int_equal(passes.n, MM_PASSES_ROOM);
    assert_false(add(&passes, 2000, 1000, 0));
    assert_true(add(&passes, 2000, 1, 0));
    assert_int_equal(passes.n, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_counted_by_the_pass_of_its_time),
        cmocka_unit_test(a_span_goes_on_where_one_that_contains_it_stopped),
        cmocka_unit_test(a_wider_one_that_is_as_far_takes_the_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
