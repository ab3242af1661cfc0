/* Batch files: whole or not believed, whatever happened to them; and the rename that counts. */
#include "drain_unit.h"
#include <sys/resource.h>
#include "base/file.h"
#include "drain/batch.h"
#include "drain/record.h"
#include "drain/reserve.h"

#define SPOOL "0123456789abcdef01234567"
#define NONCE "76543210fedcba9876543210"

typedef struct seen {
    char spool[32], nonce[32];
    int64_t seq;
    int batches, segments, deltas;
    int64_t to;      /* of all segments */
    int64_t views;   /* of all deltas */
    char last[1200]; /* id of the last delta */
    apr_status_t fail;
} seen_t;

static apr_status_t on_batch(void *baton, const char *spool_id, int64_t seq, const char *nonce, mm_err_t *err)
{
    seen_t *seen = baton;

    (void)err;
    seen->batches++;
    seen->seq = seq;
    snprintf(seen->spool, sizeof(seen->spool), "%s", spool_id);
    snprintf(seen->nonce, sizeof(seen->nonce), "%s", nonce);
    return APR_SUCCESS;
}

static apr_status_t on_segment(void *baton, const char *name, int64_t to, mm_err_t *err)
{
    seen_t *seen = baton;

    (void)err;
    assert_non_null(strstr(name, MM_SPOOL_SUFFIX));
    seen->segments++;
    seen->to += to;
    return APR_SUCCESS;
}

static apr_status_t on_delta(void *baton, const mm_delta_t *delta, mm_err_t *err)
{
    seen_t *seen = baton;

    seen->deltas++;
    seen->views += delta->views;
    snprintf(seen->last, sizeof(seen->last), "%s", delta->id);
    return seen->fail == APR_SUCCESS ? APR_SUCCESS : mm_err_set(err, seen->fail, "enough");
}

static apr_status_t read_batch(seen_t *seen, const char *dir, const char *name, apr_pool_t *pool)
{
    mm_batch_reader_t reader = {.on_batch = on_batch, .on_segment = on_segment, .on_delta = on_delta, .baton = seen};
    mm_err_t err = {.text = ""};
    apr_status_t rv = mm_batch_read(dir, name, &reader, pool, &err);

    assert_int_equal(rv != APR_SUCCESS, err.text[0] != '\0');
    return rv;
}

/* A reader that has read one frame of one segment. */
static mm_spool_reader_t *reader_make(const char *dir, apr_pool_t *pool)
{
    mm_spool_writer_t *writer = writer_make(dir, MM_SPOOL_SEGMENT_MAX, pool);
    mm_spool_reader_t *reader = NULL;
    const uint8_t *payload;
    size_t len;

    spool_view(writer, "a", NULL);
    assert_int_equal(mm_spool_reader_create(&reader, dir, NULL, pool, NULL), APR_SUCCESS);
    assert_int_equal(mm_spool_reader_begin(reader, NULL), APR_SUCCESS);
    assert_int_equal(mm_spool_reader_next(reader, &payload, &len, NULL), APR_SUCCESS);
    return reader;
}

static mm_count_t *count_make(int n, apr_pool_t *pool)
{
    mm_count_t *count = mm_count_create(&(mm_policy_t){0}, pool);
    char id[64];

    for (int i = 0; i < n; i++) {
        snprintf(id, sizeof(id), "%s%d", i % 2 ? "id-" : "\xff-", i);
        mm_event_t event = event_of(MM_ACTION_VIEW, id, i % 2 ? NULL : "eve", NOON_US);
        mm_count_add(count, &event);
    }
    return count;
}

static void write_batch(const char *dir, int64_t seq, int n, apr_pool_t *pool)
{
    mm_err_t err;

    if (mm_batch_write(dir, SPOOL, seq, NONCE, count_make(n, pool), reader_make(dir, pool), NULL, &err) !=
        APR_SUCCESS) {
        fail_msg("%s", err.text);
    }
}

