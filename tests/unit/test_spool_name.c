/* The names of segments. */
#include "unit.h"

#include "spool/spool_name.h"

static void round_trips(void **state)
{
    static const mm_spool_name_t names[] = {
        {0, 0, 0, 0},
        {INT64_C(1700000000123456), 4711, 12, UINT32_C(0xDEADBEEF)},
        {INT64_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char text[MM_SPOOL_NAME_LEN + 1], hidden[MM_SPOOL_NEW_LEN + 1];
        mm_spool_name_t back = {7, 7, 7, 7};

        mm_spool_name_format(text, &names[i]);
        mm_spool_name_format_new(hidden, &names[i]);
        assert_int_equal(strlen(text), MM_SPOOL_NAME_LEN);
        assert_int_equal(strlen(hidden), MM_SPOOL_NEW_LEN);
        assert_true(mm_spool_name_parse(&back, text));
        assert_true(back.time_us == names[i].time_us);
        assert_int_equal(back.pid, names[i].pid);
        assert_int_equal(back.n, names[i].n);
        assert_int_equal(back.seed, names[i].seed);
        assert_false(mm_spool_name_is_new(text));
        assert_true(mm_spool_name_is_new(hidden));
        assert_false(mm_spool_name_parse(&back, hidden));
    }
}

static void reads_like_this(void **state)
{
    mm_spool_name_t name = {INT64_C(0x60a24181e4000), 0x1267, 1, 0xDEADBEEF};
    char text[MM_SPOOL_NEW_LEN + 1];

    (void)state;
    mm_spool_name_format(text, &name);
    assert_string_equal(text, "00060a24181e4000-00001267-00000001-deadbeef.seg");
    mm_spool_name_format_new(text, &name);
    assert_string_equal(text, ".00060a24181e4000-00001267-00000001-deadbeef.new");
}

static void sorts_by_time(void **state)
{
    mm_spool_name_t a = {INT64_C(0x0fffffffffff), UINT32_MAX, UINT32_MAX, UINT32_MAX},
                    b = {INT64_C(0x100000000000), 0, 0, 0};
    char first[MM_SPOOL_NAME_LEN + 1], second[MM_SPOOL_NAME_LEN + 1];

    (void)state;
    mm_spool_name_format(first, &a);
    mm_spool_name_format(second, &b);
    assert_true(strcmp(first, second) < 0);
}

static void other_files(void **state)
{
    static const char *const others[] = {
        "",
        ".",
        "..",
        "id",
        "drain.lock",
        "batch",
        "checkpoint",
        "00060a24181e4000-00001267-00000001-deadbeef",
        "00060a24181e4000-00001267-00000001-deadbeef.se",
        "00060a24181e4000-00001267-00000001-deadbeef.segx",
        "00060a24181e4000-00001267-00000001-deadbeef.seg.corrupt",
        "00060a24181e4000-00001267-00000001-deadbee.seg",
        "00060A24181E4000-00001267-00000001-DEADBEEF.seg",
        "00060a24181e4000-00001267-00000001-deadbeeg.seg",
        "00060a24181e4000_00001267-00000001-deadbeef.seg",
        "80060a24181e4000-00001267-00000001-deadbeef.seg",
        ".00060a24181e4000-00001267-00000001-deadbeef.seg",
        "00060a24181e4000-00001267-00000001-deadbeef.new",
        ".00060a24181e4000-00001267-00000001-deadbeef.new2",
        ".id-17-0a0b0c0d",
    };
    mm_spool_name_t name;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        char *copy = strdup(others[i]);

        if (mm_spool_name_parse(&name, copy) || mm_spool_name_is_new(copy)) {
            fail_msg("%s is taken for a segment", copy);
        }
        free(copy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trips),
        cmocka_unit_test(reads_like_this),
        cmocka_unit_test(sorts_by_time),
        cmocka_unit_test(other_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
