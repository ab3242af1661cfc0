/* What only the directory tells. */
#include "unit_spool.h"

#include "spool/spool.h"
#include "status/status_show.h"

static void sees_who_holds_the_lock(void **state)
{
    unit_t *unit = *state;
    char *dir = unit_path(unit, "spool");
    mm_status_page_t page = {0};
    mm_status_view_t view;
    mm_err_t err;
    int lock;

    assert_int_equal(mm_spool_prepare(dir, (uid_t)-1, (gid_t)-1, unit->pool, &err), APR_SUCCESS);
    mm_status_look(&view, dir, &page);
    assert_int_equal(view.running, 0);
    assert_false(view.whole);
    assert_int_equal(mm_spool_lock(&lock, dir, unit->pool, &err), APR_SUCCESS);
    mm_status_look(&view, dir, &page);
    assert_int_equal(view.running, 1);
    close(lock);
    mm_status_look(&view, dir, &page);
    assert_int_equal(view.running, 0);
    mm_status_look(&view, unit_path(unit, "nowhere"), &page);
    assert_int_equal(view.running, -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(sees_who_holds_the_lock, unit_setup, unit_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
