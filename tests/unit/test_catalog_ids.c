/* Ids, found again in whichever form a document gives them. */
#include "unit.h"
#include "store/catalog_private.h"

typedef struct found {
    int count;
    size_t sum;
} found_t;

static void note(void *baton, size_t at)
{
    found_t *found = baton;

    found->count++;
    found->sum += at;
}

static found_t find(const mm_idset_t *set, const char *text)
{
    found_t found = {0, 0};

    mm_idset_find(set, text, note, &found);
    return found;
}

static void test_find(void **state)
{
    const char *ids[] = {
        "a", "b", "a", "0123456789ABCDEF01234567", "0123456789abcdef01234567", "", "111111111111111111111111"};
    mm_idset_t *set = mm_idset_make(ids, 7, ((unit_t *)*state)->pool);

    assert_int_equal(find(set, "b").count, 1);
    assert_int_equal(find(set, "b").sum, 1);
    assert_int_equal(find(set, "a").count, 2);
    assert_int_equal(find(set, "a").sum, 0 + 2);
    assert_int_equal(find(set, "").count, 1);
    assert_int_equal(find(set, "c").count, 0);
    /* an ObjectId prints in lower case, whatever case it was asked for in */
    assert_int_equal(find(set, "0123456789abcdef01234567").sum, 3 + 4);
    assert_int_equal(find(set, "0123456789ABCDEF01234567").sum, 3);
    assert_int_equal(find(set, "111111111111111111111111").count, 1);
}

static void test_none(void **state)
{
    assert_int_equal(find(mm_idset_make(NULL, 0, ((unit_t *)*state)->pool), "a").count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_find, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(test_none, unit_setup, unit_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
