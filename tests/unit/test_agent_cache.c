/* The cache: it knows what it was told, forgets the least used, and nobody can choose what falls together. */
#include "unit.h"

#include "agents/agent_cache.h"

#define ENTRIES (MM_AGENT_CACHE_SETS * MM_AGENT_CACHE_WAYS)

static void test_knows_what_it_was_told(void **state)
{
    unit_t *unit = *state;
    mm_agent_cache_t *cache = mm_agent_cache_create(unit->pool);

    assert_non_null(cache);
    for (int value = 0; value <= MM_AGENT_CACHE_MAX; value++) {
        char text[2] = {(char)('a' + value), '\0'};
        uint64_t key = mm_agent_cache_key(cache, text, 1);

        assert_int_equal(mm_agent_cache_get(cache, key), -1);
        mm_agent_cache_put(cache, key, value);
        assert_int_equal(mm_agent_cache_get(cache, key), value);
    }
    assert_int_equal(mm_agent_cache_get(cache, mm_agent_cache_key(cache, "a", 1)), 0);
    assert_int_equal(mm_agent_cache_get(cache, mm_agent_cache_key(cache, "", 0)), -1);
}

static void test_forgets_the_least_used_of_a_set(void **state)
{
    unit_t *unit = *state;
    mm_agent_cache_t *cache = mm_agent_cache_create(unit->pool);
    uint64_t one_set[MM_AGENT_CACHE_WAYS + 1];

    assert_non_null(cache);
    for (uint64_t i = 0; i <= MM_AGENT_CACHE_WAYS; i++) {
        one_set[i] = 5 + (i + 1) * MM_AGENT_CACHE_SETS;
    }
    for (int i = 0; i < MM_AGENT_CACHE_WAYS; i++) {
        mm_agent_cache_put(cache, one_set[i], i % 7);
    }
    assert_int_equal(mm_agent_cache_get(cache, one_set[0]), 0);
    mm_agent_cache_put(cache, one_set[MM_AGENT_CACHE_WAYS], 3);
    assert_int_equal(mm_agent_cache_get(cache, one_set[1]), -1);
    assert_int_equal(mm_agent_cache_get(cache, one_set[0]), 0);
    for (int i = 2; i < MM_AGENT_CACHE_WAYS; i++) {
        assert_int_equal(mm_agent_cache_get(cache, one_set[i]), i % 7);
    }
    /* Another set is as it was. */
    mm_agent_cache_put(cache, 6, 1);
    assert_int_equal(mm_agent_cache_get(cache, 6), 1);
}

static void test_two_caches_have_two_secrets(void **state)
{
    unit_t *unit = *state;
    const mm_agent_cache_t *one = mm_agent_cache_create(unit->pool), *two = mm_agent_cache_create(unit->pool);

    assert_true(mm_agent_cache_key(one, "x", 1) != mm_agent_cache_key(two, "x", 1));
    assert_true(mm_agent_cache_key(one, "x", 1) == mm_agent_cache_key(one, "x", 1));
}

/* Half as many texts as there are entries: nearly all are still there, and none has another's value. */
static void test_holds_many(void **state)
{
    unit_t *unit = *state;
    mm_agent_cache_t *cache = mm_agent_cache_create(unit->pool);
    int there = 0;

    assert_non_null(cache);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < ENTRIES / 2; i++) {
            char text[32];
            uint64_t key = mm_agent_cache_key(cache, text, (size_t)snprintf(text, sizeof(text), "agent/%d", i));
            int value = mm_agent_cache_get(cache, key);

            assert_true(value == -1 || value == i % 5);
            there += value >= 0;
            if (value < 0) {
                mm_agent_cache_put(cache, key, i % 5);
            }
        }
    }
    assert_true(there > ENTRIES / 2 * 9 / 10 && there <= ENTRIES / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_knows_what_it_was_told),
        cmocka_unit_test(test_forgets_the_least_used_of_a_set),
        cmocka_unit_test(test_two_caches_have_two_secrets),
        cmocka_unit_test(test_holds_many),
    };

    return cmocka_run_group_tests(tests, unit_setup, unit_teardown);
}
