/* Lines of NDJSON, and RFC 3339. */
#include "unit.h"

#include <time.h>

#include "event/event_json.h"

/* 2026-01-31T12:00:00Z */
#define NOW (INT64_C(1769860800) * 1000000)

static apr_status_t from(mm_event_t *event, const char *line, unit_t *unit, mm_err_t *err)
{
    /* A copy of its exact length, so that reading on is seen. */
    size_t len = strlen(line);
    char *copy = malloc(len + 1);
    apr_status_t status;

    memcpy(copy, line, len);
    status = mm_event_from_json(event, copy, len, NOW, unit->pool, err);
    memset(copy, 'X', len);
    free(copy);
    return status;
}

static void taken(void **state, mm_event_t *event, const char *line)
{
    mm_err_t err = {0};

    memset(event, 0xA5, sizeof(*event));
    if (from(event, line, *state, &err) != APR_SUCCESS) {
        fail_msg("%s: %s", line, err.text);
    }
    assert_int_equal(mm_event_check(event, &err), APR_SUCCESS);
}

static void refused(void **state, const char *line, const char *word)
{
    mm_event_t event;
    mm_err_t err = {0};

    if (from(&event, line, *state, &err) == APR_SUCCESS) {
        fail_msg("taken: %s", line);
    }
    if (strstr(err.text, word) == NULL) {
        fail_msg("%s: \"%s\" does not say \"%s\"", line, err.text, word);
    }
}

static void assert_text(const mm_bytes_t *bytes, const char *text)
{
    assert_int_equal(bytes->len, strlen(text));
    assert_memory_equal(bytes->data, text, bytes->len);
}

static void takes_the_least(void **state)
{
    mm_event_t e;

    taken(state, &e, "{\"type\":\"datasets\",\"id\":\"5f\",\"action\":\"view\"}");
    assert_int_equal(e.action, MM_ACTION_VIEW);
    assert_int_equal(e.source, MM_SOURCE_POST);
    assert_int_equal(e.method, MM_METHOD_GET);
    assert_int_equal(e.status, 200);
    assert_int_equal(e.flags, 0);
    assert_true(e.time_us == NOW);
    assert_true(e.range_start == MM_RANGE_NONE);
    assert_true(e.bytes_out == 0);
    assert_text(&e.type, "datasets");
    assert_text(&e.id, "5f");
    assert_int_equal(e.user.len + e.session.len + e.address.len + e.agent.len + e.class_mark.len, 0);
}

static void takes_the_most(void **state)
{
    mm_event_t e;

    taken(state, &e,
          " {\"id\":\"10.1/\\u00e9\\\"\\\\\\n\",\"action\":\"download\" , "
          "\"type\":\"files\",\"time\":\"2026-01-30T01:02:03.5Z\","
          "\"user\":\"$where\",\"session\":\"s\",\"address\":\"::1\",\"agent\":\"curl\",\"class\":\"robot\"} \r\n");
    assert_int_equal(e.action, MM_ACTION_DOWNLOAD);
    assert_text(&e.id, "10.1/\xC3\xA9\"\\\n");
    assert_true(e.time_us == INT64_C(1769734923500000));
    assert_text(&e.user, "$where");
    assert_text(&e.session, "s");
    assert_text(&e.address, "::1");
    assert_text(&e.agent, "curl");
    assert_text(&e.class_mark, "robot");
    taken(state, &e, "{\"type\":\"d\",\"id\":\"\\ud83d\\ude00\",\"action\":\"view\",\"user\":\"\",\"class\":\"\"}");
    assert_text(&e.id, "\xF0\x9F\x98\x80");
    assert_int_equal(e.user.len, 0);
}

#define REST "\"type\":\"datasets\",\"id\":\"5f\",\"action\":\"view\""

