/* The drainer with events that leave something open: counted once whatever the application's database does. */
#include "unit_clowder.h"
#include "unit_drain.h"
#include "drain/batch.h"

#define EVENTS 5

/* A visit of f1 by a link, by ada; and one of a, by nobody known. */
static void spool_both(setting_t *s)
{
    mm_event_t event = visit_with(MM_CREDENTIAL_COOKIE, "s1", s->unit->pool);

    event.id = mm_bytes_of("l1");
    event.via = mm_bytes_of("links:_id:fileId");
    spool_put(s->writer, &event, 1);
    event = visit_with(MM_CREDENTIAL_COOKIE, "wrong", s->unit->pool);
    spool_put(s->writer, &event, 1);
}

static void fill(const setting_t *s)
{
    mm_store_t *store = unit_store_at(s->uri, s->unit->pool);

    clowder_user(store, ADA, "ada");
    clowder_session(store, "s1", "ada", VISIT_MS, VISIT_MS + MINUTE);
    unit_insert(store, "links", "{'_id':'l1','fileId':'f1'}");
}

static void uses_are_counted_for_who_and_what_was_found(void **state)
{
    setting_t s = begin(*state);

    fill(&s);
    spool_both(&s);
    drain_all(&s);
    assert_int_equal(db_get(s.uri, "metrics_files", "f1", "views"), 1);
    assert_int_equal(db_get(s.uri, "metrics_files", "a", "views"), 1);
    assert_int_equal(db_get(s.uri, "metrics_users", "files:2:f1:" ADA, "views"), 1);
    assert_int_equal(db_sum(s.uri, "metrics_users", NULL, "views"), 1);
    assert_int_equal(db_sum(s.uri, "metrics_files", NULL, "views"), 2);
}

static void unknown_keys_hold_nothing_up(void **state)
{
    setting_t s = begin(*state);

    spool_both(&s);
    drain_all(&s);
    assert_int_equal(db_sum(s.uri, "metrics_files", NULL, "views"), 1);
    assert_int_equal(log_count(s.log, "MM0215"), 1); /* it is not Clowder's database */
}

static void while_the_applications_database_is_away_events_wait(void **state)
{
    setting_t s = begin(*state);
    mm_event_t plain = visit_with(0, NULL, s.unit->pool);
    int worked = 0;

    fill(&s);
    s.options.catalog_uri = "mongodb://127.0.0.1:9/x?" TIMES;
    for (int i = 0; i < EVENTS; i++) {
        spool_put(s.writer, &plain, 1);
        spool_both(&s);
    }
    assert_int_equal(open_drain(&s), APR_SUCCESS);
    for (int i = 0; i < 3; i++) {
        assert_int_not_equal(mm_drain_step(s.drain, &worked, &s.err), APR_SUCCESS);
        assert_int_equal(worked, 0);
        assert_false(has_file(s.dir, MM_BATCH_FILE));
    }
    assert_int_equal(db_sum(s.uri, "metrics_files", NULL, "views"), 0);
    close_drain(&s);
    s.options.catalog_uri = s.uri;
    drain_all(&s);
    assert_int_equal(db_sum(s.uri, "metrics_files", NULL, "views"), 3 * EVENTS);
    assert_int_equal(db_get(s.uri, "metrics_files", "f1", "views"), EVENTS);
    assert_int_equal(db_sum(s.uri, "metrics_users", NULL, "views"), EVENTS);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, unit_setup, unit_teardown)
    const struct CMUnitTest tests[] = {
        TEST(uses_are_counted_for_who_and_what_was_found),
        TEST(unknown_keys_hold_nothing_up),
        TEST(while_the_applications_database_is_away_events_wait),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
