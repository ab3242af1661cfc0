/* The counters on their way out. */
#include "unit_spool.h"

#include "base/version.h"
#include "count/rule.h"
#include "status/status_show.h"

#define NOON_US (INT64_C(1767268800) * 1000000) /* 2026-01-01T12:00:00Z */

static mm_status_view_t *view_of(unit_t *unit)
{
    mm_status_view_t *view = apr_pcalloc(unit->pool, sizeof(*view));

    view->now_us = NOON_US;
    view->page.made_us = NOON_US - 90500000;
    view->running = 1;
    view->whole = true;
    return view;
}

static void assert_holds(const char *text, const char *part)
{
    if (strstr(text, part) == NULL) {
        fail_msg("no \"%s\" in\n%s", part, text);
    }
}

static void all_formats_show_the_same(void **state)
{
    unit_t *unit = *state;
    mm_status_view_t *view = view_of(unit);
    const char *text;

    mm_status_add(&view->page, MM_STATUS_DROPPED_FULL, 3);
    mm_status_add(&view->page, MM_STATUS_LAST_BATCH_US, NOON_US);
    mm_status_add_verdict(&view->page, MM_IGNORED_ROBOT, 7);
    mm_status_add_verdict(&view->page, MM_COUNTED, 9);
    text = mm_status_json(view, unit->pool);
    assert_holds(text, "\"version\": \"" MM_VERSION "\"");
    assert_holds(text, "\"events_dropped\": {\"full\": 3, \"no_room\": 0, \"error\": 0, \"invalid\": 0}");
    assert_holds(text, "\"robot\": 7");
    assert_holds(text, "\"events_counted\": 9,");
    assert_holds(text, "\"last_batch_timestamp_seconds\": 1767268800.000000");
    text = mm_status_openmetrics(view, unit->pool);
    assert_holds(text, "\nmod_metrics_events_dropped_total{cause=\"full\"} 3\n");
    assert_holds(text, "\nmod_metrics_events_ignored_total{reason=\"robot\"} 7\n");
    assert_holds(text, "\nmod_metrics_last_batch_timestamp_seconds 1767268800.000000\n");
    assert_string_equal(text + strlen(text) - 7, "\n# EOF\n");
    text = mm_status_text(view, unit->pool);
    assert_holds(text, "events_dropped                   full        3\n");
    assert_holds(text, "2026-01-01 12:00:00 UTC\n");
}

static void what_is_not_known_is_not_made_up(void **state)
{
    unit_t *unit = *state;
    mm_status_view_t *view = view_of(unit);

    view->running = -1;
    assert_holds(mm_status_json(view, unit->pool), "\"drainer_running\": null");
    assert_holds(mm_status_json(view, unit->pool), "\"last_batch_timestamp_seconds\": null");
    assert_null(strstr(mm_status_openmetrics(view, unit->pool), "\nmod_metrics_drainer_running "));
    assert_holds(mm_status_text(view, unit->pool), "not known\n");
    assert_holds(mm_status_text(view, unit->pool), "never\n");
}

static void the_oldest_is_as_old_as_the_last_empty_spool(void **state)
{
    unit_t *unit = *state;
    mm_status_view_t *view = view_of(unit);

    assert_holds(mm_status_json(view, unit->pool), "\"spool_oldest_seconds\": 0.000000");
    mm_status_add(&view->page, MM_STATUS_SPOOL_BYTES, 1);
    assert_holds(mm_status_json(view, unit->pool), "\"spool_oldest_seconds\": 90.500000");
    mm_status_set(&view->page, MM_STATUS_EMPTIED_US, NOON_US - 1000001);
    assert_holds(mm_status_json(view, unit->pool), "\"spool_oldest_seconds\": 1.000001");
    /* A clock that was set back. */
    mm_status_set(&view->page, MM_STATUS_EMPTIED_US, NOON_US + 1000001);
    assert_holds(mm_status_json(view, unit->pool), "\"spool_oldest_seconds\": 0.000000");
}

/* A damaged page can hold anything. */
static void any_values_can_be_shown(void **state)
{
    static const int64_t values[] = {INT64_MIN, INT64_MAX, -1};
    unit_t *unit = *state;
    mm_status_view_t *view = view_of(unit);

    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        const char *text;

        for (unsigned value = 0; value < MM_STATUS_LISTED; value++) {
            mm_status_set(&view->page, (mm_status_value_t)value, values[i]);
        }
        for (unsigned verdict = 0; verdict < MM_STATUS_VERDICTS_MAX; verdict++) {
            view->page.verdicts[verdict] = values[i];
        }
        view->page.made_us = values[i];
        text = mm_status_openmetrics(view, unit->pool);
        assert_string_equal(text + strlen(text) - 7, "\n# EOF\n");
        assert_null(strstr(text, " -"));
        text = mm_status_json(view, unit->pool);
        assert_string_equal(text + strlen(text) - 3, "\n}\n");
        mm_status_text(view, unit->pool);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(all_formats_show_the_same, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(what_is_not_known_is_not_made_up, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(the_oldest_is_as_old_as_the_last_empty_spool, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(any_values_can_be_shown, unit_setup, unit_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
