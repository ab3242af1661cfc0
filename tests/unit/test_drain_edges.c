/* The drainer at its edges: a full disk, more segments than it looks at, events from the future, a lock to wait for. */
#include "unit_drain.h"
#include <errno.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include "drain/batch.h"
#include "drain/reserve.h"
#include "spool/spool_list.h"
#include "spool/spool_name.h"

/* Cannot be had here. */
#define SKIP 77

/* Each test that changes its process for good runs in one of its own. */
static void in_a_child(void (*fn)(const unit_t *unit), const unit_t *unit)
{
    pid_t child = fork();
    int status;

    if (child == 0) {
        fn(unit);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == SKIP) {
        skip();
    }
    assert_int_equal(status, 0);
}

static void require(bool condition, const char *what, const setting_t *s)
{
    if (!condition) {
        fprintf(stderr, "%s: %s\n", what, s->err.text);
        _exit(1);
    }
}

/* --- a full disk --- */

/* Different documents: in a batch they take several times the room that they take in the spool. */
static apr_status_t append_view(const setting_t *s, int n, mm_err_t *err)
{
    uint8_t buf[MM_FRAME_HEADER + MM_EVENT_ENCODED_MAX + 2];
    char id[32];
    mm_event_t event;

    snprintf(id, sizeof(id), "%d", n);
    event = event_of(MM_ACTION_VIEW, id, "eve", NOON_US);
    return mm_spool_append(s->writer, buf, mm_event_pack(&event, buf + MM_FRAME_HEADER), err);
}

/* Appends until no room is left, not for one more record; returns how many. */
static int fill(const setting_t *s)
{
    mm_err_t err;
    int n = 0, failed = 0;

    while (failed < 3) {
        if (append_view(s, n, &err) == APR_SUCCESS) {
            n++;
        }
        else {
            failed++;
        }
    }
    return n;
}

static uint64_t free_bytes(const char *dir)
{
    struct statvfs info = {.f_bavail = 0};

    statvfs(dir, &info);
    return (uint64_t)info.f_bavail * info.f_frsize;
}

static uint64_t kept_for_the_window(const setting_t *s)
{
    uint64_t bytes = 0;
    struct stat info;

    for (int i = 1; i < 10; i++) {
        if (stat(apr_psprintf(s->unit->pool, "%s/" MM_WINDOW_LOG_PREFIX "%d", s->dir, i), &info) == 0) {
            bytes += (uint64_t)info.st_blocks * 512;
        }
    }
    return bytes;
}

static void drain_step(setting_t *s)
{
    int worked;

    require(mm_drain_step(s->drain, &worked, &s->err) == APR_SUCCESS, "a step failed", s);
}

static void empty_a_full_disk(const unit_t *unit)
{
    setting_t s;
    struct stat reserve;
    int all, steps = 0;

    if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("tmpfs", unit->dir, "tmpfs", 0, "size=256k") != 0) {
        _exit(SKIP);
    }
    s = begin(unit);
    s.writer = writer_make(s.dir, 30000, unit->pool);
    require(open_drain(&s) == APR_SUCCESS, "it cannot begin", &s);
    all = fill(&s);
    require(free_bytes(s.dir) == 0 && all > 300, "the disk is not full", &s);
    drain_step(&s);
    require(views(&s) > 0 && views(&s) < all, "the batch did not have to be smaller", &s);
    /* The next drainer finds a disk on which its predecessor was killed, full again. */
    close_drain(&s);
    all += fill(&s);
    require(open_drain(&s) == APR_SUCCESS, "it cannot begin again", &s);
    while (views(&s) < all) {
        require(steps++ < 500, "it does not come to an end", &s);
        drain_step(&s);
    }
    mm_spool_writer_close(s.writer);
    /* What the full disk tore is kept beside its segment. */
    while (segments(&s) > count_files(s.dir, ".corrupt", unit->pool)) {
        require(steps++ < 500, "segments stay", &s);
        drain_step(&s);
    }
    require(views(&s) == all, "not all are counted, or some twice", &s);
    require(db_sum(s.uri, "metrics_users", NULL, "views") == all, "so it is with users", &s);
    /* Free, or kept for the next batch. */
    require(stat(apr_pstrcat(unit->pool, s.dir, "/" MM_BATCH_TEMP_FILE, NULL), &reserve) == 0, "no reserve", &s);
    require(free_bytes(s.dir) + (uint64_t)reserve.st_size + kept_for_the_window(&s) > 150000,
            "the room is not free again", &s);
}

static void empties_a_full_disk(void **state)
{
    in_a_child(empty_a_full_disk, *state);
}

