/* What dead writers left before it was a segment goes; what a writer holds stays. */
#include "unit_reader.h"

#include "spool/spool_stale.h"

static void removes_what_nobody_holds(void **state)
{
    unit_t *unit = *state;
    mm_spool_name_t stale = {1, 2, 3, 4};
    char name[MM_SPOOL_NEW_LEN + 1];
    const char *others[] = {".hidden", ".x.new", unit_segment_name(unit, 1, 1)};
    DIR *dir = opendir(unit->dir);
    size_t i;

    mm_spool_name_format_new(name, &stale);
    close(unit_append(unit, name, "", 0));
    for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        close(unit_append(unit, others[i], "", 0));
    }
    mm_spool_remove_stale(dir);
    closedir(dir);
    assert_false(unit_exists(unit, name));
    for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        assert_true(unit_exists(unit, others[i]));
    }
}

/* By the way of the reader, which looks for them only when there are some. */
static void clears_away_unfinished_files(void **state)
{
    unit_t *unit = *state;
    mm_spool_reader_t *reader = reader_of(unit, NULL);
    mm_spool_name_t stale = {1, 2, 3, 4}, held = {5, 6, 7, 8};
    char stale_name[MM_SPOOL_NEW_LEN + 1], held_name[MM_SPOOL_NEW_LEN + 1];
    int fd;

    mm_spool_name_format_new(stale_name, &stale);
    mm_spool_name_format_new(held_name, &held);
    close(unit_append(unit, stale_name, "", 0));
    fd = live(unit, held_name);
    assert_round(unit, reader, "");
    assert_true(unit_exists(unit, stale_name));
    release(reader);
    assert_false(unit_exists(unit, stale_name));
    assert_true(unit_exists(unit, held_name));
    close(fd);
    assert_round(unit, reader, "");
    release(reader);
    assert_false(unit_exists(unit, held_name));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(removes_what_nobody_holds),
        TEST(clears_away_unfinished_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
