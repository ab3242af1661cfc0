/* Where an earlier drainer stopped, told by whole, missing, damaged and foreign files. */
#include "drain_unit.h"
#include "drain/batch.h"
#include "drain/resume.h"

#define SPOOL "0123456789abcdef01234567"
#define NONCE "76543210fedcba9876543210"
#define OTHER "fedcba98765432100123456f"

/* A spool of two frames, with its writer gone or not. */
typedef struct setting {
    const unit_t *unit;
    char *dir;
    test_log_t log;
    mm_err_t err;
    mm_resume_t resume;
} setting_t;

static setting_t begin(const unit_t *unit)
{
    setting_t setting = {.unit = unit, .dir = spool_make(unit)};
    mm_spool_writer_t *writer = writer_make(setting.dir, MM_SPOOL_SEGMENT_MAX, unit->pool);

    spool_view(writer, "a", NULL);
    spool_view(writer, "b", NULL);
    return setting;
}

static mm_spool_reader_t *reader_new(const setting_t *setting)
{
    mm_spool_reader_t *reader;

    assert_int_equal(mm_spool_reader_create(&reader, setting->dir, NULL, setting->unit->pool, NULL), APR_SUCCESS);
    return reader;
}

static int frames_left(mm_spool_reader_t *reader)
{
    const uint8_t *payload;
    size_t len;
    int n = 0;

    assert_int_equal(mm_spool_reader_begin(reader, NULL), APR_SUCCESS);
    while (mm_spool_reader_next(reader, &payload, &len, NULL) == APR_SUCCESS) {
        n++;
    }
    return n;
}

/* Writes DIR/batch as it would be after that many frames. */
static void batch_after(const setting_t *setting, int frames, const char *spool_id, int64_t seq)
{
    mm_spool_reader_t *reader = reader_new(setting);
    mm_count_t *count = mm_count_create(&(mm_policy_t){0}, setting->unit->pool);
    mm_event_t event = event_of(MM_ACTION_VIEW, "a", "eve", NOON_US);
    const uint8_t *payload;
    size_t len;

    assert_int_equal(mm_spool_reader_begin(reader, NULL), APR_SUCCESS);
    for (int i = 0; i < frames; i++) {
        assert_int_equal(mm_spool_reader_next(reader, &payload, &len, NULL), APR_SUCCESS);
        mm_count_add(count, &event);
    }
    assert_int_equal(mm_batch_write(setting->dir, spool_id, seq, NONCE, count, reader, NULL, NULL), APR_SUCCESS);
}

static void checkpoint_after(const setting_t *setting, int frames, int64_t seq)
{
    batch_after(setting, frames, SPOOL, seq);
    assert_int_equal(mm_batch_commit(setting->dir, NULL), APR_SUCCESS);
}

/* Resumes and returns how many frames the reader has yet to read, or -1 when it is refused. */
static int resume(setting_t *setting)
{
    mm_spool_reader_t *reader = reader_new(setting);

    test_log_init(&setting->log);
    setting->err.text[0] = '\0';
    if (mm_resume(&setting->resume, setting->dir, SPOOL, reader, &setting->log.log, setting->unit->pool,
                  &setting->err) != APR_SUCCESS) {
        assert_string_not_equal(setting->err.text, "");
        return -1;
    }
    return frames_left(reader);
}

static void begins_anew_where_nothing_is(void **state)
{
    setting_t s = begin(*state);

    assert_int_equal(resume(&s), 2);
    assert_int_equal(s.resume.seq, 0);
    assert_false(s.resume.pending);
}

static void goes_on_from_the_checkpoint(void **state)
{
    setting_t s = begin(*state);

    checkpoint_after(&s, 1, 11);
    assert_int_equal(resume(&s), 1);
    assert_int_equal(s.resume.seq, 11);
    assert_false(s.resume.pending);
    assert_int_equal(s.log.n, 0);
}

static void prefers_the_batch(void **state)
{
    setting_t s = begin(*state);

    checkpoint_after(&s, 1, 11);
    batch_after(&s, 2, SPOOL, 12);
    file_damage(s.dir, MM_CHECKPOINT_FILE, 20); /* it does not matter any more */
    assert_int_equal(resume(&s), 0);
    assert_int_equal(s.resume.seq, 12);
    assert_true(s.resume.pending);
    assert_int_equal(s.resume.deltas, 3);
}

static void falls_back_when_the_batch_is_damaged(void **state)
{
    setting_t s = begin(*state);

    checkpoint_after(&s, 1, 11);
    batch_after(&s, 2, SPOOL, 12);
    file_damage(s.dir, MM_BATCH_FILE, -8);
    /* Twice: a drainer that dies before it has written another batch must come to the same result. */
    for (int i = 0; i < 2; i++) {
        assert_int_equal(resume(&s), 1);
        assert_int_equal(s.resume.seq, 12); /* used up: documents may have taken it */
        assert_false(s.resume.pending);
        assert_int_equal(log_count(&s.log, "MM0201"), 1);
        assert_int_equal(count_files(s.dir, "batch.damaged-", s.unit->pool), 1);
    }
}

