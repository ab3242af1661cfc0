/* Appending onto the disk: nothing returns before its flush, threads share flushes, and a flush that failed refuses
 * what it was for and nothing else. */
#include "unit_spool.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>

#include "spool/spool_commit.h"

#define THREADS 8
#define EACH    200

static atomic_int flushes;
static atomic_bool held; /* flushes do not end */
static int fail_at;      /* the number of the flush that fails, 0: none */
static atomic_llong on_disk;

static int flush(int fd)
{
    struct stat st;
    int n = atomic_fetch_add(&flushes, 1) + 1;

    fstat(fd, &st);
    while (atomic_load(&held)) {
        sched_yield();
    }
    if (n == fail_at) {
        errno = EIO;
        return -1;
    }
    atomic_store(&on_disk, st.st_size);
    return 0;
}

typedef struct fixture {
    mm_spool_commit_t commit;
    int fd;
    atomic_int taken, refused, early;
} fixture_t;

static void fixture_make(fixture_t *f, unit_t *unit)
{
    memset(f, 0, sizeof(*f));
    assert_int_equal(mm_spool_commit_init(&f->commit), APR_SUCCESS);
    f->commit.flush = flush;
    f->fd = open(unit_path(unit, "segment"), O_RDWR | O_CREAT | O_APPEND | O_TRUNC, 0600);
    assert_true(f->fd >= 0);
    atomic_store(&flushes, 0);
    atomic_store(&held, false);
    atomic_store(&on_disk, 0);
    fail_at = 0;
}

static apr_status_t put(fixture_t *f, const char *text, bool *spent)
{
    return mm_spool_commit(&f->commit, f->fd, (const uint8_t *)text, strlen(text), spent);
}

static int64_t size_of(const fixture_t *f)
{
    struct stat st;

    assert_int_equal(fstat(f->fd, &st), 0);
    return st.st_size;
}

static void returns_behind_a_flush(void **state)
{
    fixture_t f;
    bool spent = true;

    fixture_make(&f, *state);
    for (int i = 1; i <= 3; i++) {
        assert_int_equal(put(&f, "abcd", &spent), APR_SUCCESS);
        assert_false(spent);
        assert_int_equal(atomic_load(&flushes), i);
        assert_int_equal(atomic_load(&on_disk), 4 * i);
    }
    close(f.fd);
}

static void *append_many(void *data)
{
    fixture_t *f = data;
    bool spent;

    for (int i = 0; i < EACH; i++) {
        if (put(f, "x", &spent) == APR_SUCCESS) {
            atomic_fetch_add(&f->taken, 1);
        }
        else {
            atomic_fetch_add(&f->refused, 1);
        }
        /* Whatever was taken so far is on the disk, this one included. */
        if (atomic_load(&f->taken) > atomic_load(&on_disk)) {
            atomic_fetch_add(&f->early, 1);
        }
    }
    return NULL;
}

static void *append_one(void *data)
{
    fixture_t *f = data;
    bool spent;

    atomic_fetch_add(put(f, "x", &spent) == APR_SUCCESS ? &f->taken : &f->refused, 1);
    return NULL;
}

static void start(pthread_t *threads, int n, void *(*fn)(void *), fixture_t *f)
{
    for (int i = 0; i < n; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, fn, f), 0);
    }
}

static void join(pthread_t *threads, int n)
{
    for (int i = 0; i < n; i++) {
        pthread_join(threads[i], NULL);
    }
}

/* One is flushing; seven come meanwhile and share the next. */
static void threads_share_a_flush(void **state)
{
    pthread_t threads[THREADS];
    fixture_t f;

    fixture_make(&f, *state);
    atomic_store(&held, true);
    start(threads, THREADS, append_one, &f);
    while (size_of(&f) < THREADS) {
        sched_yield();
    }
    assert_int_equal(atomic_load(&f.taken), 0);
    atomic_store(&held, false);
    join(threads, THREADS);
    assert_int_equal(atomic_load(&f.taken), THREADS);
    assert_in_range(atomic_load(&flushes), 1, 2);
    close(f.fd);
}

static void nothing_is_taken_before_it_is_on_the_disk(void **state)
{
    pthread_t threads[THREADS];
    fixture_t f;

    fixture_make(&f, *state);
    start(threads, THREADS, append_many, &f);
    join(threads, THREADS);
    assert_int_equal(atomic_load(&f.taken), THREADS * EACH);
    assert_int_equal(atomic_load(&f.early), 0);
    assert_int_equal(size_of(&f), THREADS * EACH);
    close(f.fd);
}

/* What was flushed stays; what was not is gone from the file, and refused to whoever waits; nothing comes behind. */
static void a_flush_that_fails(void **state)
{
    pthread_t threads[THREADS];
    fixture_t f;
    bool spent = false;

    fixture_make(&f, *state);
    assert_int_equal(put(&f, "kept", &spent), APR_SUCCESS);
    fail_at = 2;
    atomic_store(&held, true);
    start(threads, THREADS, append_one, &f);
    while (size_of(&f) < 4 + THREADS) {
        sched_yield();
    }
    atomic_store(&held, false);
    join(threads, THREADS);
    assert_int_equal(atomic_load(&f.refused), THREADS);
    assert_int_equal(size_of(&f), 4);
    assert_int_equal(put(&f, "more", &spent), EIO);
    assert_true(spent);
    assert_int_equal(atomic_load(&flushes), 2); /* and is never asked for again */
    assert_int_equal(size_of(&f), 4);
    mm_spool_commit_begin(&f.commit);
    assert_int_equal(put(&f, "next", &spent), APR_SUCCESS);
    assert_false(spent);
    close(f.fd);
}

static int write_half(unit_t *unit)
{
    struct rlimit limit = {.rlim_cur = 6, .rlim_max = 6};
    fixture_t f;
    bool spent = false;

    fixture_make(&f, unit);
    signal(SIGXFSZ, SIG_IGN);
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0 || put(&f, "four", &spent) != APR_SUCCESS || spent) {
        return 1;
    }
    if (put(&f, "five!", &spent) != ENOSPC || !spent || size_of(&f) != 4) {
        return 2;
    }
    /* Even what would fit: a reader may have seen the half. */
    return put(&f, "z", &spent) == ENOSPC && spent && size_of(&f) == 4 ? 0 : 3;
}

static void a_short_write_is_taken_back(void **state)
{
    pid_t child = fork();

    if (child == 0) {
        _exit(write_half(*state));
    }
    assert_int_equal(unit_wait(child), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(returns_behind_a_flush, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(threads_share_a_flush, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(nothing_is_taken_before_it_is_on_the_disk, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(a_flush_that_fails, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(a_short_write_is_taken_back, unit_setup, unit_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
