/* Rounds: what they take, what they leave where it is, and how they become smaller. */
#include "drain_unit.h"
#include "unit_store.h"
#include "drain/drain.h"
#include "drain/round.h"
#include "spool/spool_name.h"

typedef struct setting {
    char *dir;
    mm_spool_writer_t *writer;
    mm_spool_reader_t *reader;
    mm_count_t *count;
    test_log_t *log;
    mm_round_t round;
} setting_t;

static setting_t *begin(const unit_t *unit)
{
    setting_t *s = apr_pcalloc(unit->pool, sizeof(*s));

    s->dir = spool_make(unit);
    s->writer = writer_make(s->dir, MM_SPOOL_SEGMENT_MAX, unit->pool);
    s->log = apr_palloc(unit->pool, sizeof(*s->log));
    test_log_init(s->log);
    assert_int_equal(mm_spool_reader_create(&s->reader, s->dir, &s->log->log, unit->pool, NULL), APR_SUCCESS);
    s->count = mm_count_create(&(mm_policy_t){0}, unit->pool);
    mm_round_init(&s->round, s->reader, s->count, s->dir, &s->log->log);
    return s;
}

static void read_round(setting_t *s)
{
    mm_err_t err;

    if (mm_round_read(&s->round, &err) != APR_SUCCESS) {
        fail_msg("%s", err.text);
    }
}

/* A frame of two events; the second has this version. */
static size_t make(uint8_t *buf, uint8_t version)
{
    mm_event_t event = event_of(MM_ACTION_VIEW, "v", NULL, NOON_US);
    size_t len = mm_event_pack(&event, buf + MM_FRAME_HEADER);

    buf[MM_FRAME_HEADER + len + 2] = 0;
    len += mm_event_pack(&event, buf + MM_FRAME_HEADER + len);
    buf[MM_FRAME_HEADER + len / 2 + 2] = version;
    return len;
}

static void put_version(setting_t *s, uint8_t version)
{
    uint8_t buf[MM_FRAME_HEADER + 2 * (MM_EVENT_ENCODED_MAX + 2)];

    assert_int_equal(mm_spool_append(s->writer, buf, make(buf, version), NULL), APR_SUCCESS);
}

/* As if the newer version were there: what was written with its number becomes readable. */
static void make_readable(const setting_t *s, const char *segment, off_t at)
{
    uint8_t buf[MM_FRAME_HEADER + 2 * (MM_EVENT_ENCODED_MAX + 2)];
    mm_spool_name_t name;
    size_t len = make(buf, 1);
    char path[4096];
    int fd;

    assert_true(mm_spool_name_parse(&name, segment));
    snprintf(path, sizeof(path), "%s/%s", s->dir, segment);
    fd = open(path, O_WRONLY);
    len = mm_frame_seal(buf, len, name.seed);
    assert_int_equal(pwrite(fd, buf, len, at), len);
    close(fd);
}

typedef struct place {
    char name[64];
    int64_t offset;
} place_t;

static void note(void *baton, const char *name, int64_t offset)
{
    place_t *place = baton;

    if (place->name[0] == '\0') {
        snprintf(place->name, sizeof(place->name), "%s", name);
        place->offset = offset;
    }
}

static void leaves_newer_events_where_they_are(void **state)
{
    setting_t *s = begin(*state);
    place_t place = {.name = ""};

    spool_view(s->writer, "a", NULL);
    put_version(s, 3);
    spool_view(s->writer, "b", NULL);
    mm_spool_writer_close(s->writer);
    spool_view(s->writer, "c", NULL); /* in another segment */
    for (int i = 0; i < 3; i++) {
        read_round(s);
        assert_int_equal(s->round.tally.events, i == 0 ? 2 : 0);
        assert_int_equal(s->round.frames, i == 0 ? 2 : 0);
        assert_int_equal(mm_count_deltas(s->count), 4); /* a and c, and their day; of the two in one frame neither */
        assert_int_equal(s->round.held, 1);
        assert_false(s->round.more);
        mm_spool_reader_positions(s->reader, note, &place);
        assert_non_null(strstr(s->round.held_text.text, place.name));
        assert_int_equal(mm_spool_reader_release(s->reader, NULL), APR_SUCCESS);
    }
    assert_int_equal(count_files(s->dir, ".corrupt", ((unit_t *)*state)->pool), 0);
    make_readable(s, place.name, place.offset);
    read_round(s);
    assert_int_equal(s->round.held, 0);
    assert_int_equal(s->round.tally.events, 3);
    assert_int_equal(mm_count_deltas(s->count), 8);
    assert_int_equal(s->log->n, 0);
}

