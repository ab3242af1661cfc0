/* The drainer as a whole, with real spools, real databases, real crashes: every event counted exactly once. */
#include "unit_drain.h"
#include <sched.h>
#include <sys/wait.h>
#include "drain/batch.h"

#define LIVES 45

static void counts_what_is_in_the_spool(void **state)
{
    setting_t s = begin(*state);
    mm_event_t event = event_of(MM_ACTION_DOWNLOAD, "a", "eve", NOON_US + 5000);

    spool_view(s.writer, "a", NULL);
    spool_view(s.writer, "a", "eve");
    spool_put(s.writer, &event, 1);
    event.class_mark = bytes_of("machine");
    event.type = bytes_of("files");
    spool_put(s.writer, &event, 1);
    drain_all(&s);
    assert_int_equal(db_get(s.uri, "metrics_datasets", "a", "views"), 2);
    assert_int_equal(db_get(s.uri, "metrics_datasets", "a", "downloads"), 1);
    assert_int_equal(db_get(s.uri, "metrics_datasets", "a", "last_downloaded"), NOON_MS + 5);
    assert_int_equal(db_get(s.uri, "metrics_datasets", "a", "first_seen"), NOON_MS);
    assert_int_equal(db_get(s.uri, "metrics_files", "a", "machine_downloads"), 1);
    assert_int_equal(db_sum(s.uri, "metrics_users", NULL, "downloads"), 2);
    assert_int_equal(db_sum(s.uri, "metrics_users", NULL, "views"), 1);
    assert_true(has_file(s.dir, MM_CHECKPOINT_FILE));
    assert_false(has_file(s.dir, MM_BATCH_FILE));
    assert_int_equal(log_count(s.log, "MM020"), 1); /* that it begins */
}

static void has_nothing_to_do_in_an_empty_spool(void **state)
{
    setting_t s = begin(*state);

    assert_int_equal(open_drain(&s), APR_SUCCESS);
    assert_int_equal(step(&s), 0);
    assert_int_equal(step(&s), 0);
    assert_false(has_file(s.dir, MM_BATCH_FILE));
    assert_false(has_file(s.dir, MM_CHECKPOINT_FILE));
}

static void goes_on_in_the_next_life(void **state)
{
    setting_t s = begin(*state);

    for (int i = 1; i <= 4; i++) {
        spool_view(s.writer, "a", NULL);
        spool_view(s.writer, "b", NULL);
        drain_all(&s);
        drain_all(&s);
        assert_int_equal(views(&s), 2 * i);
    }
}

static void removes_segments_that_are_done_with(void **state)
{
    setting_t s = begin(*state);
    apr_pool_t *pool = NULL;

    end_writer(&s, &pool);
    for (int i = 0; i < 3; i++) {
        spool_view(s.writer, "a", NULL);
        end_writer(&s, &pool);
    }
    assert_int_equal(segments(&s), 3);
    drain_all(&s);
    assert_int_equal(segments(&s), 0);
    spool_view(s.writer, "a", NULL);
    drain_all(&s);
    assert_int_equal(segments(&s), 1); /* its writer lives */
    end_writer(&s, &pool);
    drain_all(&s);
    assert_int_equal(segments(&s), 0);
    assert_int_equal(views(&s), 4);
}

static void ignored_events_free_the_spool_without_a_database(void **state)
{
    setting_t s = begin(*state);
    mm_event_t event = event_of(MM_ACTION_VIEW, "a", NULL, NOON_US);
    apr_pool_t *pool = NULL;
    int worked = 0;

    end_writer(&s, &pool);
    event.class_mark = bytes_of("robot");
    spool_put(s.writer, &event, 1);
    end_writer(&s, &pool);
    assert_int_equal(segments(&s), 1);
    s.options.mongo_uri = "mongodb://127.0.0.1:9/unit?" TIMES;
    assert_int_equal(open_drain(&s), APR_SUCCESS);
    /* The segment's end is believed once its lock was had, at the latest in the second round. */
    for (int i = 0; i < 3 && segments(&s) > 0; i++) {
        mm_drain_step(s.drain, &worked, &s.err);
    }
    assert_int_equal(segments(&s), 0);
    assert_true(has_file(s.dir, MM_CHECKPOINT_FILE)); /* remembered, not only known */
    close_drain(&s);
    s.options.mongo_uri = s.uri;
    spool_view(s.writer, "b", NULL);
    drain_all(&s);
    assert_int_equal(views(&s), 1);
}

static void refuses_a_second_drainer(void **state)
{
    setting_t s = begin(*state), other = s;

    assert_int_equal(open_drain(&s), APR_SUCCESS);
    pid_t child = fork();
    if (child == 0) {
        _exit(open_drain(&other) == APR_EAGAIN ? 0 : 1);
    }
    int status;
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
    close_drain(&s);
    assert_int_equal(open_drain(&s), APR_SUCCESS);
}

static void gives_the_lock_back_when_it_cannot_begin(void **state)
{
    setting_t s = begin(*state);

    s.options.mongo_uri = "nonsense";
    assert_int_equal(open_drain(&s), APR_EINVAL);
    s.options.mongo_uri = s.uri;
    s.options.prefix = "$";
    assert_int_equal(open_drain(&s), APR_EINVAL);
    s.options.prefix = MM_STORE_PREFIX_DEFAULT;
    spool_view(s.writer, "a", NULL);
    drain_all(&s);
    file_damage(s.dir, MM_CHECKPOINT_FILE, -8);
    assert_int_equal(open_drain(&s), APR_EGENERAL);
    assert_int_equal(unlink(apr_pstrcat(s.unit->pool, s.dir, "/" MM_CHECKPOINT_FILE, NULL)), 0);
    assert_int_equal(open_drain(&s), APR_SUCCESS);
}

