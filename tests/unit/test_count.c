/* Aggregation: one delta per document, with the right sums and times, in bounded number. */
#include "drain_unit.h"
#include "count/count.h"

typedef struct found {
    mm_delta_t deltas[8];
    size_t n; /* without days */
    size_t all;
    int64_t days; /* uses in them */
} found_t;

static void collect(void *baton, const mm_delta_t *delta)
{
    found_t *found = baton;

    found->all++;
    if (delta->kind == MM_DELTA_DAY) {
        found->days += delta->views + delta->downloads;
        return;
    }
    if (found->n < 8) {
        found->deltas[found->n] = *delta;
    }
    found->n++;
}

static found_t deltas_of(const mm_count_t *count)
{
    found_t found = {.n = 0};

    mm_count_each(count, collect, &found);
    assert_int_equal(found.all, mm_count_deltas(count));
    return found;
}

static void add(mm_count_t *count, mm_action_t action, const char *id, const char *user, int64_t time_us)
{
    mm_event_t event = event_of(action, id, user, time_us);

    assert_int_equal(mm_count_add(count, &event), MM_COUNTED);
}

static void begins_empty(void **state)
{
    unit_t *unit = *state;
    mm_count_t *count = mm_count_create(&(mm_policy_t){0}, unit->pool);

    assert_int_equal(deltas_of(count).n, 0);
    assert_false(mm_count_full(count));
    assert_false(mm_count_full_at(count, MM_COUNT_DELTAS_PER_EVENT));
    assert_true(mm_count_full_at(count, MM_COUNT_DELTAS_PER_EVENT - 1));
}

static void adds_up_one_resource(void **state)
{
    unit_t *unit = *state;
    mm_count_t *count = mm_count_create(&(mm_policy_t){0}, unit->pool);
    found_t found;
    const mm_delta_t *delta = &found.deltas[0];

    add(count, MM_ACTION_VIEW, "a", NULL, NOON_US + 5999);
    add(count, MM_ACTION_VIEW, "a", NULL, NOON_US - 1);
    add(count, MM_ACTION_VIEW, "a", NULL, NOON_US + 3000);
    found = deltas_of(count);
    assert_int_equal(found.n, 1);
    assert_int_equal(delta->kind, MM_DELTA_RESOURCE);
    assert_string_equal(delta->type, "datasets");
    assert_string_equal(delta->id, "a");
    assert_null(delta->user);
    assert_int_equal(delta->views, 3);
    assert_int_equal(delta->downloads, 0);
    assert_int_equal(delta->machine_views, 0);
    assert_int_equal(delta->last_viewed_ms, NOON_MS + 5);
    assert_int_equal(delta->last_downloaded_ms, MM_TIME_NONE);
    assert_int_equal(delta->first_seen_ms, NOON_MS - 1);

    add(count, MM_ACTION_DOWNLOAD, "a", NULL, NOON_US - 7000);
    found = deltas_of(count);
    assert_int_equal(found.n, 1);
    assert_int_equal(delta->views, 3);
    assert_int_equal(delta->downloads, 1);
    assert_int_equal(delta->last_viewed_ms, NOON_MS + 5);
    assert_int_equal(delta->last_downloaded_ms, NOON_MS - 7);
    assert_int_equal(delta->first_seen_ms, NOON_MS - 7);
}

static void keeps_the_time_zero(void **state)
{
    unit_t *unit = *state;
    mm_count_t *count = mm_count_create(&(mm_policy_t){0}, unit->pool);
    found_t found;

    add(count, MM_ACTION_VIEW, "a", NULL, 0);
    found = deltas_of(count);
    assert_int_equal(found.deltas[0].first_seen_ms, 0);
    assert_int_equal(found.deltas[0].last_viewed_ms, 0);
    add(count, MM_ACTION_VIEW, "a", NULL, NOON_US);
    found = deltas_of(count);
    assert_int_equal(found.deltas[0].first_seen_ms, 0);
    assert_int_equal(found.deltas[0].last_viewed_ms, NOON_MS);
}