static void keeps_unreadable_events_aside(void **state)
{
    unit_t *unit = *state;
    setting_t *s = begin(unit);

    put_version(s, 0);
    put_version(s, 0);
    spool_view(s->writer, "a", NULL);
    read_round(s);
    assert_int_equal(s->round.tally.events, 3);
    assert_int_equal(s->round.held, 0);
    assert_int_equal(log_count(s->log, "MM0209: 1 event"), 1); /* the second within the minute is not told */
    assert_int_equal(s->log->n, 1);
    assert_int_equal(count_files(s->dir, ".seg.corrupt", unit->pool), 1);
}

static void says_when_they_cannot_be_kept(void **state)
{
    unit_t *unit = *state;
    setting_t *s = begin(unit);
    char name[64] = "";
    apr_dir_t *dir;
    apr_finfo_t info;

    put_version(s, 0);
    spool_view(s->writer, "a", NULL);
    assert_int_equal(apr_dir_open(&dir, s->dir, unit->pool), APR_SUCCESS);
    while (apr_dir_read(&info, APR_FINFO_NAME, dir) == APR_SUCCESS) {
        if (strstr(info.name, MM_SPOOL_SUFFIX) != NULL) {
            snprintf(name, sizeof(name), "%s", info.name);
        }
    }
    assert_int_equal(mkdir(apr_pstrcat(unit->pool, s->dir, "/", name, ".corrupt", NULL), 0700), 0);
    read_round(s);
    assert_int_equal(s->round.tally.events, 2);
    assert_int_equal(log_count(s->log, "MM0210: 1 event"), 1);
}

/* What cannot be read waits; nothing else does. */
static void goes_on_beside_what_cannot_be_read(void **state)
{
    unit_t *unit = *state;
    setting_t *s = begin(unit);

    assert_int_equal(
        mkdir(apr_pstrcat(unit->pool, s->dir, "/0000000000000001-00000001-00000000-00000001.seg", NULL), 0700), 0);
    spool_view(s->writer, "a", NULL);
    read_round(s);
    assert_int_equal(s->round.tally.events, 1);
    assert_int_equal(s->round.held, 1);
    assert_non_null(strstr(s->round.held_text.text, "everything else is counted"));
    assert_false(s->round.more);
    read_round(s);
    assert_int_equal(s->round.held, 1);
    assert_int_equal(s->round.frames, 0);
}

static void becomes_smaller_and_larger(void **state)
{
    setting_t *s = begin(*state);
    static const int expected[] = {2500, 250, 25, 2, 1};

    for (int i = 0; i < 2500; i++) {
        spool_view(s->writer, "a", NULL);
    }
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        read_round(s);
        assert_int_equal(s->round.tally.events, expected[i]);
        assert_int_equal(s->round.more, i > 0);
        assert_int_equal(mm_round_shrink(&s->round), expected[i] > 1);
        assert_int_equal(mm_count_deltas(s->count), expected[i] > 1 ? 0 : 2);
    }
    /* What was read when it could not shrink stays read. */
    mm_round_grow(&s->round);
    read_round(s);
    assert_int_equal(s->round.tally.events, 2);
    for (int i = 0; i < 20; i++) {
        mm_round_grow(&s->round);
    }
    assert_int_equal(s->round.events_max, MM_DRAIN_EVENTS_MAX);
    read_round(s);
    assert_int_equal(s->round.tally.events, 2500 - 3);
}

