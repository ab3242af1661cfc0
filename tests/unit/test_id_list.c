/* Many ids in few events, and back. */
#include "unit.h"
#include "event/id_list.h"

/* The ids of an event joined by " ". */
static const char *ids_of(unit_t *unit, const mm_event_t *event)
{
    const char *joined = "";
    mm_bytes_t id;

    for (size_t at = 0; mm_id_list_next(event, &at, &id);) {
        joined = apr_pstrcat(unit->pool, joined, apr_pstrmemdup(unit->pool, id.data, id.len), " ", NULL);
    }
    return joined;
}

static void one_is_as_it_is(void **state)
{
    unit_t *unit = *state;
    const mm_bytes_t id = mm_bytes_of("a,b");
    mm_event_t event = {.flags = MM_EVENT_HTTP2};

    assert_int_equal(mm_id_list_put(&event, &id, 1, unit->pool), 1);
    assert_ptr_equal(event.id.data, id.data);
    assert_int_equal(event.flags, MM_EVENT_HTTP2);
    assert_string_equal(ids_of(unit, &event), "a,b ");
}

static void several_are_a_list(void **state)
{
    unit_t *unit = *state;
    const mm_bytes_t ids[] = {mm_bytes_of("a"), mm_bytes_of("bc"), mm_bytes_of("d")};
    mm_event_t event = {.flags = MM_EVENT_HTTP2};

    assert_int_equal(mm_id_list_put(&event, ids, 3, unit->pool), 3);
    assert_int_equal(event.flags, MM_EVENT_HTTP2 | MM_EVENT_LIST);
    assert_int_equal(event.id.len, 6);
    assert_string_equal(ids_of(unit, &event), "a bc d ");
    event.id = mm_bytes_of(",,x,,");
    assert_string_equal(ids_of(unit, &event), "x ");
    event.id = mm_bytes_of(NULL);
    assert_string_equal(ids_of(unit, &event), "");
}

/* Not one byte more than an id may have; what does not fit is for the next event. */
static void a_list_is_no_longer_than_an_id(void **state)
{
    unit_t *unit = *state;
    char *longest = apr_pcalloc(unit->pool, MM_EVENT_ID_MAX + 1);
    mm_event_t event = {.flags = 0};

    memset(longest, 'x', MM_EVENT_ID_MAX);
    const mm_bytes_t ids[] = {{longest, MM_EVENT_ID_MAX}, {longest, MM_EVENT_ID_MAX - 2}, {longest, 1}, {longest, 1}};
    assert_int_equal(mm_id_list_put(&event, ids, 4, unit->pool), 1);
    assert_int_equal(event.flags, 0);
    assert_int_equal(mm_id_list_put(&event, ids + 1, 3, unit->pool), 2);
    assert_int_equal(event.id.len, MM_EVENT_ID_MAX);
    assert_int_equal(mm_id_list_put(&event, ids + 3, 1, unit->pool), 1);
    assert_int_equal(event.flags, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_is_as_it_is, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(several_are_a_list, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(a_list_is_no_longer_than_an_id, unit_setup, unit_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
