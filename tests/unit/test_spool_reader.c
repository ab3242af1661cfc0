/* Reading in rounds: live and sealed segments, positions, clearing away. Damage is in test_spool_damage.c. */
#include "unit_reader.h"

#include <errno.h>

static void nothing_there(void **state)
{
    unit_t *unit = *state;
    mm_spool_reader_t *reader = reader_of(unit, NULL), *nowhere;
    mm_err_t err = {0};
    const uint8_t *payload;
    size_t len;

    assert_int_equal(mm_spool_reader_next(reader, &payload, &len, &err), APR_EOF);
    release(reader);
    assert_round(unit, reader, "");
    assert_int_equal(mm_spool_reader_create(&nowhere, unit_path(unit, "none"), NULL, unit->pool, &err), APR_SUCCESS);
    assert_int_equal(mm_spool_reader_begin(nowhere, &err), ENOENT);
    assert_non_null(strstr(err.text, unit_path(unit, "none")));
    assert_int_equal(mm_spool_reader_next(nowhere, &payload, &len, &err), APR_EOF);
    release(nowhere);
}

static void oldest_first_then_removed(void **state)
{
    unit_t *unit = *state;
    mm_spool_reader_t *reader = reader_of(unit, NULL);
    char *first = unit_segment_name(unit, 1, 11), *second = unit_segment_name(unit, 2, 22);
    positions_t positions;

    unit_append_frame(unit, second, "c", 22);
    unit_append_frame(unit, first, "a", 11);
    unit_append_frame(unit, first, "b", 11);
    close(unit_append(unit, unit_segment_name(unit, 3, 33), "", 0));
    unit_append_frame(unit, "other.seg", "x", 0);
    unit_append_frame(unit, apr_pstrcat(unit->pool, first, ".corrupt", NULL), "x", 11);
    assert_round(unit, reader, "a,b,c,");
    positions = positions_of(reader);
    assert_int_equal(positions.n, 2);
    assert_string_equal(positions.names[0], first);
    assert_true(positions.offsets[0] == 26);
    assert_string_equal(positions.names[1], second);
    assert_true(positions.offsets[1] == 13);
    assert_round(unit, reader, "");
    release(reader);
    assert_int_equal(positions_of(reader).n, 0);
    assert_int_equal(unit_count(unit, ".seg", NULL), 1);
    assert_true(unit_exists(unit, "other.seg"));
    assert_true(stats_of(reader).segments_removed == 3);
    assert_true(stats_of(reader).frames == 3);
    release(reader);
    assert_true(stats_of(reader).segments_removed == 3);
    assert_round(unit, reader, "");
}

static void a_live_segment_grows(void **state)
{
    unit_t *unit = *state;
    unit_log_t *log = unit_log(unit);
    mm_spool_reader_t *reader = reader_of(unit, log);
    char *name = unit_segment_name(unit, 1, 7);
    int fd = live(unit, name);
    uint8_t frame[64];
    size_t len = unit_frame(frame, "torn", 7), i;

    put_frame(fd, "a", 7);
    assert_round(unit, reader, "a,");
    release(reader);
    assert_true(unit_exists(unit, name));
    /* Byte by byte: it is waited for, however little is there. */
    for (i = 0; i < len; i++) {
        put(fd, frame + i, 1);
        assert_round(unit, reader, i + 1 < len ? "" : "torn,");
    }
    put_frame(fd, "b", 7);
    close(fd);
    assert_round(unit, reader, "b,");
    release(reader);
    assert_false(unit_exists(unit, name));
    assert_int_equal(log->n, 0);
}

/* The writer dies behind our back: what it wrote last is read before the file goes. */
static void the_lock_comes_before_the_end(void **state)
{
    unit_t *unit = *state;
    mm_spool_reader_t *reader = reader_of(unit, NULL);
    char *name = unit_segment_name(unit, 1, 7);
    int fd = live(unit, name);
    const uint8_t *payload;
    size_t len;

    put_frame(fd, "a", 7);
    assert_int_equal(mm_spool_reader_begin(reader, NULL), APR_SUCCESS);
    assert_int_equal(mm_spool_reader_next(reader, &payload, &len, NULL), APR_SUCCESS);
    close(fd);
    assert_int_equal(mm_spool_reader_next(reader, &payload, &len, NULL), APR_EOF);
    unit_append_frame(unit, name, "late", 7); /* as if it had come between the read and the close */
    release(reader);
    assert_true(unit_exists(unit, name));
    assert_round(unit, reader, "late,");
    release(reader);
    assert_false(unit_exists(unit, name));
}

