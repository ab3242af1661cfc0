/* Making segments: locked from the first moment at which a reader can see them, and on the disk where that is asked. */
#include "unit_spool.h"

#include <errno.h>
#include <sys/syscall.h>

#include "spool/spool_create.h"

/* In the place of libc's. */
static int flushes, flush_fails_with;

int fsync(int fd)
{
    flushes++;
    errno = flush_fails_with;
    return flush_fails_with != 0 ? -1 : (int)syscall(SYS_fsync, fd);
}

static int setup(void **state)
{
    flushes = flush_fails_with = 0;
    return unit_setup(state);
}

static void is_locked_and_named(void **state)
{
    unit_t *unit = *state;
    mm_spool_created_t one, other;
    mm_spool_name_t name;
    char *text = NULL;
    int fd;

    assert_int_equal(mm_spool_create(&one, unit->dir, 7, false, NULL), APR_SUCCESS);
    assert_int_equal(unit_count(unit, "", NULL), 3); /* with . and .. */
    assert_int_equal(unit_count(unit, ".seg", &text), 1);
    assert_true(mm_spool_name_parse(&name, text));
    assert_int_equal(name.n, 7);
    assert_int_equal(name.pid, getpid());
    assert_true(name.seed == one.seed);
    fd = open(unit_path(unit, text), O_RDONLY);
    assert_int_equal(flock(fd, LOCK_SH | LOCK_NB), -1);
    close(fd);
    assert_true(fcntl(one.fd, F_GETFL) & O_APPEND);
    assert_true(fcntl(one.fd, F_GETFD) & FD_CLOEXEC);
    assert_int_equal(flushes, 0);
    assert_int_equal(mm_spool_create(&other, unit->dir, 8, false, NULL), APR_SUCCESS);
    assert_int_equal(unit_count(unit, ".seg", NULL), 2);
    close(one.fd);
    close(other.fd);
}

static void its_name_is_flushed_where_asked(void **state)
{
    unit_t *unit = *state;
    mm_spool_created_t created;

    assert_int_equal(mm_spool_create(&created, unit->dir, 0, true, NULL), APR_SUCCESS);
    assert_int_equal(flushes, 1);
    close(created.fd);
}

static void leaves_nothing_when_it_fails(void **state)
{
    unit_t *unit = *state;
    mm_spool_created_t created = {-1, 0};
    mm_err_t err = {0};

    flush_fails_with = EIO;
    assert_int_equal(mm_spool_create(&created, unit->dir, 0, true, &err), EIO);
    assert_non_null(strstr(err.text, unit->dir));
    assert_int_equal(unit_count(unit, "", NULL), 2);
    assert_int_equal(created.fd, -1);
    assert_int_equal(mm_spool_create(&created, unit_path(unit, "none"), 0, false, &err), ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(is_locked_and_named, setup, unit_teardown),
        cmocka_unit_test_setup_teardown(its_name_is_flushed_where_asked, setup, unit_teardown),
        cmocka_unit_test_setup_teardown(leaves_nothing_when_it_fails, setup, unit_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
