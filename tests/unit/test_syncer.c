/* The thread that flushes: what has grown, and only that; by itself, without a signal, and a last time at its end. */
#include "unit_spool.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/syscall.h>

#include "drain/syncer.h"
#include "drain/wait.h"

#define PATIENCE_US INT64_C(20000000)

/* In the place of libc's. */
static atomic_int files, directories, fails_with;
static _Atomic ino_t last_file;

int fdatasync(int fd)
{
    struct stat st;

    errno = atomic_load(&fails_with);
    if (errno != 0) {
        return -1;
    }
    fstat(fd, &st);
    atomic_store(&last_file, st.st_ino);
    atomic_fetch_add(&files, 1);
    return (int)syscall(SYS_fdatasync, fd);
}

int fsync(int fd)
{
    atomic_fetch_add(&directories, 1);
    return (int)syscall(SYS_fsync, fd);
}

/* The log is written to by the thread. */
static atomic_int logged;

static void count_log(void *baton, mm_log_level_t level, const char *tag, const char *text)
{
    (void)baton;
    if (level == MM_LOG_ERROR && strcmp(tag, "MM0214") == 0 && strstr(text, "flushed") != NULL) {
        atomic_fetch_add(&logged, 1);
    }
}

static const mm_log_t quiet = {count_log, NULL};

static int setup(void **state)
{
    atomic_store(&files, 0);
    atomic_store(&directories, 0);
    atomic_store(&fails_with, 0);
    atomic_store(&logged, 0);
    return unit_setup(state);
}

static mm_syncer_t *start(unit_t *unit, const char *dir)
{
    mm_syncer_t *syncer = NULL;

    assert_int_equal(mm_syncer_start(&syncer, dir, &quiet, unit->pool, NULL), APR_SUCCESS);
    return syncer;
}

static void wait_for(atomic_int *count, int n)
{
    int64_t end = mm_wait_clock_us() + PATIENCE_US;

    while (atomic_load(count) < n) {
        assert_true(mm_wait_clock_us() < end);
        sched_yield();
    }
}

static ino_t inode_of(unit_t *unit, const char *name)
{
    struct stat st;

    assert_int_equal(stat(unit_path(unit, name), &st), 0);
    return st.st_ino;
}

static void flushes_what_has_grown(void **state)
{
    unit_t *unit = *state;
    char *one = unit_segment_name(unit, 1, 1), *two = unit_segment_name(unit, 2, 1);
    mm_syncer_t *syncer;

    unit_append_frame(unit, one, "one", 1);
    unit_append_frame(unit, two, "two", 1);
    unit_append_frame(unit, "batch", "no segment", 1);
    syncer = start(unit, unit->dir);
    wait_for(&directories, 1);
    assert_int_equal(atomic_load(&files), 2);
    unit_append_frame(unit, one, "more", 1);
    wait_for(&files, 3);
    assert_true(atomic_load(&last_file) == inode_of(unit, one));
    mm_syncer_stop(syncer);
    assert_int_equal(atomic_load(&files), 3); /* nor is the other one flushed again at the end */
    assert_int_equal(atomic_load(&directories), 1);
    assert_int_equal(atomic_load(&logged), 0);
}

static void a_new_segment_flushes_the_directory(void **state)
{
    unit_t *unit = *state;
    mm_syncer_t *syncer;

    unit_append_frame(unit, unit_segment_name(unit, 1, 1), "one", 1);
    syncer = start(unit, unit->dir);
    wait_for(&directories, 1);
    unit_append_frame(unit, unit_segment_name(unit, 2, 1), "two", 1);
    wait_for(&directories, 2);
    mm_syncer_stop(syncer);
    assert_int_equal(atomic_load(&files), 2);
}

/* Between two passes: what came last is flushed because it stops. */
static void flushes_at_its_end(void **state)
{
    unit_t *unit = *state;
    int64_t begun = mm_wait_clock_us();
    mm_syncer_t *syncer;

    unit_append_frame(unit, unit_segment_name(unit, 1, 1), "one", 1);
    syncer = start(unit, unit->dir);
    wait_for(&directories, 1);
    unit_append_frame(unit, unit_segment_name(unit, 1, 1), "last", 1);
    mm_syncer_stop(syncer);
    assert_int_equal(atomic_load(&files), 2);
    assert_true(mm_wait_clock_us() - begun < PATIENCE_US);
    mm_syncer_stop(NULL);
}

static void says_what_cannot_be_flushed(void **state)
{
    unit_t *unit = *state;
    char *name = unit_segment_name(unit, 1, 1);
    mm_syncer_t *syncer;

    atomic_store(&fails_with, EIO);
    unit_append_frame(unit, name, "one", 1);
    syncer = start(unit, unit->dir);
    wait_for(&logged, 1);
    atomic_store(&fails_with, 0);
    wait_for(&files, 1); /* it is tried again */
    mm_syncer_stop(syncer);
    assert_int_equal(atomic_load(&logged), 1);
}

static void waits_for_a_directory(void **state)
{
    unit_t *unit = *state;
    mm_syncer_t *syncer = start(unit, unit_path(unit, "spool"));

    wait_for(&logged, 1);
    assert_int_equal(mkdir(unit_path(unit, "spool"), 0700), 0);
    unit->dir = unit_path(unit, "spool");
    unit_append_frame(unit, unit_segment_name(unit, 1, 1), "one", 1);
    wait_for(&files, 1);
    mm_syncer_stop(syncer);
    *strrchr(unit->dir, '/') = '\0';
}

static volatile sig_atomic_t handled;

static void on_signal(int sig)
{
    (void)sig;
    handled = 1;
}

/* A signal for the process must end the wait of the thread that drains, so it must not go to this one, even where that
 * one has blocked it for the moment. */
static void takes_no_signal(void **state)
{
    unit_t *unit = *state;
    struct sigaction action = {.sa_handler = on_signal};
    mm_wait_t wait = {.stop = &handled};
    mm_syncer_t *syncer;
    sigset_t term, now;

    assert_int_equal(sigaction(SIGTERM, &action, NULL), 0);
    syncer = start(unit, unit->dir);
    pthread_sigmask(SIG_BLOCK, NULL, &now);
    assert_false(sigismember(&now, SIGTERM));
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &term, NULL);
    kill(getpid(), SIGTERM);
    mm_syncer_stop(syncer); /* the thread has ended, and would have run the handler before */
    assert_false(handled);
    pthread_sigmask(SIG_UNBLOCK, &term, NULL);
    mm_wait(&wait, PATIENCE_US);
    assert_true(handled);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(flushes_what_has_grown, setup, unit_teardown),
        cmocka_unit_test_setup_teardown(a_new_segment_flushes_the_directory, setup, unit_teardown),
        cmocka_unit_test_setup_teardown(flushes_at_its_end, setup, unit_teardown),
        cmocka_unit_test_setup_teardown(says_what_cannot_be_flushed, setup, unit_teardown),
        cmocka_unit_test_setup_teardown(waits_for_a_directory, setup, unit_teardown),
        cmocka_unit_test_setup_teardown(takes_no_signal, setup, unit_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
