/* A thread that lives for one call.
 *
 * It is joined where it is made, on the only way out, so nobody else has to know of it, or to end it. One thing can
 * leave a function in its midst: a signal, whose handler ends the process. A child of the prefork MPM does so with
 * SIGTERM, on the thread that serves a request, and frees first what the other thread still reads. So signals are held
 * up on both threads until the other one is gone: on the new one for good, since the process' signals are not its to
 * take, and here until it was joined. What the machine itself sends for a fault of this thread cannot wait.
 */
#include "report/both.h"

#include <pthread.h>
#include <signal.h>
#include <stddef.h>

typedef struct call {
    void (*fn)(void *baton);
    void *baton;
} call_t;

static void *run(void *data)
{
    const call_t *call = data;

    call->fn(call->baton);
    return NULL;
}

static void hold_signals(sigset_t *before)
{
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS};
    sigset_t held;

    sigfillset(&held);
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        sigdelset(&held, faults[i]);
    }
    pthread_sigmask(SIG_BLOCK, &held, before);
}

void mm_both(void (*fn)(void *baton), void *here, void *there)
{
    call_t call = {fn, there};
    sigset_t before;
    pthread_t thread;

    hold_signals(&before);
    int rc = pthread_create(&thread, NULL, run, &call);
    fn(here);
    if (rc == 0) {
        pthread_join(thread, NULL);
    }
    else {
        fn(there);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}
