/* What a drainer leaves in the page of counters. */
#include "unit_drain.h"

#include "drain/account.h"

static int64_t value(const setting_t *s, mm_status_value_t which)
{
    mm_status_page_t page;
    mm_err_t err;

    if (mm_status_read(&page, s->dir, &err) != APR_SUCCESS) {
        fail_msg("%s", err.text);
    }
    return mm_status_get(&page, which);
}

static int64_t verdict(const setting_t *s, mm_verdict_t which)
{
    mm_status_page_t page;

    assert_int_equal(mm_status_read(&page, s->dir, NULL), APR_SUCCESS);
    return mm_status_get_verdict(&page, which);
}

static void a_batch_is_counted_when_it_is_applied(void **state)
{
    setting_t s = begin(*state);
    mm_event_t robot = event_of(MM_ACTION_VIEW, "a", NULL, NOON_US);

    robot.class_mark = bytes_of("robot");
    spool_view(s.writer, "a", NULL);
    spool_view(s.writer, "b", "ada");
    spool_put(s.writer, &robot, 1);
    drain_all(&s);
    assert_int_equal(value(&s, MM_STATUS_READ), 3);
    assert_int_equal(verdict(&s, MM_COUNTED), 2);
    assert_int_equal(verdict(&s, MM_IGNORED_ROBOT), 1);
    assert_int_equal(value(&s, MM_STATUS_BATCHES), 1);
    assert_int_equal(value(&s, MM_STATUS_WRITTEN), 5);
    assert_int_equal(value(&s, MM_STATUS_REJECTED), 0);
    assert_int_equal(value(&s, MM_STATUS_DATABASE_ERRORS), 0);
    assert_int_equal(value(&s, MM_STATUS_DRAINER_STARTS), 1);
    assert_int_equal(value(&s, MM_STATUS_SPOOL_BYTES), 0);
    assert_true(value(&s, MM_STATUS_EMPTIED_US) > NOON_US);
    assert_true(value(&s, MM_STATUS_LAST_BATCH_US) > NOON_US);
    /* Another one goes on from there. */
    spool_view(s.writer, "a", NULL);
    drain_all(&s);
    assert_int_equal(value(&s, MM_STATUS_READ), 4);
    assert_int_equal(value(&s, MM_STATUS_DRAINER_STARTS), 2);
}

static void a_database_that_is_away_is_seen(void **state)
{
    setting_t s = begin(*state);
    int worked;

    s.options.mongo_uri = "mongodb://127.0.0.1:1/x?" TIMES;
    spool_view(s.writer, "a", NULL);
    assert_int_equal(open_drain(&s), APR_SUCCESS);
    assert_int_not_equal(mm_drain_step(s.drain, &worked, &s.err), APR_SUCCESS);
    assert_int_equal(value(&s, MM_STATUS_DATABASE_ERRORS), 1);
    assert_int_equal(value(&s, MM_STATUS_READ), 1);
    assert_int_equal(value(&s, MM_STATUS_BATCHES), 0);
    assert_int_equal(value(&s, MM_STATUS_EMPTIED_US), 0);
    close_drain(&s);
    /* What was read into a batch is not read, and so not counted, again. */
    s.options.mongo_uri = s.uri;
    drain_all(&s);
    assert_int_equal(value(&s, MM_STATUS_READ), 1);
    assert_int_equal(value(&s, MM_STATUS_BATCHES), 1);
    assert_int_equal(value(&s, MM_STATUS_WRITTEN), 2);
}

static void the_size_of_the_spool_is_set_right(void **state)
{
    setting_t s = begin(*state);
    mm_status_page_t *page = NULL;
    mm_err_t err;
    bool damaged;

    assert_int_equal(mm_status_prepare(s.dir, &damaged, &err), APR_SUCCESS);
    assert_int_equal(mm_status_open(&page, s.dir, &err), APR_SUCCESS);
    mm_status_add(page, MM_STATUS_SPOOL_BYTES, 1000000);
    drain_all(&s);
    assert_int_equal(value(&s, MM_STATUS_SPOOL_BYTES), 0);
}

/* Before any round: a database that is away keeps rounds from ending, and the limit of the spool from being right. */
static void the_size_of_the_spool_is_right_from_the_beginning(void **state)
{
    setting_t s = begin(*state);

    spool_view(s.writer, "a", NULL);
    spool_view(s.writer, "b", NULL);
    assert_int_equal(open_drain(&s), APR_SUCCESS);
    assert_true(value(&s, MM_STATUS_SPOOL_BYTES) > 2 * MM_FRAME_HEADER);
    close_drain(&s);
    drain_all(&s);
    assert_int_equal(value(&s, MM_STATUS_SPOOL_BYTES), 0);
    assert_int_equal(views(&s), 2);
}

static void a_damaged_page_hurts_nobody(void **state)
{
    setting_t s = begin(*state);
    bool damaged;

    assert_int_equal(mm_status_prepare(s.dir, &damaged, NULL), APR_SUCCESS);
    file_damage(s.dir, MM_STATUS_FILE, 0);
    spool_view(s.writer, "a", NULL);
    drain_all(&s);
    assert_int_equal(log_count(s.log, "MM0212"), 1);
    assert_int_equal(views(&s), 1);
    assert_int_equal(value(&s, MM_STATUS_READ), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_batch_is_counted_when_it_is_applied, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(a_database_that_is_away_is_seen, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(the_size_of_the_spool_is_set_right, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(the_size_of_the_spool_is_right_from_the_beginning, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(a_damaged_page_hurts_nobody, unit_setup, unit_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
