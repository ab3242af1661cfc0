/* The page of counters: made whole, shared by processes, and of no consequence when it is damaged. */
#include "unit_spool.h"

#include <errno.h>
#include <pthread.h>

#include "spool/spool.h"
#include "status/status.h"

static char *make_spool(unit_t *unit)
{
    char *dir = unit_path(unit, "spool");
    bool damaged = true;
    mm_err_t err;

    assert_int_equal(mm_spool_prepare(dir, (uid_t)-1, (gid_t)-1, unit->pool, &err), APR_SUCCESS);
    assert_int_equal(mm_status_prepare(dir, &damaged, &err), APR_SUCCESS);
    assert_false(damaged);
    return dir;
}

static mm_status_page_t *open_page(const char *dir)
{
    mm_status_page_t *page = NULL;
    mm_err_t err = {.text = ""};

    if (mm_status_open(&page, dir, &err) != APR_SUCCESS) {
        fail_msg("%s", err.text);
    }
    return page;
}

static void is_made_whole_and_once(void **state)
{
    unit_t *unit = *state;
    char *dir = make_spool(unit);
    mm_status_page_t *page = open_page(dir), copy;
    struct stat st;
    bool damaged;
    mm_err_t err;

    assert_int_equal(stat(unit_path(unit, "spool/status"), &st), 0);
    assert_int_equal(st.st_size, MM_STATUS_SIZE);
    assert_int_equal(st.st_mode & 07777, 0600);
    mm_status_add(page, MM_STATUS_RECORDED_REQUEST, 3);
    mm_status_add_verdict(page, 2, 5);
    assert_int_equal(mm_status_prepare(dir, &damaged, &err), APR_SUCCESS);
    assert_int_equal(mm_status_read(&copy, dir, &err), APR_SUCCESS);
    assert_int_equal(mm_status_get(&copy, MM_STATUS_RECORDED_REQUEST), 3);
    assert_int_equal(mm_status_get_verdict(&copy, 2), 5);
    assert_int_equal(mm_status_get(&copy, MM_STATUS_READ), 0);
    assert_true(copy.made_us > 0);
}

/* A page outlives versions of the program: where a value is must not change. */
static void values_keep_their_places(void **state)
{
    (void)state;
    assert_int_equal(offsetof(mm_status_page_t, verdicts), 32);
    assert_int_equal(offsetof(mm_status_page_t, values), 32 + 64 * 8);
    assert_int_equal(MM_STATUS_RECORDED_REQUEST, 0);
    assert_int_equal(MM_STATUS_DROPPED_INVALID, 7);
    assert_int_equal(MM_STATUS_SPOOL_BYTES, 16);
    assert_int_equal(MM_STATUS_LAST_BATCH_TOOK_US, 19);
}

static void processes_add_up(void **state)
{
    enum { PROCESSES = 4, TIMES = 20000 };
    unit_t *unit = *state;
    char *dir = make_spool(unit);
    pid_t children[PROCESSES];
    mm_status_page_t copy;
    mm_err_t err;

    for (int i = 0; i < PROCESSES; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            mm_status_page_t *page = NULL;
            bool good = mm_status_open(&page, dir, NULL) == APR_SUCCESS;

            for (int j = 0; good && j < TIMES; j++) {
                mm_status_add(page, MM_STATUS_RECORDED_REQUEST, 1);
            }
            _exit(good ? 0 : 1);
        }
    }
    for (int i = 0; i < PROCESSES; i++) {
        assert_int_equal(unit_wait(children[i]), 0);
    }
    assert_int_equal(mm_status_read(&copy, dir, &err), APR_SUCCESS);
    assert_int_equal(mm_status_get(&copy, MM_STATUS_RECORDED_REQUEST), PROCESSES * TIMES);
}

static void damage_is_not_believed(void **state)
{
    static const struct {
        off_t size;
        off_t at;
        const char *bytes;
    } damages[] = {{100, 0, ""}, {0, 0, ""}, {8192, 0, ""}, {4096, 0, "X"}, {4096, 8, "\x02"}};
    unit_t *unit = *state;
    char *dir = make_spool(unit), *path = unit_path(unit, "spool/status");

    for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
        mm_status_page_t *page = NULL, copy;
        bool damaged = false;
        mm_err_t err;
        int fd = open(path, O_WRONLY);

        assert_int_equal(ftruncate(fd, damages[i].size), 0);
        assert_int_equal(pwrite(fd, damages[i].bytes, strlen(damages[i].bytes), damages[i].at),
                         strlen(damages[i].bytes));
        close(fd);
        assert_int_equal(mm_status_read(&copy, dir, &err), APR_EINVAL);
        /* Recording goes on. */
        assert_int_equal(mm_status_open(&page, dir, &err), APR_EINVAL);
        mm_status_add(page, MM_STATUS_RECORDED_REQUEST, 1);
        assert_true(mm_status_get(page, MM_STATUS_RECORDED_REQUEST) > 0);
        /* The next start makes another. */
        assert_int_equal(mm_status_prepare(dir, &damaged, &err), APR_SUCCESS);
        assert_true(damaged);
        assert_int_equal(mm_status_get(open_page(dir), MM_STATUS_RECORDED_REQUEST), 0);
    }
}

