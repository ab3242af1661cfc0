/* One segment as frames. What damage does is in test_spool_damage.c and test_spool_window.c, through the reader. */
#include "unit_reader.h"

#include "spool/spool_frames.h"
#include "spool/spool_set_aside.h"

typedef struct opened {
    unit_log_t *log;
    mm_frames_t frames;
    mm_segment_t segment;
    int at;
} opened_t;

static opened_t *open_one(unit_t *unit, const char *name)
{
    opened_t *opened = apr_pcalloc(unit->pool, sizeof(*opened));
    mm_err_t err = {0};

    opened->log = unit_log(unit);
    opened->segment.seed = 5;
    snprintf(opened->segment.name, sizeof(opened->segment.name), "%s", name);
    opened->at = open(unit->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(opened->at >= 0);
    assert_int_equal(mm_frames_init(&opened->frames, unit->dir, &opened->log->log), APR_SUCCESS);
    if (mm_frames_open(&opened->frames, opened->at, &opened->segment, &err) != APR_SUCCESS) {
        fail_msg("%s", err.text);
    }
    return opened;
}

static void close_one(opened_t *opened)
{
    mm_frames_close(&opened->frames);
    mm_frames_close(&opened->frames);
    assert_null(opened->frames.segment);
    mm_frames_free(&opened->frames);
    close(opened->at);
}

static void assert_next(opened_t *opened, const char *expected)
{
    const uint8_t *payload;
    size_t len;

    assert_int_equal(mm_frames_next(&opened->frames, &payload, &len, NULL), APR_SUCCESS);
    assert_int_equal(len, strlen(expected));
    assert_memory_equal(payload, expected, len);
}

static void assert_end(opened_t *opened)
{
    const uint8_t *payload;
    size_t len;

    assert_int_equal(mm_frames_next(&opened->frames, &payload, &len, NULL), APR_EOF);
}

static void comes_to_an_end_that_is_believed(void **state)
{
    unit_t *unit = *state;
    char *name = unit_segment_name(unit, 1, 5);

    unit_append_frame(unit, name, "a", 5);
    unit_append_frame(unit, name, "bc", 5);
    opened_t *opened = open_one(unit, name);
    assert_next(opened, "a");
    assert_int_equal(opened->segment.offset, MM_FRAME_HEADER + 1);
    assert_next(opened, "bc");
    assert_end(opened);
    assert_true(opened->segment.finished);
    assert_int_equal(opened->segment.offset, 2 * MM_FRAME_HEADER + 3);
    close_one(opened);
}

static void an_end_is_not_believed_while_somebody_writes(void **state)
{
    unit_t *unit = *state;
    char *name = unit_segment_name(unit, 1, 5);
    int fd = live(unit, name);

    put_frame(fd, "a", 5);
    opened_t *opened = open_one(unit, name);
    assert_next(opened, "a");
    assert_end(opened);
    assert_false(opened->segment.finished);
    mm_frames_close(&opened->frames);
    put_frame(fd, "late", 5);
    assert_int_equal(mm_frames_open(&opened->frames, opened->at, &opened->segment, NULL), APR_SUCCESS);
    assert_next(opened, "late");
    close_one(opened);
    close(fd);
}

static void stands_before_a_frame_that_is_held(void **state)
{
    unit_t *unit = *state;
    char *name = unit_segment_name(unit, 1, 5);

    unit_append_frame(unit, name, "a", 5);
    unit_append_frame(unit, name, "bc", 5);
    opened_t *opened = open_one(unit, name);
    assert_next(opened, "a");
    assert_next(opened, "bc");
    mm_frames_hold(&opened->frames);
    assert_null(opened->frames.segment);
    assert_int_equal(mm_frames_open(&opened->frames, opened->at, &opened->segment, NULL), APR_SUCCESS);
    assert_next(opened, "bc");
    close_one(opened);
}

static void keeps_a_copy_of_what_is_set_aside(void **state)
{
    unit_t *unit = *state;
    char *name = unit_segment_name(unit, 1, 5);
    char *aside = apr_pstrcat(unit->pool, name, MM_SPOOL_CORRUPT_SUFFIX, NULL);
    struct stat info;

    unit_append_frame(unit, name, "a", 5);
    unit_append_frame(unit, name, "bc", 5);
    opened_t *opened = open_one(unit, name);
    assert_next(opened, "a");
    assert_next(opened, "bc");
    assert_int_equal(mm_frames_set_aside(&opened->frames, NULL), APR_SUCCESS);
    assert_int_equal(stat(unit_path(unit, aside), &info), 0);
    assert_int_equal(info.st_size, 2 * MM_FRAME_HEADER + 3); /* at its place, so that both can be compared */
    assert_end(opened);
    assert_true(opened->segment.finished);
    close_one(opened);
}

static void tells_of_damage_when_it_is_closed(void **state)
{
    unit_t *unit = *state;
    char *name = unit_segment_name(unit, 1, 5);

    unit_append_frame(unit, name, "a", 5);
    close(unit_append(unit, name, "nonsense", 8));
    opened_t *opened = open_one(unit, name);
    assert_next(opened, "a");
    assert_end(opened);
    assert_int_equal(opened->log->n, 0);
    close_one(opened);
    assert_int_equal(opened->log->n, 1);
    assert_string_equal(opened->log->tag, "MM0101");
    assert_non_null(strstr(opened->log->text, "8 bytes at offset"));
}

static void says_when_a_segment_is_gone(void **state)
{
    unit_t *unit = *state;
    char *name = unit_segment_name(unit, 1, 5);

    unit_append_frame(unit, name, "a", 5);
    opened_t *opened = open_one(unit, name);
    mm_frames_close(&opened->frames);
    assert_int_equal(unlink(unit_path(unit, name)), 0);
    assert_int_equal(mm_frames_open(&opened->frames, opened->at, &opened->segment, NULL), APR_ENOENT);
    close_one(opened);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(comes_to_an_end_that_is_believed),   TEST(an_end_is_not_believed_while_somebody_writes),
        TEST(stands_before_a_frame_that_is_held), TEST(keeps_a_copy_of_what_is_set_aside),
        TEST(tells_of_damage_when_it_is_closed),  TEST(says_when_a_segment_is_gone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
