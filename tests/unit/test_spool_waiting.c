/* How much of the spool waits: what was appended, and not what is allocated ahead. */
#include "unit_spool.h"

#include "spool/spool.h"
#include "spool/spool_reader.h"
#include "spool/spool_waiting.h"
#include "spool/spool_writer.h"

static int64_t waiting(unit_t *unit, mm_spool_list_t *list)
{
    DIR *dir = opendir(unit->dir);
    int64_t n;
    mm_err_t err;

    assert_non_null(dir);
    assert_int_equal(mm_spool_list_scan(list, dir, &err), APR_SUCCESS);
    n = mm_spool_waiting(list, dirfd(dir));
    closedir(dir);
    return n;
}

static void leaves_out_what_is_read_and_what_is_allocated(void **state)
{
    unit_t *unit = *state;
    char *first = unit_segment_name(unit, 1, 1), *second = unit_segment_name(unit, 2, 2);
    mm_spool_list_t list = {0};

    unit_append_frame(unit, first, "abc", 1); /* 15 bytes */
    unit_append_frame(unit, first, "defg", 1);
    assert_int_equal(waiting(unit, &list), 31);
    assert_int_equal(truncate(unit_path(unit, first), 262144), 0);
    assert_int_equal(waiting(unit, &list), 31);
    unit_append_frame(unit, second, "hi", 2);
    assert_int_equal(waiting(unit, &list), 45);
    assert_int_equal(mm_spool_list_set(&list, first, 15), APR_SUCCESS);
    assert_int_equal(waiting(unit, &list), 30);
    assert_int_equal(mm_spool_list_set(&list, first, 31), APR_SUCCESS);
    assert_int_equal(waiting(unit, &list), 14);
    list.items[1].finished = true;
    assert_int_equal(waiting(unit, &list), 0);
    mm_spool_list_free(&list);
}

/* The same through a writer's window and the reader's own positions. */
static void the_reader_knows_it(void **state)
{
    unit_t *unit = *state;
    char *dir = unit_path(unit, "spool");
    mm_spool_writer_t *writer;
    mm_spool_reader_t *reader;
    const uint8_t *payload;
    uint8_t buf[MM_FRAME_HEADER + 100];
    size_t len;
    mm_err_t err;

    memset(buf, 'x', sizeof(buf));
    assert_int_equal(mm_spool_prepare(dir, (uid_t)-1, (gid_t)-1, unit->pool, &err), APR_SUCCESS);
    assert_int_equal(mm_spool_writer_create(&writer, dir, MM_SPOOL_SEGMENT_MAX, MM_SYNC_NONE, unit->pool, &err),
                     APR_SUCCESS);
    assert_int_equal(mm_spool_reader_create(&reader, dir, NULL, unit->pool, &err), APR_SUCCESS);
    assert_int_equal(mm_spool_reader_waiting(reader), 0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(mm_spool_append(writer, buf, 100, &err), APR_SUCCESS);
    }
    assert_int_equal(mm_spool_reader_begin(reader, &err), APR_SUCCESS);
    assert_int_equal(mm_spool_reader_waiting(reader), 336);
    assert_int_equal(mm_spool_reader_next(reader, &payload, &len, &err), APR_SUCCESS);
    assert_int_equal(mm_spool_reader_waiting(reader), 224);
    while (mm_spool_reader_next(reader, &payload, &len, &err) == APR_SUCCESS) {
    }
    assert_int_equal(mm_spool_reader_waiting(reader), 0);
    mm_spool_writer_close(writer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(leaves_out_what_is_read_and_what_is_allocated, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(the_reader_knows_it, unit_setup, unit_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
