/* The names of sync=. */
#include "unit.h"

#include "base/sync.h"

static void the_three_and_nothing_else(void **state)
{
    static const char *const wrong[] = {"", "None", "batch ", "events", "0"};
    mm_sync_t sync = MM_SYNC_EVENT;

    (void)state;
    assert_true(mm_sync_parse(&sync, "none"));
    assert_int_equal(sync, MM_SYNC_NONE);
    assert_true(mm_sync_parse(&sync, "batch"));
    assert_int_equal(sync, MM_SYNC_BATCH);
    assert_true(mm_sync_parse(&sync, "event"));
    assert_int_equal(sync, MM_SYNC_EVENT);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_false(mm_sync_parse(&sync, wrong[i]));
        assert_int_equal(sync, MM_SYNC_EVENT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_three_and_nothing_else)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