static void refuses_what_is_no_object(void **state)
{
    static const char *const lines[] = {
        "",
        "   ",
        "x",
        "null",
        "{",
        "}",
        "{}x",
        "[{" REST "}]",
        "\"" REST "\"",
        "{" REST,
        "{" REST ",}",
        "{" REST "},",
        "{" REST "}}",
        "{" REST "}]",
        "{" REST "} x",
        "{" REST "}{" REST "}",
        "{" REST "} {" REST "}",
        "{" REST "},{" REST "}",
        "{" REST "}\n{}",
        "x{" REST "}",
        "\xEF\xBB\xBF{" REST "}",
        "{'type':\"datasets\",\"id\":\"5f\",\"action\":\"view\"}",
        "{type:\"datasets\",\"id\":\"5f\",\"action\":\"view\"}",
        "{\"type\":\"datasets\" \"id\":\"5f\",\"action\":\"view\"}",
        "{\"type\":\"data\nsets\",\"id\":\"5f\",\"action\":\"view\"}",
        "{" REST ",\"user\":\"\\x\"}",
        "{" REST ",\"user\":\"\\u00\"}",
        "{" REST ",\"user\":\"\\ud800\"}",
        "{" REST ",\"user\":\"\\udc00\"}",
    };
    size_t i;

    for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        refused(state, lines[i], "JSON object");
    }
    refused(state, "{" REST ",\"user\":\"\xFF\"}", "UTF-8");
    refused(state, "{" REST ",\"user\":\"\xED\xA0\x80\"}", "UTF-8");
    refused(state, "[\"a\"]", "JSON object");
}

static void refuses_zero_bytes(void **state)
{
    static const char raw[] = "{" REST ",\"user\":\"a\0b\"}";
    unit_t *unit = *state;
    mm_event_t e;
    mm_err_t err;

    refused(state, "{" REST ",\"user\":\"a\\u0000\"}", "zero byte");
    refused(state, "{" REST ",\"user\":\"\\\\\\u0000\"}", "zero byte");
    refused(state, "{\"type\\u0000x\":\"datasets\",\"id\":\"5f\",\"action\":\"view\"}", "zero byte");
    assert_int_equal(mm_event_from_json(&e, raw, sizeof(raw) - 1, NOW, unit->pool, &err), APR_EINVAL);
    /* A backslash and text that looks like it is none. */
    taken(state, &e, "{" REST ",\"user\":\"\\\\u0000\"}");
    assert_text(&e.user, "\\u0000");
}

static void refuses_what_is_no_string(void **state)
{
    refused(state, "{" REST ",\"user\":{\"$oid\":\"0123456789ab0123456789ab\"}}", "\"user\" is not a string");
    refused(state, "{" REST ",\"time\":{\"$date\":\"2026-01-01T00:00:00Z\"}}", "\"time\" is not a string");
    refused(state, "{" REST ",\"user\":{\"$ne\":\"\"}}", "\"user\"");
    refused(state, "{" REST ",\"user\":null}", "\"user\" is not a string");
    refused(state, "{" REST ",\"user\":5}", "\"user\" is not a string");
    refused(state, "{" REST ",\"user\":[\"a\"]}", "\"user\" is not a string");
    refused(state, "{" REST ",\"user\":{\"$symbol\":\"a\"}}", "\"user\" is not a string");
    refused(state, "{\"$oid\":\"0123456789ab0123456789ab\"}", "$oid");
}

static void refuses_members(void **state)
{
    refused(state, "{" REST ",\"usr\":\"a\"}", "\"usr\" is not known; those that are: type, id, action, time, user,");
    refused(state, "{" REST ",\"\":\"a\"}", "\"\" is not known");
    refused(state, "{" REST ",\"Type\":\"a\"}", "\"Type\" is not known");
    refused(state, "{" REST ",\"id\":\"6\"}", "\"id\" is there twice");
    refused(state, "{" REST ",\"user\":\"\",\"user\":\"\"}", "\"user\" is there twice");
    refused(state, "{\"id\":\"5f\",\"action\":\"view\"}", "\"type\" is missing");
    refused(state, "{\"type\":\"datasets\",\"action\":\"view\"}", "\"id\" is missing");
    refused(state, "{\"type\":\"datasets\",\"id\":\"5f\"}", "\"action\" is missing");
    refused(state, "{}", "\"type\" is missing");
    refused(state, "{\"type\":\"datasets\",\"id\":\"\",\"action\":\"view\"}", "id is empty");
    refused(state, "{\"type\":\"Data\",\"id\":\"5\",\"action\":\"view\"}", "type");
    refused(state, "{\"type\":\"data\",\"id\":\"5\",\"action\":\"VIEW\"}", "action");
    refused(state, "{" REST ",\"class\":\"A\"}", "class");
}