/* One event, then a frame of more than twenty: a tenth of them, 2, would be the same round for ever. */
static void becomes_smaller_also_where_frames_do_not(void **state)
{
    setting_t *s = begin(*state);
    uint8_t buf[MM_FRAME_HEADER + 30 * (MM_EVENT_ENCODED_MAX + 2)];
    mm_event_t event = event_of(MM_ACTION_VIEW, "v", NULL, NOON_US);
    size_t len = 0;
    int tries = 0;

    spool_view(s->writer, "a", NULL);
    for (int i = 0; i < 25; i++) {
        len += mm_event_pack(&event, buf + MM_FRAME_HEADER + len);
    }
    assert_int_equal(mm_spool_append(s->writer, buf, len, NULL), APR_SUCCESS);
    do {
        read_round(s);
        tries++;
    } while (tries < 100 && mm_round_shrink(&s->round));
    assert_true(tries < 20);
    assert_int_equal(s->round.frames, 1);
    assert_int_equal(s->round.tally.events, 1);
}

/* Frames without a single event: the same would be read again and again. */
static void gives_up_where_there_is_nothing_to_leave_out(void **state)
{
    setting_t *s = begin(*state);
    uint8_t buf[MM_FRAME_HEADER];

    for (int i = 0; i < 5; i++) {
        assert_int_equal(mm_spool_append(s->writer, buf, 0, NULL), APR_SUCCESS);
    }
    read_round(s);
    assert_int_equal(s->round.frames, 5);
    assert_true(mm_round_shrink(&s->round));
    read_round(s);
    assert_false(mm_round_shrink(&s->round));
}

static void view_at(mm_spool_writer_t *writer, const char *id, int minutes)
{
    mm_event_t event = event_of(MM_ACTION_VIEW, id, NULL, NOON_US + INT64_C(60000000) * minutes);

    spool_put(writer, &event, 1);
}

/* Ids of one letter each. */
static void note_id(void *baton, const mm_delta_t *delta)
{
    char *ids = baton;

    if (delta->kind == MM_DELTA_RESOURCE) {
        ids[strlen(ids)] = delta->id[0];
    }
}

static const char *slice_of(setting_t *s, apr_pool_t *pool)
{
    char *ids = apr_pcalloc(pool, 100);

    mm_count_reset(s->count);
    read_round(s);
    mm_count_each(s->count, note_id, ids);
    return ids;
}

/* Two processes over two hours: what happened at the same time is read at the same time. */
static void goes_through_time_in_slices(void **state)
{
    unit_t *unit = *state;
    setting_t *s = begin(unit);

    view_at(s->writer, "a", 0);
    view_at(s->writer, "b", 9);
    view_at(s->writer, "e", 60);
    view_at(s->writer, "d", 55); /* began before e and ended after it */
    view_at(s->writer, "h", 119);
    mm_spool_writer_close(s->writer);
    view_at(s->writer, "c", 1);
    view_at(s->writer, "f", 62);
    view_at(s->writer, "g", 90);
    assert_string_equal(slice_of(s, unit->pool), "abc");
    assert_true(s->round.more);
    assert_string_equal(slice_of(s, unit->pool), "edf");
    assert_true(s->round.more);
    assert_string_equal(slice_of(s, unit->pool), "g");
    assert_true(s->round.more);
    assert_string_equal(slice_of(s, unit->pool), "h");
    assert_false(s->round.more);
    assert_string_equal(slice_of(s, unit->pool), "");
    assert_false(s->round.more);
    view_at(s->writer, "i", 1000);
    view_at(s->writer, "j", 3); /* a clock that was set back */
    assert_string_equal(slice_of(s, unit->pool), "ij");
    assert_false(s->round.more);
}

/* Wherever a batch ends, the slice is read to its end first. */
static void finishes_a_slice_that_makes_several_batches(void **state)
{
    unit_t *unit = *state;
    setting_t *s = begin(unit);

    view_at(s->writer, "a", 0);
    view_at(s->writer, "b", 1);
    view_at(s->writer, "d", 30);
    mm_spool_writer_close(s->writer);
    view_at(s->writer, "c", 2);
    s->round.events_max = 1;
    assert_string_equal(slice_of(s, unit->pool), "a");
    assert_string_equal(slice_of(s, unit->pool), "b");
    assert_string_equal(slice_of(s, unit->pool), "c");
    assert_string_equal(slice_of(s, unit->pool), "d");
    assert_string_equal(slice_of(s, unit->pool), "");
    assert_false(s->round.more);
}

/* --- one event, many uses --- */

