/* Packs from this version, from the next one, and from nowhere. */
#include "drain_unit.h"
#include "drain/pack.h"

#define ROOM (4 * (MM_EVENT_ENCODED_MAX + 2))

/* n events, and in *last where the last one begins. */
static size_t make(uint8_t *buf, int n, size_t *last)
{
    mm_event_t event = event_of(MM_ACTION_VIEW, "a", "eve", NOON_US);
    size_t len = 0;

    for (int i = 0; i < n; i++) {
        *last = len + 2;
        len += mm_event_pack(&event, buf + len);
    }
    return len;
}

static void counts_what_it_can_read(void **state)
{
    unit_t *unit = *state;
    mm_count_t *count = mm_count_create(&(mm_policy_t){0}, unit->pool);
    uint8_t buf[ROOM];
    mm_tally_t tally = {.events = 5};
    const mm_pack_into_t into = {count, NULL, &tally, NULL, false};
    size_t last, len = make(buf, 3, &last);

    assert_false(mm_pack_is_newer(buf, len));
    assert_int_equal(mm_pack_count(&into, buf, len), 0);
    assert_int_equal(tally.events, 8);
    assert_int_equal(mm_count_deltas(count), 3);
    buf[last + 1] = 99; /* no action */
    assert_int_equal(mm_pack_count(&into, buf, len), 1);
    assert_int_equal(tally.events, 10);
    assert_int_equal(mm_pack_count(&into, buf, last - 1), 1); /* half a length */
    assert_int_equal(tally.events, 12);
    assert_int_equal(mm_pack_count(&into, buf, 0), 0);
    assert_int_equal(tally.verdicts[MM_COUNTED], 7);
    assert_int_equal(tally.unreadable, 2);
}

static void a_key_that_nobody_looks_up_is_no_use(void **state)
{
    unit_t *unit = *state;
    mm_count_t *count = mm_count_create(&(mm_policy_t){0}, unit->pool);
    mm_event_t event = event_of(MM_ACTION_VIEW, "a", "eve", NOON_US);
    mm_tally_t tally = {.events = 0};
    const mm_pack_into_t into = {count, NULL, &tally, NULL, false};
    uint8_t buf[ROOM];

    event.via = bytes_of("a:b:c");
    assert_int_equal(mm_pack_count(&into, buf, mm_event_pack(&event, buf)), 0);
    assert_int_equal(mm_pack_finish(&into, INT64_MAX, NULL), APR_SUCCESS);
    assert_int_equal(tally.verdicts[MM_IGNORED_KEY], 1);
    assert_int_equal(mm_count_deltas(count), 0);
}

/* What cannot count is not looked up: the database that there is none of is not asked. */
static void what_cannot_count_is_not_collected(void **state)
{
    unit_t *unit = *state;
    const mm_resolve_options_t options = {.uri = "mongodb://127.0.0.1:1/x"};
    mm_count_t *count = mm_count_create(&(mm_policy_t){0}, unit->pool);
    mm_tally_t tally = {.events = 0};
    const mm_pack_into_t into = {count, mm_resolve_create(&options, unit->pool), &tally, NULL, false};
    mm_event_t event = event_of(MM_ACTION_VIEW, "a", "eve", NOON_US), one;

    event.via = bytes_of("a:b:c");
    mm_pack_take(&into, (one = event, one.status = 404, &one));
    mm_pack_take(&into, (one = event, one.method = MM_METHOD_HEAD, &one));
    mm_pack_take(&into, (one = event, one.class_mark = bytes_of("robot"), &one));
    assert_int_equal(mm_resolve_waiting(into.resolve), 0);
    assert_int_equal(tally.verdicts[MM_IGNORED_STATUS], 1);
    assert_int_equal(tally.verdicts[MM_IGNORED_METHOD], 1);
    assert_int_equal(tally.verdicts[MM_IGNORED_ROBOT], 1);
    mm_pack_take(&into, (one = event, &one));
    /* An extractor is no robot, whatever it calls itself. */
    mm_pack_take(&into, (one = event, one.class_mark = bytes_of("robot"), one.identity = bytes_of("clowder:x"), &one));
    assert_int_equal(mm_resolve_waiting(into.resolve), 2);
}