/* Not even those of segments of which the checkpoint knows nothing. */
static void forgets_the_positions_of_a_damaged_batch(void **state)
{
    setting_t s = begin(*state);

    checkpoint_after(&s, 0, 1);
    batch_after(&s, 2, SPOOL, 2);
    file_damage(s.dir, MM_BATCH_FILE, -8);
    assert_int_equal(resume(&s), 2);
}

static void falls_back_without_knowing_the_number(void **state)
{
    setting_t s = begin(*state);

    checkpoint_after(&s, 1, 11);
    batch_after(&s, 2, SPOOL, 12);
    file_damage(s.dir, MM_BATCH_FILE, 0);
    assert_int_equal(resume(&s), 1);
    assert_int_equal(s.resume.seq, 12);
}

static void believes_the_number_of_a_damaged_batch(void **state)
{
    setting_t s = begin(*state);

    checkpoint_after(&s, 1, 11);
    batch_after(&s, 2, SPOOL, 15); /* as after another damage */
    file_damage(s.dir, MM_BATCH_FILE, -8);
    assert_int_equal(resume(&s), 1);
    assert_int_equal(s.resume.seq, 15);
}

static void refuses_to_guess(void **state)
{
    setting_t s = begin(*state);

    /* only a damaged batch */
    batch_after(&s, 1, SPOOL, 1);
    file_damage(s.dir, MM_BATCH_FILE, -8);
    assert_int_equal(resume(&s), -1);
    assert_non_null(strstr(s.err.text, "/batch is damaged"));
    assert_non_null(strstr(s.err.text, "remove id, batch and checkpoint"));
    assert_true(has_file(s.dir, MM_BATCH_FILE));
    assert_int_equal(resume(&s), -1);
    /* both damaged */
    checkpoint_after(&s, 1, 1);
    batch_after(&s, 2, SPOOL, 2);
    file_damage(s.dir, MM_BATCH_FILE, -8);
    file_damage(s.dir, MM_CHECKPOINT_FILE, -8);
    assert_int_equal(resume(&s), -1);
    /* only a damaged checkpoint */
    assert_int_equal(unlink(apr_pstrcat(s.unit->pool, s.dir, "/" MM_BATCH_FILE, NULL)), 0);
    assert_int_equal(resume(&s), -1);
    assert_non_null(strstr(s.err.text, "/checkpoint is damaged"));
    assert_true(has_file(s.dir, MM_CHECKPOINT_FILE));
}

static void refuses_another_spools_files(void **state)
{
    setting_t s = begin(*state);

    batch_after(&s, 1, OTHER, 1);
    assert_int_equal(resume(&s), -1);
    assert_non_null(strstr(s.err.text, OTHER));
    assert_non_null(strstr(s.err.text, SPOOL));
    assert_non_null(strstr(s.err.text, "run metricsctl new-id --spool "));
    assert_int_equal(mm_batch_commit(s.dir, NULL), APR_SUCCESS);
    assert_int_equal(resume(&s), -1);
    assert_non_null(strstr(s.err.text, OTHER));
}

/* Behind a step back to this version. It is no damage, and must not be told as one. */
static void waits_for_the_version_that_wrote_it(void **state)
{
    setting_t s = begin(*state);
    bson_t *doc = BCON_NEW("k", "batch", "v", BCON_INT32(99), "spool", SPOOL, "more", "than we know");
    uint8_t frame[512];
    size_t len;
    FILE *file;

    checkpoint_after(&s, 1, 1);
    memcpy(frame + MM_FRAME_HEADER, bson_get_data(doc), doc->len);
    len = mm_frame_seal(frame, doc->len, 0);
    bson_destroy(doc);
    for (int i = 0; i < 2; i++) {
        const char *name = i == 0 ? MM_BATCH_FILE : MM_CHECKPOINT_FILE;

        file = fopen(apr_pstrcat(s.unit->pool, s.dir, "/", name, NULL), "w");
        assert_int_equal(fwrite(frame, 1, len, file), len);
        fclose(file);
        assert_int_equal(resume(&s), -1);
        assert_non_null(strstr(s.err.text, name));
        assert_non_null(strstr(s.err.text, "newer version"));
        assert_null(strstr(s.err.text, "damaged"));
        assert_int_equal(s.log.n, 0);
        assert_int_equal(count_files(s.dir, "damaged", s.unit->pool), 0);
        unlink(apr_pstrcat(s.unit->pool, s.dir, "/" MM_BATCH_FILE, NULL));
    }
}

static void passes_on_other_failures(void **state)
{
    setting_t s = begin(*state);

    assert_int_equal(mkdir(apr_pstrcat(s.unit->pool, s.dir, "/" MM_BATCH_FILE, NULL), 0700), 0);
    assert_int_equal(resume(&s), -1);
    assert_non_null(strstr(s.err.text, "/batch"));
}

#define test(f) cmocka_unit_test_setup_teardown(f, unit_setup, unit_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(begins_anew_where_nothing_is),
        test(goes_on_from_the_checkpoint),
        test(prefers_the_batch),
        test(falls_back_when_the_batch_is_damaged),
        test(forgets_the_positions_of_a_damaged_batch),
        test(falls_back_without_knowing_the_number),
        test(believes_the_number_of_a_damaged_batch),
        test(refuses_to_guess),
        test(refuses_another_spools_files),
        test(waits_for_the_version_that_wrote_it),
        test(passes_on_other_failures),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
