/* The spool directory: made, named, locked. Run as root the tests of owners are real; otherwise they check what can be
 * checked as one user. */
#include "unit_spool.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>

#include "spool/spool.h"

/* nobody, or anyone else who is not us. */
#define STRANGER 65534

static const uid_t keep_uid = (uid_t)-1;
static const gid_t keep_gid = (gid_t)-1;

static apr_status_t prepare(unit_t *unit, const char *dir, mm_err_t *err)
{
    return mm_spool_prepare(dir, keep_uid, keep_gid, unit->pool, err);
}

static mode_t mode_of(const char *path)
{
    struct stat st;

    assert_int_equal(stat(path, &st), 0);
    return st.st_mode & 07777;
}

static uid_t owner_of(const char *path)
{
    struct stat st;

    assert_int_equal(stat(path, &st), 0);
    return st.st_uid;
}

static void makes_all(void **state)
{
    unit_t *unit = *state;
    char *above = unit_path(unit, "a"), *dir = unit_path(unit, "a/b/spool");
    char id[MM_SPOOL_ID_LEN + 1], again[MM_SPOOL_ID_LEN + 1];
    mm_err_t err = {0};
    mode_t old = umask(022);

    assert_int_equal(prepare(unit, dir, &err), APR_SUCCESS);
    assert_int_equal(mode_of(above), 0755);
    assert_int_equal(mode_of(dir), 0700);
    assert_int_equal(mode_of(unit_path(unit, "a/b/spool/id")), 0600);
    assert_int_equal(mm_spool_id(id, dir, unit->pool, &err), APR_SUCCESS);
    assert_int_equal(strlen(id), MM_SPOOL_ID_LEN);
    assert_int_equal(strspn(id, "0123456789abcdef"), MM_SPOOL_ID_LEN);
    /* Again, also with a slash behind: the same spool. */
    assert_int_equal(prepare(unit, dir, &err), APR_SUCCESS);
    assert_int_equal(prepare(unit, apr_pstrcat(unit->pool, dir, "//", NULL), &err), APR_SUCCESS);
    assert_int_equal(mm_spool_id(again, dir, unit->pool, &err), APR_SUCCESS);
    assert_string_equal(id, again);
    /* Another one has another id. */
    assert_int_equal(prepare(unit, unit_path(unit, "other"), &err), APR_SUCCESS);
    assert_int_equal(mm_spool_id(again, unit_path(unit, "other"), unit->pool, &err), APR_SUCCESS);
    assert_string_not_equal(id, again);
    umask(old);
}

static void processes_agree_on_the_id(void **state)
{
    enum { PROCESSES = 12, ROUNDS = 10 };
    unit_t *unit = *state;
    int round, i;

    for (round = 0; round < ROUNDS; round++) {
        char *dir = apr_psprintf(unit->pool, "%s/s%d", unit->dir, round);
        char ids[PROCESSES][MM_SPOOL_ID_LEN + 1];
        pid_t children[PROCESSES];
        int ends[2], start[2];

        assert_int_equal(pipe(ends), 0);
        assert_int_equal(pipe(start), 0);
        for (i = 0; i < PROCESSES; i++) {
            children[i] = fork();
            if (children[i] == 0) {
                char id[MM_SPOOL_ID_LEN + 1], go;

                close(start[1]);
                _exit(read(start[0], &go, 1) == 0 && prepare(unit, dir, NULL) == APR_SUCCESS &&
                              mm_spool_id(id, dir, unit->pool, NULL) == APR_SUCCESS &&
                              write(ends[1], id, sizeof(id)) == sizeof(id)
                          ? 0
                          : 1);
            }
        }
        close(start[0]);
        close(start[1]);
        for (i = 0; i < PROCESSES; i++) {
            assert_int_equal(unit_wait(children[i]), 0);
            assert_int_equal(read(ends[0], ids[i], sizeof(ids[i])), sizeof(ids[i]));
            assert_string_equal(ids[i], ids[0]);
        }
        close(ends[0]);
        close(ends[1]);
    }
}

static void refuses_what_others_can_write(void **state)
{
    unit_t *unit = *state;
    mm_err_t err = {0};

    chmod(unit->dir, 0770);
    assert_int_not_equal(prepare(unit, unit->dir, &err), APR_SUCCESS);
    assert_non_null(strstr(err.text, "chmod"));
    chmod(unit->dir, 01707);
    assert_int_not_equal(prepare(unit, unit->dir, &err), APR_SUCCESS);
    assert_int_equal(unit_count(unit, "id", NULL), 0);
    chmod(unit->dir, 0755);
    assert_int_equal(prepare(unit, unit->dir, &err), APR_SUCCESS);
}