/* A folder of n files; no other folder has the same. */
static void put_folder(mm_store_t *store, const char *id, int n)
{
    bson_t doc = BSON_INITIALIZER, files;

    BSON_APPEND_UTF8(&doc, "_id", id);
    BSON_APPEND_ARRAY_BEGIN(&doc, "files", &files);
    for (int i = 0; i < n; i++) {
        char key[16], file[32];

        snprintf(key, sizeof(key), "%d", i);
        snprintf(file, sizeof(file), "%s-%d", id, i);
        BSON_APPEND_UTF8(&files, key, file);
    }
    bson_append_array_end(&doc, &files);
    unit_insert_doc(store, "folders", &doc);
    bson_destroy(&doc);
}

static setting_t *begin_with_folders(const unit_t *unit)
{
    setting_t *s = begin(unit);
    const mm_resolve_options_t options = {.uri = unit_mongo_uri(unit->pool), .log = &s->log->log};
    mm_store_t *store = unit_store_at(options.uri, unit->pool);

    put_folder(store, "middle", 3000);
    put_folder(store, "large", 9000);
    put_folder(store, "other", 9000);
    s->round.resolve = mm_resolve_create(&options, unit->pool);
    return s;
}

static mm_event_t folder_of(const char *id, const char *user)
{
    mm_event_t event = event_of(MM_ACTION_DOWNLOAD, id, user, NOON_US);

    event.via = bytes_of("folders:_id:files");
    return event;
}

/* As the drainer does behind a batch. */
static void settle(setting_t *s)
{
    mm_count_reset(s->count);
    mm_spool_reader_mark(s->reader);
    mm_round_grow(&s->round);
}

static void a_batch_is_bounded_also_where_events_are_many_uses(void **state)
{
    unit_t *unit = *state;
    setting_t *s = begin_with_folders(unit);
    int64_t events = 0;
    int rounds = 0;

    for (int i = 0; i < 20; i++) {
        mm_event_t event = folder_of("middle", apr_psprintf(unit->pool, "u%d", i));

        spool_put(s->writer, &event, 1);
    }
    do {
        read_round(s);
        assert_true(mm_count_deltas(s->count) <= MM_COUNT_DELTAS_MAX);
        assert_int_equal(s->round.tally.verdicts[MM_COUNTED], s->round.tally.events);
        events += s->round.tally.events;
        settle(s);
    } while (++rounds < 100 && s->round.more);
    assert_int_equal(events, 20);
    assert_true(rounds >= 10 && rounds <= 20);
    assert_int_equal(s->log->n, 0);
}

/* One request is in one batch, however much it is; but there is an end to it. */
static void one_request_is_not_torn_apart(void **state)
{
    setting_t *s = begin_with_folders(*state);
    const mm_event_t two[] = {folder_of("large", "eve"), folder_of("other", "eve")};

    spool_view(s->writer, "a", NULL);
    spool_put(s->writer, two, 1);
    spool_put(s->writer, two, 2);
    read_round(s); /* the first alone */
    assert_int_equal(mm_count_deltas(s->count), 2);
    settle(s);
    s->round.events_max = 1;
    read_round(s);
    assert_int_equal(mm_count_deltas(s->count), 3 * 9000);
    settle(s);
    assert_int_equal(s->log->n, 0);
    read_round(s);
    assert_int_equal(s->round.tally.events, 2);
    assert_int_equal(mm_count_deltas(s->count), 3 * 10000);
    assert_int_equal(log_count(s->log, "MM0217"), 1);
    settle(s);
    read_round(s);
    assert_int_equal(s->round.frames, 0);
    assert_false(s->round.more);
}

#define test(f) cmocka_unit_test_setup_teardown(f, unit_setup, unit_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(leaves_newer_events_where_they_are),
        test(keeps_unreadable_events_aside),
        test(says_when_they_cannot_be_kept),
        test(goes_on_beside_what_cannot_be_read),
        test(becomes_smaller_and_larger),
        test(becomes_smaller_also_where_frames_do_not),
        test(gives_up_where_there_is_nothing_to_leave_out),
        test(goes_through_time_in_slices),
        test(finishes_a_slice_that_makes_several_batches),
        test(a_batch_is_bounded_also_where_events_are_many_uses),
        test(one_request_is_not_torn_apart),
    };

    return cmocka_run_group_tests(tests, unit_store_group, NULL);
}