static void needs_a_spool(void **state)
{
    setting_t s = begin(*state);

    s.options.spool_dir = "/nonexistent/spool";
    assert_int_not_equal(open_drain(&s), APR_SUCCESS);
    assert_non_null(strstr(s.err.text, "/nonexistent/spool"));
}

/* --- crashes --- */

static void applies_a_left_batch_once(void **state)
{
    setting_t s = begin(*state);
    char *batch = apr_pstrcat(s.unit->pool, s.dir, "/" MM_BATCH_FILE, NULL);
    char *checkpoint = apr_pstrcat(s.unit->pool, s.dir, "/" MM_CHECKPOINT_FILE, NULL);

    spool_view(s.writer, "a", "eve");
    spool_view(s.writer, "b", NULL);
    drain_all(&s);
    /* A drainer that died after it had applied the batch and before the rename leaves just this. */
    for (int i = 0; i < 3; i++) {
        assert_int_equal(rename(checkpoint, batch), 0);
        drain_all(&s);
        assert_int_equal(views(&s), 2);
        assert_int_equal(db_sum(s.uri, "metrics_users", NULL, "views"), 1);
        assert_int_equal(log_count(s.log, "MM0202"), i + 1);
    }
    spool_view(s.writer, "a", NULL);
    drain_all(&s);
    assert_int_equal(views(&s), 3);
}

static void child_drains(setting_t *s)
{
    int worked;

    s->log = NULL;
    apr_pool_create(&s->drain_pool, NULL);
    if (mm_drain_create(&s->drain, &s->options, NULL, s->drain_pool, &s->err) != APR_SUCCESS) {
        _exit(1);
    }
    for (;;) {
        if (mm_drain_step(s->drain, &worked, &s->err) != APR_SUCCESS) {
            _exit(2);
        }
    }
}

static ino_t inode_of(const setting_t *s, const char *name)
{
    struct stat info;
    char path[4096];

    snprintf(path, sizeof(path), "%s/%s", s->dir, name);
    return stat(path, &info) == 0 ? info.st_ino : 0;
}

/* Kills it: in its youth, when it has just written a batch, or when it has just made a checkpoint; each time a random
 * moment later. Returns whether a batch stayed behind. */
static bool kill_sometime(const setting_t *s, pid_t child, unsigned *seed)
{
    int how = rand_r(seed) % 3, status = 0;
    struct timespec pause = {.tv_nsec = (rand_r(seed) % 8000) * 1000L};
    const char *watched = how == 1 ? MM_BATCH_FILE : MM_CHECKPOINT_FILE;
    ino_t before = inode_of(s, watched);
    apr_time_t end = apr_time_now() + apr_time_from_sec(2); /* there may be nothing to do in this life */

    while (how > 0 && inode_of(s, watched) == before && apr_time_now() < end) {
        sched_yield();
    }
    nanosleep(&pause, NULL);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, &status, 0), child);
    if (!WIFSIGNALED(status)) {
        fail_msg("the drainer ended by itself, with status %d", WEXITSTATUS(status));
    }
    return has_file(s->dir, MM_BATCH_FILE);
}

static void counts_exactly_once_across_kills(void **state)
{
    setting_t s = begin(*state);
    apr_pool_t *pool;
    int64_t a = 0, all = 0, by_users = 0;
    int left = 0;
    const char *given = getenv("MM_TEST_SEED");
    unsigned seed = given != NULL ? (unsigned)strtoul(given, NULL, 10) : (unsigned)apr_time_now();

    print_message("seed %u\n", seed);
    apr_pool_create(&pool, s.unit->pool);
    s.writer = writer_make(s.dir, 6000, pool); /* many small segments */
    for (int life = 0; life < LIVES; life++) {
        pid_t child = fork();

        if (child == 0) {
            child_drains(&s);
        }
        for (int i = 1 + rand_r(&seed) % 100; i > 0; i--) {
            char id[16];
            int n = rand_r(&seed) % 40;

            snprintf(id, sizeof(id), "%d", n);
            spool_view(s.writer, n ? id : "a", n % 2 ? "eve" : NULL);
            a += n == 0;
            all++;
            by_users += n % 2;
        }
        left += kill_sometime(&s, child, &seed);
    }
    mm_spool_writer_close(s.writer);
    drain_all(&s);
    assert_int_equal(views(&s), all);
    assert_int_equal(db_get(s.uri, "metrics_datasets", "a", "views"), a);
    assert_int_equal(db_sum(s.uri, "metrics_users", NULL, "views"), by_users);
    assert_int_equal(segments(&s), 0);
    print_message("%d of %d kills left a batch\n", left, LIVES);
    assert_in_range(left, 1, LIVES - 1); /* or nothing was tried */
}

#define test(f) cmocka_unit_test_setup_teardown(f, unit_setup, unit_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(counts_what_is_in_the_spool),
        test(has_nothing_to_do_in_an_empty_spool),
        test(goes_on_in_the_next_life),
        test(removes_segments_that_are_done_with),
        test(ignored_events_free_the_spool_without_a_database),
        test(refuses_a_second_drainer),
        test(gives_the_lock_back_when_it_cannot_begin),
        test(needs_a_spool),
        test(applies_a_left_batch_once),
        test(counts_exactly_once_across_kills),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
