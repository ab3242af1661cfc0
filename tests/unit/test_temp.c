/* Directories of reports: whose they are, and that nothing is left. */
#include "unit.h"

#include <stdbool.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "report/temp.h"

static bool exists(const char *path)
{
    struct stat info;

    return lstat(path, &info) == 0;
}

static const char *file_in(unit_t *unit, const char *dir, const char *name)
{
    const char *path = apr_pstrcat(unit->pool, dir, "/", name, NULL);
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    fclose(file);
    return path;
}

static void test_made_and_removed(void **state)
{
    unit_t *unit = *state;
    const mm_temp_t temp = {unit->dir, 0};
    struct stat info;
    const char *path = NULL, *copy;
    apr_pool_t *pool;
    mm_err_t err;

    assert_int_equal(apr_pool_create(&pool, unit->pool), APR_SUCCESS);
    assert_int_equal(mm_temp_make(&path, &temp, pool, &err), APR_SUCCESS);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0700);
    assert_true(mm_temp_room(path) > 0);
    copy = apr_pstrdup(unit->pool, path);
    file_in(unit, copy, "report.xlsx");
    apr_pool_destroy(pool);
    assert_false(exists(copy));
}

static void test_no_place(void **state)
{
    unit_t *unit = *state;
    const mm_temp_t temp = {apr_pstrcat(unit->pool, unit->dir, "/none", NULL), 0};
    const char *path;
    mm_err_t err;

    assert_int_equal(mm_temp_make(&path, &temp, unit->pool, &err), ENOENT);
    assert_non_null(strstr(err.text, "/none"));
    assert_true(mm_temp_room(temp.dir) == INT64_MAX);
}

static void test_of_the_dead(void **state)
{
    unit_t *unit = *state;
    const mm_temp_t temp = {unit->dir, 0};
    const char *path;
    mm_err_t err;
    pid_t gone = fork();

    if (gone == 0) {
        _exit(0);
    }
    assert_int_equal(waitpid(gone, NULL, 0), gone);
    const char *dead = apr_psprintf(unit->pool, "%s/mod_metrics-%d-abcdef", unit->dir, (int)gone);
    const char *living = apr_psprintf(unit->pool, "%s/mod_metrics-%d-abcdef", unit->dir, (int)getppid());
    const char *other = apr_psprintf(unit->pool, "%s/mod_metrics-%dx", unit->dir, (int)gone);
    const char *link_to = apr_psprintf(unit->pool, "%s/mod_metrics-%d-link", unit->dir, (int)gone);
    assert_int_equal(mkdir(dead, 0700) | mkdir(living, 0700) | mkdir(other, 0700), 0);
    file_in(unit, dead, "report.xlsx");
    const char *kept = file_in(unit, other, "kept");
    assert_int_equal(symlink(other, link_to), 0);
    assert_int_equal(mm_temp_make(&path, &temp, unit->pool, &err), APR_SUCCESS);
    assert_false(exists(dead));
    assert_true(exists(living) && exists(other) && exists(kept) && exists(link_to));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_made_and_removed, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(test_no_place, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(test_of_the_dead, unit_setup, unit_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
