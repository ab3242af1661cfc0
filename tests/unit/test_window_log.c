/* The window on the disk: a drainer that is killed anywhere goes on with the window of its last batch. */
#include "drain_unit.h"
#include <errno.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include "count/count.h"
#include "count/form.h"
#include "drain/window_log.h"

#define W_MS 30000

/* So many times pwrite(2), of all of this program, writes nothing and says so. */
static int nothing_written;

ssize_t pwrite(int fd, const void *data, size_t len, off_t at)
{
    return nothing_written > 0 && nothing_written-- > 0 ? 0 : syscall(SYS_pwrite64, fd, data, len, at);
}

ssize_t pwrite64(int fd, const void *data, size_t len, off_t at)
{
    return pwrite(fd, data, len, at);
}

typedef struct logged {
    char *dir;
    test_log_t *log;
    mm_count_t *count;
    mm_window_log_t wlog;
} logged_t;

static logged_t open_log(const unit_t *unit, int64_t width_ms, const mm_window_place_t *place)
{
    const mm_policy_t policy = {.double_click_ms = width_ms};
    logged_t l = {.dir = unit->dir, .log = apr_palloc(unit->pool, sizeof(*l.log))};

    test_log_init(l.log);
    l.count = mm_count_create(&policy, unit->pool);
    mm_window_log_init(&l.wlog, l.dir, mm_count_window(l.count), &l.log->log);
    mm_window_log_load(&l.wlog, place);
    return l;
}

static mm_verdict_t view_at(mm_count_t *count, const char *id, int64_t later_ms)
{
    mm_event_t event = event_of(MM_ACTION_VIEW, id, "ada", (NOON_MS + later_ms) * 1000);

    return mm_count_add(count, &event);
}

static void append(logged_t *l)
{
    mm_window_place_t place;
    mm_err_t err;

    if (mm_window_log_append(&l->wlog, &place, &err) != APR_SUCCESS) {
        fail_msg("%s", err.text);
    }
}

static void batch(logged_t *l)
{
    append(l);
    mm_window_log_written(&l->wlog);
    mm_window_log_settled(&l->wlog);
    mm_count_reset(l->count);
}

static void goes_on_after_a_restart(void **state)
{
    unit_t *unit = *state;
    const mm_window_place_t nowhere = {.generation = 0};
    logged_t l = open_log(unit, W_MS, &nowhere);
    mm_window_place_t first, second;
    struct stat info;

    assert_int_equal(view_at(l.count, "a", 0), MM_COUNTED);
    batch(&l);
    first = l.wlog.place;
    assert_int_equal(stat(apr_pstrcat(unit->pool, unit->dir, "/" MM_WINDOW_LOG_PREFIX "1", NULL), &info), 0);
    assert_int_equal(info.st_mode & 07777, 0600);
    assert_true(info.st_blocks * 512 >= MM_WINDOW_LOG_ROOM);
    assert_int_equal(view_at(l.count, "b", 0), MM_COUNTED);
    batch(&l);
    second = l.wlog.place;
    assert_int_equal(second.generation, 1);
    assert_int_equal(info.st_size, first.to);
    /* What is appended, but never named, is nothing: a is a double-click, c is not. */
    view_at(l.count, "c", 0);
    append(&l);
    mm_window_log_close(&l.wlog);
    l = open_log(unit, W_MS, &second);
    assert_int_equal(view_at(l.count, "a", 1), MM_IGNORED_DOUBLE_CLICK);
    assert_int_equal(view_at(l.count, "b", 1), MM_IGNORED_DOUBLE_CLICK);
    assert_int_equal(view_at(l.count, "c", 1), MM_COUNTED);
    batch(&l);
    assert_int_equal(l.wlog.place.generation, 1);
    mm_window_log_close(&l.wlog);
    /* The place of an earlier batch, as when a later one is damaged. */
    l = open_log(unit, W_MS, &first);
    assert_int_equal(view_at(l.count, "a", 1), MM_IGNORED_DOUBLE_CLICK);
    assert_int_equal(view_at(l.count, "b", 1), MM_COUNTED);
    assert_int_equal(l.log->n, 0);
    mm_window_log_close(&l.wlog);
}

