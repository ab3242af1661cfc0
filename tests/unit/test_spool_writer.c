/* Appending: what is acknowledged is in a segment, whole, whatever else happens. */
#include "unit_spool.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include <apr_time.h>

#include "spool/spool_reader.h"
#include "spool/spool_writer.h"

/* In the place of libc's. */
static int flushes, directories, flush_fails_with;
static atomic_bool flush_held, flush_waits;

int fdatasync(int fd)
{
    flushes++;
    while (atomic_load(&flush_held)) {
        atomic_store(&flush_waits, true);
        sched_yield();
    }
    errno = flush_fails_with;
    return flush_fails_with != 0 ? -1 : (int)syscall(SYS_fdatasync, fd);
}

int fsync(int fd)
{
    directories++;
    return (int)syscall(SYS_fsync, fd);
}

/* Of the writers that are made from now on. */
static mm_sync_t mode = MM_SYNC_NONE;

static int setup(void **state)
{
    mode = MM_SYNC_NONE;
    return unit_setup(state);
}

static int setup_batch(void **state)
{
    mode = MM_SYNC_BATCH;
    return unit_setup(state);
}

static int setup_event(void **state)
{
    mode = MM_SYNC_EVENT;
    return unit_setup(state);
}

static mm_spool_writer_t *writer_for(unit_t *unit, const char *dir, int64_t segment_max)
{
    mm_spool_writer_t *writer = NULL;

    assert_int_equal(mm_spool_writer_create(&writer, dir, segment_max, mode, unit->pool, NULL), APR_SUCCESS);
    return writer;
}

static apr_status_t append(mm_spool_writer_t *writer, const char *text, mm_err_t *err)
{
    uint8_t buf[4096];

    memcpy(buf + MM_FRAME_HEADER, text, strlen(text));
    return mm_spool_append(writer, buf, strlen(text), err);
}

/* Whether somebody holds the lock of this file. */
static bool is_live(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool live;

    assert_true(fd >= 0);
    live = flock(fd, LOCK_EX | LOCK_NB) != 0;
    close(fd);
    return live;
}

/* Reads everything in dir, with the texts joined by commas. */
static char *read_all(unit_t *unit, const char *dir, unit_log_t *log)
{
    mm_spool_reader_t *reader;
    const uint8_t *payload;
    char *all = apr_pstrdup(unit->pool, "");
    size_t len;
    apr_pool_t *pool;
    apr_status_t status;

    apr_pool_create(&pool, unit->pool);
    assert_int_equal(mm_spool_reader_create(&reader, dir, log != NULL ? &log->log : NULL, pool, NULL), APR_SUCCESS);
    assert_int_equal(mm_spool_reader_begin(reader, NULL), APR_SUCCESS);
    while ((status = mm_spool_reader_next(reader, &payload, &len, NULL)) == APR_SUCCESS) {
        all = apr_psprintf(unit->pool, "%s%.*s,", all, (int)len, (const char *)payload);
    }
    assert_int_equal(status, APR_EOF);
    apr_pool_destroy(pool);
    return all;
}

