/* The buffer in front of a sink: numbers and times to the last digit, and that a failure stays. */
#include "unit_sink.h"

#include <inttypes.h>
#include <time.h>

#include "count/delta.h"
#include "report/out.h"

static void assert_int(int64_t number)
{
    static kept_t kept;
    mm_out_t out;
    char expected[32];

    kept = (kept_t){.len = 0};
    mm_out_init(&out, keep, &kept);
    mm_out_int(&out, number);
    assert_int_equal(mm_out_flush(&out), APR_SUCCESS);
    snprintf(expected, sizeof(expected), "%" PRId64, number);
    assert_string_equal(kept.data, expected);
}

static void test_numbers(void **state)
{
    (void)state;
    for (int64_t n = 1; n > 0 && n <= INT64_MAX / 3; n *= 3) {
        assert_int(n);
        assert_int(-n);
    }
    assert_int(0);
    assert_int(10);
    assert_int(INT64_MAX);
    assert_int(INT64_MIN);
}

/* Each day of ten thousand years, against the C library. */
static void test_every_day(void **state)
{
    char text[MM_TIME_TEXT + 1] = "", expected[64];

    (void)state;
    for (int64_t day = -719528; day <= 2932896; day++) {
        time_t seconds = (time_t)(day * 86400 + (day % 86400 + 86400) % 86400);
        struct tm tm;
        assert_non_null(gmtime_r(&seconds, &tm));
        snprintf(expected, sizeof(expected), "%04d-%02d-%02dT%02d:%02d:%02d", tm.tm_year + 1900, tm.tm_mon + 1,
                 tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
        assert_true(mm_time_text(text, seconds * 1000, 'T'));
        if (strcmp(text, expected) != 0) {
            fail_msg("%s is not %s", text, expected);
        }
    }
}

static void test_edges_of_time(void **state)
{
    char text[MM_TIME_TEXT];

    (void)state;
    assert_false(mm_time_text(text, MM_TIME_NONE, ' '));
    assert_false(mm_time_text(text, INT64_MAX, ' '));
    assert_false(mm_time_text(text, INT64_C(253402300800000), ' '));
    assert_false(mm_time_text(text, INT64_C(-62167219200001), ' '));
    assert_true(mm_time_text(text, -1, ' '));
    assert_memory_equal(text, "1969-12-31 23:59:59", MM_TIME_TEXT);
    assert_true(mm_time_text(text, INT64_C(253402300799999), ' '));
    assert_memory_equal(text, "9999-12-31 23:59:59", MM_TIME_TEXT);
}

static void test_more_than_the_buffer(void **state)
{
    static kept_t kept;
    static char data[3 * MM_OUT_BYTES + 1];
    mm_out_t out;

    (void)state;
    for (size_t i = 0; i < sizeof(data) - 1; i++) {
        data[i] = (char)('a' + i % 26);
    }
    mm_out_init(&out, keep, &kept);
    mm_out_byte(&out, '<');
    mm_out_text(&out, data);
    for (int i = 0; i < MM_OUT_BYTES; i++) {
        mm_out_byte(&out, '>');
    }
    assert_int_equal(mm_out_flush(&out), APR_SUCCESS);
    assert_int_equal(kept.len, 1 + sizeof(data) - 1 + MM_OUT_BYTES);
    assert_int_equal(kept.data[0], '<');
    assert_memory_equal(kept.data + 1, data, sizeof(data) - 1);
    assert_int_equal(kept.data[sizeof(data)], '>');
}

static void test_percent(void **state)
{
    static kept_t kept;
    mm_out_t out;

    (void)state;
    mm_out_init(&out, keep, &kept);
    mm_out_percent(&out, '\xFA');
    mm_out_percent(&out, '\0');
    assert_int_equal(mm_out_flush(&out), APR_SUCCESS);
    assert_string_equal(kept.data, "%FA%00");
}

static void test_failure_stays(void **state)
{
    static kept_t kept = {.fail_at = 1};
    mm_out_t out;

    (void)state;
    mm_out_init(&out, keep, &kept);
    mm_out_text(&out, "a");
    assert_int_equal(mm_out_flush(&out), APR_ECONNABORTED);
    mm_out_text(&out, "b");
    assert_int_equal(mm_out_flush(&out), APR_ECONNABORTED);
    assert_int_equal(kept.calls, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),       cmocka_unit_test(test_every_day),
        cmocka_unit_test(test_edges_of_time), cmocka_unit_test(test_more_than_the_buffer),
        cmocka_unit_test(test_percent),       cmocka_unit_test(test_failure_stays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