static void goes_back_when_a_batch_is_given_up(void **state)
{
    unit_t *unit = *state;
    const mm_window_place_t nowhere = {.generation = 0};
    logged_t l = open_log(unit, W_MS, &nowhere);

    view_at(l.count, "a", 0);
    mm_window_log_back(&l.wlog);
    mm_count_reset(l.count);
    assert_int_equal(view_at(l.count, "a", 0), MM_COUNTED);
    batch(&l);
    view_at(l.count, "b", 0);
    view_at(l.count, "a", 5);
    append(&l);
    mm_window_log_back(&l.wlog);
    mm_count_reset(l.count);
    assert_int_equal(view_at(l.count, "b", 0), MM_COUNTED);
    assert_int_equal(view_at(l.count, "a", 5), MM_IGNORED_DOUBLE_CLICK);
    batch(&l);
    mm_window_log_close(&l.wlog);
}

static void writes_nothing_when_nothing_changed(void **state)
{
    unit_t *unit = *state;
    const mm_window_place_t nowhere = {.generation = 0};
    logged_t l = open_log(unit, W_MS, &nowhere);
    mm_window_place_t before;

    batch(&l);
    assert_int_equal(l.wlog.place.generation, 0);
    view_at(l.count, "a", 0);
    batch(&l);
    before = l.wlog.place;
    batch(&l);
    assert_memory_equal(&l.wlog.place, &before, sizeof(before));
    mm_window_log_close(&l.wlog);
}

static void begins_anew_when_it_is_worn(void **state)
{
    unit_t *unit = *state;
    const mm_window_place_t nowhere = {.generation = 0};
    logged_t l = open_log(unit, W_MS, &nowhere);
    mm_window_place_t place;
    int64_t longest = 0;

    for (int i = 0; i < 300; i++) {
        for (int k = 0; k < 200; k++) {
            char id[16];

            snprintf(id, sizeof(id), "%d", k);
            view_at(l.count, id, i);
        }
        batch(&l);
        longest = l.wlog.place.to > longest ? l.wlog.place.to : longest;
    }
    assert_true(l.wlog.place.generation > 1);
    assert_true(longest <= 2 * mm_form_size(mm_count_window(l.count)) + MM_WINDOW_LOG_SLACK + 200 * 40);
    assert_int_equal(count_files(unit->dir, MM_WINDOW_LOG_PREFIX, unit->pool), 1);
    place = l.wlog.place;
    mm_window_log_close(&l.wlog);
    l = open_log(unit, W_MS, &place);
    assert_int_equal(view_at(l.count, "7", 300), MM_IGNORED_DOUBLE_CLICK);
    assert_int_equal(l.log->n, 0);
    /* A secret that was thrown away is on the disk until then. */
    view_at(l.count, "7", 86400000);
    batch(&l);
    assert_int_equal(l.wlog.place.generation, place.generation + 1);
    mm_window_log_close(&l.wlog);
}

static void keeps_the_file_that_the_checkpoint_names(void **state)
{
    unit_t *unit = *state;
    const mm_window_place_t nowhere = {.generation = 0};
    logged_t l = open_log(unit, W_MS, &nowhere);
    mm_window_place_t before;

    view_at(l.count, "a", 0);
    batch(&l);
    before = l.wlog.place;
    view_at(l.count, "b", 86400000);
    append(&l);
    mm_window_log_written(&l.wlog);
    assert_int_equal(count_files(unit->dir, MM_WINDOW_LOG_PREFIX, unit->pool), 2);
    mm_window_log_close(&l.wlog);
    l = open_log(unit, W_MS, &before);
    assert_int_equal(view_at(l.count, "a", 1), MM_IGNORED_DOUBLE_CLICK);
    assert_int_equal(l.log->n, 0);
    mm_window_log_close(&l.wlog);
}

