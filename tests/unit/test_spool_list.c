/* What the reader knows of the directory. */
#include "unit_spool.h"

#include <time.h>

#include "spool/spool_list.h"

/* nobody, or anyone else who is not us. */
#define STRANGER 65534

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

/* What was removed has been read and does not take the place of what is still there. */
static void removed_ones_make_room(void **state)
{
    unit_t *unit = *state;
    mm_spool_list_t list = {0};
    uint32_t n;
    size_t i;

    for (n = 0; n < MM_SPOOL_LIST_MAX + 5; n++) {
        touch(unit, unit_segment_name(unit, n, 0));
    }
    scan(unit, &list);
    assert_int_equal(list.n, MM_SPOOL_LIST_MAX);
    assert_true(list.incomplete);
    for (i = 0; i < list.n; i++) {
        assert_int_equal(unlink(unit_path(unit, list.items[i].name)), 0);
        list.items[i].removed = true;
    }
    scan(unit, &list);
    assert_int_equal(list.n, 5);
    assert_string_equal(list.items[0].name, unit_segment_name(unit, MM_SPOOL_LIST_MAX, 0));
    assert_false(list.incomplete);
    mm_spool_list_free(&list);
}

/* In an order that no batch file has, each name twice. */
static void many_positions_in_any_order(void **state)
{
    unit_t *unit = *state;
    mm_spool_list_t list = {0};
    clock_t start = clock();
    uint32_t n;

    for (n = 2 * MM_SPOOL_LIST_MAX; n > 0; n--) {
        char *name = unit_segment_name(unit, n / 2, 0);

        assert_int_equal(mm_spool_list_set(&list, name, n), APR_SUCCESS);
    }
    scan(unit, &list); /* none is there */
    assert_int_equal(list.n, 0);
    /* Sorting after each takes a minute. */
    assert_true(clock() - start < 5 * CLOCKS_PER_SEC);
    mm_spool_list_free(&list);
}

static void of_two_positions_the_farther_holds(void **state)
{
    unit_t *unit = *state;
    mm_spool_list_t list = {0};
    const char *first = unit_segment_name(unit, 1, 0), *second = unit_segment_name(unit, 2, 0);
    int64_t n;

    touch(unit, first);
    touch(unit, second);
    for (n = 1; n <= 3; n++) {
        assert_int_equal(mm_spool_list_set(&list, second, 10 * n), APR_SUCCESS);
        assert_int_equal(mm_spool_list_set(&list, first, 100 - n), APR_SUCCESS);
    }
    scan(unit, &list);
    assert_int_equal(list.n, 2);
    assert_string_equal(list.items[0].name, first);
    assert_true(list.items[0].offset == 99);
    assert_true(list.items[1].offset == 30);
    mm_spool_list_free(&list);
}

/* Where it cannot even be looked whether a segment is there, it may well be. */
static int scan_without_looking(unit_t *unit)
{
    mm_spool_list_t list = {0};
    DIR *dir;

    if (geteuid() == 0 && (chown(unit->dir, STRANGER, STRANGER) != 0 || setuid(STRANGER) != 0)) {
        return 1;
    }
    if (mm_spool_list_set(&list, unit_segment_name(unit, 1, 0), 77) != APR_SUCCESS || chmod(unit->dir, 0400) != 0 ||
        (dir = opendir(unit->dir)) == NULL) {
        return 2;
    }
    if (mm_spool_list_scan(&list, dir, NULL) != APR_SUCCESS || list.n != 1 || list.items[0].offset != 77) {
        return 3;
    }
    rewinddir(dir);
    return chmod(unit->dir, 0700) == 0 && mm_spool_list_scan(&list, dir, NULL) == APR_SUCCESS && list.n == 0 ? 0 : 4;
}

static void forgets_only_what_is_sure_to_be_gone(void **state)
{
    pid_t child = fork();

    if (child == 0) {
        _exit(scan_without_looking(*state));
    }
    assert_int_equal(unit_wait(child), 0);
}

static void goes_back_to_the_mark(void **state)
{
    unit_t *unit = *state;
    mm_spool_list_t list = {0};
    int n;

    for (n = 0; n < 3; n++) {
        assert_int_equal(mm_spool_list_set(&list, unit_segment_name(unit, (uint32_t)n, 0), n), APR_SUCCESS);
    }
    list.items[0].finished = list.items[1].finished = true;
    list.items[1].offset = 50;
    mm_spool_list_back(&list);
    assert_true(list.items[1].offset == 1);
    assert_true(list.items[0].finished);
    assert_false(list.items[1].finished);
    list.items[2].offset = 60;
    mm_spool_list_mark(&list);
    list.items[2].offset = 70;
    mm_spool_list_back(&list);
    assert_true(list.items[2].offset == 60);
    assert_true(list.items[1].offset == 1);
    mm_spool_list_free(&list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(oldest_first, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(remembers_and_forgets, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(sees_unfinished_files, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(too_many, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(removed_ones_make_room, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(many_positions_in_any_order, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(of_two_positions_the_farther_holds, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(forgets_only_what_is_sure_to_be_gone, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(goes_back_to_the_mark, unit_setup, unit_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
