/* Query strings: decoding, the table of parameters, and what is said about the rest. */
#include "unit.h"

#include "route/params.h"

static int parse(unit_t *unit, mm_route_t *route, const char *args, unsigned takes, const char **format, mm_err_t *err)
{
    memset(route, 0, sizeof(*route));
    memset(err, 0, sizeof(*err));
    route->limit = -1;
    return mm_params_parse(route, format, args, takes, unit->pool, err);
}

static mm_route_t taken(unit_t *unit, const char *args)
{
    mm_route_t route;
    mm_err_t err;
    const char *format;

    if (parse(unit, &route, args, MM_PARAMS_REPORT | MM_PARAMS_ROWS | MM_PARAMS_PARENT, &format, &err) != 0) {
        fail_msg("%s: %s", args, err.text);
    }
    return route;
}

static void assert_refused(unit_t *unit, const char *args, const char *told)
{
    mm_route_t route;
    mm_err_t err;
    const char *format;
    int status = parse(unit, &route, args, MM_PARAMS_REPORT | MM_PARAMS_ROWS | MM_PARAMS_PARENT, &format, &err);

    if (status != 400 || !strstr(err.text, told)) {
        fail_msg("%s: %d \"%s\", expected \"%s\"", args, status, err.text, told);
    }
}

static void test_nothing(void **state)
{
    static const char *const nothing[] = {NULL, "", "&", "&&&"};

    for (int i = 0; i < 4; i++) {
        mm_route_t route;
        mm_err_t err;
        const char *format = "x";
        assert_int_equal(parse(*state, &route, nothing[i], MM_PARAMS_NONE, &format, &err), 0);
        assert_null(format);
        assert_int_equal(route.limit, -1);
    }
}

static void test_what_was_given(void **state)
{
    const apr_array_header_t *given = taken(*state, "raw=1&%6cimit=7&parents=none").given;
    const mm_given_t *second = &APR_ARRAY_IDX(given, 1, mm_given_t);

    assert_int_equal(given->nelts, 3);
    assert_string_equal(APR_ARRAY_IDX(given, 0, mm_given_t).name, "raw");
    assert_string_equal(second->name, "limit");
    assert_string_equal(second->value, "7");
    assert_int_equal(taken(*state, NULL).given->nelts, 0);
}

static void test_numbers(void **state)
{
    assert_int_equal(taken(*state, "limit=0").limit, 0);
    assert_int_equal(taken(*state, "limit=007").limit, 7);
    assert_int_equal(taken(*state, "offset=9007199254740992").offset, INT64_C(9007199254740992));
    assert_refused(*state, "offset=9007199254740993", "\"offset\" is a whole number");
    assert_refused(*state, "limit=99999999999999999999999999", "\"limit\" is a whole number");
    assert_refused(*state, "limit=18446744073709551617", "\"limit\" is a whole number");
    assert_refused(*state, "limit=-1", "not \"-1\"");
    assert_refused(*state, "limit=%2B1", "not \"+1\"");
    assert_refused(*state, "limit=+1", "not \" 1\"");
    assert_refused(*state, "limit=1.0", "not \"1.0\"");
    assert_refused(*state, "limit=0x10", "not \"0x10\"");
    assert_refused(*state, "limit=all", "not \"all\"");
    assert_refused(*state, "limit=", "not \"\"");
    assert_refused(*state, "limit", "not \"\"");
}

static void test_switches_and_words(void **state)
{
    assert_int_equal(taken(*state, "raw=1").raw, 1);
    assert_int_equal(taken(*state, "raw=0&bom=1").raw, 0);
    assert_int_equal(taken(*state, "raw=0&bom=1").bom, 1);
    assert_int_equal(taken(*state, "parents=joined").parents, MM_PARENTS_JOINED);
    assert_int_equal(taken(*state, "parents=rows").parents, MM_PARENTS_ROWS);
    assert_int_equal(taken(*state, "parents=none").parents, MM_PARENTS_NONE);
    assert_refused(*state, "raw=2", "\"raw\" is 0 or 1, not \"2\"");
    assert_refused(*state, "raw=10", "not \"10\"");
    assert_refused(*state, "raw=true", "not \"true\"");
    assert_refused(*state, "bom", "\"bom\" is 0 or 1");
    assert_refused(*state, "parents=all", "joined, rows or none");
    assert_refused(*state, "parents=ROWS", "joined, rows or none");
}

