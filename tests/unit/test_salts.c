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

/* An old log that somebody sends must not cost the site's visitors their day. */
static void never_forgets_the_day_of_now(void **state)
{
    static mm_salts_t salts, other;
    const int64_t today = 2000;
    const uint32_t noon_s = (uint32_t)(today * 86400 + 43200);
    uint8_t key[MM_SALT_LEN];

    (void)state;
    memcpy(key, mm_salts_of(&salts, today, noon_s)->key, MM_SALT_LEN);
    for (int day = 0; day < 3 * MM_SALTS_MAX; day++) {
        mm_salts_of(&salts, day, noon_s);
    }
    assert_int_equal(salts.forgotten, 2 * MM_SALTS_MAX + 1);
    mm_salts_restore(&other, today, noon_s, key);
    for (size_t i = 0; i < MM_SALTS_MAX; i++) {
        mm_salts_restore(&other, (int64_t)i, noon_s, key);
    }
    assert_memory_equal(mm_salts_of(&salts, today, noon_s + 1)->key, key, MM_SALT_LEN);
    assert_memory_equal(mm_salts_of(&other, today, noon_s + 1)->key, key, MM_SALT_LEN);
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
        cmocka_unit_test(never_forgets_the_day_of_now),
        cmocka_unit_test(puts_back_what_was_written_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
