/* Room that is really there, as much as the disk allows, and never an error. */
#include "drain_unit.h"
#include <errno.h>
#include <sys/resource.h>
#include "drain/batch.h"
#include "drain/reserve.h"

static struct stat look(const unit_t *unit)
{
    struct stat info;

    assert_int_equal(stat(apr_pstrcat(unit->pool, unit->dir, "/" MM_BATCH_TEMP_FILE, NULL), &info), 0);
    return info;
}

static void takes_room(void **state)
{
    unit_t *unit = *state;

    assert_int_equal(mm_reserve_make(unit->dir), MM_RESERVE_MAX);
    assert_int_equal(look(unit).st_size, MM_RESERVE_MAX);
    assert_true(look(unit).st_blocks * INT64_C(512) >= MM_RESERVE_MAX);
    assert_int_equal(look(unit).st_mode & 0777, 0600);
    assert_int_equal(mm_reserve_make(unit->dir), MM_RESERVE_MAX);
    assert_int_equal(count_files(unit->dir, "", unit->pool), 3); /* . and .. and it */
}

static void takes_what_it_can_get(void **state)
{
    unit_t *unit = *state;
    struct rlimit before, small;

    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 1000;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    int64_t nothing = mm_reserve_make(unit->dir);
    small.rlim_cur = 100000;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    int64_t some = mm_reserve_make(unit->dir), again = mm_reserve_make(unit->dir);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(nothing, 0);
    assert_int_equal(some, 65536);
    assert_int_equal(again, 65536);
    assert_int_equal(look(unit).st_size, 65536);
    assert_int_equal(mm_reserve_make(unit->dir), MM_RESERVE_MAX);
}

/* What a killed drainer left is room, too. */
static void keeps_what_is_there(void **state)
{
    unit_t *unit = *state;
    int fd = open(apr_pstrcat(unit->pool, unit->dir, "/" MM_BATCH_TEMP_FILE, NULL), O_WRONLY | O_CREAT, 0600);

    assert_int_equal(write(fd, "half a batch", 12), 12);
    close(fd);
    assert_int_equal(mm_reserve_make(unit->dir), MM_RESERVE_MAX);
    assert_int_equal(truncate(apr_pstrcat(unit->pool, unit->dir, "/" MM_BATCH_TEMP_FILE, NULL), 2 * MM_RESERVE_MAX), 0);
    assert_int_equal(mm_reserve_make(unit->dir), 2 * MM_RESERVE_MAX);
}

static void does_without(void **state)
{
    unit_t *unit = *state;

    assert_int_equal(mm_reserve_make("/nonexistent/spool"), 0);
    assert_int_equal(mkdir(apr_pstrcat(unit->pool, unit->dir, "/" MM_BATCH_TEMP_FILE, NULL), 0700), 0);
    assert_int_equal(mm_reserve_make(unit->dir), 0);
}

static void knows_what_no_room_is(void **state)
{
    (void)state;
    assert_true(mm_reserve_no_room(ENOSPC) && mm_reserve_no_room(EDQUOT) && mm_reserve_no_room(EFBIG));
    assert_false(mm_reserve_no_room(APR_SUCCESS) || mm_reserve_no_room(EIO) || mm_reserve_no_room(APR_EGENERAL));
}

#define test(f) cmocka_unit_test_setup_teardown(f, unit_setup, unit_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(takes_room),   test(takes_what_it_can_get), test(keeps_what_is_there),
        test(does_without), test(knows_what_no_room_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
