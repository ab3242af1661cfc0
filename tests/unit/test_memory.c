/* What is remembered for the length of a report. */
#include "unit.h"
#include "clowder/memory.h"

static mm_oid_t numbered(unsigned char n)
{
    return (mm_oid_t){{0, n}};
}

static void remembers_until_it_is_too_much(void **state)
{
    unit_t *unit = *state;
    mm_clowder_memory_t *memory = mm_clowder_memory_make(2, unit->pool);
    mm_oid_t ids[] = {numbered(0), numbered(1), numbered(2)};
    unsigned value = 9;

    assert_false(mm_clowder_memory_get(memory, &ids[0], &value));
    mm_clowder_memory_put(memory, &ids[0], 3);
    mm_clowder_memory_put(memory, &ids[0], 4);
    mm_clowder_memory_put(memory, &ids[1], 0);
    mm_clowder_memory_bound(memory);
    assert_true(mm_clowder_memory_get(memory, &ids[0], &value));
    assert_int_equal(value, 4);
    assert_true(mm_clowder_memory_get(memory, &ids[1], &value));
    assert_int_equal(value, 0);
    mm_clowder_memory_put(memory, &ids[2], 1); /* beyond, for as long as the batch lasts */
    assert_true(mm_clowder_memory_get(memory, &ids[2], &value));
    mm_clowder_memory_bound(memory);
    assert_false(mm_clowder_memory_get(memory, &ids[0], &value));
    mm_clowder_memory_put(memory, &ids[0], 5);
    mm_clowder_memory_forget(memory);
    assert_false(mm_clowder_memory_get(memory, &ids[0], &value));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(remembers_until_it_is_too_much, unit_setup, unit_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
