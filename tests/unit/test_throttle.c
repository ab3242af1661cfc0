/* Telling at once, then once a minute, with the whole number. */
#include "unit.h"
#include "base/throttle.h"

static void tells_the_first_at_once(void **state)
{
    mm_throttle_t throttle = {.held = 0};
    int64_t times = 0;

    (void)state;
    assert_false(mm_throttle_tell(&throttle, 5, 0, &times));
    assert_true(mm_throttle_tell(&throttle, 5, 3, &times));
    assert_int_equal(times, 3);
}

static void holds_back_for_a_minute(void **state)
{
    mm_throttle_t throttle = {.held = 0};
    int64_t start = 1000, times = 0;

    (void)state;
    assert_true(mm_throttle_tell(&throttle, start, 1, &times));
    assert_false(mm_throttle_tell(&throttle, start, 1, &times));
    assert_false(mm_throttle_tell(&throttle, start + MM_THROTTLE_US - 1, 4, &times));
    assert_true(mm_throttle_tell(&throttle, start + MM_THROTTLE_US, 1, &times));
    assert_int_equal(times, 6);
    assert_false(mm_throttle_tell(&throttle, start + MM_THROTTLE_US + 1, 1, &times));
}

static void tells_later_what_was_held_back(void **state)
{
    mm_throttle_t throttle = {.held = 0};
    int64_t times = 0;

    (void)state;
    assert_true(mm_throttle_tell(&throttle, 0, 1, &times));
    assert_false(mm_throttle_tell(&throttle, 1, 2, &times));
    assert_true(mm_throttle_tell(&throttle, MM_THROTTLE_US, 0, &times));
    assert_int_equal(times, 2);
    assert_false(mm_throttle_tell(&throttle, 3 * MM_THROTTLE_US, 0, &times));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_the_first_at_once),
        cmocka_unit_test(holds_back_for_a_minute),
        cmocka_unit_test(tells_later_what_was_held_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
