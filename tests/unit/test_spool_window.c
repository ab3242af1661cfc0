/* Windows: allocated, mapped, put into, refreshed; and what a reader makes of zeros. */
#include "spool/spool_window.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "unit_reader.h"
#include "spool/spool.h"
#include "spool/spool_writer.h"

static int file_in(unit_t *unit, const char *name)
{
    int fd = open(unit_path(unit, name), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    return fd;
}

static void opens_and_closes(void **state)
{
    unit_t *unit = *state;
    mm_spool_window_t window = {0};
    uint8_t frame[100], seen[sizeof(frame)];
    size_t len = unit_frame(frame, "text", 7);
    int fd = file_in(unit, "file");

    if (!mm_spool_window_suits(fd)) {
        skip(); /* a file system on which nothing is mapped */
    }
    assert_int_equal(mm_spool_window_open(&window, fd, 5000, len), APR_SUCCESS);
    assert_true(window.from <= 5000 && window.from > 0);
    assert_true(window.to >= 5000 + MM_SPOOL_WINDOW_SIZE);
    assert_int_equal(lseek(fd, 0, SEEK_END), window.to);
    mm_spool_window_put(&window, 5000, frame, len);
    assert_int_equal(pread(fd, seen, len, 5000), len);
    assert_memory_equal(seen, frame, len);
    assert_int_equal(mm_spool_window_refresh(&window, 5000 + (int64_t)len), APR_SUCCESS);
    assert_int_equal(mm_spool_window_refresh(&window, window.to), APR_SUCCESS);
    mm_spool_window_close(&window);
    assert_null(window.base);
    mm_spool_window_close(&window);
    close(fd);
}

static void fits_what_is_longer_than_a_window(void **state)
{
    unit_t *unit = *state;
    mm_spool_window_t window = {0};
    int fd = file_in(unit, "file");

    if (!mm_spool_window_suits(fd)) {
        skip();
    }
    assert_int_equal(mm_spool_window_open(&window, fd, 1, 3 * (size_t)MM_SPOOL_WINDOW_SIZE), APR_SUCCESS);
    assert_true(window.to >= 1 + 3 * MM_SPOOL_WINDOW_SIZE);
    mm_spool_window_close(&window);
    close(fd);
}

/* The file was cut behind our back: an answer, where a touch would have killed. */
static void refresh_tells_of_a_file_that_shrank(void **state)
{
    unit_t *unit = *state;
    mm_spool_window_t window = {0};
    int fd = file_in(unit, "file");

    if (!mm_spool_window_suits(fd)) {
        skip();
    }
    assert_int_equal(mm_spool_window_open(&window, fd, 0, 1), APR_SUCCESS);
    assert_int_equal(ftruncate(fd, 0), 0);
    assert_int_not_equal(mm_spool_window_refresh(&window, 0), APR_SUCCESS);
    mm_spool_window_close(&window);
    close(fd);
}

static void zeros_are_waited_for_while_the_writer_lives(void **state)
{
    unit_t *unit = *state;
    unit_log_t *log = unit_log(unit);
    mm_spool_reader_t *reader = reader_of(unit, log);
    char *name = unit_segment_name(unit, 1, 5);
    int fd = live(unit, name);
    uint8_t frame[100];
    size_t len = unit_frame(frame, "late", 5);
    uint8_t copied[sizeof(frame)];
    int n;

    put_frame(fd, "a", 5);
    /* Another thread's frame, of which all but the beginning is there. */
    memcpy(copied, frame, len);
    memset(copied, 0, 4);
    put(fd, copied, len);
    put_frame(fd, "c", 5);
    for (n = 0; n < 3; n++) {
        assert_round(unit, reader, n == 0 ? "a," : "");
    }
    assert_int_equal(log->n, 0);
    n = open(unit_path(unit, name), O_WRONLY | O_CLOEXEC);
    assert_int_equal(pwrite(n, frame, 4, 13), 4);
    close(n);
    assert_round(unit, reader, "late,c,");
    close(fd);
}

static void an_append_that_its_process_died_in_is_passed_over(void **state)
{
    unit_t *unit = *state;
    unit_log_t *log = unit_log(unit);
    mm_spool_reader_t *reader = reader_of(unit, log);
    char *name = unit_segment_name(unit, 1, 5);
    int fd = live(unit, name);
    uint8_t frame[100], zeros[9000] = {0};
    size_t len = unit_frame(frame, "never", 5);

    memset(frame, 0, 4);
    put_frame(fd, "a", 5);
    put(fd, frame, len);
    put_frame(fd, "b", 5);
    put(fd, zeros, sizeof(zeros));
    close(fd);
    assert_round(unit, reader, "a,b,");
    assert_int_equal(log->n, 1);
    assert_string_equal(log->tag, "MM0103");
    assert_non_null(strstr(log->text, "bytes at offset 13 "));
    assert_int_equal(unit_count(unit, ".corrupt", NULL), 1);
    release(reader);
    assert_false(unit_exists(unit, name));
}

static void room_that_was_not_used_is_not_spoken_of(void **state)
{
    unit_t *unit = *state;
    unit_log_t *log = unit_log(unit);
    mm_spool_reader_t *reader = reader_of(unit, log);
    char *name = unit_segment_name(unit, 1, 5);
    size_t len = 6 * 1024 * 1024; /* more than the reader looks at at once */
    uint8_t *zeros = calloc(1, len);

    unit_append_frame(unit, name, "a", 5);
    unit_append(unit, name, zeros, len);
    free(zeros);
    assert_round(unit, reader, "a,");
    assert_round(unit, reader, "");
    assert_int_equal(log->n, 0);
    release(reader);
    assert_false(unit_exists(unit, name));
}

/* A read that met a frame half copied must not take it for damage, even with frames behind it. */
static void damage_in_a_live_segment_is_believed_when_seen_twice(void **state)
{
    unit_t *unit = *state;
    unit_log_t *log = unit_log(unit);
    mm_spool_reader_t *reader = reader_of(unit, log);
    char *name = unit_segment_name(unit, 1, 5);
    int fd = live(unit, name);
    uint8_t frame[100];
    size_t len = unit_frame(frame, "half", 5);

    put(fd, frame, len - 1);
    put(fd, "?", 1);
    put_frame(fd, "b", 5);
    assert_round(unit, reader, "");
    assert_int_equal(log->n, 0);
    assert_round(unit, reader, "b,");
    assert_int_equal(log->n, 1);
    assert_string_equal(log->tag, "MM0101");
    close(fd);
}

/* Killed while it appends in several threads, a process leaves only what can be passed over without a warning. */
static void killed_while_appending(void **state)
{
    unit_t *unit = *state;
    unit_log_t *log = unit_log(unit);
    mm_spool_reader_t *reader = reader_of(unit, log);
    mm_err_t err = {0};
    int told[2], status;
    unsigned char ready;
    pid_t child;

    assert_int_equal(mm_spool_prepare(unit->dir, (uid_t)-1, (gid_t)-1, unit->pool, &err), APR_SUCCESS);
    assert_int_equal(pipe(told), 0);
    child = fork();
    if (child == 0) {
        mm_spool_writer_t *writer;
        uint8_t buf[MM_FRAME_HEADER + 8] = {0};

        if (mm_spool_writer_create(&writer, unit->dir, 1 << 20, MM_SYNC_NONE, unit->pool, &err) != APR_SUCCESS) {
            _exit(1);
        }
        for (uint64_t n = 0;; n++) {
            memcpy(buf + MM_FRAME_HEADER, &n, sizeof(n));
            if (mm_spool_append(writer, buf, sizeof(n), &err) != APR_SUCCESS) {
                _exit(1);
            }
            if (n == 100000 && write(told[1], "x", 1) != 1) {
                _exit(1);
            }
        }
    }
    assert_int_equal(read(told[0], &ready, 1), 1);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, &status, 0), child);
    close(told[0]);
    close(told[1]);

    const uint8_t *payload;
    size_t len;
    uint64_t n = 0, seen;
    apr_status_t rv;
    assert_int_equal(mm_spool_reader_begin(reader, &err), APR_SUCCESS);
    while ((rv = mm_spool_reader_next(reader, &payload, &len, &err)) == APR_SUCCESS) {
        assert_int_equal(len, sizeof(seen));
        memcpy(&seen, payload, sizeof(seen));
        assert_true(seen == n);
        n++;
    }
    assert_int_equal(rv, APR_EOF);
    assert_true(n > 100000);
    assert_true(log->n == 0 || strcmp(log->tag, "MM0103") == 0);
    release(reader);
    assert_int_equal(unit_count(unit, ".seg", NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(opens_and_closes),
        TEST(fits_what_is_longer_than_a_window),
        TEST(refresh_tells_of_a_file_that_shrank),
        TEST(zeros_are_waited_for_while_the_writer_lives),
        TEST(an_append_that_its_process_died_in_is_passed_over),
        TEST(room_that_was_not_used_is_not_spoken_of),
        TEST(damage_in_a_live_segment_is_believed_when_seen_twice),
        TEST(killed_while_appending),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
