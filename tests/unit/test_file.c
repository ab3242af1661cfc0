/* Files that are whole or not there. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/file.h"

static char *path_of(unit_t *unit, const char *name)
{
    return apr_pstrcat(unit->pool, unit->dir, "/", name, NULL);
}

static void make(unit_t *unit, const char *name, const void *data, size_t len)
{
    int fd = open(path_of(unit, name), O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(mm_file_write_all(fd, data, len, NULL), APR_SUCCESS);
    close(fd);
}

static void writes_all_into_a_pipe(void **state)
{
    enum { LEN = 1 << 20 };
    unit_t *unit = *state;
    char *data = apr_pcalloc(unit->pool, LEN);
    size_t written = 0, got = 0;
    int ends[2];
    pid_t child;
    char buf[5000];
    ssize_t n;

    assert_int_equal(pipe(ends), 0);
    child = fork();
    if (child == 0) {
        close(ends[0]);
        _exit(mm_file_write_all(ends[1], data, LEN, &written) == APR_SUCCESS && written == LEN ? 0 : 1);
    }
    close(ends[1]);
    while ((n = read(ends[0], buf, sizeof(buf))) > 0) {
        got += (size_t)n;
    }
    close(ends[0]);
    assert_int_equal(got, LEN);
    assert_int_equal(waitpid(child, (int *)buf, 0), child);
    assert_int_equal(*(int *)(void *)buf, 0);
}

static void takes_plain_files_alone(void **state)
{
    unit_t *unit = *state;
    char *data;
    size_t len;
    mm_err_t err = {.text = ""};

    make(unit, "plain", "abc", 3);
    assert_int_equal(mm_file_slurp_plain(&data, &len, path_of(unit, "plain"), 10, 0, unit->pool, &err), APR_SUCCESS);
    assert_string_equal(data, "abc");
    assert_int_equal(mm_file_slurp_plain(&data, &len, path_of(unit, "plain"), 2, 0, unit->pool, &err), APR_ENOSPC);
    assert_int_equal(mkfifo(path_of(unit, "pipe"), 0600), 0);
    assert_int_equal(mm_file_slurp_plain(&data, &len, path_of(unit, "pipe"), 10, 0, unit->pool, &err), APR_EINVAL);
    assert_non_null(strstr(err.text, "no plain file"));
    assert_int_equal(symlink(path_of(unit, "plain"), path_of(unit, "link")), 0);
    assert_int_equal(mm_file_slurp_plain(&data, &len, path_of(unit, "link"), 10, 0, unit->pool, &err), APR_SUCCESS);
    assert_int_equal(mm_file_slurp_plain(&data, &len, path_of(unit, "link"), 10, MM_FILE_NO_LINK, unit->pool, &err),
                     APR_EINVAL);
    assert_int_equal(mm_file_slurp_plain(&data, &len, path_of(unit, "plain"), 10, MM_FILE_ROOTS, unit->pool, &err),
                     APR_SUCCESS);
    assert_int_equal(chmod(path_of(unit, "plain"), 0620), 0);
    assert_int_equal(mm_file_slurp_plain(&data, &len, path_of(unit, "link"), 10, MM_FILE_ROOTS, unit->pool, &err),
                     geteuid() == 0 ? APR_EINVAL : APR_SUCCESS);
    assert_true(APR_STATUS_IS_ENOENT(mm_file_slurp_plain(&data, &len, path_of(unit, "none"), 10, 0, unit->pool, &err)));
}

static void says_how_much_was_written(void **state)
{
    unit_t *unit = *state;
    char *path = path_of(unit, "limited");
    pid_t child = fork();
    int status;

    if (child == 0) {
        struct rlimit limit = {100, 100};
        size_t written = 0;
        char data[300] = {0};
        int fd = open(path, O_WRONLY | O_CREAT, 0600);

        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &limit);
        _exit(mm_file_write_all(fd, data, sizeof(data), &written) == EFBIG && written == 100 ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(mm_file_write_all(-1, "x", 1, NULL), EBADF);
    assert_int_equal(mm_file_write_all(-1, "", 0, NULL), APR_SUCCESS);
}

static void commits(void **state)
{
    unit_t *unit = *state;
    mm_err_t err;
    char *data;
    size_t len;
    int dir = open(unit->dir, O_RDONLY | O_DIRECTORY);
    int fd;

    make(unit, "into", "old", 3);
    fd = openat(dir, "from", O_WRONLY | O_CREAT | O_EXCL, 0600);
    assert_int_equal(mm_file_write_all(fd, "new!", 4, NULL), APR_SUCCESS);
    assert_int_equal(mm_file_commit(dir, fd, "from", "into", &err), APR_SUCCESS);
    assert_int_equal(mm_file_slurp(&data, &len, path_of(unit, "into"), 100, unit->pool, &err), APR_SUCCESS);
    assert_int_equal(len, 4);
    assert_string_equal(data, "new!");
    assert_int_equal(access(path_of(unit, "from"), F_OK), -1);
    assert_int_equal(mm_file_commit(dir, fd, "from", "into", &err), ENOENT);
    assert_non_null(strstr(err.text, "from"));
    close(fd);
    assert_int_equal(mm_file_commit(dir, fd, "from", "into", &err), EBADF);
    close(dir);
}

static void slurps_up_to_the_limit(void **state)
{
    unit_t *unit = *state;
    static const size_t lens[] = {0, 1, 99, 4095, 4096, 4097, 10000, 100000};
    mm_err_t err;
    size_t i;

    for (i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
        char *data = NULL, *content = apr_palloc(unit->pool, lens[i] + 1);
        size_t len = 12345;

        memset(content, 'a' + (int)i, lens[i]);
        make(unit, "f", content, lens[i]);
        assert_int_equal(mm_file_slurp(&data, &len, path_of(unit, "f"), lens[i], unit->pool, &err), APR_SUCCESS);
        assert_int_equal(len, lens[i]);
        assert_memory_equal(data, content, len);
        assert_int_equal(data[len], '\0');
        assert_int_equal(mm_file_slurp(&data, &len, path_of(unit, "f"), 1000000, unit->pool, &err), APR_SUCCESS);
        assert_int_equal(len, lens[i]);
        if (lens[i] > 0) {
            assert_int_equal(mm_file_slurp(&data, &len, path_of(unit, "f"), lens[i] - 1, unit->pool, &err), APR_ENOSPC);
            assert_non_null(strstr(err.text, path_of(unit, "f")));
        }
    }
}

static void slurp_names_the_file(void **state)
{
    unit_t *unit = *state;
    mm_err_t err;
    char *data = NULL;
    size_t len;

    assert_int_equal(mm_file_slurp(&data, &len, path_of(unit, "none"), 10, unit->pool, &err), ENOENT);
    assert_non_null(strstr(err.text, path_of(unit, "none")));
    assert_int_equal(mm_file_slurp(&data, &len, unit->dir, 10, unit->pool, &err), EISDIR);
    assert_non_null(strstr(err.text, unit->dir));
    assert_null(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(writes_all_into_a_pipe, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(takes_plain_files_alone, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(says_how_much_was_written, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(commits, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(slurps_up_to_the_limit, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(slurp_names_the_file, unit_setup, unit_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
