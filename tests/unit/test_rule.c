/* The rules: what counts, and as whose use. */
#include "drain_unit.h"
#include "count/rule.h"

static const mm_policy_t every_click;

/* One row for each thing the rules say, and who says so. RD1: COUNTER Code of Practice for Research Data 1. */
typedef struct vector {
    const char *source;
    mm_action_t action;
    mm_method_t method;
    uint16_t status, flags;
    int64_t range_start, bytes_out;
    mm_verdict_t verdict;
} vector_t;

#define VIEW     MM_ACTION_VIEW
#define DOWNLOAD MM_ACTION_DOWNLOAD
#define GET      MM_METHOD_GET
#define WHOLE    MM_RANGE_NONE
#define BROKEN   MM_EVENT_ABORTED
#define BROKEN2  (MM_EVENT_ABORTED | MM_EVENT_HTTP2)

static const char return_codes[] = "RD1, Return codes: only 200 and 304 are counted";
static const char only_get[] = "HTTP: HEAD asks about a thing and does not get it (Dataverse #7397)";
static const char first_byte[] = "a use in many parts is one use: the part with the first byte (clarin-dspace #846)";
static const char broken_off[] = "RD1: a request is for content; HTTP/1 says exactly whether all was sent";
static const char broken_off2[] = "HTTP/2 says so of whole answers, too: up to 65536 bytes it is not believed";

static const vector_t vectors[] = {
    {return_codes, VIEW, GET, 200, 0, WHOLE, 500, MM_COUNTED},
    {return_codes, DOWNLOAD, GET, 200, 0, WHOLE, 500, MM_COUNTED},
    {return_codes, VIEW, GET, 304, 0, WHOLE, 0, MM_COUNTED},
    {return_codes, DOWNLOAD, GET, 304, 0, 100, 0, MM_COUNTED},
    {return_codes, VIEW, GET, 0, 0, WHOLE, 0, MM_IGNORED_STATUS},
    {return_codes, VIEW, GET, 100, 0, WHOLE, 0, MM_IGNORED_STATUS},
    {return_codes, VIEW, GET, 199, 0, WHOLE, 0, MM_IGNORED_STATUS},
    {return_codes, VIEW, GET, 201, 0, WHOLE, 0, MM_IGNORED_STATUS},
    {return_codes, VIEW, GET, 204, 0, WHOLE, 0, MM_IGNORED_STATUS},
    {return_codes, VIEW, GET, 301, 0, WHOLE, 0, MM_IGNORED_STATUS},
    {return_codes, VIEW, GET, 303, 0, WHOLE, 0, MM_IGNORED_STATUS},
    {return_codes, VIEW, GET, 403, 0, WHOLE, 0, MM_IGNORED_STATUS},
    {return_codes, VIEW, GET, 404, 0, WHOLE, 0, MM_IGNORED_STATUS},
    {return_codes, DOWNLOAD, GET, 416, 0, 0, 354, MM_IGNORED_STATUS},
    {return_codes, VIEW, GET, 500, 0, WHOLE, 0, MM_IGNORED_STATUS},
    {return_codes, VIEW, GET, 65535, 0, WHOLE, 0, MM_IGNORED_STATUS},
    {only_get, VIEW, MM_METHOD_HEAD, 200, 0, WHOLE, 21, MM_IGNORED_METHOD},
    {only_get, VIEW, MM_METHOD_POST, 200, 0, WHOLE, 21, MM_IGNORED_METHOD},
    {only_get, VIEW, MM_METHOD_OTHER, 200, 0, WHOLE, 0, MM_IGNORED_METHOD},
    {only_get, VIEW, MM_METHOD_HEAD, 404, 0, WHOLE, 0, MM_IGNORED_METHOD},
    {first_byte, DOWNLOAD, GET, 206, 0, 0, 100, MM_COUNTED},
    {first_byte, VIEW, GET, 206, 0, 0, 100, MM_COUNTED},
    {first_byte, DOWNLOAD, GET, 206, 0, 1, 100, MM_IGNORED_RANGE},
    {first_byte, VIEW, GET, 206, 0, 65536, 100, MM_IGNORED_RANGE},
    {first_byte, DOWNLOAD, GET, 206, 0, MM_RANGE_UNKNOWN, 100, MM_IGNORED_RANGE},
    {first_byte, DOWNLOAD, GET, 206, 0, WHOLE, 100, MM_IGNORED_RANGE},
    {first_byte, DOWNLOAD, GET, 200, 0, 100, 500, MM_COUNTED}, /* the server sent all the same */
    {broken_off, DOWNLOAD, GET, 200, BROKEN, WHOLE, 500, MM_IGNORED_INCOMPLETE},
    {broken_off, DOWNLOAD, GET, 206, BROKEN, 0, 500, MM_IGNORED_INCOMPLETE},
    {broken_off, DOWNLOAD, GET, 404, BROKEN, WHOLE, 500, MM_IGNORED_STATUS},
    {broken_off, VIEW, GET, 200, BROKEN, WHOLE, 5000000, MM_COUNTED},
    {broken_off2, DOWNLOAD, GET, 200, MM_EVENT_HTTP2, WHOLE, 5000000, MM_COUNTED},
    {broken_off2, DOWNLOAD, GET, 200, BROKEN2, WHOLE, 65536, MM_COUNTED},
    {broken_off2, DOWNLOAD, GET, 200, BROKEN2, WHOLE, 65537, MM_IGNORED_INCOMPLETE},
    {broken_off2, VIEW, GET, 200, BROKEN2, WHOLE, 65537, MM_COUNTED},
};

static void follows_the_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        const vector_t *vector = &vectors[i];
        mm_event_t event = event_of(vector->action, "a", NULL, NOON_US);
        mm_class_t class;
        mm_verdict_t verdict;

        event.method = vector->method;
        event.status = vector->status;
        event.flags = vector->flags;
        event.range_start = vector->range_start;
        event.bytes_out = vector->bytes_out;
        verdict = mm_rule_judge(&event, &every_click, &class);
        assert_int_equal(class, MM_CLASS_REGULAR);
        if (verdict != vector->verdict) {
            fail_msg("row %zu is \"%s\", not \"%s\". %s", i, mm_verdict_name(verdict), mm_verdict_name(vector->verdict),
                     vector->source);
        }
    }
}

static void leaves_out_robots(void **state)
{
    mm_event_t event = event_of(MM_ACTION_VIEW, "a", NULL, NOON_US);
    mm_class_t class;

    (void)state;
    event.class_mark = bytes_of("robot");
    assert_int_equal(mm_rule_judge(&event, &every_click, &class), MM_IGNORED_ROBOT);
    assert_int_equal(class, MM_CLASS_ROBOT);
}

static void names_every_verdict_once(void **state)
{
    (void)state;
    for (int i = 0; i < MM_VERDICTS; i++) {
        const char *name = mm_verdict_name((mm_verdict_t)i);

        assert_non_null(name);
        assert_string_not_equal(name, "unknown");
        for (int j = 0; j < i; j++) {
            assert_string_not_equal(name, mm_verdict_name((mm_verdict_t)j));
        }
    }
    assert_string_equal(mm_verdict_name(MM_VERDICTS), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(follows_the_table),
        cmocka_unit_test(leaves_out_robots),
        cmocka_unit_test(names_every_verdict_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
