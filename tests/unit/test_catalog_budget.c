/* What a look-up may cost. */
#include "unit.h"
#include "store/catalog_private.h"

static int64_t now_us;
static int looks;

static int64_t clock_us(void)
{
    looks++;
    return now_us;
}

static mm_budget_t begin(int64_t pairs, int64_t time_us)
{
    const mm_catalog_limits_t limits = {pairs, time_us, clock_us};
    mm_budget_t budget;

    mm_budget_begin(&budget, &limits);
    looks = 0;
    return budget;
}

static void test_pairs(void **state)
{
    mm_budget_t budget = begin(10, 1);

    (void)state;
    assert_true(mm_budget_spend(&budget, 0));
    assert_true(mm_budget_spend(&budget, 10));
    assert_false(budget.spent);
    assert_false(mm_budget_spend(&budget, 1));
    assert_true(budget.spent);
    assert_false(mm_budget_spend(&budget, 0));
    assert_false(budget.late);
}

static void test_time(void **state)
{
    mm_budget_t budget;

    (void)state;
    now_us = 1000;
    budget = begin(10, 100);
    now_us = 1099;
    assert_true(mm_budget_glance(&budget));
    now_us = 1100;
    assert_false(mm_budget_glance(&budget));
    assert_true(budget.late);
    now_us = 0; /* what is late stays late */
    assert_false(mm_budget_glance(&budget));
    assert_false(mm_budget_step(&budget));
    assert_false(budget.spent);
}

static void test_steps_look_seldom(void **state)
{
    mm_budget_t budget;
    int i;

    (void)state;
    now_us = 0;
    budget = begin(10, 100);
    for (i = 0; i < 100000; i++) {
        assert_true(mm_budget_step(&budget));
    }
    assert_in_range(looks, 50, 1000);
    now_us = 100;
    for (i = 0; i < 2000 && mm_budget_step(&budget); i++) {
    }
    assert_true(i < 2000);
}

static void test_clock_runs(void **state)
{
    int64_t first = mm_budget_clock_us();

    (void)state;
    assert_true(first > 0);
    while (mm_budget_clock_us() == first) {
    }
    assert_true(mm_budget_clock_us() > first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pairs),
        cmocka_unit_test(test_time),
        cmocka_unit_test(test_steps_look_seldom),
        cmocka_unit_test(test_clock_runs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
