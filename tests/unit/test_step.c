/* The drainer's steps where one of them fails, where what it reads is damaged or is much, and where nothing comes. */
#include "unit_drain.h"
#include <sys/syscall.h>
#include "count/count.h"
#include "drain/batch.h"
#include "drain/rejected.h"
#include "drain/window_log.h"

/* --- damage --- */

static void leaves_out_unreadable_events(void **state)
{
    setting_t s = begin(*state);
    mm_event_t event = event_of(MM_ACTION_VIEW, "a", NULL, NOON_US);
    uint8_t buf[MM_FRAME_HEADER + 3 * (MM_EVENT_ENCODED_MAX + 2)];
    size_t len = 0;

    for (int i = 0; i < 3; i++) {
        size_t at = MM_FRAME_HEADER + len;

        len += mm_event_pack(&event, buf + at);
        if (i == 1) {
            buf[at + 3] = 99; /* no action */
        }
    }
    assert_int_equal(mm_spool_append(s.writer, buf, len, &s.err), APR_SUCCESS);
    len = mm_event_pack(&event, buf + MM_FRAME_HEADER);
    buf[MM_FRAME_HEADER + len] = 0xff; /* not even a length behind it */
    assert_int_equal(mm_spool_append(s.writer, buf, len + 1, &s.err), APR_SUCCESS);
    drain_all(&s);
    assert_int_equal(views(&s), 3);
    assert_int_equal(log_count(s.log, "MM0209: 1 event"), 1);
    assert_int_equal(count_files(s.dir, ".corrupt", s.unit->pool), 1);
}

static void survives_a_damaged_batch(void **state)
{
    setting_t s = begin(*state);
    int worked;

    spool_view(s.writer, "a", NULL);
    drain_all(&s);
    spool_view(s.writer, "b", NULL);
    s.options.mongo_uri = "mongodb://127.0.0.1:9/unit?" TIMES;
    assert_int_equal(open_drain(&s), APR_SUCCESS);
    assert_int_not_equal(mm_drain_step(s.drain, &worked, &s.err), APR_SUCCESS);
    assert_true(has_file(s.dir, MM_BATCH_FILE));
    close_drain(&s);
    file_damage(s.dir, MM_BATCH_FILE, -8);
    s.options.mongo_uri = s.uri;
    drain_all(&s);
    assert_int_equal(views(&s), 2);
    assert_int_equal(log_count(s.log, "MM0201"), 1);
    assert_int_equal(count_files(s.dir, "batch.damaged-", s.unit->pool), 1);
    /* The number that was used up is not used again: what comes later is taken, too. */
    spool_view(s.writer, "a", NULL);
    spool_view(s.writer, "b", NULL);
    drain_all(&s);
    assert_int_equal(views(&s), 4);
}

static char *segment_of(const setting_t *s)
{
    apr_dir_t *dir;
    apr_finfo_t info;
    char *path = NULL;

    assert_int_equal(apr_dir_open(&dir, s->dir, s->unit->pool), APR_SUCCESS);
    while (path == NULL && apr_dir_read(&info, APR_FINFO_NAME, dir) == APR_SUCCESS) {
        if (strstr(info.name, ".seg") != NULL) {
            path = apr_pstrcat(s->unit->pool, s->dir, "/", info.name, NULL);
        }
    }
    apr_dir_close(dir);
    assert_non_null(path);
    return path;
}

/* Bytes from the beginning of a file, into or out of it. */
static void copy(const char *path, char *bytes, size_t len, bool out)
{
    int fd = open(path, O_RDWR);

    assert_int_equal(out ? pread(fd, bytes, len, 0) : pwrite(fd, bytes, len, 0), len);
    close(fd);
}

/* The worst case: the batch was in the database already. Its events are counted twice, as the log says, but what came
 * after them is not lost. */
static void gives_a_number_to_one_batch_only(void **state)
{
    setting_t s = begin(*state);
    char events[300];
    char *batch = apr_pstrcat(s.unit->pool, s.dir, "/" MM_BATCH_FILE, NULL);
    char *checkpoint = apr_pstrcat(s.unit->pool, s.dir, "/" MM_CHECKPOINT_FILE, NULL);
    char *kept = apr_pstrcat(s.unit->pool, s.unit->dir, "/kept", NULL);

    spool_view(s.writer, "a", NULL);
    drain_all(&s);
    assert_int_equal(link(checkpoint, kept), 0);
    spool_view(s.writer, "b", NULL);
    copy(segment_of(&s), events, sizeof(events), true);
    drain_all(&s);
    /* As it was before the batch became the checkpoint. */
    copy(segment_of(&s), events, sizeof(events), false);
    assert_int_equal(rename(checkpoint, batch), 0);
    assert_int_equal(rename(kept, checkpoint), 0);
    file_damage(s.dir, MM_BATCH_FILE, -8);
    spool_view(s.writer, "b", NULL);
    drain_all(&s);
    assert_int_equal(db_get(s.uri, "metrics_datasets", "a", "views"), 1);
    assert_int_equal(db_get(s.uri, "metrics_datasets", "b", "views"), 3);
}