static void reads_what_was_written(void **state)
{
    unit_t *unit = *state;
    char *dir = spool_make(unit);
    seen_t seen = {.seq = 0};

    write_batch(dir, 42, 3, unit->pool);
    assert_false(has_file(dir, MM_BATCH_TEMP_FILE));
    assert_int_equal(read_batch(&seen, dir, MM_BATCH_FILE, unit->pool), APR_SUCCESS);
    assert_int_equal(seen.batches, 1);
    assert_string_equal(seen.spool, SPOOL);
    assert_string_equal(seen.nonce, NONCE);
    assert_int_equal(seen.seq, 42);
    assert_int_equal(seen.segments, 1);
    assert_true(seen.to > 0);
    assert_int_equal(seen.deltas, 8);
    assert_int_equal(seen.views, 8);
    assert_int_equal((unsigned char)seen.last[0], 0xff);
}

static void reads_a_file_larger_than_its_buffer(void **state)
{
    unit_t *unit = *state;
    char *dir = spool_make(unit);
    seen_t seen = {.seq = 0};

    write_batch(dir, 1, 10001, unit->pool);
    assert_int_equal(read_batch(&seen, dir, MM_BATCH_FILE, unit->pool), APR_SUCCESS);
    assert_int_equal(seen.deltas, 25003);
}

static void may_be_empty(void **state)
{
    unit_t *unit = *state;
    char *dir = spool_make(unit);
    seen_t seen = {.seq = 0};
    mm_batch_reader_t nobody = {.baton = NULL};

    write_batch(dir, 1, 0, unit->pool);
    assert_int_equal(read_batch(&seen, dir, MM_BATCH_FILE, unit->pool), APR_SUCCESS);
    assert_int_equal(seen.deltas, 0);
    assert_int_equal(seen.segments, 1);
    assert_int_equal(mm_batch_read(dir, MM_BATCH_FILE, &nobody, unit->pool, NULL), APR_SUCCESS);
}

static void says_when_there_is_none(void **state)
{
    unit_t *unit = *state;
    seen_t seen = {.seq = 0};

    assert_true(APR_STATUS_IS_ENOENT(read_batch(&seen, unit->dir, MM_BATCH_FILE, unit->pool)));
}

static void passes_on_a_failure_of_its_reader(void **state)
{
    unit_t *unit = *state;
    char *dir = spool_make(unit);
    seen_t seen = {.fail = APR_EGENERAL};

    write_batch(dir, 1, 9, unit->pool);
    assert_int_equal(read_batch(&seen, dir, MM_BATCH_FILE, unit->pool), APR_EGENERAL);
    assert_int_equal(seen.deltas, 1);
}

/* Every single byte counts, and so does every length. */
static void believes_no_damaged_file(void **state)
{
    unit_t *unit = *state;
    char *dir = spool_make(unit);
    char *path = apr_pstrcat(unit->pool, dir, "/" MM_BATCH_FILE, NULL);
    char *data;
    size_t len;
    int fd;
    seen_t seen = {.seq = 0};

    write_batch(dir, 1, 2, unit->pool);
    assert_int_equal(mm_file_slurp(&data, &len, path, 1 << 20, unit->pool, NULL), APR_SUCCESS);
    fd = open(path, O_RDWR);
    for (size_t i = 0; i < len; i++) {
        char other = (char)(data[i] ^ 0x10);

        assert_int_equal(pwrite(fd, &other, 1, (off_t)i), 1);
        assert_int_equal(read_batch(&seen, dir, MM_BATCH_FILE, unit->pool), APR_EINVAL);
        assert_int_equal(pwrite(fd, data + i, 1, (off_t)i), 1);
    }
    assert_int_equal(read_batch(&seen, dir, MM_BATCH_FILE, unit->pool), APR_SUCCESS);
    assert_int_equal(pwrite(fd, "", 1, (off_t)len), 1);
    assert_int_equal(read_batch(&seen, dir, MM_BATCH_FILE, unit->pool), APR_EINVAL);
    for (size_t i = len; i-- > 0;) {
        assert_int_equal(ftruncate(fd, (off_t)i), 0);
        assert_int_equal(read_batch(&seen, dir, MM_BATCH_FILE, unit->pool), APR_EINVAL);
    }
    close(fd);
}