/* The sentence may go into an answer that must be UTF-8. */
static void long_names_are_cut_between_characters(void **state)
{
    char line[400];
    mm_event_t e;
    mm_err_t err;
    int i;

    strncpy(line, "{\"a", sizeof(line));
    for (i = 0; i < 100; i++) {
        strncat(line, "\xC3\xA9", sizeof(line) - strlen(line) - 1);
    }
    strncat(line, "\":\"x\"}", sizeof(line) - strlen(line) - 1);
    assert_int_not_equal(from(&e, line, *state, &err), APR_SUCCESS);
    assert_non_null(strstr(err.text, "\xC3\xA9\" is not known"));
    assert_true(strlen(err.text) < 200);
}

static void limits(void **state)
{
    unit_t *unit = *state;
    char text[MM_EVENT_ID_MAX + 2];
    mm_event_t e;

    memset(text, 'x', sizeof(text));
    text[MM_EVENT_ID_MAX + 1] = '\0';
    refused(state, apr_psprintf(unit->pool, "{\"type\":\"datasets\",\"id\":\"%s\",\"action\":\"view\"}", text), "1024");
    taken(state, &e, apr_psprintf(unit->pool, "{\"type\":\"datasets\",\"id\":\"%s\",\"action\":\"view\"}", text + 1));
    /* The agent is cut, between characters. */
    memcpy(text + MM_EVENT_AGENT_MAX - 1, "\xE2\x82\xAC", 3);
    taken(state, &e, apr_psprintf(unit->pool, "{" REST ",\"agent\":\"%s\"}", text));
    assert_int_equal(e.agent.len, MM_EVENT_AGENT_MAX - 1);
    assert_memory_equal(e.agent.data, text, e.agent.len);
}

static void the_future(void **state)
{
    mm_event_t e;

    taken(state, &e, "{" REST ",\"time\":\"2026-01-31T12:01:00Z\"}");
    assert_true(e.time_us == NOW + MM_EVENT_FUTURE_SLACK_US);
    refused(state, "{" REST ",\"time\":\"2026-01-31T12:01:00.000001Z\"}", "future");
    taken(state, &e, "{" REST ",\"time\":\"1970-01-01T00:00:00Z\"}");
    assert_true(e.time_us == 0);
    refused(state, "{" REST ",\"time\":\"1969-12-31T23:59:59Z\"}", "1970");
    refused(state, "{" REST ",\"time\":\"yesterday\"}", "RFC 3339");
    refused(state, "{" REST ",\"time\":\"\"}", "RFC 3339");
}

static void nesting_is_bounded(void **state)
{
    enum { DEEP = 100000 };
    unit_t *unit = *state;
    char *line = apr_palloc(unit->pool, DEEP * 6 + 2);
    int i;

    line[0] = '\0';
    for (i = 0; i < DEEP; i++) {
        memcpy(line + (size_t)i * 5, "{\"a\":", 5);
    }
    memset(line + (size_t)DEEP * 5, '}', DEEP);
    line[(size_t)DEEP * 6] = '\0';
    refused(state, line, "");
}

/* --- RFC 3339 --- */

static bool parse(int64_t *us, const char *text)
{
    size_t len = strlen(text);
    char *copy = malloc(len + 1);
    bool ok;

    memcpy(copy, text, len);
    ok = mm_time_from_rfc3339(us, copy, len) == APR_SUCCESS;
    free(copy);
    return ok;
}

static void is(const char *text, int64_t us)
{
    int64_t got = -7;

    if (!parse(&got, text) || got != us) {
        fail_msg("%s gives %lld, not %lld", text, (long long)got, (long long)us);
    }
}