static void begins_empty_when_it_is_damaged(void **state)
{
    unit_t *unit = *state;
    const mm_window_place_t nowhere = {.generation = 0};
    mm_window_place_t place;
    logged_t l;

    for (int damage = 0; damage < 4; damage++) {
        l = open_log(unit, W_MS, &nowhere);
        view_at(l.count, "a", 0);
        batch(&l);
        place = l.wlog.place;
        mm_window_log_close(&l.wlog);
        switch (damage) {
        case 0:
            file_damage(unit->dir, MM_WINDOW_LOG_PREFIX "1", 20);
            break;
        case 1:
            place.to -= 1;
            break;
        case 2:
            place.to += 1;
            break;
        default:
            assert_int_equal(unlink(apr_pstrcat(unit->pool, unit->dir, "/" MM_WINDOW_LOG_PREFIX "1", NULL)), 0);
        }
        l = open_log(unit, W_MS, &place);
        assert_int_equal(log_count(l.log, "MM0230"), 1);
        assert_int_equal(view_at(l.count, "a", 1), MM_COUNTED);
        batch(&l);
        assert_int_equal(l.wlog.place.generation, 2);
        mm_window_log_close(&l.wlog);
        place = (mm_window_place_t){.generation = 0};
    }
}

static void begins_anew_for_another_width(void **state)
{
    unit_t *unit = *state;
    const mm_window_place_t nowhere = {.generation = 0};
    logged_t l = open_log(unit, W_MS, &nowhere);
    mm_window_place_t place;

    view_at(l.count, "a", 0);
    batch(&l);
    place = l.wlog.place;
    mm_window_log_close(&l.wlog);
    l = open_log(unit, 5000, &place);
    assert_int_equal(view_at(l.count, "a", 1), MM_COUNTED);
    batch(&l);
    place = l.wlog.place;
    assert_int_equal(place.generation, 2);
    mm_window_log_close(&l.wlog);
    l = open_log(unit, 5000, &place);
    assert_int_equal(view_at(l.count, "a", 2), MM_IGNORED_DOUBLE_CLICK);
    assert_int_equal(l.log->n, 0);
    mm_window_log_close(&l.wlog);
}

static void keeps_the_room_for_the_first_window(void **state)
{
    unit_t *unit = *state;
    const mm_window_place_t nowhere = {.generation = 0};
    logged_t l = open_log(unit, W_MS, &nowhere);
    char *path = apr_pstrcat(unit->pool, unit->dir, "/" MM_WINDOW_LOG_PREFIX "1", NULL);
    struct stat before, after;

    mm_window_log_reserve(&l.wlog);
    assert_int_equal(stat(path, &before), 0);
    assert_true(before.st_blocks * 512 >= MM_WINDOW_LOG_ROOM);
    batch(&l); /* of robots only */
    assert_int_equal(stat(path, &after), 0);
    assert_int_equal(after.st_ino, before.st_ino);
    assert_true(after.st_blocks * 512 >= MM_WINDOW_LOG_ROOM);
    mm_window_log_close(&l.wlog);
}

static void leaves_nothing_behind_the_end_of_a_new_file(void **state)
{
    unit_t *unit = *state;
    const mm_window_place_t nowhere = {.generation = 0};
    logged_t l = open_log(unit, W_MS, &nowhere);
    struct stat info;

    for (int i = 0; i < 100; i++) {
        view_at(l.count, "a", i * 60000);
    }
    append(&l); /* and no batch came of it */
    mm_window_log_back(&l.wlog);
    mm_count_reset(l.count);
    view_at(l.count, "a", 0);
    batch(&l);
    assert_int_equal(stat(apr_pstrcat(unit->pool, unit->dir, "/" MM_WINDOW_LOG_PREFIX "1", NULL), &info), 0);
    assert_int_equal(info.st_size, l.wlog.place.to);
    mm_window_log_close(&l.wlog);
}

static void goes_without_where_there_is_no_room(void **state)
{
    unit_t *unit = *state;
    const mm_window_place_t nowhere = {.generation = 0};
    logged_t l = open_log(unit, W_MS, &nowhere);
    mm_window_place_t first, place;

    view_at(l.count, "a", 0);
    batch(&l);
    first = l.wlog.place;
    for (int i = 0; i < 2; i++) {
        view_at(l.count, i == 0 ? "b" : "c", 0);
        append(&l);
        mm_window_log_forgo(&l.wlog, &place);
        mm_window_log_written(&l.wlog);
        mm_window_log_settled(&l.wlog);
        assert_memory_equal(&place, &first, sizeof(first));
    }
    assert_int_equal(log_count(l.log, "MM0231"), 1);
    assert_int_equal(view_at(l.count, "b", 1), MM_IGNORED_DOUBLE_CLICK);
    batch(&l);
    place = l.wlog.place;
    mm_window_log_close(&l.wlog);
    l = open_log(unit, W_MS, &place);
    assert_int_equal(view_at(l.count, "b", 2), MM_IGNORED_DOUBLE_CLICK);
    assert_int_equal(view_at(l.count, "c", 2), MM_IGNORED_DOUBLE_CLICK);
    assert_int_equal(l.log->n, 0);
    mm_window_log_close(&l.wlog);
}