static void ends_when_its_batch_is_damaged_under_its_eyes(void **state)
{
    setting_t s = begin(*state);
    int worked;

    spool_view(s.writer, "a", NULL);
    drain_all(&s);
    spool_view(s.writer, "a", NULL);
    s.options.mongo_uri = "mongodb://127.0.0.1:9/unit?" TIMES;
    assert_int_equal(open_drain(&s), APR_SUCCESS);
    assert_int_not_equal(mm_drain_step(s.drain, &worked, &s.err), APR_SUCCESS);
    close_drain(&s);
    s.options.mongo_uri = s.uri;
    s.options.once = 0;
    assert_int_equal(open_drain(&s), APR_SUCCESS);
    file_damage(s.dir, MM_BATCH_FILE, -8);
    assert_int_equal(mm_drain_run(s.drain, &s.err), APR_EINVAL);
    close_drain(&s);
    s.options.once = 1;
    drain_all(&s);
    assert_int_equal(views(&s), 2);
}

/* Nothing of what was read is lost or read again while the batch cannot be written. */
static void waits_for_room_on_the_disk(void **state)
{
    setting_t s = begin(*state);
    char *in_the_way = apr_pstrcat(s.unit->pool, s.dir, "/" MM_BATCH_TEMP_FILE, NULL);
    int worked;

    assert_int_equal(mkdir(in_the_way, 0700), 0);
    assert_int_equal(open_drain(&s), APR_SUCCESS);
    spool_view(s.writer, "a", NULL);
    for (int i = 0; i < 3; i++) {
        assert_int_not_equal(mm_drain_step(s.drain, &worked, &s.err), APR_SUCCESS);
        assert_int_equal(worked, 0);
        spool_view(s.writer, "a", NULL);
    }
    assert_int_equal(rmdir(in_the_way), 0);
    assert_int_equal(step(&s), 1);
    assert_int_equal(views(&s), 1); /* nor is more read meanwhile: that would have no bound */
    while (step(&s)) {
    }
    assert_int_equal(views(&s), 4);
}

static void puts_aside_what_the_database_refuses(void **state)
{
    setting_t s = begin(*state);
    mm_event_t event = event_of(MM_ACTION_VIEW, "a", NULL, NOON_US);

    event.type = bytes_of("users"); /* a name the data model keeps for itself */
    spool_put(s.writer, &event, 1);
    spool_view(s.writer, "good", NULL);
    drain_all(&s);
    assert_int_equal(views(&s), 1);
    assert_int_equal(log_count(s.log, "MM0204: the database refuses 2 of 4 documents of batch 1"), 1);
    assert_true(has_file(s.dir, MM_REJECTED_FILE));
    spool_view(s.writer, "good", NULL);
    drain_all(&s);
    assert_int_equal(views(&s), 2);
    assert_int_equal(log_count(s.log, "MM0204"), 1);
}

/* --- bounds --- */

static apr_status_t count_delta(void *baton, const mm_delta_t *delta, mm_err_t *err)
{
    (void)delta;
    (void)err;
    (*(int64_t *)baton)++;
    return APR_SUCCESS;
}

static void takes_a_pack_whole_however_large(void **state)
{
    setting_t s = begin(*state);
    const int per_frame = 9000;
    mm_event_t *events = calloc((size_t)per_frame, sizeof(*events));
    char(*ids)[32] = calloc((size_t)per_frame, sizeof(*ids));
    int64_t deltas = 0;
    mm_batch_reader_t reader = {.on_delta = count_delta, .baton = &deltas};
    int worked;

    for (int frame = 0; frame < 4; frame++) {
        for (int i = 0; i < per_frame; i++) {
            snprintf(ids[i], sizeof(ids[i]), "%d-%d", frame, i);
            events[i] = event_of(MM_ACTION_VIEW, ids[i], "eve", NOON_US);
        }
        spool_put(s.writer, events, (size_t)per_frame);
    }
    s.options.mongo_uri = "mongodb://127.0.0.1:9/unit?" TIMES; /* the batch stays where it can be looked at */
    assert_int_equal(open_drain(&s), APR_SUCCESS);
    assert_int_not_equal(mm_drain_step(s.drain, &worked, &s.err), APR_SUCCESS);
    assert_int_equal(mm_batch_read(s.dir, MM_BATCH_FILE, &reader, s.unit->pool, NULL), APR_SUCCESS);
    /* One frame leaves room for more, the second goes beyond the maximum and is in it whole, the third is not in it. */
    assert_int_equal(deltas, 2 * 3 * per_frame);
    assert_true(deltas > MM_COUNT_DELTAS_MAX);
    free(events);
    free(ids);
}

