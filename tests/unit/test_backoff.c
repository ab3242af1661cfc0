/* Waits that double up to a maximum, and differ between drainers. */
#include "unit.h"
#include "drain/backoff.h"
#include "drain/drain.h"

#define SECOND_US INT64_C(1000000)

static void doubles_up_to_the_maximum(void **state)
{
    static const int64_t seconds[] = {1, 2, 4, 8, 16, 30, 30, 30};
    mm_backoff_t backoff;

    (void)state;
    for (uint64_t seed = 0; seed < 200; seed++) {
        mm_backoff_init(&backoff, seed * UINT64_C(0x9e3779b97f4a7c15));
        for (size_t i = 0; i < sizeof(seconds) / sizeof(seconds[0]); i++) {
            int64_t us = mm_backoff_failed(&backoff);

            assert_true(us >= seconds[i] * SECOND_US / 2);
            assert_true(us <= seconds[i] * SECOND_US);
        }
    }
}

static void stays_at_the_maximum_for_ever(void **state)
{
    mm_backoff_t backoff;

    (void)state;
    mm_backoff_init(&backoff, 1);
    for (int i = 0; i < 100000; i++) {
        int64_t us = mm_backoff_failed(&backoff);

        assert_true(us > 0 && us <= MM_DRAIN_BACKOFF_MAX_S * SECOND_US);
    }
    backoff.failures = UINT32_MAX;
    mm_backoff_failed(&backoff);
    assert_int_equal(backoff.failures, UINT32_MAX);
}

static void begins_again_after_a_success(void **state)
{
    mm_backoff_t backoff;

    (void)state;
    mm_backoff_init(&backoff, 7);
    for (int i = 0; i < 6; i++) {
        mm_backoff_failed(&backoff);
    }
    assert_int_equal(backoff.failures, 6);
    mm_backoff_reset(&backoff);
    assert_int_equal(backoff.failures, 0);
    assert_true(mm_backoff_failed(&backoff) <= SECOND_US);
}

static void spreads_the_waits(void **state)
{
    int64_t low = INT64_MAX, high = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= 1000; seed++) {
        mm_backoff_t backoff;
        int64_t us;

        mm_backoff_init(&backoff, seed << 32 | 12345);
        mm_backoff_failed(&backoff);
        us = mm_backoff_failed(&backoff);
        low = us < low ? us : low;
        high = us > high ? us : high;
    }
    assert_true(high - low > SECOND_US / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(doubles_up_to_the_maximum),
        cmocka_unit_test(stays_at_the_maximum_for_ever),
        cmocka_unit_test(begins_again_after_a_success),
        cmocka_unit_test(spreads_the_waits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