static void put_record(int fd, bson_t *doc)
{
    uint8_t buf[MM_FRAME_HEADER + MM_RECORD_MAX];
    size_t len;

    memcpy(buf + MM_FRAME_HEADER, bson_get_data(doc), doc->len);
    len = mm_frame_seal(buf, doc->len, 0);
    assert_int_equal(write(fd, buf, len), len);
    bson_reinit(doc);
}

/* order: b(atch) s(egment) d(elta) e(nd, whose numbers are right) x and y (ends, whose numbers are not). */
static apr_status_t read_order(const char *order, const unit_t *unit)
{
    const mm_delta_t delta = {
        .kind = MM_DELTA_RESOURCE, .type = "files", .id = "f", .views = 1, .last_downloaded_ms = MM_TIME_NONE};
    int fd = open(apr_pstrcat(unit->pool, unit->dir, "/ordered", NULL), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    bson_t doc = BSON_INITIALIZER;
    int segments = 0, deltas = 0;
    seen_t seen = {.seq = 0};

    for (const char *kind = order; *kind; kind++) {
        switch (*kind) {
        case 'b':
            mm_record_batch(&doc, SPOOL, 1, NONCE);
            break;
        case 's':
            mm_record_segment(&doc, "x.seg", 1);
            segments++;
            break;
        case 'w':
            mm_record_window(&doc, 1, 100);
            break;
        case 'd':
            mm_record_delta(&doc, &delta);
            deltas++;
            break;
        default:
            mm_record_end(&doc, *kind == 'y' ? segments + 1 : segments, *kind == 'x' ? deltas + 1 : deltas);
        }
        put_record(fd, &doc);
    }
    close(fd);
    bson_destroy(&doc);
    return read_batch(&seen, unit->dir, "ordered", unit->pool);
}

static void insists_on_the_order_of_records(void **state)
{
    static const char *const wrong[] = {"",     "e",    "s",   "d",    "b",    "bs",    "bd",  "bbe",   "sbe", "bdse",
                                        "bebe", "bee",  "bed", "bdbe", "bsbe", "bsdex", "bx",  "by",    "w",   "bwde",
                                        "bwwe", "bwse", "bew", "bsdy", "bsdx", "bsdxe", "dbe", "bsdsde"};

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_int_equal(read_order(wrong[i], *state), APR_EINVAL);
    }
    assert_int_equal(read_order("be", *state), APR_SUCCESS);
    assert_int_equal(read_order("bsse", *state), APR_SUCCESS);
    assert_int_equal(read_order("bdde", *state), APR_SUCCESS);
    assert_int_equal(read_order("bssddde", *state), APR_SUCCESS);
    assert_int_equal(read_order("bsdwe", *state), APR_SUCCESS);
    assert_int_equal(read_order("bwe", *state), APR_SUCCESS);
}

