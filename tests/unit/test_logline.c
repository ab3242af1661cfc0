/* Lines of access logs. */
#include "unit.h"

#include "accesslog/logline.h"

/* 2026-01-31T12:00:00Z */
#define NOON (INT64_C(1769860800) * 1000000)
#define TIME "[31/Jan/2026:12:00:00 +0000]"

static apr_status_t free_copy(void *copy)
{
    free(copy);
    return APR_SUCCESS;
}

static const char *parse(void **state, const char *format_text, const char *text, mm_logline_t *line)
{
    unit_t *unit = *state;
    mm_logformat_t *format = NULL;
    mm_err_t err = {.text = ""};
    size_t len = strlen(text);
    /* Of its exact length, so that reading on is seen. It lives as long as the line. */
    char *copy = calloc(1, len ? len : 1);

    memcpy(copy, text, len);
    apr_pool_cleanup_register(unit->pool, copy, free_copy, apr_pool_cleanup_null);
    if (mm_logformat_compile(&format, format_text, unit->pool, &err) != APR_SUCCESS) {
        fail_msg("%s: %s", format_text, err.text);
    }
    return mm_logparser_line(mm_logparser_create(format, MM_SLASHES_DECODE, unit->pool), copy, len, line);
}

static mm_logline_t taken(void **state, const char *format, const char *text)
{
    mm_logline_t line;
    const char *wrong = parse(state, format, text, &line);

    if (wrong) {
        fail_msg("%s: %s", text, wrong);
    }
    return line;
}

static void refused(void **state, const char *format, const char *text)
{
    mm_logline_t line;

    if (!parse(state, format, text, &line)) {
        fail_msg("taken: %s", text);
    }
}

static void assert_bytes(mm_bytes_t bytes, const char *text)
{
    if (bytes.len != strlen(text) || (bytes.len > 0 && memcmp(bytes.data, text, bytes.len) != 0)) {
        fail_msg("\"%.*s\", not \"%s\"", (int)bytes.len, bytes.data, text);
    }
}

static void takes_combined(void **state)
{
    mm_logline_t line = taken(state, "combined",
                              "192.0.2.1 - ada lovelace " TIME
                              " \"GET /datasets/5f?a=b&c HTTP/1.1\" 200 1234 \"-\" \"Mozilla/5.0 (X11)\"");

    assert_bytes(line.address, "192.0.2.1");
    assert_bytes(line.user, "ada lovelace");
    assert_true(line.time_us == NOON);
    assert_int_equal(line.method, MM_METHOD_GET);
    assert_bytes(line.path, "/datasets/5f");
    assert_bytes(line.query, "a=b&c");
    assert_int_equal(line.status, 200);
    assert_true(line.bytes_out == 1234);
    assert_bytes(line.agent, "Mozilla/5.0 (X11)");
    assert_true(line.range_start == MM_RANGE_NONE);
    assert_int_equal(line.flags, 0);
}

static void takes_common_and_vhost_combined(void **state)
{
    mm_logline_t line = taken(state, "common", "2001:db8::1 - - " TIME " \"HEAD / HTTP/2.0\" 304 -");

    assert_bytes(line.address, "2001:db8::1");
    assert_bytes(line.user, "");
    assert_int_equal(line.method, MM_METHOD_HEAD);
    assert_int_equal(line.flags, MM_EVENT_HTTP2);
    line = taken(state, "vhost_combined", "example.org:443 h - \"\" " TIME " \"POST /x HTTP/1.0\" 500 1 \"r\" \"-\"");
    assert_bytes(line.address, "h");
    assert_bytes(line.user, "");
    assert_bytes(line.agent, "");
    assert_int_equal(line.method, MM_METHOD_POST);
}

static void undoes_escapes(void **state)
{
    mm_logline_t line = taken(state, "combined",
                              "h - a\\\\b\\\"c " TIME " \"GET /a\\xC3\\xa4\\x HTTP/1.1\" 200 1 \"\\\\\" "
                              "\"say \\\"hi\\\" \\\\\\n\\t\\x41\\xzz\"");

    assert_bytes(line.user, "a\\b\"c");
    assert_bytes(line.path, "/a\xc3\xa4x");
    assert_bytes(line.agent, "say \"hi\" \\\n\tAxzz");
}

static void cleans_the_path(void **state)
{
    assert_bytes(taken(state, "common", "h - - " TIME " \"GET //a/%2e%2e/b%20c/./d?x=%20 HTTP/1.1\" 200 1").path,
                 "/b c/d");
    assert_bytes(taken(state, "common", "h - - " TIME " \"GET /a b HTTP/1.1\" 200 1").path, "/a b");
    assert_bytes(taken(state, "common", "h - - " TIME " \"GET /a#b?c HTTP/1.1\" 200 1").path, "/a");
    assert_bytes(taken(state, "common", "h - - " TIME " \"GET http://example.org:80/a?b HTTP/1.1\" 200 1").path, "/a");
    assert_bytes(taken(state, "common", "h - - " TIME " \"GET /a\" 200 1").path, "/a");
}

