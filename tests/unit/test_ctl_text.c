/* metricsctl's words: anybody's bytes in them stay one line and move no cursor. */
#include "unit.h"
#include <fcntl.h>
#include <sys/stat.h>
#include "base/file.h"
#include "../../tools/ctl_text.c"

static void escapes(void **state)
{
    static const struct {
        const char *from, *to;
    } cases[] = {
        {"", ""},
        {"plain text: 100 %", "plain text: 100 %"},
        {"a\nmetricsctl: error: forged", "a\\x0ametricsctl: error: forged"},
        {"\r\t\b\x1b[2J\x7f", "\\x0d\\x09\\x08\\x1b[2J\\x7f"},
        {"C:\\x0a", "C:\\\\x0a"},
        {"h\xc3\xb6her \xe2\x80\xa6 \xf0\x9f\x98\x80", "h\xc3\xb6her \xe2\x80\xa6 \xf0\x9f\x98\x80"},
        {"\xc2\x80\xc2\x9b\xc2\x9f", "\\xc2\\x80\\xc2\\x9b\\xc2\\x9f"},
        {"\xc2\xa0\xc3\x80", "\xc2\xa0\xc3\x80"},
        {"\x9b"
         "31m",
         "\\x9b31m"},
        {"\xff\xc3", "\\xff\\xc3"},
        {"\xe2\x80", "\\xe2\\x80"},
        {"\xc3(", "\\xc3("},
        {"\xed\xa0\x80", "\\xed\\xa0\\x80"},
    };
    char to[256];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ctl_escape(to, sizeof(to), cases[i].from);
        assert_string_equal(to, cases[i].to);
    }
}

/* Every byte, alone: nothing comes out that is not to be printed. */
static void lets_no_control_byte_through(void **state)
{
    char to[16];

    (void)state;
    for (int byte = 1; byte < 256; byte++) {
        char from[] = {(char)byte, '\0'};

        ctl_escape(to, sizeof(to), from);
        for (const char *at = to; *at != '\0'; at++) {
            assert_in_range(*at, 0x20, 0x7e);
        }
    }
}

static void cuts_between_characters(void **state)
{
    char to[8];

    (void)state;
    ctl_escape(to, 8, "abc\nd");
    assert_string_equal(to, "abc\\x0a");
    ctl_escape(to, 7, "abc\nd");
    assert_string_equal(to, "abc");
    ctl_escape(to, 2, "\xc3\xb6");
    assert_string_equal(to, "");
    ctl_escape(to, 3, "\xc3\xb6");
    assert_string_equal(to, "\xc3\xb6");
    ctl_escape(to, 1, "a");
    assert_string_equal(to, "");
}

/* What stands on stderr when fn is done. */
static char *said(const unit_t *unit, void (*fn)(void))
{
    const char *path = apr_pstrcat(unit->pool, unit->dir, "/stderr", NULL);
    int kept = dup(STDERR_FILENO), fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    size_t len;
    char *text = NULL;

    assert_true(kept >= 0 && fd >= 0 && dup2(fd, STDERR_FILENO) >= 0);
    fn();
    assert_true(dup2(kept, STDERR_FILENO) >= 0);
    close(kept);
    close(fd);
    assert_int_equal(mm_file_slurp(&text, &len, path, 1 << 16, unit->pool, NULL), APR_SUCCESS);
    return text;
}

static void log_a_forgery(void)
{
    mm_log_level_t least = MM_LOG_WARNING;
    mm_log_t log = ctl_log(&least);

    mm_log(&log, MM_LOG_NOTICE, "MM0001", "not said");
    mm_log(&log, MM_LOG_WARNING, "MM0002", "refused: %s", "x\nmetricsctl: error: MM0003: \x1b[1mforged");
}

static void logs_one_line(void **state)
{
    assert_string_equal(said(*state, log_a_forgery),
                        "metricsctl: warning: MM0002: refused: x\\x0ametricsctl: error: MM0003: \\x1b[1mforged\n");
}

static void fail_with_a_forgery(void)
{
    char longest[4000];

    assert_int_equal(ctl_failed("cannot: %s", "a\nb"), CTL_FAILED);
    assert_int_equal(ctl_misuse("drain", "\"%s\" is too much", "\x1b"), CTL_USAGE);
    assert_int_equal(ctl_misuse(NULL, "a command is missing"), CTL_USAGE);
    memset(longest, '\n', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    assert_int_equal(ctl_failed("%s", longest), CTL_FAILED);
}

static void says_one_line(void **state)
{
    static const char expected[] = "metricsctl: cannot: a\\x0ab\n"
                                   "metricsctl: \"\\x1b\" is too much\nTry: metricsctl help drain\n"
                                   "metricsctl: a command is missing\nTry: metricsctl help\n"
                                   "metricsctl: \\x0a\\x0a";
    char *text = said(*state, fail_with_a_forgery);

    assert_memory_equal(text, expected, sizeof(expected) - 1);
    assert_ptr_equal(strchr(text + sizeof(expected), '\n'), text + strlen(text) - 1);
}

#define test(f) cmocka_unit_test_setup_teardown(f, unit_setup, unit_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(escapes),       test(lets_no_control_byte_through), test(cuts_between_characters), test(logs_one_line),
        test(says_one_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