static void times_that_are(void **state)
{
    (void)state;
    is("1970-01-01T00:00:00Z", 0);
    is("2026-01-31t12:00:00z", NOW);
    is("2026-01-31T12:00:00+00:00", NOW);
    is("2026-01-31T12:00:00-00:00", NOW);
    is("2026-01-31T14:30:00+02:30", NOW);
    is("2026-01-30T20:00:00-16:00", NOW);
    is("2026-02-01T11:59:00+23:59", NOW);
    is("1985-04-12T23:20:50.52Z", INT64_C(482196050520000));
    is("1996-12-19T16:39:57-08:00", INT64_C(851042397000000));
    is("1970-01-01T00:00:00.000001Z", 1);
    is("1970-01-01T00:00:00.0000019999999999Z", 1);
    is("1970-01-01T00:00:00.1Z", 100000);
    is("1969-12-31T23:59:59.5Z", -500000);
    is("2000-02-29T00:00:00Z", INT64_C(951782400000000));
    is("2024-02-29T00:00:00Z", INT64_C(1709164800000000));
    is("0000-01-01T00:00:00Z", INT64_C(-62167219200000000));
    is("9999-12-31T23:59:59Z", INT64_C(253402300799000000));
    /* Leap seconds, where they can be. */
    is("1990-12-31T23:59:60Z", INT64_C(662688000000000));
    is("1990-12-31T23:59:60.75Z", INT64_C(662688000000000));
    is("1990-12-31T15:59:60-08:00", INT64_C(662688000000000));
}

static void times_that_are_none(void **state)
{
    static const char *const bad[] = {
        "",
        "2026",
        "2026-01-31",
        "2026-01-31T12:00:00",
        "2026-01-31 12:00:00Z",
        "2026-01-31T12:00Z",
        "2026-1-31T12:00:00Z",
        "26-01-31T12:00:00Z",
        "+2026-01-31T12:00:00Z",
        "-026-01-31T12:00:00Z",
        "2026-00-31T12:00:00Z",
        "2026-13-31T12:00:00Z",
        "2026-01-00T12:00:00Z",
        "2026-01-32T12:00:00Z",
        "2026-04-31T12:00:00Z",
        "2026-02-29T12:00:00Z",
        "1900-02-29T12:00:00Z",
        "2026-01-31T24:00:00Z",
        "2026-01-31T12:60:00Z",
        "2026-01-31T12:00:61Z",
        "2026-01-31T12:00:60Z",
        "1990-12-31T23:59:60-08:00",
        "2026-01-31T12:00:00.Z",
        "2026-01-31T12:00:00,5Z",
        "2026-01-31T12:00:00.5",
        "2026-01-31T12:00:00.-5Z",
        "2026-01-31T12:00:00+0100",
        "2026-01-31T12:00:00+01",
        "2026-01-31T12:00:00+24:00",
        "2026-01-31T12:00:00+01:60",
        "2026-01-31T12:00:00ZZ",
        "2026-01-31T12:00:00Z ",
        " 2026-01-31T12:00:00Z",
        "2026-01-31T12:00:00+01:00Z",
        "2026-01-31T1 :00:00Z",
        "2026/01/31T12:00:00Z",
        "2026-01-31T12:00:00.0000000000000000000000000000000000000000000000000Z",
    };
    int64_t us = 42;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (parse(&us, bad[i])) {
            fail_msg("taken: %s", bad[i]);
        }
    }
    assert_int_equal(mm_time_from_rfc3339(&us, NULL, 0), APR_EINVAL);
    assert_true(us == 42);
}

/* Every day of nine centuries against the C library. */
static void every_day(void **state)
{
    int64_t day;

    (void)state;
    for (day = -200000; day < 130000; day++) {
        time_t t = (time_t)day * 86400 + 3723;
        struct tm tm;
        char text[40];

        gmtime_r(&t, &tm);
        snprintf(text, sizeof(text), "%04d-%02d-%02dT01:02:03Z", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
        is(text, (int64_t)t * 1000000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(takes_the_least, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(takes_the_most, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(refuses_what_is_no_object, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(refuses_zero_bytes, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(refuses_what_is_no_string, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(refuses_members, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(long_names_are_cut_between_characters, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(limits, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(the_future, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(nesting_is_bounded, unit_setup, unit_teardown),
        cmocka_unit_test(times_that_are),
        cmocka_unit_test(times_that_are_none),
        cmocka_unit_test(every_day),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
