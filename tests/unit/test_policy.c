/* Who is nobody. */
#include "unit.h"
#include "count/policy.h"

static void nobodies_are_compared_byte_by_byte(void **state)
{
    static const char *const names[] = {"guest", ":guest", ""};
    const mm_policy_t policy = {.nobodies = names, .n_nobodies = 2}, none = {0};

    (void)state;
    assert_true(mm_policy_is_nobody(&policy, mm_bytes_of("guest")));
    assert_true(mm_policy_is_nobody(&policy, mm_bytes_of(":guest")));
    assert_false(mm_policy_is_nobody(&policy, mm_bytes_of("Guest")));
    assert_false(mm_policy_is_nobody(&policy, mm_bytes_of("guest2")));
    assert_false(mm_policy_is_nobody(&policy, mm_bytes_of("gues")));
    assert_false(mm_policy_is_nobody(&policy, mm_bytes_of(NULL)));
    assert_false(mm_policy_is_nobody(&none, mm_bytes_of("guest")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(nobodies_are_compared_byte_by_byte)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