static void keeps_the_old_file_when_the_disk_is_full(void **state)
{
    unit_t *unit = *state;
    char *dir = spool_make(unit);
    struct rlimit before, small;
    seen_t seen = {.seq = 0};
    mm_spool_reader_t *reader = reader_make(dir, unit->pool);
    mm_count_t *count = count_make(5000, unit->pool);
    mm_err_t err = {.text = ""};

    write_batch(dir, 1, 3, unit->pool);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 100000;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    apr_status_t rv = mm_batch_write(dir, SPOOL, 2, NONCE, count, reader, NULL, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(rv, EFBIG);
    assert_string_not_equal(err.text, "");
    assert_int_equal(read_batch(&seen, dir, MM_BATCH_FILE, unit->pool), APR_SUCCESS);
    assert_int_equal(seen.seq, 1);
    /* Its beginning stays, as room for a smaller one, of which nothing of it must become part. */
    assert_true(has_file(dir, MM_BATCH_TEMP_FILE));
    write_batch(dir, 1, 1, unit->pool);
    memset(&seen, 0, sizeof(seen));
    assert_int_equal(read_batch(&seen, dir, MM_BATCH_FILE, unit->pool), APR_SUCCESS);
    assert_int_equal(seen.deltas, 3);
    assert_false(has_file(dir, MM_BATCH_TEMP_FILE));
    /* The count is as it was: the same can be written later. */
    assert_int_equal(mm_batch_write(dir, SPOOL, 2, NONCE, count, reader, NULL, &err), APR_SUCCESS);
    assert_int_equal(read_batch(&seen, dir, MM_BATCH_FILE, unit->pool), APR_SUCCESS);
    assert_int_equal(seen.seq, 2);
}

static void writes_into_its_reserve(void **state)
{
    unit_t *unit = *state;
    char *dir = spool_make(unit);
    char *temp = apr_pstrcat(unit->pool, dir, "/" MM_BATCH_TEMP_FILE, NULL);
    char *batch = apr_pstrcat(unit->pool, dir, "/" MM_BATCH_FILE, NULL);
    struct stat reserve, written;
    seen_t seen = {.seq = 0};

    assert_true(mm_reserve_make(dir) > 0);
    assert_int_equal(stat(temp, &reserve), 0);
    write_batch(dir, 1, 3, unit->pool);
    assert_int_equal(stat(batch, &written), 0);
    assert_int_equal(written.st_ino, reserve.st_ino);
    assert_true(written.st_size < 10000);
    assert_true(written.st_blocks < reserve.st_blocks / 2); /* the rest is free again */
    assert_int_equal(read_batch(&seen, dir, MM_BATCH_FILE, unit->pool), APR_SUCCESS);
    assert_int_equal(seen.deltas, 8);
}

static void makes_nonces(void **state)
{
    char one[MM_BATCH_NONCE_LEN + 1], other[MM_BATCH_NONCE_LEN + 1];

    (void)state;
    assert_int_equal(mm_batch_nonce(one, NULL), APR_SUCCESS);
    assert_int_equal(mm_batch_nonce(other, NULL), APR_SUCCESS);
    assert_int_equal(strlen(one), MM_BATCH_NONCE_LEN);
    assert_int_equal(strspn(one, "0123456789abcdef"), MM_BATCH_NONCE_LEN);
    assert_string_not_equal(one, other);
}

static void commits_once_and_again(void **state)
{
    unit_t *unit = *state;
    char *dir = spool_make(unit);
    seen_t seen = {.seq = 0};
    mm_err_t err;

    assert_int_not_equal(mm_batch_commit(dir, &err), APR_SUCCESS); /* there is nothing at all */
    write_batch(dir, 1, 3, unit->pool);
    assert_int_equal(mm_batch_commit(dir, &err), APR_SUCCESS);
    assert_false(has_file(dir, MM_BATCH_FILE));
    assert_int_equal(read_batch(&seen, dir, MM_CHECKPOINT_FILE, unit->pool), APR_SUCCESS);
    assert_int_equal(seen.seq, 1);
    assert_int_equal(mm_batch_commit(dir, &err), APR_SUCCESS);
    write_batch(dir, 2, 3, unit->pool);
    assert_int_equal(mm_batch_commit(dir, &err), APR_SUCCESS);
    assert_int_equal(read_batch(&seen, dir, MM_CHECKPOINT_FILE, unit->pool), APR_SUCCESS);
    assert_int_equal(seen.seq, 2);
}

static void needs_its_directory(void **state)
{
    unit_t *unit = *state;
    char *dir = spool_make(unit);
    mm_spool_reader_t *reader = reader_make(dir, unit->pool);
    mm_err_t err = {.text = ""};

    assert_true(APR_STATUS_IS_ENOENT(
        mm_batch_write("/nonexistent/spool", SPOOL, 1, NONCE, count_make(1, unit->pool), reader, NULL, &err)));
    assert_non_null(strstr(err.text, "/nonexistent/spool"));
    assert_true(APR_STATUS_IS_ENOENT(mm_batch_commit("/nonexistent/spool", &err)));
}

#define test(f) cmocka_unit_test_setup_teardown(f, unit_setup, unit_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(reads_what_was_written),
        test(reads_a_file_larger_than_its_buffer),
        test(may_be_empty),
        test(says_when_there_is_none),
        test(passes_on_a_failure_of_its_reader),
        test(believes_no_damaged_file),
        test(insists_on_the_order_of_records),
        test(keeps_the_old_file_when_the_disk_is_full),
        test(writes_into_its_reserve),
        test(makes_nonces),
        test(commits_once_and_again),
        test(needs_its_directory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
