/* Damaged bytes, kept. */
#include "unit_spool.h"

#include <errno.h>

#include "spool/spool_set_aside.h"

static char *kept(unit_t *unit, const char *segment, size_t *len)
{
    char *data = NULL;

    assert_int_equal(mm_file_slurp(&data, len, unit_path(unit, apr_pstrcat(unit->pool, segment, ".corrupt", NULL)),
                                   1000, unit->pool, NULL),
                     APR_SUCCESS);
    return data;
}

static void at_their_place_and_only_once(void **state)
{
    unit_t *unit = *state;
    int dir = open(unit->dir, O_RDONLY | O_DIRECTORY);
    const char *segment = unit_segment_name(unit, 1, 1);
    struct stat st;
    size_t len;
    int i;

    for (i = 0; i < 3; i++) {
        assert_int_equal(mm_spool_set_aside(dir, segment, 10, (const uint8_t *)"torn", 4), APR_SUCCESS);
        assert_int_equal(mm_spool_set_aside(dir, segment, 2, (const uint8_t *)"bit", 3), APR_SUCCESS);
        assert_memory_equal(kept(unit, segment, &len), "\0\0bit\0\0\0\0\0torn", 14);
        assert_int_equal(len, 14);
    }
    assert_int_equal(stat(unit_path(unit, apr_pstrcat(unit->pool, segment, ".corrupt", NULL)), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    close(dir);
}

static void bounded(void **state)
{
    unit_t *unit = *state;
    int dir = open(unit->dir, O_RDONLY | O_DIRECTORY);
    const char *segment = unit_segment_name(unit, 1, 1);
    struct stat st;

    assert_int_equal(mm_spool_set_aside(dir, segment, MM_SPOOL_CORRUPT_MAX, (const uint8_t *)"x", 1), APR_ENOSPC);
    assert_int_equal(unit_count(unit, ".corrupt", NULL), 0);
    assert_int_equal(mm_spool_set_aside(dir, segment, MM_SPOOL_CORRUPT_MAX - 2, (const uint8_t *)"xyz", 3), APR_ENOSPC);
    assert_int_equal(stat(unit_path(unit, apr_pstrcat(unit->pool, segment, ".corrupt", NULL)), &st), 0);
    assert_true(st.st_size == MM_SPOOL_CORRUPT_MAX);
    assert_int_equal(mm_spool_set_aside(dir, segment, MM_SPOOL_CORRUPT_MAX + 5, NULL, 0), APR_SUCCESS);
    close(dir);
}

static void failures(void **state)
{
    unit_t *unit = *state;
    int dir = open(unit->dir, O_RDONLY | O_DIRECTORY);
    const char *segment = unit_segment_name(unit, 1, 1);

    assert_int_equal(symlink("/dev/null", unit_path(unit, apr_pstrcat(unit->pool, segment, ".corrupt", NULL))), 0);
    assert_int_equal(mm_spool_set_aside(dir, segment, 0, (const uint8_t *)"x", 1), ELOOP);
    close(dir);
    assert_int_equal(mm_spool_set_aside(dir, segment, 0, (const uint8_t *)"x", 1), EBADF);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(at_their_place_and_only_once, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(bounded, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(failures, unit_setup, unit_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
