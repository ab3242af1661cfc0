/* Waiting ends on a signal at once, wherever it arrives, and soon on the parent's death. */
#include "unit.h"
#include <signal.h>
#include <sys/wait.h>
#include "drain/wait.h"

#define SECOND_US INT64_C(1000000)

static volatile sig_atomic_t stop;
static int is_orphan;

static void on_signal(int sig)
{
    (void)sig;
    stop = 1;
}

static int orphaned(void)
{
    return is_orphan;
}

/* Becomes an orphan while it waits. */
static int orphaned_later(void)
{
    return ++is_orphan > 2;
}

static int setup(void **state)
{
    struct sigaction action = {.sa_handler = on_signal};

    (void)state;
    stop = 0;
    is_orphan = 0;
    return sigaction(SIGUSR1, &action, NULL);
}

static void waits_that_long(void **state)
{
    mm_wait_t wait = {.stop = &stop};
    int64_t start = mm_wait_clock_us();

    (void)state;
    mm_wait(&wait, 20000);
    assert_true(mm_wait_clock_us() - start >= 20000);
    assert_false(mm_wait_over(&wait));
    mm_wait(&wait, 0);
    mm_wait(&wait, -5);
}

static void does_not_wait_when_it_is_over(void **state)
{
    mm_wait_t wait = {.stop = &stop, .orphaned = orphaned};
    mm_wait_t nobody = {.stop = NULL};
    int64_t start = mm_wait_clock_us();

    (void)state;
    assert_false(mm_wait_over(&wait));
    assert_false(mm_wait_over(&nobody));
    stop = 1;
    assert_true(mm_wait_over(&wait));
    mm_wait(&wait, 60 * SECOND_US);
    stop = 0;
    is_orphan = 1;
    assert_true(mm_wait_over(&wait));
    mm_wait(&wait, 60 * SECOND_US);
    assert_true(mm_wait_clock_us() - start < 10 * SECOND_US);
}

/* A signal that is already on its way when the wait begins is the one that gets lost with a plain sleep. */
static void a_pending_signal_ends_it(void **state)
{
    mm_wait_t wait = {.stop = &stop};
    int64_t start = mm_wait_clock_us();
    sigset_t usr1, before;

    (void)state;
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    for (int i = 0; i < 200; i++) {
        pid_t child;

        stop = 0;
        child = fork();
        if (child == 0) {
            kill(getppid(), SIGUSR1);
            _exit(0);
        }
        mm_wait(&wait, 60 * SECOND_US);
        assert_true(stop);
        waitpid(child, NULL, 0);
    }
    assert_true(mm_wait_clock_us() - start < 30 * SECOND_US);
    /* And the mask is as before. */
    sigprocmask(SIG_BLOCK, NULL, &before);
    assert_false(sigismember(&before, SIGUSR1));
}

static void the_parents_death_ends_it(void **state)
{
    mm_wait_t wait = {.orphaned = orphaned_later};
    int64_t start = mm_wait_clock_us();

    (void)state;
    mm_wait(&wait, 60 * SECOND_US);
    assert_true(mm_wait_clock_us() - start < 10 * SECOND_US);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(waits_that_long, setup),
        cmocka_unit_test_setup(does_not_wait_when_it_is_over, setup),
        cmocka_unit_test_setup(a_pending_signal_ends_it, setup),
        cmocka_unit_test_setup(the_parents_death_ends_it, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
