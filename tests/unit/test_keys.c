/* Keys of many events, each asked for once, and the ids that they lead to. */
#include "unit_clowder.h"
#include "resolve/keys.h"

static mm_event_t with_key(const char *via, const char *key)
{
    return (mm_event_t){.id = mm_bytes_of(key), .via = mm_bytes_of(via)};
}

/* The ids of a key joined by " ", "failed" where it could not be asked for. */
static const char *ids_of(unit_t *unit, mm_keys_t *keys, const char *via, const char *key)
{
    mm_event_t event = with_key(via, key);
    bool failed = false;
    const apr_array_header_t *ids = mm_keys_ids(keys, &event, &failed, unit->pool);

    return failed ? "failed" : apr_array_pstrcat(unit->pool, ids, ' ');
}

static void kinds_are_asked_for_apart(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    static const char *const asked[][2] = {
        {"links:_id:to", "a"}, {"links:_id:to", "a"}, {"other:k:v", "a"}, {"links:_id:to", "b"}, {"no such", "a"}};
    mm_keys_t keys;
    mm_err_t err = {0};

    unit_insert(store, "links", "{'_id':'a','to':['1','2','1']}");
    unit_insert(store, "other", "{'k':['a','x'],'v':'3'}");
    unit_insert(store, "other", "{'k':'a','v':'4'}");
    mm_keys_init(&keys, unit->pool);
    for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
        mm_event_t event = with_key(asked[i][0], asked[i][1]);

        mm_keys_add(&keys, &event);
    }
    assert_int_equal(mm_keys_lookup(&keys, store, &err), APR_EINVAL);
    assert_non_null(strstr(err.text, "no such"));
    assert_string_equal(ids_of(unit, &keys, "links:_id:to", "a"), "1 2");
    assert_string_equal(ids_of(unit, &keys, "links:_id:to", "b"), "");
    assert_string_equal(ids_of(unit, &keys, "other:k:v", "a"), "3 4");
    assert_string_equal(ids_of(unit, &keys, "no such", "a"), "failed");
    assert_string_equal(ids_of(unit, &keys, "never:asked:for", "a"), "");
    assert_false(keys.cut);
}

/* A collection may hold anything; what is longer than an id would be counted for nothing. */
static void ids_that_no_event_can_have_are_left_out(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    char *longest = apr_pcalloc(unit->pool, MM_EVENT_ID_MAX + 2);
    mm_event_t event = with_key("links:_id:to", "a");
    mm_keys_t keys;
    mm_err_t err = {0};

    memset(longest, 'x', MM_EVENT_ID_MAX);
    unit_insert(store, "links",
                apr_psprintf(unit->pool, "{'_id':'a','to':['%sx','%s','','%sxx']}", longest, longest, longest));
    mm_keys_init(&keys, unit->pool);
    mm_keys_add(&keys, &event);
    assert_int_equal(mm_keys_lookup(&keys, store, &err), APR_SUCCESS);
    assert_string_equal(ids_of(unit, &keys, "links:_id:to", "a"), longest);
    assert_int_equal(keys.unfit, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(kinds_are_asked_for_apart, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(ids_that_no_event_can_have_are_left_out, unit_setup, unit_teardown),
    };

    return cmocka_run_group_tests(tests, unit_store_group, NULL);
}
