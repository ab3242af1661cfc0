/* Very many ids, looked up. */
#include "unit.h"
#include "clowder/set.h"

#include <stdlib.h>

enum { MANY = 20000 };

/* All bytes differ somewhere; those with an odd number are in no set. */
static mm_oid_t numbered(unsigned n)
{
    mm_oid_t id = {{0}};
    unsigned mixed = (n >> 1) * 2654435761u;

    for (unsigned i = 0; i < 4; i++) {
        id.bytes[i * 2] = (unsigned char)((mixed >> (8 * i)) & 3);
        id.bytes[MM_OID_SIZE - 1 - i] = (unsigned char)(n >> (8 * i));
    }
    return id;
}

static void holds_what_was_added_and_nothing_else(void **state)
{
    unit_t *unit = *state;
    mm_clowder_set_t *set = mm_clowder_set_make(2 * MANY, unit->pool);

    for (unsigned n = 0; n < MANY; n++) {
        const mm_oid_t id = numbered(2 * (n * 7919u % MANY));

        assert_true(mm_clowder_set_add(set, &id));
        if (n % 100 == 0) {
            assert_true(mm_clowder_set_add(set, &id)); /* twice is once */
        }
    }
    mm_clowder_set_order(set);
    for (unsigned n = 0; n < 2 * MANY; n++) {
        const mm_oid_t id = numbered(n);

        assert_int_equal(mm_clowder_set_has(set, &id), n % 2 == 0);
    }
}

static void many_that_are_the_same(void **state)
{
    unit_t *unit = *state;
    mm_clowder_set_t *set = mm_clowder_set_make(1000, unit->pool);
    const mm_oid_t id = numbered(2), other = numbered(4);

    for (unsigned n = 0; n < 1000; n++) {
        assert_true(mm_clowder_set_add(set, &id));
    }
    mm_clowder_set_order(set);
    assert_true(mm_clowder_set_has(set, &id));
    assert_false(mm_clowder_set_has(set, &other));
}

static void an_end_is_an_end(void **state)
{
    unit_t *unit = *state;
    mm_clowder_set_t *set = mm_clowder_set_make(1, unit->pool), *none = mm_clowder_set_make(0, unit->pool);
    const mm_oid_t id = numbered(2), other = numbered(4);

    mm_clowder_set_order(none);
    assert_false(mm_clowder_set_has(none, &id));
    assert_false(mm_clowder_set_add(none, &id));
    assert_true(mm_clowder_set_add(set, &id));
    assert_false(mm_clowder_set_add(set, &other));
    mm_clowder_set_order(set);
    assert_true(mm_clowder_set_has(set, &id));
    assert_false(mm_clowder_set_has(set, &other));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, unit_setup, unit_teardown)
    const struct CMUnitTest tests[] = {
        TEST(holds_what_was_added_and_nothing_else),
        TEST(many_that_are_the_same),
        TEST(an_end_is_an_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