static void release_within_a_round(void **state)
{
    unit_t *unit = *state;
    mm_spool_reader_t *reader = reader_of(unit, NULL);
    char *first = unit_segment_name(unit, 1, 1), *second = unit_segment_name(unit, 2, 2);
    const uint8_t *payload;
    size_t len;

    unit_append_frame(unit, first, "a", 1);
    unit_append_frame(unit, second, "b", 2);
    unit_append_frame(unit, second, "c", 2);
    assert_int_equal(mm_spool_reader_begin(reader, NULL), APR_SUCCESS);
    assert_int_equal(mm_spool_reader_next(reader, &payload, &len, NULL), APR_SUCCESS);
    release(reader);
    assert_true(unit_exists(unit, first)); /* its end was not yet seen */
    assert_int_equal(mm_spool_reader_next(reader, &payload, &len, NULL), APR_SUCCESS);
    release(reader);
    assert_false(unit_exists(unit, first));
    assert_true(unit_exists(unit, second));
    assert_int_equal(positions_of(reader).n, 1);
    assert_int_equal(mm_spool_reader_next(reader, &payload, &len, NULL), APR_SUCCESS);
    assert_int_equal(payload[0], 'c');
    /* A new round in the middle of one, too, goes on where it was. */
    assert_round(unit, reader, "");
    release(reader);
    assert_int_equal(unit_count(unit, ".seg", NULL), 0);
}

static void restores_positions(void **state)
{
    unit_t *unit = *state;
    mm_spool_reader_t *reader = reader_of(unit, NULL);
    char *half = unit_segment_name(unit, 1, 1), *done = unit_segment_name(unit, 2, 2),
         *gone = unit_segment_name(unit, 3, 3), *beyond = unit_segment_name(unit, 4, 4);
    positions_t positions;

    unit_append_frame(unit, half, "a", 1);
    unit_append_frame(unit, half, "b", 1);
    unit_append_frame(unit, done, "c", 2);
    unit_append_frame(unit, beyond, "d", 4);
    mm_spool_reader_restore(reader, half, 13);
    mm_spool_reader_restore(reader, done, 13);
    mm_spool_reader_restore(reader, gone, 13);
    mm_spool_reader_restore(reader, beyond, 1000);
    mm_spool_reader_restore(reader, "../../etc/passwd", 13);
    assert_round(unit, reader, "b,");
    positions = positions_of(reader);
    assert_int_equal(positions.n, 3);
    assert_true(positions.offsets[0] == 26);
    assert_true(positions.offsets[1] == 13);
    release(reader);
    assert_int_equal(unit_count(unit, ".seg", NULL), 0);
}

static void the_largest_frames(void **state)
{
    unit_t *unit = *state;
    mm_spool_reader_t *reader = reader_of(unit, NULL);
    uint8_t *buf = malloc(MM_FRAME_HEADER + MM_FRAME_PAYLOAD_MAX);
    char *name = unit_segment_name(unit, 1, 1);
    const uint8_t *payload;
    size_t len, i;
    int n;

    for (n = 0; n < 3; n++) {
        for (i = 0; i < MM_FRAME_PAYLOAD_MAX; i++) {
            buf[MM_FRAME_HEADER + i] = (uint8_t)(i * 31 + i / 251 + (size_t)n);
        }
        close(unit_append(unit, name, buf, mm_frame_seal(buf, MM_FRAME_PAYLOAD_MAX, 1)));
        unit_append_frame(unit, name, "small", 1);
    }
    assert_int_equal(mm_spool_reader_begin(reader, NULL), APR_SUCCESS);
    for (n = 0; n < 3; n++) {
        assert_int_equal(mm_spool_reader_next(reader, &payload, &len, NULL), APR_SUCCESS);
        assert_int_equal(len, MM_FRAME_PAYLOAD_MAX);
        for (i = 0; i < len; i++) {
            if (payload[i] != (uint8_t)(i * 31 + i / 251 + (size_t)n)) {
                fail_msg("byte %zu of frame %d is wrong", i, n);
            }
        }
        assert_int_equal(mm_spool_reader_next(reader, &payload, &len, NULL), APR_SUCCESS);
        assert_int_equal(len, 5);
    }
    assert_int_equal(mm_spool_reader_next(reader, &payload, &len, NULL), APR_EOF);
    free(buf);
}