static void a_link_is_not_followed(void **state)
{
    unit_t *unit = *state;
    char *dir = make_spool(unit), *path = unit_path(unit, "spool/status");
    mm_status_page_t *page = NULL;
    bool damaged;
    mm_err_t err;

    assert_int_equal(rename(path, unit_path(unit, "elsewhere")), 0);
    assert_int_equal(symlink(unit_path(unit, "elsewhere"), path), 0);
    assert_int_equal(mm_status_open(&page, dir, &err), ELOOP);
    assert_non_null(page);
    assert_int_equal(mm_status_prepare(dir, &damaged, &err), APR_SUCCESS);
    open_page(dir);
}

/* What the children of one httpd count into where the file will not do. */
static void without_the_file_a_family_shares(void **state)
{
    unit_t *unit = *state;
    mm_status_page_t *page = NULL;
    mm_err_t err;
    pid_t child;

    mm_status_share();
    assert_int_equal(mm_status_open(&page, unit_path(unit, "nowhere"), &err), APR_ENOENT);
    child = fork();
    if (child == 0) {
        mm_status_page_t *inherited = NULL;

        (void)mm_status_open(&inherited, unit_path(unit, "nowhere"), NULL);
        mm_status_add(inherited, MM_STATUS_READ, 7);
        _exit(0);
    }
    assert_int_equal(unit_wait(child), 0);
    assert_int_equal(mm_status_get(page, MM_STATUS_READ), 7);
}

#define LIMIT_THREADS 4
#define LIMIT         INT64_C(100003)

/* To touch it then would kill. */
static void a_file_that_was_cut_is_left(void **state)
{
    unit_t *unit = *state;
    char *dir = make_spool(unit);
    mm_status_page_t *page = open_page(dir), *instead;

    assert_ptr_equal(mm_status_trust(page), page);
    assert_int_equal(truncate(unit_path(unit, "spool/status"), 0), 0);
    instead = mm_status_trust(page);
    assert_ptr_not_equal(instead, page);
    mm_status_add(instead, MM_STATUS_READ, 1);
    assert_ptr_equal(mm_status_trust(instead), instead);
    assert_null(mm_status_trust(NULL));
}

static void *add_until_full(void *data)
{
    mm_status_page_t *page = data;
    int64_t added = 0;

    while (mm_status_add_within(page, MM_STATUS_SPOOL_BYTES, 7, LIMIT)) {
        added += 7;
        if (mm_status_get(page, MM_STATUS_SPOOL_BYTES) > LIMIT) {
            return (void *)(intptr_t)-1;
        }
    }
    return (void *)(intptr_t)added;
}

static void a_limit_is_exact(void **state)
{
    static mm_status_page_t page;
    pthread_t threads[LIMIT_THREADS];
    int64_t sum = 0;

    (void)state;
    for (int i = 0; i < LIMIT_THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, add_until_full, &page), 0);
    }
    for (int i = 0; i < LIMIT_THREADS; i++) {
        void *added = NULL;

        assert_int_equal(pthread_join(threads[i], &added), 0);
        assert_true((intptr_t)added >= 0);
        sum += (intptr_t)added;
    }
    assert_true(sum == LIMIT / 7 * 7);
    assert_true(mm_status_get(&page, MM_STATUS_SPOOL_BYTES) == sum);
    assert_true(mm_status_add_within(&page, MM_STATUS_SPOOL_BYTES, LIMIT - sum, LIMIT));
    assert_false(mm_status_add_within(&page, MM_STATUS_SPOOL_BYTES, 1, LIMIT));
    assert_true(mm_status_add_within(&page, MM_STATUS_SPOOL_BYTES, 1, INT64_MAX));
    assert_true(mm_status_add_within(NULL, MM_STATUS_SPOOL_BYTES, 1, 0));
    mm_status_set(&page, MM_STATUS_SPOOL_BYTES, -75);
    assert_true(mm_status_add_within(&page, MM_STATUS_SPOOL_BYTES, 100, INT64_MAX));
    assert_int_equal(mm_status_get(&page, MM_STATUS_SPOOL_BYTES), 25);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(is_made_whole_and_once, unit_setup, unit_teardown),
        cmocka_unit_test(values_keep_their_places),
        cmocka_unit_test_setup_teardown(processes_add_up, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(damage_is_not_believed, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(a_link_is_not_followed, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(without_the_file_a_family_shares, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(a_file_that_was_cut_is_left, unit_setup, unit_teardown),
        cmocka_unit_test(a_limit_is_exact),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