/* Files that cannot grow, in the place of a disk; works everywhere. */
static void write_smaller_batches(const unit_t *unit)
{
    enum { EVENTS = 300 };
    setting_t s = begin(unit);
    struct rlimit small = {32000, RLIM_INFINITY};
    int steps = 0;

    s.options.policy.double_click_ms = 30000;
    for (int i = 0; i < EVENTS; i++) {
        require(append_view(&s, i, &s.err) == APR_SUCCESS, "cannot append", &s);
    }
    signal(SIGXFSZ, SIG_IGN);
    require(setrlimit(RLIMIT_FSIZE, &small) == 0 && open_drain(&s) == APR_SUCCESS, "it cannot begin", &s);
    drain_step(&s);
    require(views(&s) == EVENTS / 10, "not a tenth", &s);
    while (views(&s) < EVENTS) {
        require(steps++ < EVENTS / 10, "too many steps", &s);
        drain_step(&s);
    }
    drain_step(&s);
    require(views(&s) == EVENTS, "some are counted twice", &s);
    /* What was read of a batch that was too large is no first click of what is read again. */
    require(db_sum(s.uri, "metrics_datasets", NULL, "unique_views") == EVENTS, "not all are unique", &s);
    require(segments(&s) == 1, "the segment of a writer that lives is gone", &s);
}

static void falls_back_to_smaller_batches(void **state)
{
    in_a_child(write_smaller_batches, *state);
}

/* A window that is larger than all that the disk has left, as after MetricsDoubleClick was changed: events are counted,
 * in few batches, and the window follows when there is room. */
static void count_without_a_window(const unit_t *unit)
{
    enum { EVENTS = 2000 };
    setting_t s = begin(unit);
    struct rlimit small = {30000, RLIM_INFINITY}, again = {RLIM_INFINITY, RLIM_INFINITY};

    s.options.policy.double_click_ms = 30000;
    for (int i = 0; i < EVENTS; i++) {
        require(append_view(&s, i, &s.err) == APR_SUCCESS, "cannot append", &s);
    }
    drain_all(&s);
    s.options.policy.double_click_ms = 20000;
    for (int i = 0; i < 20; i++) {
        require(append_view(&s, EVENTS + i, &s.err) == APR_SUCCESS, "cannot append", &s);
    }
    signal(SIGXFSZ, SIG_IGN);
    require(setrlimit(RLIMIT_FSIZE, &small) == 0 && open_drain(&s) == APR_SUCCESS, "it cannot begin", &s);
    drain_step(&s);
    require(views(&s) == EVENTS + 20, "not all at once", &s);
    require(log_count(s.log, "MM0231") == 1, "it was not told", &s);
    require(has_file(s.dir, MM_WINDOW_LOG_PREFIX "1"), "the window from before is gone", &s);
    require(setrlimit(RLIMIT_FSIZE, &again) == 0, "no limit", &s);
    require(append_view(&s, EVENTS, &s.err) == APR_SUCCESS, "cannot append", &s);
    drain_step(&s);
    require(views(&s) == EVENTS + 20, "a double-click is counted", &s);
    require(has_file(s.dir, MM_WINDOW_LOG_PREFIX "2"), "there is no other window", &s);
}

static void counts_where_a_window_has_no_room(void **state)
{
    in_a_child(count_without_a_window, *state);
}

/* Less room than one event takes: nothing is lost, and nothing is read beyond it. */
static void wait_for_one_event(const unit_t *unit)
{
    setting_t s = begin(unit);
    struct rlimit none = {100, RLIM_INFINITY}, again = {RLIM_INFINITY, RLIM_INFINITY};
    int worked;

    for (int i = 0; i < 20; i++) {
        require(append_view(&s, i, &s.err) == APR_SUCCESS, "cannot append", &s);
    }
    signal(SIGXFSZ, SIG_IGN);
    require(setrlimit(RLIMIT_FSIZE, &none) == 0 && open_drain(&s) == APR_SUCCESS, "it cannot begin", &s);
    for (int i = 0; i < 3; i++) {
        require(mm_drain_step(s.drain, &worked, &s.err) == EFBIG && worked == 0, "there was room", &s);
    }
    require(setrlimit(RLIMIT_FSIZE, &again) == 0, "no limit", &s);
    drain_step(&s);
    require(views(&s) == 1, "more than the one in hand", &s);
    for (int i = 0; i < 10; i++) {
        drain_step(&s);
    }
    require(views(&s) == 20, "not all", &s);
}

static void waits_when_not_even_one_event_fits(void **state)
{
    in_a_child(wait_for_one_event, *state);
}

static void keeps_a_reserve(void **state)
{
    setting_t s = begin(*state);
    char *reserve = apr_pstrcat(s.unit->pool, s.dir, "/" MM_BATCH_TEMP_FILE, NULL);
    struct stat info;

    assert_int_equal(open_drain(&s), APR_SUCCESS);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(stat(reserve, &info), 0);
        assert_int_equal(info.st_size, MM_RESERVE_MAX);
        spool_view(s.writer, "a", NULL);
        assert_int_equal(step(&s), 1);
    }
    assert_int_equal(stat(reserve, &info), 0);
    assert_int_equal(info.st_size, MM_RESERVE_MAX);
    close_drain(&s);
}

