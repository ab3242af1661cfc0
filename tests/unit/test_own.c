/* Files made by root belong to the spool's owner. */
#include "drain_unit.h"
#include "drain/own.h"

#define SOMEBODY 12345

static void gives_the_file_to_the_owner_of_the_spool(void **state)
{
    unit_t *unit = *state;
    struct stat info;
    mm_err_t err;
    int dirfd, fd = -1;

    if (geteuid() == 0) {
        assert_int_equal(chown(unit->dir, SOMEBODY, SOMEBODY), 0);
    }
    dirfd = open(unit->dir, O_RDONLY | O_DIRECTORY);
    assert_int_equal(mm_own_create(&fd, dirfd, "file", O_TRUNC, &err), APR_SUCCESS);
    assert_int_equal(fstat(fd, &info), 0);
    assert_int_equal(info.st_uid, geteuid() == 0 ? SOMEBODY : geteuid());
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

#define test(f) cmocka_unit_test_setup_teardown(f, unit_setup, unit_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(gives_the_file_to_the_owner_of_the_spool),
        test(follows_no_link),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
