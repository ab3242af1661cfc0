/* The byte form of a window: what was written is read, and nothing else is. That a window goes on as before when it is
 * read back is in test_window.c.
 */
#include "drain_unit.h"
#include "count/count.h"
#include "count/form.h"

#define W_MS 30000

typedef struct written {
    uint8_t data[64 * 1024];
    size_t len;
    int chunks;
} written_t;

static void sink(void *baton, const uint8_t *chunk, size_t len)
{
    written_t *written = baton;

    if (written->len + 4 + len <= sizeof(written->data)) {
        memcpy(written->data + written->len, &len, 4);
        memcpy(written->data + written->len + 4, chunk, len);
    }
    assert_true(len > 1 && len <= MM_FORM_CHUNK_MAX);
    written->len += 4 + len;
    written->chunks++;
}

static bool fill(mm_window_t *window, const written_t *written)
{
    bool other_width = false;

    for (size_t at = 0; at < written->len;) {
        uint32_t len;
        mm_err_t err = {.text = ""};

        memcpy(&len, written->data + at, 4);
        if (mm_form_take(window, written->data + at + 4, len, &other_width, &err) != APR_SUCCESS) {
            fail_msg("%s", err.text);
        }
        at += 4 + len;
    }
    return other_width;
}

static mm_verdict_t view(mm_count_t *count, const char *id, const char *user, int64_t time_ms)
{
    mm_event_t event = event_of(MM_ACTION_VIEW, id, user, time_ms * 1000);

    return mm_count_add(count, &event);
}

/* Read again and written again, it is the same bytes. */
static void writes_what_it_read(void **state)
{
    unit_t *unit = *state;
    const mm_policy_t policy = {.double_click_ms = W_MS};
    mm_count_t *count = mm_count_create(&policy, unit->pool), *second = mm_count_create(&policy, unit->pool);
    written_t *once = calloc(1, sizeof(*once)), *twice = calloc(1, sizeof(*twice));
    char id[16];

    for (int i = 0; i < 500; i++) {
        snprintf(id, sizeof(id), "%d", i);
        view(count, id, "ada", NOON_MS + i * 100000);
    }
    mm_form_put(mm_count_window(count), true, sink, once);
    assert_true((int64_t)once->len <= mm_form_size(mm_count_window(count)));
    assert_false(fill(mm_count_window(second), once));
    mm_form_put(mm_count_window(second), true, sink, twice);
    assert_int_equal(twice->len, once->len);
    assert_memory_equal(twice->data, once->data, once->len);
    free(once);
    free(twice);
}

/* docs/design.md says what an event costs. */
static void takes_37_bytes_for_an_event(void **state)
{
    unit_t *unit = *state;
    const mm_policy_t policy = {.double_click_ms = W_MS};
    mm_count_t *count = mm_count_create(&policy, unit->pool);
    written_t *written = calloc(1, sizeof(*written));
    char id[16];

    for (int i = 0; i < 5000; i++) {
        snprintf(id, sizeof(id), "%d", i);
        view(count, id, "ada", NOON_MS);
    }
    mm_form_put(mm_count_window(count), false, sink, written);
    assert_true(written->chunks > 5);
    assert_true(written->len >= 5000 * 37 && written->len < 5000 * 37 + 200);
    /* And one of them again, what one event costs: the clock and the day's secret are in it. */
    mm_form_settle(mm_count_window(count), false);
    memset(written, 0, sizeof(*written));
    mm_form_put(mm_count_window(count), false, sink, written);
    assert_int_equal(written->len, 4 + 5);
    view(count, "7", "ada", NOON_MS + 1);
    memset(written, 0, sizeof(*written));
    mm_form_put(mm_count_window(count), false, sink, written);
    assert_int_equal(written->len, 4 * 4 + 5 + 29 + 18 + 21);
    free(written);
}

static void passes_over_clicks_of_another_width(void **state)
{
    unit_t *unit = *state;
    const mm_policy_t policy = {.double_click_ms = W_MS}, other = {.double_click_ms = 10000};
    mm_count_t *count = mm_count_create(&policy, unit->pool), *second = mm_count_create(&other, unit->pool);
    written_t *written = calloc(1, sizeof(*written));

    view(count, "a", "ada", NOON_MS);
    mm_form_put(mm_count_window(count), true, sink, written);
    assert_true(fill(mm_count_window(second), written));
    assert_int_equal(view(second, "a", "ada", NOON_MS + 1), MM_COUNTED);
    free(written);
}

/* The clock was put back, and there was no room to write another file. */
static void a_clock_that_goes_back_holds_over_what_was_before(void **state)
{
    unit_t *unit = *state;
    const mm_policy_t policy = {.double_click_ms = W_MS};
    mm_count_t *count = mm_count_create(&policy, unit->pool), *second = mm_count_create(&policy, unit->pool);
    written_t *written = calloc(1, sizeof(*written));
    const int64_t day_ms = 86400000;

    view(count, "a", "ada", NOON_MS + day_ms);
    view(count, "b", "ada", NOON_MS);
    mm_form_put(mm_count_window(count), true, sink, written);
    mm_form_settle(mm_count_window(count), true);
    assert_false(mm_window_set_clock(mm_count_window(count), NOON_US));
    view(count, "c", "ada", NOON_MS);
    mm_form_put(mm_count_window(count), false, sink, written);
    fill(mm_count_window(second), written);
    assert_true(mm_form_is_stale(mm_count_window(second)));
    assert_int_equal(view(second, "b", "ada", NOON_MS + 1), MM_COUNTED);
    assert_int_equal(view(second, "c", "ada", NOON_MS + 1), MM_IGNORED_DOUBLE_CLICK);
    free(written);
}

static void refuses_what_is_no_chunk(void **state)
{
    unit_t *unit = *state;
    static const char *const wrong[] = {"",        "X",   "H",           "H\1\0\0\0\0\0\0", "H\2\0\0\0\0\0\0\0",
                                        "T\0\0\0", "S\0", "C1234567890", "U1234567890"};
    static const size_t lens[] = {0, 1, 1, 8, 9, 4, 2, 11, 11};
    mm_window_t *window = mm_window_create(W_MS, unit->pool);
    uint8_t late[] = {'C', 1, 2, 3, 4, 5, 6, 7, 8, 1, 0, 0, 0, 0, 0, 0, 0, 0};
    bool other_width = false;

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        if (mm_form_take(window, (const uint8_t *)wrong[i], lens[i], &other_width, NULL) != APR_EINVAL) {
            fail_msg("chunk %zu", i);
        }
    }
    /* touched later than the clock says */
    assert_int_equal(mm_form_take(window, late, sizeof(late), &other_width, NULL), APR_EINVAL);
}

#define test(f) cmocka_unit_test_setup_teardown(f, unit_setup, unit_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(writes_what_it_read),
        test(takes_37_bytes_for_an_event),
        test(passes_over_clicks_of_another_width),
        test(a_clock_that_goes_back_holds_over_what_was_before),
        test(refuses_what_is_no_chunk),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
