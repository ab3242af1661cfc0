/* Two calls at the same time: where they run, what signals may do meanwhile, and that both are through behind it. */
#include "unit.h"

#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdbool.h>
#include <time.h>

#include "report/both.h"

#define PATIENCE_S 20

typedef struct meeting {
    sem_t came;
    struct meeting *other;
    bool met, holds_term, holds_fault, was_interrupted;
    pthread_t thread;
    int calls;
} meeting_t;

static bool wait_for(sem_t *came)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE_S;
    return sem_timedwait(came, &until) == 0;
}

static void note(meeting_t *meeting)
{
    sigset_t held;

    meeting->calls++;
    meeting->thread = pthread_self();
    pthread_sigmask(SIG_BLOCK, NULL, &held);
    meeting->holds_term = sigismember(&held, SIGTERM) == 1;
    meeting->holds_fault = sigismember(&held, SIGSEGV) == 1;
}

/* Each waits for the other one: of two that run one after the other, neither would come through. */
static void meet(void *data)
{
    meeting_t *meeting = data;

    note(meeting);
    sem_post(&meeting->other->came);
    meeting->met = wait_for(&meeting->came);
}

static void only_note(void *data)
{
    note(data);
}

static void make(meeting_t meetings[2])
{
    memset(meetings, 0, 2 * sizeof(*meetings));
    for (int i = 0; i < 2; i++) {
        sem_init(&meetings[i].came, 0, 0);
        meetings[i].other = &meetings[1 - i];
    }
}

static void test_at_the_same_time(void **state)
{
    meeting_t meetings[2];

    (void)state;
    for (int times = 0; times < 100; times++) {
        make(meetings);
        mm_both(meet, &meetings[0], &meetings[1]);
        assert_true(meetings[0].met && meetings[1].met);
        assert_true(pthread_equal(meetings[0].thread, pthread_self()));
        assert_false(pthread_equal(meetings[1].thread, pthread_self()));
    }
}

static void test_no_thread(void **state)
{
    meeting_t meetings[2];
    pthread_attr_t attr, before;

    (void)state;
    make(meetings);
    assert_int_equal(pthread_getattr_default_np(&before), 0);
    pthread_attr_init(&attr);
    assert_int_equal(pthread_attr_setstacksize(&attr, (size_t)1 << 46), 0); /* more than there are addresses */
    assert_int_equal(pthread_setattr_default_np(&attr), 0);
    mm_both(only_note, &meetings[0], &meetings[1]);
    assert_int_equal(pthread_setattr_default_np(&before), 0);
    assert_int_equal(meetings[0].calls, 1);
    assert_int_equal(meetings[1].calls, 1);
    assert_true(pthread_equal(meetings[1].thread, pthread_self()));
}

static volatile sig_atomic_t signals;

static void on_signal(int signal)
{
    (void)signal;
    signals++;
}

/* A signal to the process: any thread that does not hold it up would take it. */
static void stop_the_process(void *data)
{
    note(data);
    kill(getpid(), SIGTERM);
    ((meeting_t *)data)->was_interrupted = signals > 0;
}

static void test_signals_wait(void **state)
{
    struct sigaction action = {.sa_handler = on_signal}, before;
    meeting_t meetings[2];
    sigset_t held;

    (void)state;
    make(meetings);
    sigaction(SIGTERM, &action, &before);
    mm_both(stop_the_process, &meetings[0], &meetings[1]);
    assert_in_range(signals, 1, 2);
    sigaction(SIGTERM, &before, NULL);
    for (int i = 0; i < 2; i++) {
        assert_false(meetings[i].was_interrupted);
        assert_true(meetings[i].holds_term);
        assert_false(meetings[i].holds_fault);
    }
    pthread_sigmask(SIG_BLOCK, NULL, &held);
    assert_int_equal(sigismember(&held, SIGTERM), 0);
}

/* Whoever holds signals up already goes on to. */
static void test_mask_is_the_callers_again(void **state)
{
    meeting_t meetings[2];
    sigset_t own, held;

    (void)state;
    make(meetings);
    sigemptyset(&own);
    sigaddset(&own, SIGUSR2);
    pthread_sigmask(SIG_BLOCK, &own, NULL);
    mm_both(only_note, &meetings[0], &meetings[1]);
    pthread_sigmask(SIG_UNBLOCK, &own, &held);
    assert_int_equal(sigismember(&held, SIGUSR2), 1);
    assert_int_equal(sigismember(&held, SIGTERM), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_at_the_same_time),
        cmocka_unit_test(test_no_thread),
        cmocka_unit_test(test_signals_wait),
        cmocka_unit_test(test_mask_is_the_callers_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
