/* Root becomes the owner of a spool, and does not believe any other directory. */
#include "unit.h"
#include <grp.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include "../../tools/ctl_owner.c"

/* Nobody has this number, so it has no entry and no groups of its own; the other is somebody's on most machines. */
#define NUMBER 54321
#define NOBODY 65534

static char said[4096];

int ctl_failed(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(said, sizeof(said), format, args);
    va_end(args);
    return CTL_FAILED;
}

static char *spool(const unit_t *unit)
{
    char *dir = apr_pstrcat(unit->pool, unit->dir, "/spool", NULL);

    assert_int_equal(mkdir(dir, 0700), 0);
    return dir;
}

/* In a process of its own: there is no way back. The exit code says what is wrong. */
static int become_in_a_child(const unit_t *unit, const char *dir, uid_t uid, gid_t gid)
{
    pid_t child = fork();
    int status;

    if (child == 0) {
        uid_t real, effective, saved;
        gid_t groups[64];
        int n;

        if (ctl_become_owner(dir, unit->pool) != CTL_OK) {
            _exit(1);
        }
        if (getresuid(&real, &effective, &saved) != 0 || real != uid || effective != uid || saved != uid) {
            _exit(2);
        }
        if (getgid() != gid || getegid() != gid) {
            _exit(3);
        }
        for (n = getgroups(64, groups); n > 0; n--) {
            if (groups[n - 1] == 0) {
                _exit(4);
            }
        }
        _exit(setuid(0) == 0 ? 5 : 0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void becomes_the_owner(void **state)
{
    unit_t *unit = *state;
    char *dir = spool(unit);
    gid_t roots[] = {0, 1};

    if (geteuid() != 0) {
        skip();
    }
    assert_int_equal(setgroups(2, roots), 0);
    assert_int_equal(chown(dir, NUMBER, NUMBER + 1), 0);
    assert_int_equal(become_in_a_child(unit, dir, NUMBER, NUMBER + 1), 0);
    assert_int_equal(chown(dir, NOBODY, NUMBER), 0);
    assert_int_equal(become_in_a_child(unit, dir, NOBODY, NUMBER), 0);
    assert_int_equal(become_in_a_child(unit, apr_pstrcat(unit->pool, dir, "//", NULL), NOBODY, NUMBER), 0);
}

static void stays_root_for_a_spool_of_roots(void **state)
{
    unit_t *unit = *state;

    if (geteuid() != 0) {
        skip();
    }
    assert_int_equal(ctl_become_owner(spool(unit), unit->pool), CTL_OK);
    assert_int_equal(geteuid(), 0);
}

static void does_nothing_for_others(void **state)
{
    unit_t *unit = *state;
    pid_t child = fork();
    int status;

    if (child == 0) {
        _exit((geteuid() != 0 || setuid(NUMBER) == 0) && ctl_become_owner("/nonexistent", unit->pool) == CTL_OK ? 0
                                                                                                                : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void refuses(const unit_t *unit, const char *dir, const char *why)
{
    said[0] = '\0';
    assert_int_equal(ctl_become_owner(dir, unit->pool), CTL_FAILED);
    assert_non_null(strstr(said, why));
    assert_non_null(strstr(said, dir));
    assert_int_equal(geteuid(), 0);
}

static void does_not_believe_others(void **state)
{
    unit_t *unit = *state;
    char *dir = spool(unit), *link = apr_pstrcat(unit->pool, unit->dir, "/link", NULL);

    if (geteuid() != 0) {
        skip();
    }
    assert_int_equal(chown(dir, NUMBER, NUMBER), 0);
    assert_int_equal(symlink(dir, link), 0);
    refuses(unit, link, "symbolic link");
    refuses(unit, apr_pstrcat(unit->pool, link, "/", NULL), "symbolic link");
    refuses(unit, "/dev/null", "no directory");
    refuses(unit, apr_pstrcat(unit->pool, unit->dir, "/none", NULL), "No such file");
    assert_int_equal(chmod(dir, 0720), 0);
    refuses(unit, dir, "chmod 700");
    assert_int_equal(chmod(dir, 0702), 0);
    refuses(unit, dir, "chmod 700");
}

#define test(f) cmocka_unit_test_setup_teardown(f, unit_setup, unit_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(becomes_the_owner),
        test(stays_root_for_a_spool_of_roots),
        test(does_nothing_for_others),
        test(does_not_believe_others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
