/* Secrets: one for each day, thrown away when nobody asks any more. */
#include "unit.h"

#include "count/salts.h"

static void makes_one_for_each_day(void **state)
{
    static mm_salts_t salts;
    uint8_t first[MM_SALT_LEN];

    (void)state;
    memcpy(first, mm_salts_of(&salts, 5, 100)->key, MM_SALT_LEN);
    assert_memory_equal(mm_salts_of(&salts, 5, 101)->key, first, MM_SALT_LEN);
    assert_memory_not_equal(mm_salts_of(&salts, 6, 102)->key, first, MM_SALT_LEN);
    mm_salts_expire(&salts, 101);
    assert_memory_equal(mm_salts_of(&salts, 5, 102)->key, first, MM_SALT_LEN);
    assert_false(salts.dropped);
    mm_salts_expire(&salts, 103);
    assert_true(salts.dropped);
    assert_memory_not_equal(mm_salts_of(&salts, 5, 103)->key, first, MM_SALT_LEN);
    assert_int_equal(salts.forgotten, 0);
}

static void forgets_the_least_recent_of_too_many(void **state)
{
    static mm_salts_t salts;
    uint8_t zero[MM_SALT_LEN], one[MM_SALT_LEN];

    (void)state;
    for (int day = 0; day < MM_SALTS_MAX; day++) {
        const mm_salt_t *salt = mm_salts_of(&salts, day, 100);

        memcpy(day == 0 ? zero : one, salt->key, day < 2 ? MM_SALT_LEN : 0);
    }
    mm_salts_of(&salts, 0, 100);
    assert_int_equal(salts.forgotten, 0);
    mm_salts_of(&salts, 1000, 100);
    assert_int_equal(salts.forgotten, 1);
    assert_true(salts.dropped);
    assert_memory_equal(mm_salts_of(&salts, 0, 100)->key, zero, MM_SALT_LEN);
    assert_memory_not_equal(mm_salts_of(&salts, 1, 100)->key, one, MM_SALT_LEN);
}

static void puts_back_what_was_written_down(void **state)
{
    static mm_salts_t salts, other;
    const mm_salt_t *salt = mm_salts_of(&salts, 7, 50);

    (void)state;
    mm_salts_restore(&other, 7, 50, salt->key);
    mm_salts_settle(&other, true);
    assert_memory_equal(mm_salts_of(&other, 7, 60)->key, salt->key, MM_SALT_LEN);
    mm_salts_clear(&other);
    assert_memory_not_equal(mm_salts_of(&other, 7, 60)->key, salt->key, MM_SALT_LEN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(makes_one_for_each_day),
        cmocka_unit_test(forgets_the_least_recent_of_too_many),
        cmocka_unit_test(puts_back_what_was_written_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