static void counts_a_known_user_twice_over(void **state)
{
    unit_t *unit = *state;
    mm_count_t *count = mm_count_create(&(mm_policy_t){0}, unit->pool);
    found_t found;

    add(count, MM_ACTION_VIEW, "a", "eve", NOON_US);
    add(count, MM_ACTION_DOWNLOAD, "a", "adam", NOON_US);
    add(count, MM_ACTION_VIEW, "a", "eve", NOON_US + 1000);
    add(count, MM_ACTION_VIEW, "a", NULL, NOON_US);
    found = deltas_of(count);
    assert_int_equal(found.n, 3);
    assert_int_equal(found.deltas[0].kind, MM_DELTA_RESOURCE);
    assert_int_equal(found.deltas[0].views, 3);
    assert_int_equal(found.deltas[0].downloads, 1);
    assert_int_equal(found.days, 4);
    assert_int_equal(found.deltas[1].kind, MM_DELTA_USER);
    assert_string_equal(found.deltas[1].type, "datasets");
    assert_string_equal(found.deltas[1].id, "a");
    assert_string_equal(found.deltas[1].user, "eve");
    assert_int_equal(found.deltas[1].views, 2);
    assert_int_equal(found.deltas[1].last_viewed_ms, NOON_MS + 1);
    assert_string_equal(found.deltas[2].user, "adam");
    assert_int_equal(found.deltas[2].downloads, 1);
    assert_int_equal(found.deltas[2].views, 0);
}

static void counts_machines_in_both_numbers(void **state)
{
    unit_t *unit = *state;
    mm_count_t *count = mm_count_create(&(mm_policy_t){0}, unit->pool);
    mm_event_t event = event_of(MM_ACTION_VIEW, "a", "bot", NOON_US);
    found_t found;

    event.class_mark = bytes_of("extractor");
    mm_count_add(count, &event);
    event.action = MM_ACTION_DOWNLOAD;
    mm_count_add(count, &event);
    mm_count_add(count, &event);
    add(count, MM_ACTION_VIEW, "a", "bot", NOON_US);
    found = deltas_of(count);
    assert_int_equal(found.n, 2);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(found.deltas[i].views, 2);
        assert_int_equal(found.deltas[i].machine_views, 1);
        assert_int_equal(found.deltas[i].downloads, 2);
        assert_int_equal(found.deltas[i].machine_downloads, 2);
    }
}

static void leaves_no_trace_of_what_does_not_count(void **state)
{
    unit_t *unit = *state;
    mm_count_t *count = mm_count_create(&(mm_policy_t){0}, unit->pool);
    mm_event_t event = event_of(MM_ACTION_VIEW, "a", "eve", NOON_US);

    event.status = 404;
    assert_int_equal(mm_count_add(count, &event), MM_IGNORED_STATUS);
    event.status = 200;
    event.class_mark = bytes_of("robot");
    assert_int_equal(mm_count_add(count, &event), MM_IGNORED_ROBOT);
    assert_int_equal(mm_count_deltas(count), 0);
}

/* Keys are joined strings: nothing may flow from one into the next. */
static void tells_documents_apart(void **state)
{
    unit_t *unit = *state;
    mm_count_t *count = mm_count_create(&(mm_policy_t){0}, unit->pool);
    mm_event_t event = event_of(MM_ACTION_VIEW, "ab", "c", NOON_US);
    char in_place[] = "abXYZ";

    mm_count_add(count, &event);
    add(count, MM_ACTION_VIEW, "a", "bc", NOON_US);
    assert_int_equal(mm_count_deltas(count), 6); /* and a day each */
    event.type = bytes_of("files");
    mm_count_add(count, &event);
    assert_int_equal(mm_count_deltas(count), 9);
    event.id = (mm_bytes_t){.data = in_place, .len = 2}; /* without its NUL, the same document */
    mm_count_add(count, &event);
    assert_int_equal(mm_count_deltas(count), 9);
    assert_int_equal(deltas_of(count).deltas[4].views, 2);
}

static void takes_any_bytes_at_their_limits(void **state)
{
    unit_t *unit = *state;
    mm_count_t *count = mm_count_create(&(mm_policy_t){0}, unit->pool);
    char id[MM_EVENT_ID_MAX + 1], user[MM_EVENT_USER_MAX + 1];
    found_t found;

    memset(id, 0xff, sizeof(id));
    memset(user, 0x80, sizeof(user));
    id[MM_EVENT_ID_MAX] = user[MM_EVENT_USER_MAX] = '\0';
    mm_event_t event = event_of(MM_ACTION_VIEW, id, user, NOON_US);
    event.type = bytes_of("abcdefghijklmnopqrstuvwxyz_01234");
    assert_int_equal(mm_event_check(&event, NULL), APR_SUCCESS);
    mm_count_add(count, &event);
    memset(id, 'x', 3); /* nothing of the event is kept */
    found = deltas_of(count);
    assert_int_equal(found.n, 2);
    assert_int_equal(strlen(found.deltas[1].id), MM_EVENT_ID_MAX);
    assert_int_equal((unsigned char)found.deltas[1].id[0], 0xff);
    assert_int_equal(strlen(found.deltas[1].user), MM_EVENT_USER_MAX);
    assert_int_equal(strlen(found.deltas[1].type), MM_EVENT_TYPE_MAX);
}