static void some_requests_have_no_path(void **state)
{
    static const char *const requests[] = {"-",
                                           "",
                                           "GET",
                                           "OPTIONS * HTTP/1.1",
                                           "CONNECT a:443 HTTP/1.1",
                                           "\\x16\\x03\\x01",
                                           "GET /%00 HTTP/1.1",
                                           "GET /%zz HTTP/1.1",
                                           "GET /\\x00 HTTP/1.1",
                                           "GET  HTTP/1.1",
                                           "GET http://a HTTP/1.1"};

    for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
        unit_t *unit = *state;
        mm_logline_t line =
            taken(state, "common", apr_pstrcat(unit->pool, "h - - " TIME " \"", requests[i], "\" 400 1", NULL));

        if (line.path.len != 0) {
            fail_msg("%s: %.*s", requests[i], (int)line.path.len, line.path.data);
        }
    }
}

static void takes_the_parts_of_a_request(void **state)
{
    mm_logline_t line = taken(state, "%{usec}t %m %U%q %s %H", "1769860800000001 GET /a%20/b?c=?d 200 HTTP/2.0");

    assert_true(line.time_us == NOON + 1);
    assert_bytes(line.path, "/a%20/b"); /* decoded already */
    assert_bytes(line.query, "c=?d");
    assert_int_equal(line.flags, MM_EVENT_HTTP2);
    line = taken(state, "%{%F}t %{%T}t.%{msec_frac}t%{%z}t \"%U\" \"%q\" %s",
                 "2026-01-31 13:00:00.250+0100 \"/a b\" \"?x\" 200");
    assert_true(line.time_us == NOON + 250000);
    assert_bytes(line.path, "/a b");
    assert_bytes(line.query, "x");
    assert_int_equal(line.method, MM_METHOD_GET);
}

static void tells_ranges_and_aborts(void **state)
{
    static const char format[] = "%h %t \"%r\" %>s %X \"%{Range}i\"";
    mm_logline_t line = taken(state, format, "h " TIME " \"GET /a HTTP/1.1\" 206 X \"bytes=0-\"");

    assert_true(line.range_start == 0);
    assert_int_equal(line.flags, MM_EVENT_ABORTED);
    line = taken(state, format, "h " TIME " \"GET /a HTTP/1.1\" 206 + \"bytes=5-\"");
    assert_true(line.range_start == 5);
    assert_int_equal(line.flags, 0);
    line = taken(state, format, "h " TIME " \"GET /a HTTP/1.1\" 200 - \"-\"");
    assert_true(line.range_start == MM_RANGE_NONE);
    /* Which part of it was asked for, this log does not tell. */
    line = taken(state, "common", "h - - " TIME " \"GET /a HTTP/1.1\" 206 1");
    assert_true(line.range_start == MM_RANGE_UNKNOWN);
}

static void refuses_what_is_no_line_of_its_format(void **state)
{
    static const char *const lines[] = {
        "",
        "nonsense",
        "h - - " TIME " \"GET / HTTP/1.1\" 200",
        "h - - " TIME " \"GET / HTTP/1.1 200 1",
        "h - - " TIME " \"GET / HTTP/1.1\\\" 200 1",
        "h - - " TIME " \"GET /\" x\" 200 1",
        "h - - " TIME " \"GET / HTTP/1.1\" - 1",
        "h - - " TIME " \"GET / HTTP/1.1\" 2000 1",
        "h - - " TIME " \"GET / HTTP/1.1\" 200 1x",
        "h - - " TIME " \"GET / HTTP/1.1\" 200 1 \"-\" \"more\"",
        "h - - " TIME " \"GET / HTTP/1.1\" 200 99999999999999999999",
        "h - - [31/Feb/2026:12:00:00 +0000] \"GET / HTTP/1.1\" 200 1",
        "h - - [31/Jan/2026:12:00:00] \"GET / HTTP/1.1\" 200 1",
        "example.org:80 h - - " TIME " \"GET / HTTP/1.1\" 200 1",
    };

    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        refused(state, "common", lines[i]);
    }
}

static void a_line_may_be_as_long_as_httpd_writes(void **state)
{
    unit_t *unit = *state;
    char *agent = apr_palloc(unit->pool, MM_LOGLINE_MAX + 1), *text;
    mm_logline_t line;

    for (size_t i = 0; i < MM_LOGLINE_MAX; i++) {
        agent[i] = "\\xff"[i % 4];
    }
    agent[MM_LOGLINE_MAX] = '\0';
    text = apr_pstrcat(unit->pool, "h - - " TIME " \"GET /a HTTP/1.1\" 200 1 \"-\" \"", agent, "\"", NULL);
    assert_non_null(parse(state, "combined", text, &line));
    agent[MM_LOGLINE_MAX - 1024] = '\0';
    text = apr_pstrcat(unit->pool, "h - - " TIME " \"GET /a HTTP/1.1\" 200 1 \"-\" \"", agent, "\"", NULL);
    line = taken(state, "combined", text);
    assert_int_equal(line.agent.len, (MM_LOGLINE_MAX - 1024) / 4);
}

#define test(f) cmocka_unit_test_setup_teardown(f, unit_setup, unit_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(takes_combined),
        test(takes_common_and_vhost_combined),
        test(undoes_escapes),
        test(cleans_the_path),
        test(some_requests_have_no_path),
        test(takes_the_parts_of_a_request),
        test(tells_ranges_and_aborts),
        test(refuses_what_is_no_line_of_its_format),
        test(a_line_may_be_as_long_as_httpd_writes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
