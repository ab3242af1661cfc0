/* The times of access logs. */
#include "unit.h"

#include <time.h>

#include "accesslog/logtime.h"

/* A copy of its exact length, so that reading on is seen. */
static bool read_time(const char *pattern, const char *text, int64_t *us)
{
    size_t len = strlen(text);
    char *copy = malloc(len + 1);
    const char *behind;
    mm_logtime_t parsed;

    memcpy(copy, text, len);
    mm_logtime_init(&parsed);
    behind = pattern ? mm_logtime_read(&parsed, pattern, copy, copy + len) : mm_logtime_clf(&parsed, copy, copy + len);
    if (behind) {
        assert_ptr_equal(behind, copy + len);
    }
    free(copy);
    return behind && mm_logtime_us(&parsed, us);
}

static void assert_time(const char *pattern, const char *text, int64_t us)
{
    int64_t found = -1;

    if (!read_time(pattern, text, &found) || found != us) {
        fail_msg("%s: %lld, not %lld", text, (long long)found, (long long)us);
    }
}

static void assert_none(const char *pattern, const char *text)
{
    int64_t found = -1;

    if (read_time(pattern, text, &found)) {
        fail_msg("taken: %s", text);
    }
}

static void reads_what_httpd_writes(void **state)
{
    (void)state;
    assert_time(NULL, "10/Oct/2000:13:55:36 -0700", INT64_C(971211336000000));
    assert_time(NULL, "01/Jan/1970:00:00:00 +0000", 0);
    assert_time(NULL, "29/Feb/2024:23:59:60 +0000", INT64_C(1709251200000000));
    assert_time(NULL, "31/Jan/2026:13:30:00 +0530", INT64_C(1769846400000000));
    assert_time(NULL, "31/Dec/9999:23:59:59 +0000", INT64_C(253402300799000000));
}

static void agrees_with_the_library_on_every_day(void **state)
{
    static const char *const names[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

    (void)state;
    for (time_t day = 0; day < (time_t)150 * 366 * 86400; day += 86400 + 3601) {
        struct tm tm;
        char text[64];

        gmtime_r(&day, &tm);
        snprintf(text, sizeof(text), "%02d/%s/%04d:%02d:%02d:%02d +0000", tm.tm_mday, names[tm.tm_mon],
                 tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
        assert_time(NULL, text, (int64_t)day * 1000000);
    }
}

static void refuses_what_is_no_time(void **state)
{
    static const char *const texts[] = {
        "",
        "-",
        "10/Oct/2000:13:55:36",
        "10/Oct/2000:13:55:36 0700",
        "10/Oct/2000:13:55:36 -07:00",
        "10/oct/2000:13:55:36 -0700",
        "10/Okt/2000:13:55:36 -0700",
        "31/Sep/2000:13:55:36 +0000",
        "29/Feb/2100:13:55:36 +0000",
        "00/Oct/2000:13:55:36 +0000",
        "10/Oct/2000:24:00:00 +0000",
        "10/Oct/2000:23:60:00 +0000",
        "10/Oct/2000:23:00:61 +0000",
        "1/Oct/2000:13:55:36 +0000",
        "01/Jan/1970:00:00:00 +0100",
        "31/Dec/9999:23:59:59 -0001",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        assert_none(NULL, texts[i]);
    }
}

static void reads_patterns(void **state)
{
    (void)state;
    assert_time("%Y-%m-%dT%H:%M:%S%z", "2026-01-31T12:00:00+0100", INT64_C(1769857200000000));
    assert_time("%F %T %z", "2026-01-31 12:00:00 +0000", INT64_C(1769860800000000));
    assert_time("%D %R %z", "01/31/26 12:00 +0000", INT64_C(1769860800000000));
    assert_time("%a, %e %b %Y %T %z", "Thu,  1 Jan 1970 00:00:01 +0000", 1000000);
    assert_time("%s", "1769860800", INT64_C(1769860800000000));
    assert_time("sec", "1769860800", INT64_C(1769860800000000));
    assert_time("msec", "1769860800123", INT64_C(1769860800123000));
    assert_time("usec", "1769860800123456", INT64_C(1769860800123456));
    assert_none("%F %T %z", "2026-01-31T12:00:00 +0000");
    assert_none("%s", "99999999999999999999");
    assert_none("usec", "999999999999999999");
}

static void adds_pieces_up(void **state)
{
    static const char text[] = "1769860800007";
    mm_logtime_t parsed;
    const char *at;
    int64_t us;

    (void)state;
    mm_logtime_init(&parsed);
    at = mm_logtime_read(&parsed, "%s", text, text + 10);
    assert_ptr_equal(at, text + 10);
    assert_non_null(mm_logtime_read(&parsed, "msec_frac", at, text + 13));
    assert_true(mm_logtime_us(&parsed, &us));
    assert_true(us == INT64_C(1769860800007000));
}

static void without_a_zone_it_is_local(void **state)
{
    (void)state;
    setenv("TZ", "Europe/Berlin", 1);
    tzset();
    assert_time("%F %T", "2026-07-31 12:00:00", INT64_C(1785492000000000));
    setenv("TZ", "UTC", 1);
    tzset();
    assert_time("%F %T", "2026-07-31 12:00:00", INT64_C(1785499200000000));
}

static void knows_its_patterns(void **state)
{
    (void)state;
    assert_true(mm_logtime_knows("%d/%b/%Y:%H:%M:%S %z"));
    assert_true(mm_logtime_knows("usec_frac"));
    assert_false(mm_logtime_knows("%c"));
    assert_false(mm_logtime_knows("%Y %"));
    assert_false(mm_logtime_knows("%p"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_httpd_writes), cmocka_unit_test(agrees_with_the_library_on_every_day),
        cmocka_unit_test(refuses_what_is_no_time), cmocka_unit_test(reads_patterns),
        cmocka_unit_test(adds_pieces_up),          cmocka_unit_test(without_a_zone_it_is_local),
        cmocka_unit_test(knows_its_patterns),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
