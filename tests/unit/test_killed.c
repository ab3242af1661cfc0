/* A drainer that is killed between any two operations on files, and another one that goes on, until all is counted: the
 * uses are those of an oracle, whatever was the last thing that a drainer did.
 *
 * The functions of libc through which files are changed are those below, for all of this program: each asks first
 * whether it is time to die.
 */
#include "unit_drain.h"
#include "drain/window_log.h"
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* Operations until the end; negative: never. In the child only. */
static long left = -1;

static void operation(void)
{
    if (left >= 0 && left-- == 0) {
        kill(getpid(), SIGKILL);
    }
}

ssize_t pwrite(int fd, const void *data, size_t len, off_t at)
{
    operation();
    return syscall(SYS_pwrite64, fd, data, len, at);
}

ssize_t pwrite64(int fd, const void *data, size_t len, off_t at)
{
    return pwrite(fd, data, len, at);
}

int fsync(int fd)
{
    operation();
    return (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd)
{
    operation();
    return (int)syscall(SYS_fdatasync, fd);
}

int ftruncate(int fd, off_t len)
{
    operation();
    return (int)syscall(SYS_ftruncate, fd, len);
}

int ftruncate64(int fd, off_t len)
{
    return ftruncate(fd, len);
}

int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
    operation();
    return (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, 0);
}

int unlinkat(int dir, const char *name, int flags)
{
    operation();
    return (int)syscall(SYS_unlinkat, dir, name, flags);
}

#define CLICKS 400

typedef struct one {
    int user, second;
} one_t;

static one_t clicks[CLICKS];

/* Four users, forty minutes, and whoever has clicked often does so again soon. */
static void make_clicks(void)
{
    uint64_t seed = 7;

    for (int i = 0; i < CLICKS; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        clicks[i] = (one_t){(int)(seed >> 60) % 4, (int)((seed >> 33) % 2400)};
        if (i > 0 && (seed >> 50) % 2 == 0) {
            clicks[i].second = clicks[i - 1].second + (int)((seed >> 40) % 40);
        }
    }
}

static int64_t expected(void)
{
    int64_t kept = 0;

    for (int i = 0; i < CLICKS; i++) {
        bool followed = false;

        for (int j = 0; j < CLICKS; j++) {
            int behind = clicks[j].second - clicks[i].second;

            followed = followed ||
                       (clicks[j].user == clicks[i].user && ((behind > 0 && behind <= 30) || (behind == 0 && j < i)));
        }
        kept += !followed;
    }
    return kept;
}

static void put(const setting_t *s, int i)
{
    static const char *const users[] = {"ada", "grace", "eve", "mary"};
    mm_event_t event =
        event_of(MM_ACTION_VIEW, "a", users[clicks[i].user], NOON_US + INT64_C(1000000) * clicks[i].second);

    spool_put(s->writer, &event, 1);
}

/* Whether it came to its end. */
static bool drain_until(setting_t *s, long operations)
{
    pid_t child = fork();
    int status;

    if (child == 0) {
        mm_store_init();
        if (open_drain(s) != APR_SUCCESS) {
            fprintf(stderr, "%s\n", s->err.text);
            _exit(1);
        }
        left = operations;
        if (mm_drain_run(s->drain, &s->err) != APR_SUCCESS) {
            fprintf(stderr, "%s\n", s->err.text);
            _exit(1);
        }
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFSIGNALED(status)) {
        assert_int_equal(WTERMSIG(status), SIGKILL);
        return false;
    }
    assert_int_equal(status, 0);
    return true;
}

static void counts_exactly_wherever_it_is_killed(void **state)
{
    setting_t s = begin_here(*state);
    int next = 0;
    long killed = 0;

    s.options.policy.double_click_ms = 30000;
    make_clicks();
    for (long operations = 0; next < CLICKS; operations++) {
        for (int n = 0; n < 5 && next < CLICKS; n++) {
            put(&s, next++);
        }
        if (drain_until(&s, operations)) {
            operations = -1; /* that was all of them: from the first again */
            continue;
        }
        killed++;
    }
    assert_true(drain_until(&s, -1));
    assert_true(killed > 40);
    mm_store_init();
    assert_int_equal(views(&s), expected());
    assert_int_equal(db_sum(s.uri, "metrics_users", NULL, "views"), expected());
    assert_int_equal(db_sum(s.uri, "metrics_days", NULL, "views"), expected());
    assert_int_equal(db_sum(s.uri, "metrics_datasets", NULL, "unique_views"), 4);
    assert_int_equal(count_files(s.dir, MM_WINDOW_LOG_PREFIX, s.unit->pool), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(counts_exactly_wherever_it_is_killed, unit_setup, unit_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
