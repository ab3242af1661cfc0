/* When the table of people is read again, and how long one waits for that. What it tells: test_resolve.c. */
#include "unit_clowder.h"
#include "resolve/visitor.h"

static void readings_are_kept_apart(void **state)
{
    mm_visitors_t visitors = {.took_us = 1};

    (void)state;
    assert_int_equal(mm_visitors_pause(&visitors, VISIT_US), 0); /* never read */
    visitors.read_us = VISIT_US;
    assert_int_equal(mm_visitors_pause(&visitors, VISIT_US), MM_VISITOR_PAUSE_MIN_US);
    assert_int_equal(mm_visitors_pause(&visitors, VISIT_US + MM_VISITOR_PAUSE_MIN_US), 0);
    visitors.took_us = 500000;
    assert_int_equal(mm_visitors_pause(&visitors, VISIT_US + 1000000), 4000000);
    visitors.took_us = MM_VISITOR_PAUSE_MAX_US;
    assert_int_equal(mm_visitors_pause(&visitors, VISIT_US), MM_VISITOR_PAUSE_MAX_US);
    assert_int_equal(mm_visitors_pause(&visitors, VISIT_US - 1), 0); /* the clock was set back */
}

static void a_visit_is_judged_by_a_later_reading(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    mm_visitors_t visitors = {.pool = unit->pool};
    mm_event_t event = visit_with(MM_CREDENTIAL_KEY, "k1", unit->pool);
    mm_visitor_t visitor;
    mm_err_t err;

    clowder_user(store, ADA, "ada");
    assert_int_equal(mm_visitors_find(&visitors, &visitor, &event, VISIT_US + 1), MM_VISITOR_ASK);
    assert_int_equal(mm_visitors_read(&visitors, store, VISIT_US, VISIT_US + 2, &err), APR_SUCCESS);
    assert_int_equal(mm_visitors_find(&visitors, &visitor, &event, VISIT_US + 3), MM_VISITOR_NOBODY);
    event.time_us = VISIT_US + 3;
    assert_int_equal(mm_visitors_find(&visitors, &visitor, &event, VISIT_US + 4), MM_VISITOR_ASK);
    event.time_us = VISIT_US - 10 * 3600 * INT64_C(1000000); /* sessions of that time were not read */
    assert_int_equal(mm_visitors_find(&visitors, &visitor, &event, VISIT_US + 4), MM_VISITOR_ASK);
}

static void malformed_identities_are_nobody(void **state)
{
    unit_t *unit = *state;
    mm_visitors_t visitors = {.pool = unit->pool};
    mm_event_t event = visit_with(0, NULL, unit->pool);
    mm_visitor_t visitor;

    event.identity = mm_bytes_of("dspace:k");
    assert_int_equal(mm_visitors_find(&visitors, &visitor, &event, VISIT_US), MM_VISITOR_NOBODY);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, unit_setup, unit_teardown)
    const struct CMUnitTest tests[] = {
        TEST(readings_are_kept_apart),
        TEST(a_visit_is_judged_by_a_later_reading),
        TEST(malformed_identities_are_nobody),
    };

    return cmocka_run_group_tests(tests, unit_store_group, NULL);
}