static void the_directory_made_again(void **state)
{
    unit_t *unit = *state;
    char *dir = unit_path(unit, "spool");
    mm_spool_reader_t *reader;

    assert_int_equal(mm_spool_reader_create(&reader, dir, NULL, unit->pool, NULL), APR_SUCCESS);
    assert_int_equal(mkdir(dir, 0700), 0);
    assert_round(unit, reader, "");
    assert_int_equal(rmdir(dir), 0);
    assert_int_equal(mkdir(dir, 0700), 0);
    unit_append_frame(unit, apr_pstrcat(unit->pool, "spool/", unit_segment_name(unit, 1, 1), NULL), "a", 1);
    assert_round(unit, reader, "a,");
}

/* One segment that cannot be read holds up no other, is named, and stays. */
static void an_unreadable_segment(void **state)
{
    unit_t *unit = *state;
    mm_spool_reader_t *reader = reader_of(unit, NULL);
    char *bad = unit_segment_name(unit, 2, 2), *link = unit_segment_name(unit, 3, 3);
    mm_err_t err = {0};
    apr_status_t end;
    const uint8_t *payload;
    size_t len;

    unit_append_frame(unit, unit_segment_name(unit, 1, 1), "a", 1);
    assert_int_equal(mkdir(unit_path(unit, bad), 0700), 0);
    assert_int_equal(symlink(unit_segment_name(unit, 1, 1), unit_path(unit, link)), 0);
    unit_append_frame(unit, unit_segment_name(unit, 4, 4), "b", 4);
    assert_string_equal(round_of(unit, reader, &end, &err), "a,b,");
    assert_int_equal(end, EISDIR);
    assert_non_null(strstr(err.text, bad));
    assert_int_equal(mm_spool_reader_next(reader, &payload, &len, &err), EISDIR);
    release(reader);
    assert_true(unit_exists(unit, bad));
    assert_true(unit_exists(unit, link));
    assert_int_equal(unit_count(unit, ".seg", NULL), 2);
    assert_string_equal(round_of(unit, reader, &end, &err), "");
    assert_int_equal(end, EISDIR);
    rmdir(unit_path(unit, bad));
    assert_string_equal(round_of(unit, reader, &end, &err), "");
    assert_int_equal(end, ELOOP);
    assert_non_null(strstr(err.text, link));
}

static void clears_away_unfinished_files(void **state)
{
    unit_t *unit = *state;
    mm_spool_reader_t *reader = reader_of(unit, NULL);
    mm_spool_name_t stale = {1, 2, 3, 4}, held = {5, 6, 7, 8};
    char stale_name[MM_SPOOL_NEW_LEN + 1], held_name[MM_SPOOL_NEW_LEN + 1];
    int fd;

    mm_spool_name_format_new(stale_name, &stale);
    mm_spool_name_format_new(held_name, &held);
    close(unit_append(unit, stale_name, "", 0));
    fd = live(unit, held_name);
    assert_round(unit, reader, "");
    assert_true(unit_exists(unit, stale_name));
    release(reader);
    assert_false(unit_exists(unit, stale_name));
    assert_true(unit_exists(unit, held_name));
    close(fd);
    assert_round(unit, reader, "");
    release(reader);
    assert_false(unit_exists(unit, held_name));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nothing_there),          TEST(oldest_first_then_removed),
        TEST(a_live_segment_grows),   TEST(the_lock_comes_before_the_end),
        TEST(release_within_a_round), TEST(restores_positions),
        TEST(the_largest_frames),     TEST(the_directory_made_again),
        TEST(an_unreadable_segment),  TEST(clears_away_unfinished_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
