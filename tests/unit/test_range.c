/* Where a request for a part begins. */
#include "unit.h"

#include "event/event.h"
#include "event/range.h"

static int64_t start(const char *range)
{
    /* A copy of its exact length, so that reading on is seen. */
    size_t len = strlen(range);
    char *copy = malloc(len + 1);
    int64_t found;

    memcpy(copy, range, len);
    found = mm_range_start(copy, len);
    free(copy);
    return found;
}

static void tells_where_a_range_begins(void **state)
{
    (void)state;
    assert_true(start("bytes=0-") == 0);
    assert_true(start("Bytes=0-99") == 0);
    assert_true(start("bytes=1-") == 1);
    assert_true(start("bytes=0000-1") == 0);
    assert_true(start("bytes=0-1,5-9") == 0);
    assert_true(start("bytes=5-9,0-1") == 5);
    assert_true(start("bytes=922337203685477580-") == 922337203685477580);
}

static void does_not_guess(void **state)
{
    static const char *const ranges[] = {"",
                                         "bytes=",
                                         "bytes",
                                         "bytes=-5",
                                         "bytes=0",
                                         "bytes=-5,0-9",
                                         "bytes= 0-",
                                         "items=0-",
                                         "bytes=x-",
                                         "bytes=0x-",
                                         "bytes=99999999999999999999-"};

    (void)state;
    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
        if (start(ranges[i]) != MM_RANGE_UNKNOWN) {
            fail_msg("%s", ranges[i]);
        }
    }
}

static void tells_where_an_answer_begins(void **state)
{
    (void)state;
    assert_true(mm_range_answered("bytes 0-99/100", 14) == 0);
    assert_true(mm_range_answered("bytes 7-99/100", 14) == 7);
    assert_true(mm_range_answered("bytes */100", 11) == MM_RANGE_UNKNOWN);
    assert_true(mm_range_answered("bytes=0-99", 10) == MM_RANGE_UNKNOWN);
    assert_true(mm_range_answered("", 0) == MM_RANGE_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_where_a_range_begins),
        cmocka_unit_test(does_not_guess),
        cmocka_unit_test(tells_where_an_answer_begins),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