/* There was no room for another file when a secret was thrown away, so it stood in the one that was there; and the
 * drainer ended. */
static void a_restart_forgets_no_secret_that_has_to_go(void **state)
{
    unit_t *unit = *state;
    const mm_window_place_t nowhere = {.generation = 0};
    logged_t l = open_log(unit, W_MS, &nowhere);
    char *another = apr_pstrcat(unit->pool, unit->dir, "/" MM_WINDOW_LOG_PREFIX "2", NULL);
    mm_window_place_t place;

    view_at(l.count, "a", 0);
    batch(&l);
    view_at(l.count, "a", 86400000);
    assert_int_equal(mkdir(another, 0700), 0); /* where the other file would be */
    append(&l);
    mm_window_log_written(&l.wlog);
    place = l.wlog.place;
    assert_int_equal(place.generation, 1);
    mm_window_log_close(&l.wlog);
    assert_int_equal(rmdir(another), 0);
    l = open_log(unit, W_MS, &place);
    assert_true(mm_form_is_stale(mm_count_window(l.count)));
    batch(&l);
    assert_int_equal(l.wlog.place.generation, 2);
    assert_false(mm_form_is_stale(mm_count_window(l.count)));
    place = l.wlog.place;
    mm_window_log_close(&l.wlog);
    l = open_log(unit, W_MS, &place);
    assert_false(mm_form_is_stale(mm_count_window(l.count)));
    mm_window_log_close(&l.wlog);
}

static void ends_when_nothing_is_written(void **state)
{
    unit_t *unit = *state;
    const mm_window_place_t nowhere = {.generation = 0};
    logged_t l = open_log(unit, W_MS, &nowhere);
    mm_window_place_t place;
    mm_err_t err = {.text = ""};

    view_at(l.count, "a", 0);
    nothing_written = 3;
    assert_int_equal(mm_window_log_append(&l.wlog, &place, &err), EIO);
    nothing_written = 0;
    batch(&l);
    mm_window_log_close(&l.wlog);
}

static void tells_when_there_is_no_room(void **state)
{
    unit_t *unit = *state;
    const mm_window_place_t nowhere = {.generation = 0};
    logged_t l = open_log(unit, W_MS, &nowhere);
    struct rlimit before, small;
    mm_window_place_t place;
    mm_err_t err = {.text = ""};

    view_at(l.count, "a", 0);
    batch(&l);
    view_at(l.count, "b", 0);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = (rlim_t)l.wlog.place.to + 10;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    apr_status_t rv = mm_window_log_append(&l.wlog, &place, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(rv, EFBIG);
    assert_string_not_equal(err.text, "");
    batch(&l);
    place = l.wlog.place;
    mm_window_log_close(&l.wlog);
    l = open_log(unit, W_MS, &place);
    assert_int_equal(view_at(l.count, "b", 1), MM_IGNORED_DOUBLE_CLICK);
    assert_int_equal(l.log->n, 0);
    mm_window_log_close(&l.wlog);
}

#define test(f) cmocka_unit_test_setup_teardown(f, unit_setup, unit_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(goes_on_after_a_restart),
        test(goes_back_when_a_batch_is_given_up),
        test(writes_nothing_when_nothing_changed),
        test(begins_anew_when_it_is_worn),
        test(keeps_the_file_that_the_checkpoint_names),
        test(begins_empty_when_it_is_damaged),
        test(begins_anew_for_another_width),
        test(keeps_the_room_for_the_first_window),
        test(leaves_nothing_behind_the_end_of_a_new_file),
        test(goes_without_where_there_is_no_room),
        test(a_restart_forgets_no_secret_that_has_to_go),
        test(ends_when_nothing_is_written),
        test(tells_when_there_is_no_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