static void refuses_what_is_no_directory(void **state)
{
    unit_t *unit = *state;
    mm_err_t err = {0};

    close(unit_append(unit, "file", "x", 1));
    assert_int_equal(prepare(unit, unit_path(unit, "file"), &err), ENOTDIR);
    assert_non_null(strstr(err.text, unit_path(unit, "file")));
    assert_int_equal(prepare(unit, unit_path(unit, "file/spool"), &err), ENOTDIR);
    assert_non_null(strstr(err.text, "cannot be"));
}

static void owners(void **state)
{
    unit_t *unit = *state;
    char *dir = unit_path(unit, "spool");
    mm_err_t err = {0};

    if (geteuid() != 0) {
        skip();
    }
    assert_int_equal(mm_spool_prepare(dir, STRANGER, STRANGER, unit->pool, &err), APR_SUCCESS);
    assert_int_equal(owner_of(dir), STRANGER);
    assert_int_equal(owner_of(unit_path(unit, "spool/id")), STRANGER);
    assert_int_equal(mm_spool_prepare(dir, STRANGER, STRANGER, unit->pool, &err), APR_SUCCESS);
    /* Root may look after it, and leaves what it makes to the owner. */
    unlink(unit_path(unit, "spool/id"));
    assert_int_equal(prepare(unit, dir, &err), APR_SUCCESS);
    assert_int_equal(owner_of(unit_path(unit, "spool/id")), STRANGER);
    /* Not to a third. */
    assert_int_not_equal(mm_spool_prepare(dir, STRANGER - 1, STRANGER, unit->pool, &err), APR_SUCCESS);
    assert_non_null(strstr(err.text, "chown"));
    assert_int_equal(owner_of(dir), STRANGER);
}

static void gives_away_only_a_spool(void **state)
{
    unit_t *unit = *state;
    char *dir = unit_path(unit, "spool");
    mm_err_t err = {0};

    if (geteuid() != 0) {
        skip();
    }
    assert_int_equal(mkdir(dir, 0755), 0);
    close(unit_append(unit, "spool/precious", "x", 1));
    assert_int_not_equal(mm_spool_prepare(dir, STRANGER, STRANGER, unit->pool, &err), APR_SUCCESS);
    assert_non_null(strstr(err.text, "something other than a spool"));
    assert_int_equal(owner_of(dir), 0);
    assert_false(unit_exists(unit, "spool/id"));
    /* One that root made and used, before httpd is told to use it. */
    assert_int_equal(prepare(unit, dir, &err), APR_SUCCESS);
    assert_int_equal(mm_spool_prepare(dir, STRANGER, STRANGER, unit->pool, &err), APR_SUCCESS);
    assert_int_equal(owner_of(dir), STRANGER);
    assert_int_equal(owner_of(unit_path(unit, "spool/id")), STRANGER);
    assert_int_equal(owner_of(unit_path(unit, "spool/precious")), STRANGER);
}

static void refuses_a_strangers_directory(void **state)
{
    unit_t *unit = *state;
    pid_t child;

    if (geteuid() != 0) {
        skip();
    }
    chmod(unit->dir, 0755);
    assert_int_equal(mkdir(unit_path(unit, "spool"), 0755), 0);
    child = fork();
    if (child == 0) {
        mm_err_t err = {0};

        _exit(setuid(STRANGER) == 0 && prepare(unit, unit_path(unit, "spool"), &err) == APR_EACCES &&
                      strstr(err.text, "belongs to user 0") != NULL
                  ? 0
                  : 1);
    }
    assert_int_equal(unit_wait(child), 0);
}

static void damaged_ids(void **state)
{
    static const char *const bad[] = {
        "",
        "\n",
        "0123456789abcdef01234567",
        "0123456789abcdef0123456\n",
        "0123456789abcdef012345678\n",
        "0123456789ABCDEF01234567\n",
        "0123456789abcdef01234567\nx",
        "0123456789abcdef01234567\r\n",
        "0123456789abcdef01234567890123456789012345678901234567890123456789012345\n",
    };
    unit_t *unit = *state;
    char id[MM_SPOOL_ID_LEN + 1] = "untouched";
    mm_err_t err = {0};
    size_t i;

    assert_int_equal(mm_spool_id(id, unit->dir, unit->pool, &err), ENOENT);
    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        unlink(unit_path(unit, "id"));
        close(unit_append(unit, "id", bad[i], strlen(bad[i])));
        assert_int_equal(mm_spool_id(id, unit->dir, unit->pool, &err), APR_EINVAL);
        assert_non_null(strstr(err.text, unit_path(unit, "id")));
    }
    assert_string_equal(id, "untouched");
    /* What is there is not made anew: the database knows the spool by it. */
    assert_int_equal(prepare(unit, unit->dir, &err), APR_SUCCESS);
    assert_int_equal(mm_spool_id(id, unit->dir, unit->pool, &err), APR_EINVAL);
}

