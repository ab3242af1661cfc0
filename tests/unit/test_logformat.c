/* LogFormat, compiled. */
#include "unit.h"

#include "accesslog/logformat.h"

static mm_logformat_t *compiled(void **state, const char *text)
{
    unit_t *unit = *state;
    mm_logformat_t *format = NULL;
    mm_err_t err = {.text = ""};

    if (mm_logformat_compile(&format, text, unit->pool, &err) != APR_SUCCESS) {
        fail_msg("%s: %s", text, err.text);
    }
    return format;
}

static void refused(void **state, const char *text, const char *word)
{
    unit_t *unit = *state;
    mm_logformat_t *format = NULL;
    mm_err_t err = {.text = ""};

    if (mm_logformat_compile(&format, text, unit->pool, &err) != APR_EINVAL) {
        fail_msg("taken: %s", text);
    }
    if (!strstr(err.text, word)) {
        fail_msg("%s: \"%s\" does not say \"%s\"", text, err.text, word);
    }
}

static void assert_step(const mm_logformat_t *format, size_t i, mm_logfield_t field, const char *until)
{
    assert_true(i < format->n);
    assert_int_equal(format->steps[i].field, field);
    assert_string_equal(format->steps[i].until, until);
    assert_int_equal(format->steps[i].until_len, strlen(until));
}

static void compiles_combined(void **state)
{
    const mm_logformat_t *format = compiled(state, "combined");

    assert_string_equal(format->lead, "");
    assert_int_equal(format->n, 9);
    assert_step(format, 0, MM_LOG_HOST, " ");
    assert_step(format, 1, MM_LOG_SKIP, " ");
    assert_step(format, 2, MM_LOG_USER, " [");
    assert_step(format, 3, MM_LOG_TIME, "] \"");
    assert_step(format, 4, MM_LOG_REQUEST, "\" ");
    assert_step(format, 5, MM_LOG_FINAL_STATUS, " ");
    assert_step(format, 6, MM_LOG_BYTES, " \"");
    assert_step(format, 7, MM_LOG_SKIP, "\" \"");
    assert_step(format, 8, MM_LOG_AGENT, "\"");
    assert_false(format->has_range);
}

static void knows_the_names(void **state)
{
    for (size_t i = 0; mm_logformat_names[i]; i++) {
        assert_string_equal(compiled(state, mm_logformat_names[i])->name, mm_logformat_names[i]);
    }
}

static void takes_a_format_as_the_configuration_has_it(void **state)
{
    const mm_logformat_t *format =
        compiled(state, "%a\\t%{c}a %u %t \\\"%r\\\" %s %>s 100%% \\\"%{range}i\\\" %{X-Y}o");

    assert_step(format, 0, MM_LOG_ADDRESS, "\t");
    assert_step(format, 1, MM_LOG_SKIP, " ");
    assert_step(format, 5, MM_LOG_SKIP, " ");
    assert_step(format, 6, MM_LOG_FINAL_STATUS, " 100% \"");
    assert_step(format, 7, MM_LOG_RANGE, "\" ");
    assert_step(format, 8, MM_LOG_SKIP, "");
    assert_true(format->has_range);
}

static void takes_the_better_of_two(void **state)
{
    const mm_logformat_t *format = compiled(state, "%h %a %t %m %U%q %H \"%r\" %s");

    assert_step(format, 0, MM_LOG_SKIP, " ");
    assert_step(format, 1, MM_LOG_ADDRESS, " [");
    assert_step(format, 3, MM_LOG_SKIP, " ");
    assert_step(format, 4, MM_LOG_SKIP, " ");
    assert_step(format, 6, MM_LOG_REQUEST, "\" ");
    format = compiled(state, "[%{%F %T}t.%{msec_frac}t %{%z}t] %m %U%q %s");
    assert_step(format, 0, MM_LOG_TIME_PART, ".");
    assert_step(format, 1, MM_LOG_TIME_PART, " ");
    assert_string_equal(format->lead, "[");
    assert_step(format, 4, MM_LOG_PATH_QUERY, " ");
}

static void takes_what_httpd_takes(void **state)
{
    const mm_logformat_t *format =
        compiled(state, "%!200,304{Referer}i %400,501{User-agent}i %{begin:sec}t %<s %^FB %{x}^ti %r %{VARNAME}e");

    assert_step(format, 0, MM_LOG_SKIP, " ");
    assert_step(format, 1, MM_LOG_AGENT, " ");
    assert_step(format, 2, MM_LOG_TIME_PART, " ");
    assert_step(format, 3, MM_LOG_STATUS, " ");
    assert_step(format, 4, MM_LOG_SKIP, " ");
    assert_step(format, 5, MM_LOG_SKIP, " ");
    assert_step(format, 6, MM_LOG_REQUEST, " ");
}

static void refuses_what_tells_too_little(void **state)
{
    refused(state, "", "%t");
    refused(state, "%h %r %s", "%t");
    refused(state, "%t %s", "%r");
    refused(state, "%t %r", "status");
    refused(state, "%t %r %s %", "stands for nothing");
    refused(state, "%t %r %s %{x", "without a }");
    refused(state, "%t %r%s", "%s");
    refused(state, "%t %h%u %r %s", "%u");
    refused(state, "%{%c}t %r %s", "%{%c}t");
}

static void has_limits(void **state)
{
    unit_t *unit = *state;
    const char *fields = "";
    char *text = apr_pcalloc(unit->pool, 5000);

    for (size_t i = 0; i < 100; i++) {
        fields = apr_pstrcat(unit->pool, fields, "%{X}i ", NULL);
    }
    refused(state, fields, "fields");
    memset(text, 'x', 4999);
    refused(state, text, "longer");
}

#define test(f) cmocka_unit_test_setup_teardown(f, unit_setup, unit_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(compiles_combined),
        test(knows_the_names),
        test(takes_a_format_as_the_configuration_has_it),
        test(takes_the_better_of_two),
        test(takes_what_httpd_takes),
        test(refuses_what_tells_too_little),
        test(has_limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