/* Each id is a use of its own, and all of them are one event. */
static void a_list_is_many_uses(void **state)
{
    unit_t *unit = *state;
    mm_count_t *count = mm_count_create(&(mm_policy_t){.double_click_ms = 30000}, unit->pool);
    mm_event_t event = event_of(MM_ACTION_VIEW, "a,b,c", NULL, NOON_US);
    mm_tally_t tally = {.events = 0};
    const mm_pack_into_t into = {count, NULL, &tally, NULL, false};
    uint8_t buf[ROOM];

    event.flags = MM_EVENT_LIST;
    assert_int_equal(mm_pack_count(&into, buf, mm_event_pack(&event, buf)), 0);
    assert_int_equal(mm_count_deltas(count), 6); /* and a day of each */
    assert_int_equal(tally.verdicts[MM_COUNTED], 1);
    event.id = bytes_of("b,c");
    assert_int_equal(mm_pack_count(&into, buf, mm_event_pack(&event, buf)), 0);
    assert_int_equal(tally.verdicts[MM_IGNORED_DOUBLE_CLICK], 1);
    event.id = bytes_of("c,d");
    assert_int_equal(mm_pack_count(&into, buf, mm_event_pack(&event, buf)), 0);
    event.id = bytes_of(",");
    assert_int_equal(mm_pack_count(&into, buf, mm_event_pack(&event, buf)), 0);
    assert_int_equal(mm_count_deltas(count), 8);
    assert_int_equal(tally.verdicts[MM_COUNTED], 2);
    assert_int_equal(tally.verdicts[MM_IGNORED_KEY], 1);
}

/* How many documents a view by this user touches. */
static size_t touched_by(unit_t *unit, const mm_policy_t *policy, const char *user)
{
    mm_count_t *count = mm_count_create(policy, unit->pool);
    mm_event_t event = event_of(MM_ACTION_VIEW, "a", user, NOON_US);
    mm_tally_t tally = {.events = 0};
    const mm_pack_into_t into = {count, NULL, &tally, policy, false};
    uint8_t buf[ROOM];

    assert_int_equal(mm_pack_count(&into, buf, mm_event_pack(&event, buf)), 0);
    assert_int_equal(tally.verdicts[MM_COUNTED], 1);
    return mm_count_deltas(count);
}

static void nobodies_are_no_users(void **state)
{
    static const char *const names[] = {"guest"};
    const mm_policy_t policy = {.nobodies = names, .n_nobodies = 1};

    assert_int_equal(touched_by(*state, &policy, "guest"), touched_by(*state, &policy, NULL));
    assert_true(touched_by(*state, &policy, "eve") > touched_by(*state, &policy, NULL));
}

static void knows_newer_ones(void **state)
{
    uint8_t buf[ROOM];
    size_t last, len = make(buf, 3, &last);

    (void)state;
    buf[last] = 3;
    assert_true(mm_pack_is_newer(buf, len));
    buf[last] = 255;
    assert_true(mm_pack_is_newer(buf, len));
    buf[last] = 0; /* no version at all */
    assert_false(mm_pack_is_newer(buf, len));
    /* An older one's events in front, a damaged one's behind. */
    buf[last] = 3;
    buf[2] = 0;
    assert_true(mm_pack_is_newer(buf, len));
    buf[len] = 0xff;
    assert_true(mm_pack_is_newer(buf, len + 1));
    assert_false(mm_pack_is_newer(buf, last)); /* it is not in there */
    assert_false(mm_pack_is_newer(buf, last + 1));
    assert_false(mm_pack_is_newer((const uint8_t *)"\0\0\0\0", 4));
    assert_false(mm_pack_is_newer(buf, 0));
    assert_false(mm_pack_is_newer(buf, 1));
}

#define test(f) cmocka_unit_test_setup_teardown(f, unit_setup, unit_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(counts_what_it_can_read),
        test(a_key_that_nobody_looks_up_is_no_use),
        test(what_cannot_count_is_not_collected),
        test(a_list_is_many_uses),
        test(nobodies_are_no_users),
        test(knows_newer_ones),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