static void one_drainer(void **state)
{
    unit_t *unit = *state;
    mm_err_t err = {0};
    int first = -1, second = -1;
    char *pid = apr_psprintf(unit->pool, "process %ld", (long)getpid());

    assert_int_equal(mm_spool_lock(&first, unit->dir, unit->pool, &err), APR_SUCCESS);
    assert_true(first >= 0);
    assert_true((fcntl(first, F_GETFD) & FD_CLOEXEC) != 0);
    assert_int_equal(mm_spool_lock(&second, unit->dir, unit->pool, &err), APR_EAGAIN);
    assert_int_equal(second, -1);
    assert_non_null(strstr(err.text, pid));
    close(first);
    assert_int_equal(mm_spool_lock(&second, unit->dir, unit->pool, &err), APR_SUCCESS);
    close(second);
    assert_int_equal(mm_spool_lock(&second, unit_path(unit, "none"), unit->pool, &err), ENOENT);
}

static void the_lock_dies_with_its_process(void **state)
{
    unit_t *unit = *state;
    mm_err_t err = {0};
    int ends[2], fd;
    char ready;
    pid_t child;

    assert_int_equal(pipe(ends), 0);
    child = fork();
    if (child == 0) {
        if (mm_spool_lock(&fd, unit->dir, unit->pool, NULL) != APR_SUCCESS || write(ends[1], "r", 1) != 1) {
            _exit(1);
        }
        for (;;) {
            pause();
        }
    }
    assert_int_equal(read(ends[0], &ready, 1), 1);
    assert_int_equal(mm_spool_lock(&fd, unit->dir, unit->pool, &err), APR_EAGAIN);
    assert_non_null(strstr(err.text, apr_psprintf(unit->pool, "process %ld ", (long)child)));
    kill(child, SIGKILL);
    unit_wait(child);
    assert_int_equal(mm_spool_lock(&fd, unit->dir, unit->pool, &err), APR_SUCCESS);
    close(fd);
    close(ends[0]);
    close(ends[1]);
}

/* On a full disk the one who can make room must not be kept from it. */
static int lock_on_a_full_disk(unit_t *unit)
{
    struct rlimit none = {0, 0};
    mm_err_t err = {0};
    int first = -1, second = -1;

    signal(SIGXFSZ, SIG_IGN);
    return setrlimit(RLIMIT_FSIZE, &none) == 0 && mm_spool_lock(&first, unit->dir, unit->pool, &err) == APR_SUCCESS &&
                   mm_spool_lock(&second, unit->dir, unit->pool, &err) == APR_EAGAIN &&
                   strstr(err.text, "another process holds") != NULL
               ? 0
               : 1;
}

static void the_lock_needs_no_room(void **state)
{
    pid_t child = fork();

    if (child == 0) {
        _exit(lock_on_a_full_disk(*state));
    }
    assert_int_equal(unit_wait(child), 0);
}

static void the_lock_is_the_owners(void **state)
{
    unit_t *unit = *state;
    mm_err_t err = {0};
    int fd = -1;

    assert_int_equal(chmod(unit->dir, 0720), 0);
    assert_int_not_equal(mm_spool_lock(&fd, unit->dir, unit->pool, &err), APR_SUCCESS);
    assert_non_null(strstr(err.text, "chmod"));
    assert_int_equal(chmod(unit->dir, 0700), 0);
    if (geteuid() == 0) {
        assert_int_equal(chown(unit->dir, STRANGER, STRANGER), 0);
        assert_int_equal(mm_spool_lock(&fd, unit->dir, unit->pool, &err), APR_EACCES);
        assert_non_null(strstr(err.text, "belongs to user 65534"));
        assert_int_equal(chown(unit->dir, 0, 0), 0);
    }
    assert_false(unit_exists(unit, "drain.lock"));
    assert_int_equal(mm_spool_lock(&fd, unit->dir, unit->pool, &err), APR_SUCCESS);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(makes_all, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(processes_agree_on_the_id, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(refuses_what_others_can_write, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(refuses_what_is_no_directory, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(owners, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(gives_away_only_a_spool, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(refuses_a_strangers_directory, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(damaged_ids, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(one_drainer, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(the_lock_dies_with_its_process, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(the_lock_needs_no_room, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(the_lock_is_the_owners, unit_setup, unit_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
