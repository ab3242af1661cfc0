/* What the reader knows of the directory. */
#include "unit_spool.h"

#include "spool/spool_list.h"

static void touch(unit_t *unit, const char *name)
{
    close(unit_append(unit, name, "", 0));
}

static void scan(unit_t *unit, mm_spool_list_t *list)
{
    DIR *dir = opendir(unit->dir);
    mm_err_t err;

    assert_non_null(dir);
    assert_int_equal(mm_spool_list_scan(list, dir, &err), APR_SUCCESS);
    closedir(dir);
}

static void oldest_first(void **state)
{
    unit_t *unit = *state;
    mm_spool_list_t list = {0};
    uint32_t n;

    for (n = 200; n > 0; n--) {
        touch(unit, unit_segment_name(unit, n * 37 % 200, n));
    }
    touch(unit, "id");
    touch(unit, "batch");
    touch(unit, apr_pstrcat(unit->pool, unit_segment_name(unit, 3, 3), ".corrupt", NULL));
    scan(unit, &list);
    assert_int_equal(list.n, 200);
    assert_false(list.has_new);
    for (n = 0; n < 200; n++) {
        mm_spool_name_t name;

        assert_true(mm_spool_name_parse(&name, list.items[n].name));
        assert_int_equal(name.n, n);
        assert_int_equal(list.items[n].seed, name.seed);
        assert_true(list.items[n].offset == 0);
    }
    mm_spool_list_free(&list);
    assert_int_equal(list.n, 0);
}

static void remembers_and_forgets(void **state)
{
    unit_t *unit = *state;
    mm_spool_list_t list = {0};
    const char *gone = unit_segment_name(unit, 1, 1), *kept = unit_segment_name(unit, 5, 5);

    touch(unit, kept);
    assert_int_equal(mm_spool_list_set(&list, kept, 100), APR_SUCCESS);
    assert_int_equal(mm_spool_list_set(&list, gone, 200), APR_SUCCESS);
    assert_int_equal(mm_spool_list_set(&list, "no segment", 300), APR_SUCCESS);
    assert_int_equal(mm_spool_list_set(&list, kept, 150), APR_SUCCESS);
    assert_int_equal(list.n, 2);
    scan(unit, &list);
    assert_int_equal(list.n, 1);
    assert_string_equal(list.items[0].name, kept);
    assert_true(list.items[0].offset == 150);
    assert_int_equal(list.items[0].seed, 5);

    touch(unit, unit_segment_name(unit, 3, 3));
    scan(unit, &list);
    assert_int_equal(list.n, 2);
    assert_string_equal(list.items[1].name, kept);
    assert_true(list.items[1].offset == 150);
    assert_true(list.items[0].offset == 0);

    assert_int_equal(mm_spool_list_set(&list, kept, -5), APR_SUCCESS);
    assert_true(list.items[1].offset == 0);
    mm_spool_list_free(&list);
}

static void sees_unfinished_files(void **state)
{
    unit_t *unit = *state;
    mm_spool_list_t list = {0};
    mm_spool_name_t name = {1, 2, 3, 4};
    char hidden[MM_SPOOL_NEW_LEN + 1];

    mm_spool_name_format_new(hidden, &name);
    touch(unit, hidden);
    scan(unit, &list);
    assert_true(list.has_new);
    assert_int_equal(list.n, 0);
    unlink(unit_path(unit, hidden));
    scan(unit, &list);
    assert_false(list.has_new);
    mm_spool_list_free(&list);
}

/* With more segments than fit, the oldest come, and none that is known is forgotten. */
static void too_many(void **state)
{
    unit_t *unit = *state;
    mm_spool_list_t list = {0};
    const char *late = unit_segment_name(unit, 3 * MM_SPOOL_LIST_MAX, 1);
    uint32_t n;

    touch(unit, late);
    assert_int_equal(mm_spool_list_set(&list, late, 77), APR_SUCCESS);
    for (n = 2 * MM_SPOOL_LIST_MAX + 10; n > 0; n--) {
        touch(unit, unit_segment_name(unit, n, 0));
    }
    scan(unit, &list);
    assert_int_equal(list.n, MM_SPOOL_LIST_MAX);
    assert_string_equal(list.items[0].name, unit_segment_name(unit, 1, 0));
    assert_string_equal(list.items[MM_SPOOL_LIST_MAX - 2].name, unit_segment_name(unit, MM_SPOOL_LIST_MAX - 1, 0));
    assert_string_equal(list.items[MM_SPOOL_LIST_MAX - 1].name, late);
    assert_true(list.items[MM_SPOOL_LIST_MAX - 1].offset == 77);
    scan(unit, &list);
    assert_int_equal(list.n, MM_SPOOL_LIST_MAX);
    mm_spool_list_free(&list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(oldest_first, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(remembers_and_forgets, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(sees_unfinished_files, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(too_many, unit_setup, unit_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