static void opens_with_the_first_append(void **state)
{
    unit_t *unit = *state;
    mm_spool_writer_t *writer = writer_for(unit, unit->dir, MM_SPOOL_SEGMENT_MAX);
    mm_err_t err = {0};
    mm_spool_name_t name;
    uint8_t expected[64];
    char *segment = NULL, *data;
    struct stat st;
    size_t len, expected_len;

    mm_spool_expect(writer);
    assert_int_equal(unit_count(unit, "", NULL), 2); /* . and .. */
    assert_int_equal(append(writer, "first", &err), APR_SUCCESS);
    assert_int_equal(unit_count(unit, "", NULL), 3);
    mm_spool_expect(writer);
    assert_int_equal(unit_count(unit, ".seg", &segment), 1);
    assert_true(mm_spool_name_parse(&name, segment));
    assert_int_equal(name.pid, getpid());
    assert_int_equal(name.n, 0);
    assert_int_equal(stat(unit_path(unit, segment), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_true(is_live(unit_path(unit, segment)));

    assert_int_equal(append(writer, "", &err), APR_SUCCESS);
    expected_len = unit_frame(expected, "first", name.seed);
    expected_len += unit_frame(expected + expected_len, "", name.seed);
    mm_spool_writer_close(writer); /* gives back what it has not used */
    assert_int_equal(mm_file_slurp(&data, &len, unit_path(unit, segment), 1000, unit->pool, &err), APR_SUCCESS);
    assert_int_equal(len, expected_len);
    assert_memory_equal(data, expected, len);
}

/* A thread may be in the middle of an append, as far as the pool knows: its descriptor must stay what it is. */
static void the_pool_does_not_close(void **state)
{
    unit_t *unit = *state;
    mm_spool_writer_t *writer;
    apr_pool_t *pool;
    char *segment = NULL;
    struct stat before, after;
    int fd = STDERR_FILENO; /* to be found */

    apr_pool_create(&pool, unit->pool);
    assert_int_equal(mm_spool_writer_create(&writer, unit->dir, 1000, MM_SYNC_NONE, pool, NULL), APR_SUCCESS);
    assert_int_equal(append(writer, "x", NULL), APR_SUCCESS);
    assert_int_equal(unit_count(unit, ".seg", &segment), 1);
    assert_int_equal(stat(unit_path(unit, segment), &before), 0);
    while (fstat(fd, &after) != 0 || after.st_ino != before.st_ino) {
        assert_true(++fd < 1000);
    }
    apr_pool_destroy(pool);
    assert_true(is_live(unit_path(unit, segment)));
    assert_int_equal(fstat(fd, &after), 0);
    assert_int_equal(after.st_ino, before.st_ino);
    close(fd);
}

static void closes_when_told(void **state)
{
    unit_t *unit = *state;
    mm_spool_writer_t *writer = writer_for(unit, unit->dir, 1000);
    char *segment = NULL;

    mm_spool_writer_close(writer);
    assert_int_equal(append(writer, "x", NULL), APR_SUCCESS);
    assert_int_equal(unit_count(unit, ".seg", &segment), 1);
    assert_true(is_live(unit_path(unit, segment)));
    mm_spool_writer_close(writer);
    assert_false(is_live(unit_path(unit, segment)));
    mm_spool_writer_close(writer);
    assert_int_equal(append(writer, "y", NULL), APR_SUCCESS);
    assert_int_equal(unit_count(unit, ".seg", NULL), 2);
    assert_string_equal(read_all(unit, unit->dir, NULL), "x,y,");
    mm_spool_writer_close(writer);
}

static void changes_the_segment(void **state)
{
    unit_t *unit = *state;
    mm_spool_writer_t *writer = writer_for(unit, unit->dir, 50);
    DIR *dir;
    struct dirent *entry;
    int i, live = 0;

    for (i = 0; i < 10; i++) {
        assert_int_equal(append(writer, "twenty bytes of text", NULL), APR_SUCCESS);
    }
    /* 32 bytes a frame: the second is the one that makes a segment full. */
    assert_int_equal(unit_count(unit, ".seg", NULL), 5);
    assert_int_equal(unit_count(unit, ".new", NULL), 0);
    dir = opendir(unit->dir);
    while ((entry = readdir(dir)) != NULL) {
        live += strstr(entry->d_name, ".seg") != NULL && is_live(unit_path(unit, entry->d_name)) ? 1 : 0;
    }
    closedir(dir);
    assert_int_equal(live, 1);
}

static void refuses_what_no_frame_holds(void **state)
{
    unit_t *unit = *state;
    mm_spool_writer_t *writer = writer_for(unit, unit->dir, MM_SPOOL_SEGMENT_MAX);
    uint8_t *buf = calloc(1, MM_FRAME_HEADER + MM_FRAME_PAYLOAD_MAX + 1);
    mm_err_t err = {0};

    assert_int_equal(mm_spool_append(writer, buf, MM_FRAME_PAYLOAD_MAX + 1, &err), APR_EINVAL);
    assert_non_null(strstr(err.text, "4194304"));
    assert_int_equal(mm_spool_append(writer, buf, MM_FRAME_PAYLOAD_MAX, &err), APR_SUCCESS);
    free(buf);
}

static void without_a_directory(void **state)
{
    unit_t *unit = *state;
    char *dir = unit_path(unit, "later");
    mm_spool_writer_t *writer = writer_for(unit, dir, MM_SPOOL_SEGMENT_MAX);
    mm_err_t err = {0};

    assert_int_equal(append(writer, "lost", &err), ENOENT);
    assert_non_null(strstr(err.text, dir));
    assert_int_equal(mkdir(dir, 0700), 0);
    assert_int_equal(append(writer, "kept", &err), APR_SUCCESS);
    assert_string_equal(read_all(unit, dir, NULL), "kept,");
}

static void remove_tree(const char *dir)
{
    assert_int_equal(nftw(dir, unit_remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

/* The segment's name is looked for once a second, so it is a matter of appending on; a million appends take longer. */
static void after_the_directory_was_made_again(void **state)
{
    unit_t *unit = *state;
    char *dir = unit_path(unit, "spool");
    mm_spool_writer_t *writer = writer_for(unit, dir, INT64_MAX);
    long appends = 0;

    assert_int_equal(mkdir(dir, 0700), 0);
    assert_int_equal(append(writer, "old", NULL), APR_SUCCESS);
    remove_tree(dir);
    assert_int_equal(mkdir(dir, 0700), 0);
    do {
        assert_int_equal(append(writer, "new", NULL), APR_SUCCESS);
        assert_true(++appends < 1000000);
    } while (rmdir(dir) == 0 && mkdir(dir, 0700) == 0); /* it can be removed as long as it is empty */
    assert_int_equal(errno, ENOTEMPTY);
    assert_string_equal(read_all(unit, dir, NULL), "new,");
}

/* The next segment goes into the new directory in any case. */
static void the_next_segment_after_the_directory_was_made_again(void **state)
{
    unit_t *unit = *state;
    char *dir = unit_path(unit, "spool");
    mm_spool_writer_t *writer = writer_for(unit, dir, 1);

    assert_int_equal(mkdir(dir, 0700), 0);
    assert_int_equal(append(writer, "old", NULL), APR_SUCCESS);
    remove_tree(dir);
    assert_int_equal(mkdir(dir, 0700), 0);
    assert_int_equal(append(writer, "new", NULL), APR_SUCCESS);
    assert_string_equal(read_all(unit, dir, NULL), "new,");
}

static int short_write(unit_t *unit)
{
    mm_spool_writer_t *writer = writer_for(unit, unit->dir, MM_SPOOL_SEGMENT_MAX);
    struct rlimit limit = {50, 50};
    mm_err_t err = {0};

    signal(SIGXFSZ, SIG_IGN);
    return setrlimit(RLIMIT_FSIZE, &limit) == 0 && append(writer, "one", &err) == APR_SUCCESS &&
                   append(writer, "two", &err) == APR_SUCCESS &&
                   append(writer, "does not fit into the fifty bytes", &err) == APR_ENOSPC &&
                   strstr(err.text, "only 20 of 45 bytes") != NULL && append(writer, "three", &err) == APR_SUCCESS
               ? 0
               : 1;
}

static void a_short_write(void **state)
{
    unit_t *unit = *state;
    unit_log_t *log = unit_log(unit);
    pid_t child = fork();

    if (child == 0) {
        _exit(short_write(unit));
    }
    assert_int_equal(unit_wait(child), 0);
    assert_int_equal(unit_count(unit, ".seg", NULL), 2);
    assert_string_equal(read_all(unit, unit->dir, log), "one,two,three,");
    assert_int_equal(log->n, 1);
    assert_non_null(strstr(log->text, "20 bytes at offset 30"));
}

/* At the limit nothing is written at all; that segment can never grow, so it must be left, too. */
static int write_at_limit(unit_t *unit)
{
    mm_spool_writer_t *writer = writer_for(unit, unit->dir, MM_SPOOL_SEGMENT_MAX);
    struct rlimit limit = {15, 15};
    mm_err_t err = {0};

    signal(SIGXFSZ, SIG_IGN);
    return setrlimit(RLIMIT_FSIZE, &limit) == 0 && append(writer, "one", &err) == APR_SUCCESS &&
                   append(writer, "two", &err) == EFBIG && append(writer, "3rd", &err) == APR_SUCCESS
               ? 0
               : 1;
}

static void a_file_at_its_limit(void **state)
{
    unit_t *unit = *state;
    unit_log_t *log = unit_log(unit);
    pid_t child = fork();

    if (child == 0) {
        _exit(write_at_limit(unit));
    }
    assert_int_equal(unit_wait(child), 0);
    assert_string_equal(read_all(unit, unit->dir, log), "one,3rd,");
    assert_int_equal(log->n, 0);
}

/* Every write fails, each in the middle: the first failure is forgiven at once, then a second must pass before each
 * further segment. */
static int fail_for_ever(unit_t *unit)
{
    enum { APPENDS = 2000 };
    mm_spool_writer_t *writer = writer_for(unit, unit->dir, MM_SPOOL_SEGMENT_MAX);
    struct rlimit small = {5, RLIM_INFINITY}, large = {1000, RLIM_INFINITY};
    apr_time_t start = apr_time_now();
    int i, seconds;

    signal(SIGXFSZ, SIG_IGN);
    if (setrlimit(RLIMIT_FSIZE, &small) != 0) {
        return 1;
    }
    for (i = 0; i < APPENDS; i++) {
        mm_err_t err = {0};

        if (append(writer, "x", &err) != APR_ENOSPC || strstr(err.text, unit->dir) == NULL) {
            return 2;
        }
    }
    seconds = (int)apr_time_sec(apr_time_now() - start) + 1;
    if (unit_count(unit, ".seg", NULL) > 2 + seconds) {
        return 3;
    }
    /* When the disk is well again all goes on, within a second. */
    if (setrlimit(RLIMIT_FSIZE, &large) != 0) {
        return 4;
    }
    for (start = apr_time_now(); append(writer, "well", NULL) != APR_SUCCESS;) {
        if (apr_time_now() - start > apr_time_from_sec(30)) {
            return 5;
        }
        sched_yield();
    }
    return append(writer, "again", NULL) == APR_SUCCESS ? 0 : 6;
}

static void a_disk_that_always_fails(void **state)
{
    unit_t *unit = *state;
    pid_t child = fork();

    if (child == 0) {
        _exit(fail_for_ever(unit));
    }
    assert_int_equal(unit_wait(child), 0);
    assert_string_equal(read_all(unit, unit->dir, NULL), "well,again,");
}

/* A disk of 64 KiB of its own. 77: cannot be had here. */
static int fill_a_disk(unit_t *unit)
{
    mm_spool_writer_t *writer = writer_for(unit, unit->dir, MM_SPOOL_SEGMENT_MAX);
    unit_log_t *log = unit_log(unit);
    static char filler[1000];
    int i, appended = 0, failed = 0, segments;
    char *all;

    if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("tmpfs", unit->dir, "tmpfs", 0, "size=64k") != 0) {
        return 77;
    }
    memset(filler, 'f', sizeof(filler) - 1);
    for (i = 0; i < 500; i++) {
        apr_status_t status = append(writer, filler, NULL);

        appended += status == APR_SUCCESS ? 1 : 0;
        failed += status == ENOSPC ? 1 : 0;
    }
    if (appended == 0 || appended > 65 || appended + failed != 500) {
        return 1;
    }
    segments = unit_count(unit, ".seg", NULL);
    if (segments > 3) {
        return 2; /* one for each failure */
    }
    all = read_all(unit, unit->dir, log);
    if (strlen(all) != (size_t)appended * sizeof(filler)) {
        return 3;
    }
    /* With room again, all goes on. */
    if (mount("tmpfs", unit->dir, "tmpfs", MS_REMOUNT, "size=256k") != 0 ||
        append(writer, "end", NULL) != APR_SUCCESS) {
        return 4;
    }
    all = read_all(unit, unit->dir, log);
    return strlen(all) == (size_t)appended * sizeof(filler) + 4 ? 0 : 5;
}

static void a_full_disk(void **state)
{
    unit_t *unit = *state;
    pid_t child = fork();
    int status;

    if (child == 0) {
        _exit(fill_a_disk(unit));
    }
    status = unit_wait(child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
        skip();
    }
    assert_int_equal(status, 0);
}

static void a_forked_process_begins_its_own(void **state)
{
    unit_t *unit = *state;
    mm_spool_writer_t *writer;
    char *parents = NULL;
    int ends[2], back[2];
    char c;
    pid_t child;

    writer = writer_for(unit, unit->dir, MM_SPOOL_SEGMENT_MAX);
    assert_int_equal(append(writer, "parent", NULL), APR_SUCCESS);
    assert_int_equal(unit_count(unit, ".seg", &parents), 1);
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(pipe(back), 0);
    child = fork();
    if (child == 0) {
        close(ends[1]);
        _exit(append(writer, "child", NULL) == APR_SUCCESS && append(writer, "child", NULL) == APR_SUCCESS &&
                      write(back[1], "d", 1) == 1 && read(ends[0], &c, 1) == 0
                  ? 0
                  : 1);
    }
    assert_int_equal(read(back[0], &c, 1), 1);
    assert_int_equal(unit_count(unit, ".seg", NULL), 2);
    assert_int_equal(append(writer, "parent", NULL), APR_SUCCESS);
    assert_int_equal(unit_count(unit, ".seg", NULL), 2);
    /* While the child lives the parent's segment is the parent's alone to hold. */
    assert_true(is_live(unit_path(unit, parents)));
    mm_spool_writer_close(writer);
    assert_false(is_live(unit_path(unit, parents)));
    close(ends[0]);
    close(ends[1]);
    assert_int_equal(unit_wait(child), 0);
    close(back[0]);
    close(back[1]);
    assert_string_equal(read_all(unit, unit->dir, NULL), "parent,parent,child,child,");
}

static void flushes_each_event_where_asked(void **state)
{
    static const int expected[] = {[MM_SYNC_NONE] = 0, [MM_SYNC_BATCH] = 0, [MM_SYNC_EVENT] = 3};
    unit_t *unit = *state;

    for (mode = MM_SYNC_NONE; mode <= MM_SYNC_EVENT; mode++) {
        mm_spool_writer_t *writer = writer_for(unit, unit->dir, MM_SPOOL_SEGMENT_MAX);

        flushes = directories = 0;
        for (int i = 0; i < 3; i++) {
            assert_int_equal(append(writer, "x", NULL), APR_SUCCESS);
        }
        assert_int_equal(flushes, expected[mode]);
        assert_int_equal(directories, mode == MM_SYNC_EVENT ? 1 : 0);
        mm_spool_writer_close(writer);
    }
}

/* The event is refused and will not be read; the next one goes into another segment. */
static void a_flush_that_fails(void **state)
{
    unit_t *unit = *state;
    mm_spool_writer_t *writer = writer_for(unit, unit->dir, MM_SPOOL_SEGMENT_MAX);
    mm_err_t err = {0};

    assert_int_equal(append(writer, "one", NULL), APR_SUCCESS);
    flush_fails_with = EIO;
    assert_int_equal(append(writer, "two", &err), EIO);
    assert_non_null(strstr(err.text, unit->dir));
    flush_fails_with = 0;
    assert_int_equal(append(writer, "three", NULL), APR_SUCCESS);
    assert_int_equal(unit_count(unit, ".seg", NULL), 2);
    mm_spool_writer_close(writer);
    assert_string_equal(read_all(unit, unit->dir, NULL), "one,three,");
}

static void *append_and_wait(void *data)
{
    return (void *)(intptr_t)append(data, "two", NULL);
}

/* A thread waits for the disk with a whole frame while another finds the segment at its limit. */
static int close_under_a_flush(unit_t *unit)
{
    mm_spool_writer_t *writer = writer_for(unit, unit->dir, MM_SPOOL_SEGMENT_MAX);
    struct rlimit limit = {35, 35};
    void *taken = NULL;
    pthread_t thread;

    signal(SIGXFSZ, SIG_IGN);
    /* From the second segment on, a failed one is replaced once a second: until then the cause is told again. */
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0 || append(writer, "one", NULL) != APR_SUCCESS ||
        append(writer, "two", NULL) != APR_SUCCESS || append(writer, "3rd", NULL) != ENOSPC ||
        append(writer, "one", NULL) != APR_SUCCESS) {
        return 1;
    }
    atomic_store(&flush_held, true);
    if (pthread_create(&thread, NULL, append_and_wait, writer) != 0) {
        return 2;
    }
    while (!atomic_load(&flush_waits)) {
        sched_yield();
    }
    if (append(writer, "3rd", NULL) != ENOSPC) {
        return 3;
    }
    atomic_store(&flush_held, false);
    if (pthread_join(thread, &taken) != 0 || (intptr_t)taken != APR_SUCCESS) {
        return 4;
    }
    return append(writer, "3rd", NULL) == ENOSPC ? 0 : 5;
}

/* Who succeeded does not say why the others failed. */
static void the_cause_is_that_of_who_failed(void **state)
{
    unit_t *unit = *state;
    pid_t child = fork();

    if (child == 0) {
        _exit(close_under_a_flush(unit));
    }
    assert_int_equal(unit_wait(child), 0);
    assert_string_equal(read_all(unit, unit->dir, NULL), "one,two,one,two,");
}

int main(void)
{
#define IN_EACH_MODE(test)                                                                                             \
    cmocka_unit_test_setup_teardown(test, setup, unit_teardown),                                                       \
        cmocka_unit_test_setup_teardown(test, setup_batch, unit_teardown),                                             \
        cmocka_unit_test_setup_teardown(test, setup_event, unit_teardown)

    const struct CMUnitTest tests[] = {
        IN_EACH_MODE(opens_with_the_first_append),
        IN_EACH_MODE(the_pool_does_not_close),
        IN_EACH_MODE(closes_when_told),
        IN_EACH_MODE(changes_the_segment),
        IN_EACH_MODE(refuses_what_no_frame_holds),
        IN_EACH_MODE(without_a_directory),
        IN_EACH_MODE(after_the_directory_was_made_again),
        IN_EACH_MODE(the_next_segment_after_the_directory_was_made_again),
        cmocka_unit_test_setup_teardown(a_short_write, setup, unit_teardown),
        cmocka_unit_test_setup_teardown(a_short_write, setup_batch, unit_teardown),
        cmocka_unit_test_setup_teardown(flushes_each_event_where_asked, setup, unit_teardown),
        cmocka_unit_test_setup_teardown(a_flush_that_fails, setup_event, unit_teardown),
        cmocka_unit_test_setup_teardown(the_cause_is_that_of_who_failed, setup_event, unit_teardown),
        IN_EACH_MODE(a_file_at_its_limit),
        IN_EACH_MODE(a_disk_that_always_fails),
        IN_EACH_MODE(a_full_disk),
        IN_EACH_MODE(a_forked_process_begins_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