static void test_selections(void **state)
{
    mm_route_t route =
        taken(*state, "sort=last_viewed&order=asc&agent=machine&parent=a:b:c&columns=status,owner,status");

    assert_int_equal(route.sort, MM_SORT_LAST_VIEWED);
    assert_int_equal(route.direction, MM_DIRECTION_ASC);
    assert_int_equal(route.agent, MM_AGENT_MACHINE);
    assert_string_equal(route.parent_type, "a");
    assert_string_equal(route.parent_id, "b:c");
    assert_int_equal(route.n_extras, 2);
    assert_int_equal(route.extras[0], MM_EXTRA_STATUS);
    assert_int_equal(route.extras[1], MM_EXTRA_OWNER);
    assert_refused(*state, "sort=", "last_downloaded");
    assert_refused(*state, "sort=views,downloads", "one of views");
    assert_refused(*state, "columns=owner,", "some of owner");
    assert_refused(*state, "columns=own", "some of owner");
    assert_refused(*state, "columns=parent_", "some of owner");
    assert_refused(*state,
                   "columns=parent_1,parent_2,parent_3,parent_4,parent_5,parent_6,parent_7,parent_8,parent_9,parent_10,"
                   "parent_11,parent_12,parent_13,parent_14,parent_15,parent_16,parent_17",
                   "16 at most");
    assert_refused(*state, "parent=a:", "TYPE:ID");
    assert_refused(*state, "user=ann", "\"user\" here");
}

static void test_periods_are_of_whole_days(void **state)
{
    static const struct {
        const char *args;
        int64_t since, until;
    } cases[] = {{"since=1970-01-02&until=1970-01-03", 1, 2},
                 {"since=1970-01-02T23:59:59.999Z&until=1970-01-03T00:00:00.001Z", 1, 3},
                 {"since=1969-12-31T12:00&until=1969-12-31T12:00", -1, 0},
                 {"since=1970-01-02T00:00:00%2B01:00&until=1970-01-02T23:00:00-01:00", 0, 2},
                 {"since=1970-01-02T00:00%2B01:00&until=1970-01-02T23:00-01:00", 0, 2}};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        mm_route_t route = taken(*state, cases[i].args);
        assert_true(route.has_since && route.has_until);
        assert_int_equal(route.since_ms, cases[i].since * 86400000);
        assert_int_equal(route.until_ms, cases[i].until * 86400000);
    }
    assert_false(taken(*state, "until=2026-01-01").has_since);
    assert_refused(*state, "since=january", "2026-01-31");
    assert_refused(*state, "until=", "2026-01-31");
    assert_int_equal(taken(*state, "until=9999-12-31").until_ms, INT64_C(253402214400000));
    assert_refused(*state, "until=9999-12-31T00:01", "2026-01-31");
}

static void test_parameters_of_some_reports(void **state)
{
    mm_route_t route;
    mm_err_t err;
    const char *format;
    char longest[MM_EVENT_USER_MAX + 7] = "user=";

    memset(longest + 5, 'u', MM_EVENT_USER_MAX + 1);
    assert_int_equal(parse(*state, &route, longest, MM_PARAMS_USERS, &format, &err), 400);
    longest[MM_EVENT_USER_MAX + 5] = 0;
    assert_int_equal(parse(*state, &route, longest, MM_PARAMS_USERS, &format, &err), 0);
    assert_int_equal(strlen(route.user), MM_EVENT_USER_MAX);
    assert_int_equal(parse(*state, &route, "others=1", MM_PARAMS_USERS, &format, &err), 0);
    assert_int_equal(route.others, 1);
    assert_int_equal(parse(*state, &route, "not_accessed_since=1970-01-02", MM_PARAMS_TOTALS, &format, &err), 0);
    assert_int_equal(route.unused_since_ms, 86400000);
    assert_int_equal(route.n_extras, 2);
    assert_int_equal(parse(*state, &route, "not_accessed_since=1970", MM_PARAMS_TOTALS, &format, &err), 400);
    assert_int_equal(parse(*state, &route, "never_used=1&columns=created",
                           MM_PARAMS_TOTALS | MM_PARAMS_REPORT | MM_PARAMS_ROWS | MM_PARAMS_PARENT, &format, &err),
                     0);
    assert_int_equal(route.never_used, MM_NEVER_USED_TOO);
    assert_int_equal(route.n_extras, 1);
    assert_int_equal(parse(*state, &route, "never_used=0", MM_PARAMS_TOTALS, &format, &err), 0);
    assert_int_equal(route.n_extras, 0);
    assert_int_equal(parse(*state, &route, "never_used=yes", MM_PARAMS_TOTALS, &format, &err), 400);
    assert_int_equal(parse(*state, &route, "never_used=1", MM_PARAMS_USERS, &format, &err), 400);
    assert_int_equal(parse(*state, &route, "id=a", MM_PARAMS_ID, &format, &err), 0);
}

