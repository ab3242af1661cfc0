/* Reading in rounds: live and sealed segments, positions, clearing away. Damage is in test_spool_damage.c. */
#include "unit_reader.h"

#include <errno.h>

#include "spool/spool_list.h"

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
    release(reader);
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

/* What was handed out and marked leaves the disk while the writer lives; what was handed out since does not. */
static bool holds(unit_t *unit, const char *name, const char *text)
{
    char *data = NULL;
    size_t len = 0;

    assert_int_equal(mm_file_slurp(&data, &len, unit_path(unit, name), 1000, unit->pool, NULL), APR_SUCCESS);
    return memmem(data, len, text, strlen(text)) != NULL;
}

static void wipes_what_is_marked(void **state)
{
    unit_t *unit = *state;
    mm_spool_reader_t *reader = reader_of(unit, NULL);
    char *name = unit_segment_name(unit, 1, 7);
    int fd = live(unit, name);

    put_frame(fd, "the visitor's address", 7);
    assert_round(unit, reader, "the visitor's address,");
    release(reader);
    assert_true(holds(unit, name, "address"));
    mm_spool_reader_mark(reader);
    put_frame(fd, "agent", 7);
    assert_round(unit, reader, "agent,");
    release(reader);
    assert_false(holds(unit, name, "address"));
    assert_true(holds(unit, name, "agent"));
    /* Without positions, or with older ones: what is wiped is not waited for. */
    reader = reader_of(unit, NULL);
    assert_round(unit, reader, "agent,");
    put_frame(fd, "c", 7);
    assert_round(unit, reader, "c,");
    reader = reader_of(unit, NULL);
    mm_spool_reader_restore(reader, name, 1);
    assert_round(unit, reader, "agent,c,");
    close(fd);
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

/* Whatever comes next of the round; "-" at its end. */
static const char *next_of(unit_t *unit, mm_spool_reader_t *reader)
{
    const uint8_t *payload;
    size_t len;
    apr_status_t status = mm_spool_reader_next(reader, &payload, &len, NULL);

    assert_true(status == APR_SUCCESS || status == APR_EOF);
    return status == APR_EOF ? "-" : apr_pstrmemdup(unit->pool, (const char *)payload, len);
}

static void holds_a_frame(void **state)
{
    unit_t *unit = *state;
    mm_spool_reader_t *reader = reader_of(unit, NULL);
    char *first = unit_segment_name(unit, 1, 11), *second = unit_segment_name(unit, 2, 22);
    int rounds;

    unit_append_frame(unit, first, "a", 11);
    unit_append_frame(unit, first, "held", 11);
    unit_append_frame(unit, first, "b", 11);
    unit_append_frame(unit, second, "c", 22);
    assert_int_equal(mm_spool_reader_begin(reader, NULL), APR_SUCCESS);
    assert_string_equal(next_of(unit, reader), "a");
    for (rounds = 0; rounds < 3; rounds++) {
        assert_string_equal(next_of(unit, reader), "held");
        assert_string_equal(mm_spool_reader_segment(reader), first);
        mm_spool_reader_hold(reader);
        assert_true(positions_of(reader).offsets[0] == 13);
        assert_string_equal(next_of(unit, reader), rounds == 0 ? "c" : "-");
        release(reader);
        assert_true(unit_exists(unit, first));
        assert_int_equal(mm_spool_reader_begin(reader, NULL), APR_SUCCESS);
    }
    assert_string_equal(next_of(unit, reader), "held");
    assert_string_equal(next_of(unit, reader), "b");
    assert_string_equal(next_of(unit, reader), "-");
    release(reader);
    assert_int_equal(unit_count(unit, ".seg", NULL), 0);
}

static void sets_a_frame_aside(void **state)
{
    unit_t *unit = *state;
    mm_spool_reader_t *reader = reader_of(unit, NULL);
    char *name = unit_segment_name(unit, 1, 11), *corrupt = apr_pstrcat(unit->pool, name, ".corrupt", NULL), *data;
    uint8_t frame[64];
    size_t frame_len = unit_frame(frame, "useless", 11), len;
    mm_err_t err = {0};

    unit_append_frame(unit, name, "a", 11);
    unit_append_frame(unit, name, "useless", 11);
    unit_append_frame(unit, name, "b", 11);
    assert_int_equal(mm_spool_reader_begin(reader, NULL), APR_SUCCESS);
    assert_string_equal(next_of(unit, reader), "a");
    assert_string_equal(next_of(unit, reader), "useless");
    assert_int_equal(mm_spool_reader_set_aside(reader, &err), APR_SUCCESS);
    assert_int_equal(mm_file_slurp(&data, &len, unit_path(unit, corrupt), 1000, unit->pool, NULL), APR_SUCCESS);
    assert_int_equal(len, 13 + frame_len);
    assert_memory_equal(data + 13, frame, frame_len);
    assert_string_equal(next_of(unit, reader), "b");
    /* Where it cannot be kept, that is told, and it goes on all the same. */
    assert_int_equal(unlink(unit_path(unit, corrupt)), 0);
    assert_int_equal(mkdir(unit_path(unit, corrupt), 0700), 0);
    assert_int_equal(mm_spool_reader_set_aside(reader, &err), EISDIR);
    assert_non_null(strstr(err.text, corrupt));
    assert_string_equal(next_of(unit, reader), "-");
}

static void goes_back_to_the_mark(void **state)
{
    unit_t *unit = *state;
    mm_spool_reader_t *reader = reader_of(unit, NULL);
    char *first = unit_segment_name(unit, 1, 11), *second = unit_segment_name(unit, 2, 22);

    unit_append_frame(unit, first, "a", 11);
    unit_append_frame(unit, first, "b", 11);
    unit_append_frame(unit, second, "c", 22);
    assert_round(unit, reader, "a,b,c,");
    mm_spool_reader_back(reader);
    assert_int_equal(positions_of(reader).n, 0);
    assert_string_equal(next_of(unit, reader), "-");
    assert_int_equal(mm_spool_reader_begin(reader, NULL), APR_SUCCESS);
    assert_string_equal(next_of(unit, reader), "a");
    mm_spool_reader_mark(reader);
    assert_string_equal(next_of(unit, reader), "b");
    mm_spool_reader_back(reader); /* in the middle of a segment */
    assert_true(positions_of(reader).offsets[0] == 13);
    assert_round(unit, reader, "b,c,");
    mm_spool_reader_mark(reader);
    release(reader);
    mm_spool_reader_back(reader);
    assert_round(unit, reader, "");
    assert_int_equal(unit_count(unit, ".seg", NULL), 0);
}

/* A mark that nobody made is where an earlier drainer stopped. */
static void goes_back_to_what_was_restored(void **state)
{
    unit_t *unit = *state;
    mm_spool_reader_t *reader = reader_of(unit, NULL);
    char *name = unit_segment_name(unit, 1, 11);

    unit_append_frame(unit, name, "a", 11);
    unit_append_frame(unit, name, "b", 11);
    mm_spool_reader_restore(reader, name, 13);
    assert_round(unit, reader, "b,");
    mm_spool_reader_back(reader);
    assert_round(unit, reader, "b,");
}

static void tells_when_there_is_more_than_it_looks_at(void **state)
{
    unit_t *unit = *state;
    mm_spool_reader_t *reader = reader_of(unit, NULL);
    const uint8_t *payload;
    size_t len;
    uint32_t n;

    for (n = 0; n < MM_SPOOL_LIST_MAX + 1; n++) {
        close(unit_append(unit, unit_segment_name(unit, n, 0), "", 0));
    }
    assert_int_equal(mm_spool_reader_begin(reader, NULL), APR_SUCCESS);
    assert_int_equal(mm_spool_reader_next(reader, &payload, &len, NULL), APR_EOF);
    assert_false(mm_spool_reader_more(reader));
    release(reader);
    assert_true(mm_spool_reader_more(reader));
    assert_int_equal(unit_count(unit, ".seg", NULL), 1);
    assert_round(unit, reader, "");
    release(reader);
    assert_false(mm_spool_reader_more(reader));
    assert_int_equal(unit_count(unit, ".seg", NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nothing_there),
        TEST(oldest_first_then_removed),
        TEST(a_live_segment_grows),
        TEST(wipes_what_is_marked),
        TEST(the_lock_comes_before_the_end),
        TEST(release_within_a_round),
        TEST(restores_positions),
        TEST(the_largest_frames),
        TEST(the_directory_made_again),
        TEST(an_unreadable_segment),
        TEST(holds_a_frame),
        TEST(sets_a_frame_aside),
        TEST(goes_back_to_the_mark),
        TEST(goes_back_to_what_was_restored),
        TEST(tells_when_there_is_more_than_it_looks_at),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
