/* Accept: what browsers and scripts send, and what nobody should. */
#include "unit.h"

#include "route/accept.h"

static void assert_look(const char *accept, const char *media, int quality, int named)
{
    mm_accept_t found = mm_accept_look(accept, media);

    if (found.quality != quality || (quality > 0 && found.named != named)) {
        fail_msg("\"%s\" for %s: %d %d", accept ? accept : "", media, found.quality, found.named);
    }
}

static void test_nothing_is_everything(void **state)
{
    (void)state;
    assert_look(NULL, "text/csv", 1000, 0);
    assert_look("", "text/csv", 1000, 0);
    assert_look("  ", "text/csv", 1000, 0);
    assert_look("*/*", "text/csv", 1000, 0);
    assert_look("*", "text/csv", 1000, 0);
}

static void test_the_most_specific_decides(void **state)
{
    static const char browser[] = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8";

    (void)state;
    assert_look(browser, "text/csv", 800, 0);
    assert_look(browser, "application/xml", 900, 2);
    assert_look("text/*;q=0.3, text/csv;q=0.7, */*;q=0.5", "text/csv", 700, 2);
    assert_look("text/*;q=0.3, text/csv;q=0.7, */*;q=0.5", "text/plain", 300, 1);
    assert_look("text/*;q=0.3, text/csv;q=0.7, */*;q=0.5", "application/json", 500, 0);
    assert_look("*/*, text/csv;q=0", "text/csv", 0, 0);
    assert_look("text/csv;q=0.2, text/csv;q=0.9", "text/csv", 200, 2);
    assert_look("application/json", "text/csv", 0, 0);
    assert_look("text/csvx, xtext/csv, text/", "text/csv", 0, 0);
    assert_look(",, ,text/csv,", "text/csv", 1000, 2);
}

static void test_forms(void **state)
{
    (void)state;
    assert_look("TEXT/CSV", "text/csv", 1000, 2);
    assert_look("text/csv ; header=absent ; Q=0.5", "text/csv", 500, 2);
    assert_look("text/csv\t;\tq=0.25\t,x/y", "text/csv", 250, 2);
    assert_look("text/csv;quality=0.1", "text/csv", 1000, 2);
    assert_look("text/plain;a=\"x,text/csv;q=0.1\\\",\", text/csv;q=0.4", "text/csv", 400, 2);
    assert_look("text/plain;a=\"", "text/csv", 0, 0);
    assert_look("text/csv;a=\"\\", "text/csv", 1000, 2);
}

static void test_quality(void **state)
{
    static const struct {
        const char *q;
        int quality;
    } forms[] = {{"0", 0},      {"1", 1000},    {"0.001", 1}, {"0.999", 999}, {"1.000", 1000}, {"0.", 0},
                 {"1.9", 1000}, {"", 1000},     {"x", 1000},  {"-1", 1000},   {"2", 1000},     {"0.0001", 1000},
                 {"0,5", 0},    {"0.5x", 1000}, {"00", 1000}, {"0.12", 120},  {"nan", 1000}};
    char accept[64];

    (void)state;
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        snprintf(accept, sizeof(accept), "text/csv;q=%s", forms[i].q);
        assert_look(accept, "text/csv", forms[i].quality, 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_is_everything),
        cmocka_unit_test(test_the_most_specific_decides),
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_quality),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
