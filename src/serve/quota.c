/* A place is a word of shared memory with the process in it whose report has the place, or 0. So what a child held that
 * was killed is known, and is given to the next one that asks when there is nothing else. A pid that the system has
 * given to another process in the meantime keeps its place until that one ends.
 *
 * There is no queue. Whoever waited in one would hold a worker thread that visitors need, and a report that waits for a
 * silent database holds its place like any other, so the queue would grow just then.
 *
 * A reload makes new places for the new children; reports of the old ones, which they still finish, are beside them.
 */
#include "serve/quota.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

typedef struct quota {
    size_t n;
    _Atomic pid_t *places;
} quota_t;

/* Set once, by the parent, before any request. */
static quota_t quota;

static apr_status_t unmap(void *data)
{
    (void)data;
    munmap((void *)quota.places, quota.n * sizeof(*quota.places));
    quota = (quota_t){0};
    return APR_SUCCESS;
}

apr_status_t mm_quota_share(int max, apr_pool_t *pconf, mm_err_t *err)
{
    size_t n = (size_t)max;
    void *shared = mmap(NULL, n * sizeof(*quota.places), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (shared == MAP_FAILED) {
        return mm_err_set_os(err, errno, "no memory can be shared to count the reports that run");
    }
    quota = (quota_t){n, shared};
    apr_pool_cleanup_register(pconf, NULL, unmap, apr_pool_cleanup_null);
    return APR_SUCCESS;
}

static apr_status_t give_back(void *place)
{
    atomic_store((_Atomic pid_t *)place, 0);
    return APR_SUCCESS;
}

static _Atomic pid_t *take_free(void)
{
    for (size_t i = 0; i < quota.n; i++) {
        pid_t nobody = 0;
        if (atomic_compare_exchange_strong(&quota.places[i], &nobody, getpid())) {
            return &quota.places[i];
        }
    }
    return NULL;
}

/* One whose process is gone. */
static _Atomic pid_t *take_over(void)
{
    for (size_t i = 0; i < quota.n; i++) {
        pid_t holder = atomic_load(&quota.places[i]);
        if (holder > 0 && kill(holder, 0) != 0 && errno == ESRCH &&
            atomic_compare_exchange_strong(&quota.places[i], &holder, getpid())) {
            return &quota.places[i];
        }
    }
    return NULL;
}

int mm_quota_take(request_rec *r)
{
    _Atomic pid_t *place = take_free();

    place = place ? place : take_over();
    if (place) {
        apr_pool_cleanup_register(r->pool, (void *)place, give_back, apr_pool_cleanup_null);
    }
    return place != NULL;
}
