/* Writer and reader together: threads, processes, rotation, kill -9. Every record comes once, whole and in its order.
 */
#include "unit_spool.h"

#include <pthread.h>
#include <signal.h>

#include "spool/spool_reader.h"
#include "spool/spool_writer.h"

static mm_spool_writer_t *writer_for(unit_t *unit, const char *dir, int64_t segment_max)
{
    mm_spool_writer_t *writer = NULL;

    assert_int_equal(mm_spool_writer_create(&writer, dir, segment_max, MM_SYNC_NONE, unit->pool, NULL), APR_SUCCESS);
    return writer;
}

enum { PROCESSES = 3, THREADS = 4, RECORDS = 1500, WRITERS = PROCESSES * THREADS };

typedef struct task {
    mm_spool_writer_t *writer;
    uint32_t who;
    bool ok;
} task_t;

/* who, n, then as many bytes as both say, made from both. */
static size_t make_record(uint8_t *payload, uint32_t who, uint32_t n)
{
    size_t len = 8 + (who * 131 + n * 17) % 700, i;

    memcpy(payload, &who, 4);
    memcpy(payload + 4, &n, 4);
    for (i = 8; i < len; i++) {
        payload[i] = (uint8_t)(who + n * i);
    }
    return len;
}

static void *append_records(void *data)
{
    task_t *task = data;
    uint8_t buf[1024];
    uint32_t n;

    task->ok = true;
    for (n = 0; n < RECORDS; n++) {
        size_t len = make_record(buf + MM_FRAME_HEADER, task->who, n);

        task->ok = mm_spool_append(task->writer, buf, len, NULL) == APR_SUCCESS && task->ok;
    }
    return NULL;
}

static int append_in_threads(unit_t *unit, uint32_t process)
{
    mm_spool_writer_t *writer = writer_for(unit, unit->dir, 16 * 1024);
    pthread_t threads[THREADS];
    task_t tasks[THREADS];
    int i, rc = 0;

    for (i = 0; i < THREADS; i++) {
        tasks[i] = (task_t){writer, process * THREADS + (uint32_t)i, false};
        if (pthread_create(&threads[i], NULL, append_records, &tasks[i]) != 0) {
            return 1;
        }
    }
    for (i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        rc |= tasks[i].ok ? 0 : 1;
    }
    return rc;
}

/* One round; marks what came, which must be whole and new. */
static void read_round(mm_spool_reader_t *reader, bool (*seen)[RECORDS])
{
    const uint8_t *payload;
    size_t len;
    mm_err_t err = {0};
    apr_status_t status;

    assert_int_equal(mm_spool_reader_begin(reader, &err), APR_SUCCESS);
    while ((status = mm_spool_reader_next(reader, &payload, &len, &err)) == APR_SUCCESS) {
        uint8_t expected[1024];
        uint32_t who, n;

        assert_true(len >= 8);
        memcpy(&who, payload, 4);
        memcpy(&n, payload + 4, 4);
        assert_in_range(who, 0, WRITERS - 1);
        assert_in_range(n, 0, RECORDS - 1);
        assert_int_equal(len, make_record(expected, who, n));
        assert_memory_equal(payload, expected, len);
        if (seen[who][n]) {
            fail_msg("record %u of %u came twice", (unsigned)n, (unsigned)who);
        }
        /* One thread's records come in the order it appended them. */
        assert_true(n == 0 || seen[who][n - 1]);
        seen[who][n] = true;
    }
    assert_int_equal(status, APR_EOF);
    assert_int_equal(mm_spool_reader_release(reader, &err), APR_SUCCESS);
}

static void threads_and_processes_and_a_reader(void **state)
{
    unit_t *unit = *state;
    unit_log_t *log = unit_log(unit);
    bool(*seen)[RECORDS] = calloc(WRITERS, sizeof(*seen));
    mm_spool_reader_t *reader;
    pid_t children[PROCESSES];
    uint32_t i, n;
    int running = PROCESSES;

    for (i = 0; i < PROCESSES; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            _exit(append_in_threads(unit, i));
        }
    }
    assert_int_equal(mm_spool_reader_create(&reader, unit->dir, &log->log, unit->pool, NULL), APR_SUCCESS);
    while (running > 0) {
        int status;

        read_round(reader, seen);
        while (running > 0 && waitpid(-1, &status, WNOHANG) > 0) {
            assert_int_equal(status, 0);
            running--;
        }
    }
    read_round(reader, seen);
    for (i = 0; i < WRITERS; i++) {
        for (n = 0; n < RECORDS; n++) {
            assert_true(seen[i][n]);
        }
    }
    assert_int_equal(log->n, 0);
    assert_int_equal(unit_count(unit, ".seg", NULL), 0);
    assert_int_equal(unit_count(unit, ".new", NULL), 0);
    free(seen);
}

/* Acknowledges each append through a pipe until it is killed. */
static void append_for_ever(unit_t *unit, int to)
{
    mm_spool_writer_t *writer = writer_for(unit, unit->dir, 4096);
    uint8_t buf[1024];
    uint32_t n;

    for (n = 0;; n++) {
        size_t len = make_record(buf + MM_FRAME_HEADER, 0, n % RECORDS);

        if (mm_spool_append(writer, buf, len, NULL) != APR_SUCCESS || write(to, "a", 1) != 1) {
            _exit(1);
        }
    }
}

static void killed_writers(void **state)
{
    enum { KILLS = 20 };
    unit_t *unit = *state;
    unit_log_t *log = unit_log(unit);
    mm_spool_reader_t *reader;
    int kills;

    assert_int_equal(mm_spool_reader_create(&reader, unit->dir, &log->log, unit->pool, NULL), APR_SUCCESS);
    for (kills = 0; kills < KILLS; kills++) {
        long acknowledged = 0, after = 37 * (kills + 1), read_back = 0;
        const uint8_t *payload;
        char acks[64];
        size_t len;
        ssize_t got;
        int ends[2];
        pid_t child;

        assert_int_equal(pipe(ends), 0);
        child = fork();
        if (child == 0) {
            append_for_ever(unit, ends[1]);
        }
        close(ends[1]);
        while (acknowledged < after && (got = read(ends[0], acks, sizeof(acks))) > 0) {
            acknowledged += got;
        }
        kill(child, SIGKILL);
        unit_wait(child);
        while ((got = read(ends[0], acks, sizeof(acks))) > 0) {
            acknowledged += got;
        }
        close(ends[0]);
        assert_int_equal(mm_spool_reader_begin(reader, NULL), APR_SUCCESS);
        while (mm_spool_reader_next(reader, &payload, &len, NULL) == APR_SUCCESS) {
            uint8_t expected[1024];

            assert_int_equal(len, make_record(expected, 0, (uint32_t)read_back % RECORDS));
            assert_memory_equal(payload, expected, len);
            read_back++;
        }
        /* One may have been written and not yet acknowledged. */
        assert_in_range(read_back, acknowledged, acknowledged + 1);
        assert_int_equal(mm_spool_reader_release(reader, NULL), APR_SUCCESS);
        assert_int_equal(unit_count(unit, ".seg", NULL), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(threads_and_processes_and_a_reader, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(killed_writers, unit_setup, unit_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
