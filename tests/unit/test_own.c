/* The drainer's files are the owner's alone, and where they are said to be. */
#include "drain_unit.h"
#include "drain/own.h"

static void makes_a_file(void **state)
{
    unit_t *unit = *state;
    struct stat info;
    mm_err_t err;
    int dirfd, fd = -1;

    dirfd = open(unit->dir, O_RDONLY | O_DIRECTORY);
    assert_int_equal(mm_own_create(&fd, dirfd, "file", O_TRUNC, &err), APR_SUCCESS);
    assert_int_equal(fstat(fd, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_int_equal(write(fd, "abc", 3), 3);
    close(fd);
    assert_int_equal(mm_own_create(&fd, dirfd, "file", O_APPEND, &err), APR_SUCCESS);
    assert_int_equal(write(fd, "d", 1), 1);
    assert_int_equal(fstat(fd, &info), 0);
    assert_int_equal(info.st_size, 4);
    close(fd);
    close(dirfd);
}

static void follows_no_link(void **state)
{
    unit_t *unit = *state;
    char *target = apr_pstrcat(unit->pool, unit->dir, "/target", NULL);
    mm_err_t err = {.status = 0};
    int dirfd, fd = -1;

    assert_int_equal(symlink(target, apr_pstrcat(unit->pool, unit->dir, "/link", NULL)), 0);
    dirfd = open(unit->dir, O_RDONLY | O_DIRECTORY);
    assert_int_not_equal(mm_own_create(&fd, dirfd, "link", O_TRUNC, &err), APR_SUCCESS);
    assert_non_null(strstr(err.text, "link"));
    assert_int_equal(fd, -1);
    assert_false(has_file(unit->dir, "target"));
    close(dirfd);
}

static void waits_for_no_reader(void **state)
{
    unit_t *unit = *state;
    int dirfd = open(unit->dir, O_RDONLY | O_DIRECTORY), fd = -1;

    assert_int_equal(mkfifo(apr_pstrcat(unit->pool, unit->dir, "/fifo", NULL), 0600), 0);
    assert_int_not_equal(mm_own_create(&fd, dirfd, "fifo", O_TRUNC, NULL), APR_SUCCESS);
    close(dirfd);
}

#define test(f) cmocka_unit_test_setup_teardown(f, unit_setup, unit_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(makes_a_file),
        test(follows_no_link),
        test(waits_for_no_reader),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
