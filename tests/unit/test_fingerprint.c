/* By what a log is known again. */
#include "unit.h"

#include "import/fingerprint.h"

static void is_the_hash_of_the_head(void **state)
{
    unit_t *unit = *state;
    mm_fingerprint_t print = mm_fingerprint("abc", 3, unit->pool);

    /* FIPS 180-2, A.1 */
    assert_string_equal(print.id, "a9993e364706816aba3e25717850c26c9cd0d89d");
    assert_int_equal(print.n, 1);
    assert_string_equal(print.ids[0], print.id);
}

static void knows_its_beginnings(void **state)
{
    unit_t *unit = *state;
    mm_fingerprint_t one = mm_fingerprint("a\n", 2, unit->pool);
    mm_fingerprint_t two = mm_fingerprint("a\nb\n", 4, unit->pool);
    mm_fingerprint_t three = mm_fingerprint("a\nb\nc", 5, unit->pool);

    assert_int_equal(one.n, 1);
    assert_int_equal(two.n, 2);
    assert_int_equal(three.n, 3);
    assert_string_equal(three.ids[0], one.id);
    assert_string_equal(three.ids[1], two.id);
    assert_string_equal(three.ids[2], three.id);
    assert_string_not_equal(two.id, one.id);
}

static void many_short_lines(void **state)
{
    unit_t *unit = *state;
    char lines[4096];
    mm_fingerprint_t print;

    memset(lines, '\n', sizeof(lines));
    print = mm_fingerprint(lines, sizeof(lines), unit->pool);
    assert_int_equal(print.n, sizeof(lines));
}

#define test(f) cmocka_unit_test_setup_teardown(f, unit_setup, unit_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(is_the_hash_of_the_head),
        test(knows_its_beginnings),
        test(many_short_lines),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
