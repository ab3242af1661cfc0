/* Being told to stop: the one thing a signal handler can set, for all subcommands that take their time. */
#include <stddef.h>
#include "ctl.h"

static volatile sig_atomic_t stop;
static volatile sig_atomic_t impatient;

static void on_stop(int sig)
{
    stop = 1;
    if (impatient) {
        signal(sig, SIG_DFL);
    }
}

const volatile sig_atomic_t *ctl_catch_stop(bool second_ends)
{
    struct sigaction action = {.sa_handler = on_stop};

    impatient = second_ends;
    sigemptyset(&action.sa_mask);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    action.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &action, NULL);
    return &stop;
}