/* While it is away the spool may fill the disk. */
static void keeps_a_reserve_while_the_database_is_away(void **state)
{
    setting_t s = begin(*state);
    struct stat info;
    int worked;

    s.options.mongo_uri = "mongodb://127.0.0.1:9/unit?" TIMES;
    spool_view(s.writer, "a", NULL);
    assert_int_equal(open_drain(&s), APR_SUCCESS);
    assert_int_not_equal(mm_drain_step(s.drain, &worked, &s.err), APR_SUCCESS);
    assert_true(has_file(s.dir, MM_BATCH_FILE));
    assert_int_equal(stat(apr_pstrcat(s.unit->pool, s.dir, "/" MM_BATCH_TEMP_FILE, NULL), &info), 0);
    assert_int_equal(info.st_size, MM_RESERVE_MAX);
    close_drain(&s);
}

/* --- more than it looks at --- */

static void once_comes_to_all_segments(void **state)
{
    setting_t s = begin(*state);
    const int all = MM_SPOOL_LIST_MAX + 3;

    s.writer = writer_make(s.dir, 1, s.unit->pool); /* a segment for each */
    for (int i = 0; i < all; i++) {
        spool_view(s.writer, "a", NULL);
    }
    mm_spool_writer_close(s.writer);
    assert_int_equal(segments(&s), all);
    drain_all(&s);
    assert_int_equal(views(&s), all);
    assert_int_equal(segments(&s), 0);
}

/* Nor are those forgotten that come behind as many empty ones, of which nothing is to be counted. */
static void once_comes_behind_empty_segments(void **state)
{
    setting_t s = begin(*state);
    char name[MM_SPOOL_NAME_LEN + 1];

    for (uint32_t n = 0; n < MM_SPOOL_LIST_MAX; n++) {
        mm_spool_name_t parts = {.time_us = 1000 + n, .pid = 1, .n = n, .seed = 1};
        int fd;

        mm_spool_name_format(name, &parts);
        fd = open(apr_pstrcat(s.unit->pool, s.dir, "/", name, NULL), O_WRONLY | O_CREAT, 0600);
        assert_true(fd >= 0);
        close(fd);
    }
    spool_view(s.writer, "a", NULL);
    drain_all(&s);
    assert_int_equal(views(&s), 1);
    assert_int_equal(segments(&s), 1);
}

/* --- events from the future --- */

static void put_newer(const setting_t *s)
{
    mm_event_t event = event_of(MM_ACTION_VIEW, "new", NULL, NOON_US);
    uint8_t buf[MM_FRAME_HEADER + MM_EVENT_ENCODED_MAX + 2];
    size_t len = mm_event_pack(&event, buf + MM_FRAME_HEADER);

    buf[MM_FRAME_HEADER + 2] = 3;
    assert_int_equal(mm_spool_append(s->writer, buf, len, NULL), APR_SUCCESS);
}

static void keeps_events_of_a_newer_version(void **state)
{
    setting_t s = begin(*state);

    put_newer(&s);
    spool_view(s.writer, "behind", NULL);
    mm_spool_writer_close(s.writer);
    spool_view(s.writer, "other", NULL);
    mm_spool_writer_close(s.writer);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(open_drain(&s), APR_SUCCESS);
        assert_int_equal(mm_drain_run(s.drain, &s.err), APR_EGENERAL); /* not all is done */
        assert_non_null(strstr(s.err.text, "newer version"));
        close_drain(&s);
        assert_int_equal(views(&s), 1);
        assert_int_equal(segments(&s), 1);
    }
    assert_int_equal(log_count(s.log, "MM0203"), 0);
    s.options.once = 0;
    assert_int_equal(open_drain(&s), APR_SUCCESS);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(step(&s), 0);
    }
    close_drain(&s);
    assert_int_equal(log_count(s.log, "MM0203"), 1); /* in a minute */
    assert_int_equal(views(&s), 1);
    assert_int_equal(segments(&s), 1);
}

/* --- a lock to wait for --- */

static long resident_pages(void)
{
    FILE *file = fopen("/proc/self/statm", "re");
    long size = 0, resident = 0;

    assert_non_null(file);
    assert_int_equal(fscanf(file, "%ld %ld", &size, &resident), 2);
    fclose(file);
    return resident;
}

static void trying_costs_no_memory(void **state)
{
    setting_t s = begin(*state), other = s;
    long before = 0;

    assert_int_equal(open_drain(&s), APR_SUCCESS);
    other.options.mongo_uri = "nonsense"; /* not even looked at before the lock is had */
    for (int i = 0; i < 20000; i++) {
        assert_int_equal(mm_drain_create(&other.drain, &other.options, NULL, s.unit->pool, &other.err), APR_EAGAIN);
        if (i == 1000) {
            before = resident_pages();
        }
    }
    /* A name of some 60 bytes that stays each time would be more than twice that. */
    assert_true(resident_pages() - before < 100);
    close_drain(&s);
}

#define test(f) cmocka_unit_test_setup_teardown(f, unit_setup, unit_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(empties_a_full_disk),
        test(counts_where_a_window_has_no_room),
        test(falls_back_to_smaller_batches),
        test(waits_when_not_even_one_event_fits),
        test(keeps_a_reserve),
        test(keeps_a_reserve_while_the_database_is_away),
        test(once_comes_to_all_segments),
        test(once_comes_behind_empty_segments),
        test(keeps_events_of_a_newer_version),
        test(trying_costs_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
