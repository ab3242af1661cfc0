/* What the database's refusals mean. */
#include "unit_store.h"

static void test_codes_of_single_writes(void **state)
{
    static const int again[] = {6,   7,   13,  18,  24,  39,   50,   64,    89,    91,    100,   112,
                                189, 262, 365, 371, 402, 8000, 9001, 10107, 11600, 11602, 13435, 14031};
    static const int never[] = {2, 14, 28, 52, 54, 121, 171, 10334, 11000, 17419, 17280};
    /* of the update or the collection, of nothing that we know, or of nothing at all */
    static const int one[] = {1, 8, 9, 40, 66, 72, 0, -1, 424242};
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(again) / sizeof(again[0]); i++) {
        assert_int_equal(mm_store_outcome_of_code(again[i]), MM_RETRY);
    }
    for (i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
        assert_int_equal(mm_store_outcome_of_code(never[i]), MM_REJECTED);
    }
    for (i = 0; i < sizeof(one) / sizeof(one[0]); i++) {
        assert_int_equal(mm_store_outcome_of_code(one[i]), MM_RETRY_ONE);
    }
}

static void test_away_or_not(void **state)
{
    static const struct {
        uint32_t domain, code;
        bool away;
    } cases[] = {
        {MONGOC_ERROR_STREAM, MONGOC_ERROR_STREAM_SOCKET, true},
        {MONGOC_ERROR_SERVER_SELECTION, MONGOC_ERROR_SERVER_SELECTION_FAILURE, true},
        {MONGOC_ERROR_SERVER, 10107, true},
        {MONGOC_ERROR_SERVER, 91, true},
        {MONGOC_ERROR_SERVER, 50, true},
        {MONGOC_ERROR_SERVER, 2, false},
        {MONGOC_ERROR_SERVER, 13, false},
        {MONGOC_ERROR_CLIENT, MONGOC_ERROR_CLIENT_AUTHENTICATE, false},
        /* the same number in another domain means something else */
        {MONGOC_ERROR_CLIENT, 91, false},
        {0, 0, false},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        bson_error_t error = {.domain = cases[i].domain, .code = cases[i].code, .message = "why"};
        mm_err_t err = {0};

        assert_int_equal(mm_store_is_away(&error), cases[i].away);
        assert_int_equal(mm_store_fail(&err, &error, "Doing"), cases[i].away ? MM_STORE_AWAY : APR_EGENERAL);
        assert_string_equal(err.text, "Doing: why");
    }
}

static void test_too_slow(void **state)
{
    static const struct {
        bson_error_t error;
        bool slow;
    } cases[] = {{{MONGOC_ERROR_SERVER, 50, ""}, true},
                 {{MONGOC_ERROR_SERVER, 13, ""}, false},
                 {{MONGOC_ERROR_STREAM, 50, ""}, false}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(mm_store_is_slow(&cases[i].error), cases[i].slow);
    }
}

static void test_no_reason(void **state)
{
    bson_error_t error = {0};
    mm_err_t err = {0};

    (void)state;
    mm_store_fail(&err, &error, "Doing");
    assert_string_equal(err.text, "Doing: the MongoDB driver gave no reason");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_codes_of_single_writes),
        cmocka_unit_test(test_away_or_not),
        cmocka_unit_test(test_too_slow),
        cmocka_unit_test(test_no_reason),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
