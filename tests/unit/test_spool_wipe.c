/* What was counted leaves the disk, and nothing else does. */
#include "unit_spool.h"

#include <errno.h>

#include "spool/spool_wipe.h"

#define SIZE (64 * 1024)
#define MARK 28

static int64_t blocks(const char *path)
{
    struct stat st;

    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_size, SIZE);
    return (int64_t)st.st_blocks;
}

static void wipes_to_the_byte(void **state)
{
    unit_t *unit = *state;
    int dir = open(unit->dir, O_RDONLY | O_DIRECTORY);
    const char *segment = unit_segment_name(unit, 1, 1);
    char *data = memset(apr_palloc(unit->pool, SIZE), 'x', SIZE), *read = NULL;
    int64_t before;
    size_t len;

    close(unit_append(unit, segment, data, SIZE));
    before = blocks(unit_path(unit, segment));
    assert_int_equal(mm_spool_wipe(dir, segment, 1, 0, 40001), APR_SUCCESS);
    assert_int_equal(mm_file_slurp(&read, &len, unit_path(unit, segment), SIZE, unit->pool, NULL), APR_SUCCESS);
    memset(data + MARK, 0, 40001 - MARK);
    assert_int_equal(len, SIZE);
    assert_memory_equal(read + MARK, data + MARK, SIZE - MARK);
    assert_true(blocks(unit_path(unit, segment)) < before);
    close(dir);
}

static int64_t wiped(unit_t *unit, const char *segment, uint32_t seed)
{
    int fd = open(unit_path(unit, segment), O_RDONLY);
    int64_t to = mm_spool_wiped(fd, seed);

    close(fd);
    return to;
}

static void says_how_far(void **state)
{
    unit_t *unit = *state;
    int dir = open(unit->dir, O_RDONLY | O_DIRECTORY);
    const char *segment = unit_segment_name(unit, 1, 1);
    char *data = memset(apr_palloc(unit->pool, SIZE), 'x', SIZE);

    close(unit_append(unit, segment, data, SIZE));
    assert_int_equal(wiped(unit, segment, 1), 0);
    assert_int_equal(mm_spool_wipe(dir, segment, 1, 0, MARK - 1), APR_SUCCESS); /* there is no room to say so */
    assert_int_equal(wiped(unit, segment, 1), 0);
    assert_int_equal(mm_spool_wipe(dir, segment, 1, 0, MARK), APR_SUCCESS);
    assert_int_equal(wiped(unit, segment, 1), MARK);
    assert_int_equal(mm_spool_wipe(dir, segment, 1, MARK, 9000), APR_SUCCESS);
    assert_int_equal(wiped(unit, segment, 1), 9000);
    assert_int_equal(wiped(unit, segment, 2), 0); /* somebody else's bytes */
    assert_int_equal(truncate(unit_path(unit, segment), 8999), 0);
    assert_int_equal(wiped(unit, segment, 1), 0); /* of a file that was cut it cannot be true */
    close(dir);
}

static void a_segment_that_is_gone_or_in_the_way(void **state)
{
    unit_t *unit = *state;
    int dir = open(unit->dir, O_RDONLY | O_DIRECTORY);
    const char *segment = unit_segment_name(unit, 1, 1);

    assert_int_equal(mm_spool_wipe(dir, segment, 1, 0, 100), APR_SUCCESS);
    assert_int_equal(symlink("/dev/null", unit_path(unit, segment)), 0);
    assert_int_equal(mm_spool_wipe(dir, segment, 1, 0, 100), ELOOP);
    close(dir);
}

#define test(f) cmocka_unit_test_setup_teardown(f, unit_setup, unit_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(wipes_to_the_byte),
        test(says_how_far),
        test(a_segment_that_is_gone_or_in_the_way),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