/* Whoever puts an id of a document into an event may hold one that no event can have. */
static void what_is_beyond_its_limit_is_no_use(void **state)
{
    unit_t *unit = *state;
    mm_count_t *count = mm_count_create(&(mm_policy_t){.double_click_ms = 30000}, unit->pool);
    static char id[4097];
    mm_event_t event = event_of(MM_ACTION_VIEW, "a", "eve", NOON_US);

    memset(id, 'x', sizeof(id) - 1);
    for (size_t len = MM_EVENT_ID_MAX + 1; len < sizeof(id); len += 512) {
        event.id = (mm_bytes_t){id, len};
        assert_int_equal(mm_count_add(count, &event), MM_IGNORED_KEY);
    }
    event.id = (mm_bytes_t){id, 0};
    assert_int_equal(mm_count_add(count, &event), MM_IGNORED_KEY);
    event.id = (mm_bytes_t){id, MM_EVENT_ID_MAX};
    event.user = (mm_bytes_t){id, MM_EVENT_USER_MAX + 1};
    assert_int_equal(mm_count_add(count, &event), MM_IGNORED_KEY);
    assert_int_equal(mm_count_deltas(count), 0);
    event.user = bytes_of(NULL);
    assert_int_equal(mm_count_add(count, &event), MM_COUNTED);
}

static void says_when_it_is_full(void **state)
{
    unit_t *unit = *state;
    mm_count_t *count = mm_count_create(&(mm_policy_t){0}, unit->pool);
    char id[16];
    int i;

    for (i = 0; !mm_count_full(count); i++) {
        snprintf(id, sizeof(id), "%d", i);
        add(count, MM_ACTION_VIEW, id, i % 3 ? id : NULL, NOON_US);
        assert_true(mm_count_deltas(count) <= MM_COUNT_DELTAS_MAX);
    }
    assert_true(mm_count_deltas(count) > MM_COUNT_DELTAS_MAX - MM_COUNT_DELTAS_PER_EVENT);
    /* A unit that was begun may be finished. */
    for (int j = 0; j < 50; j++) {
        snprintf(id, sizeof(id), "%d", i + j);
        add(count, MM_ACTION_VIEW, id, id, NOON_US);
    }
    assert_true(mm_count_deltas(count) <= MM_COUNT_DELTAS_MAX + 150);
    mm_count_reset(count);
    assert_false(mm_count_full(count));
}

/* Two places left are too few: the next event may need four. */
static void is_full_before_its_maximum(void **state)
{
    unit_t *unit = *state;
    mm_count_t *count = mm_count_create(&(mm_policy_t){0}, unit->pool);
    char id[16];

    for (int i = 0; i < MM_COUNT_DELTAS_MAX / 2 - 2; i++) {
        snprintf(id, sizeof(id), "%d", i);
        add(count, MM_ACTION_VIEW, id, NULL, NOON_US);
    }
    assert_false(mm_count_full(count));
    add(count, MM_ACTION_VIEW, "one more", NULL, NOON_US);
    assert_int_equal(mm_count_deltas(count), MM_COUNT_DELTAS_MAX - 2);
    assert_true(mm_count_full(count));
}

static void forgets_at_a_reset(void **state)
{
    unit_t *unit = *state;
    mm_count_t *count = mm_count_create(&(mm_policy_t){0}, unit->pool);
    found_t found;

    for (int round = 0; round < 3; round++) {
        add(count, MM_ACTION_VIEW, "a", "eve", NOON_US);
        add(count, MM_ACTION_VIEW, "b", NULL, NOON_US);
        found = deltas_of(count);
        assert_int_equal(found.n, 3);
        assert_int_equal(found.deltas[0].views, 1);
        mm_count_reset(count);
        assert_int_equal(deltas_of(count).n, 0);
    }
}

#define test(f) cmocka_unit_test_setup_teardown(f, unit_setup, unit_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(begins_empty),
        test(adds_up_one_resource),
        test(keeps_the_time_zero),
        test(counts_a_known_user_twice_over),
        test(counts_machines_in_both_numbers),
        test(leaves_no_trace_of_what_does_not_count),
        test(tells_documents_apart),
        test(takes_any_bytes_at_their_limits),
        test(what_is_beyond_its_limit_is_no_use),
        test(says_when_it_is_full),
        test(is_full_before_its_maximum),
        test(forgets_at_a_reset),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