static void test_unknown(void **state)
{
    mm_route_t route;
    mm_err_t err;
    const char *format;

    assert_refused(*state, "sin=2026",
                   "\"sin\" here; there are: limit, offset, sort, order, agent, columns, parent, since, until, "
                   "parents, raw, bom, format.");
    assert_refused(*state, "id=1", "\"id\" here");
    assert_refused(*state, "Limit=1", "\"Limit\" here");
    assert_refused(*state, "limit=1&=2", "\"\" here");
    assert_refused(*state, "limi=1", "\"limi\" here");
    assert_refused(*state, "limits=1", "\"limits\" here");
    assert_int_equal(parse(*state, &route, "raw=1", MM_PARAMS_RECORD, &format, &err), 400);
    assert_non_null(strstr(err.text, "there are: id."));
    assert_int_equal(parse(*state, &route, "raw=1", MM_PARAMS_NONE, &format, &err), 400);
    assert_non_null(strstr(err.text, "this takes none."));
}

static void test_twice(void **state)
{
    assert_refused(*state, "raw=1&raw=1", "\"raw\" stands more than once");
    assert_refused(*state, "raw=1&limit=2&%72aw=0", "\"raw\" stands more than once");
    assert_refused(*state, "format=csv&format=csv", "\"format\" stands more than once");
}

static void test_decoding(void **state)
{
    mm_route_t route;
    mm_err_t err;
    const char *format;

    assert_int_equal(taken(*state, "%6c%69mit=%31%30").limit, 10);
    assert_int_equal(taken(*state, "&limit=10&&raw=1&").limit, 10);
    assert_refused(*state, "limit=%", "%");
    assert_refused(*state, "limit=1%3", "limit=1%3");
    assert_refused(*state, "limit=%zz", "limit=%zz");
    assert_refused(*state, "limit=%3z", "limit=%3z");
    assert_refused(*state, "limit=1%00", "limit=1%00");
    assert_refused(*state, "%00limit=1", "%00limit=1");
    /* An escape does not reach into the next parameter. */
    assert_refused(*state, "limit=1%&31=2", "\"limit=1%\"");
    assert_int_equal(parse(*state, &route, "id=%e2%82%AC%01%ff+%2b%26%3d=a", MM_PARAMS_RECORD, &format, &err), 0);
    assert_string_equal(route.id, "\xE2\x82\xAC\x01\xFF +&==a");
}

static void test_format_is_handed_on(void **state)
{
    mm_route_t route;
    mm_err_t err;
    const char *format;

    assert_int_equal(
        parse(*state, &route, "format=js+on", MM_PARAMS_REPORT | MM_PARAMS_ROWS | MM_PARAMS_PARENT, &format, &err), 0);
    assert_string_equal(format, "js on");
}

static void test_quoting(void **state)
{
    char buf[MM_QUOTE_MAX];
    char text[MM_QUOTE_MAX + 10];

    (void)state;
    assert_string_equal(mm_route_quote(buf, ""), "");
    assert_string_equal(mm_route_quote(buf, "a b~"), "a b~");
    assert_string_equal(mm_route_quote(buf, "\"\n\x7F\xC3\xBC\x1B"), "??????");
    memset(text, 'x', sizeof(text));
    text[MM_QUOTE_MAX - 1] = '\0';
    assert_string_equal(mm_route_quote(buf, text), text);
    text[MM_QUOTE_MAX - 1] = 'x';
    text[MM_QUOTE_MAX] = '\0';
    assert_int_equal(strlen(mm_route_quote(buf, text)), MM_QUOTE_MAX - 1);
    assert_string_equal(buf + MM_QUOTE_MAX - 5, "x...");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_what_was_given),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_switches_and_words),
        cmocka_unit_test(test_selections),
        cmocka_unit_test(test_periods_are_of_whole_days),
        cmocka_unit_test(test_parameters_of_some_reports),
        cmocka_unit_test(test_unknown),
        cmocka_unit_test(test_twice),
        cmocka_unit_test(test_decoding),
        cmocka_unit_test(test_format_is_handed_on),
        cmocka_unit_test(test_quoting),
    };

    return cmocka_run_group_tests(tests, unit_setup, unit_teardown);
}