static void ends_a_batch_at_its_maximum_of_events(void **state)
{
    setting_t s = begin(*state);
    const int per_frame = 10000, frames = MM_DRAIN_EVENTS_MAX / 10000 + 1;
    mm_event_t *events = calloc((size_t)per_frame, sizeof(*events));

    for (int i = 0; i < per_frame; i++) {
        events[i] = event_of(MM_ACTION_VIEW, "a", NULL, NOON_US);
    }
    for (int frame = 0; frame < frames; frame++) {
        spool_put(s.writer, events, (size_t)per_frame);
    }
    assert_int_equal(open_drain(&s), APR_SUCCESS);
    assert_int_equal(step(&s), 1);
    assert_int_equal(views(&s), MM_DRAIN_EVENTS_MAX);
    assert_int_equal(step(&s), 1);
    assert_int_equal(views(&s), frames * per_frame);
    assert_int_equal(step(&s), 0);
    free(events);
}

/* --- the clock --- */

/* For all of this program, instead of those of libc and libapr. */
static int64_t seconds_ahead, seconds_later;

int clock_gettime(clockid_t clock, struct timespec *now)
{
    int rv = (int)syscall(SYS_clock_gettime, clock, now);

    now->tv_sec += clock == CLOCK_MONOTONIC ? seconds_later : 0;
    return rv;
}

apr_time_t apr_time_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (now.tv_sec + seconds_ahead) * INT64_C(1000000) + now.tv_nsec / 1000;
}

/* A quiet site, an hour later: the secret under which ada was hashed goes from the disk, and that is all. */
static void throws_secrets_away_when_nothing_comes(void **state)
{
    setting_t s = begin(*state);
    struct stat info;

    s.options.policy.double_click_ms = 30000;
    spool_view(s.writer, "a", "ada");
    assert_int_equal(open_drain(&s), APR_SUCCESS);
    assert_int_equal(step(&s), 1);
    assert_int_equal(step(&s), 0);
    seconds_later = 3600;
    assert_int_equal(step(&s), 0);
    assert_true(has_file(s.dir, MM_WINDOW_LOG_PREFIX "1"));
    seconds_later = 3632;
    assert_int_equal(step(&s), 1);
    assert_false(has_file(s.dir, MM_WINDOW_LOG_PREFIX "1"));
    assert_int_equal(stat(apr_pstrcat(s.unit->pool, s.dir, "/" MM_WINDOW_LOG_PREFIX "2", NULL), &info), 0);
    assert_true(info.st_size < 64);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(step(&s), 0);
    }
    close_drain(&s);
    assert_int_equal(open_drain(&s), APR_SUCCESS);
    assert_int_equal(step(&s), 0);
    assert_true(has_file(s.dir, MM_WINDOW_LOG_PREFIX "2"));
    assert_int_equal(views(&s), 1);
    assert_int_equal(s.log->n, 0);
    close_drain(&s);
}

static void tells_of_a_clock_that_was_put_back(void **state)
{
    setting_t s = begin(*state);
    mm_event_t event = event_of(MM_ACTION_VIEW, "a", "ada", apr_time_now());

    spool_put(s.writer, &event, 1);
    assert_int_equal(open_drain(&s), APR_SUCCESS);
    assert_int_equal(step(&s), 1);
    seconds_ahead = -2 * 86400;
    step(&s);
    step(&s);
    seconds_ahead = 0;
    assert_int_equal(log_count(s.log, "MM0232"), 1);
    close_drain(&s);
}

#define test(f) cmocka_unit_test_setup_teardown(f, unit_setup, unit_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(leaves_out_unreadable_events),
        test(survives_a_damaged_batch),
        test(gives_a_number_to_one_batch_only),
        test(ends_when_its_batch_is_damaged_under_its_eyes),
        test(waits_for_room_on_the_disk),
        test(puts_aside_what_the_database_refuses),
        test(takes_a_pack_whole_however_large),
        test(ends_a_batch_at_its_maximum_of_events),
        test(throws_secrets_away_when_nothing_comes),
        test(tells_of_a_clock_that_was_put_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
