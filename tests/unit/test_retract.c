/* Uses taken back from a person who was forgotten: the person stays forgotten, and sums stay right. */
#include "unit_store.h"
#include "store/forget.h"

#define DAY_MS  INT64_C(1767225600000) /* 2026-01-01 */
#define ADAS    "2026-01-01:datasets:1:a:ada"
#define NOBODYS "2026-01-01:datasets:1:a:"

enum { RESOURCE, USER, DAY, NOBODY, ALL };

/* What a batch adds to the four documents of ada's use of a, in this order; the last, without her, only if asked for.
 */
static void apply(mm_store_t *store, int64_t seq, int64_t views, int64_t downloads, int64_t nobodys_views)
{
    mm_delta_t deltas[ALL];
    mm_outcome_t outcomes[ALL];
    mm_err_t err = {.text = ""};

    for (int i = 0; i < ALL; i++) {
        bool day = i == DAY || i == NOBODY;

        deltas[i] = (mm_delta_t){.kind = day         ? MM_DELTA_DAY
                                         : i == USER ? MM_DELTA_USER
                                                     : MM_DELTA_RESOURCE,
                                 .type = "datasets",
                                 .id = "a",
                                 .user = i == USER || i == DAY ? "ada" : NULL,
                                 .day_ms = day ? DAY_MS : MM_TIME_NONE,
                                 .views = i == NOBODY ? nobodys_views : views,
                                 .unique_views = i == NOBODY ? nobodys_views : views,
                                 .downloads = i == NOBODY ? 0 : downloads,
                                 .last_viewed_ms = day ? MM_TIME_NONE : DAY_MS,
                                 .last_downloaded_ms = MM_TIME_NONE,
                                 .first_seen_ms = day ? MM_TIME_NONE : DAY_MS};
    }
    if (mm_store_apply(store, SPOOL, seq, deltas, nobodys_views ? ALL : NOBODY, outcomes, &err) != MM_APPLIED) {
        fail_msg("%s", err.text);
    }
}

static void forget(mm_store_t *store)
{
    mm_forgotten_t forgotten;
    mm_err_t err = {.text = ""};

    if (mm_forget_user(store, "ada", &forgotten, &err) != APR_SUCCESS) {
        fail_msg("%s", err.text);
    }
    assert_int_equal(forgotten.resources + forgotten.days, 2);
}

static void assert_has(const unit_t *unit, mm_store_t *store, const char *collection, const char *id, const char *field,
                       int64_t value)
{
    const char *json = unit_find(store, collection, id, unit->pool);
    const char *what = apr_psprintf(unit->pool, "'%s' : { '$numberLong' : '%" APR_INT64_T_FMT "' }", field, value);

    if (json == NULL || strstr(json, what) == NULL) {
        fail_msg("%s %s is %s, without %s", collection, id, json, what);
    }
}

static void forgotten_stays_forgotten(void **state)
{
    unit_t *unit = *state;

    for (int new = 0; new < 2; new ++) {
        mm_store_t *store = unit_store(unit->pool);

        mm_store_expect_new(store, new);
        apply(store, 1, 2, 0, 0);
        forget(store);
        for (int again = 0; again < 2; again++) {
            apply(store, 2, -1, 0, 0);
            assert_int_equal(unit_count(store, "metrics_users"), 0);
            assert_int_equal(unit_count(store, "metrics_days"), 1);
            assert_has(unit, store, "metrics_days", NOBODYS, "views", 1);
            assert_has(unit, store, "metrics_days", NOBODYS, "unique_views", 1);
            assert_has(unit, store, "metrics_datasets", "a", "views", 1);
        }
    }
}

static void nobodys_own_uses_of_the_batch_count(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);

    apply(store, 1, 2, 0, 5);
    forget(store);
    apply(store, 2, -1, 0, 3);
    apply(store, 2, -1, 0, 3);
    assert_has(unit, store, "metrics_days", NOBODYS, "views", 2 + 5 - 1 + 3);
    assert_int_equal(unit_count(store, "metrics_days"), 1);
}

static void what_is_added_is_kept(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);

    apply(store, 1, 2, 0, 0);
    forget(store);
    apply(store, 2, -1, 1, 0);
    apply(store, 2, -1, 1, 0);
    assert_has(unit, store, "metrics_users", "datasets:1:a:ada", "views", 0);
    assert_has(unit, store, "metrics_users", "datasets:1:a:ada", "downloads", 1);
    assert_has(unit, store, "metrics_days", ADAS, "downloads", 1);
    assert_null(strstr(unit_find(store, "metrics_days", ADAS, unit->pool), "views"));
    assert_has(unit, store, "metrics_days", NOBODYS, "views", 1);
    assert_has(unit, store, "metrics_datasets", "a", "downloads", 1);
    assert_has(unit, store, "metrics_datasets", "a", "views", 1);
}

static void whoever_is_there_loses_it(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);

    apply(store, 1, 2, 0, 5);
    apply(store, 2, -1, 0, 0);
    apply(store, 2, -1, 0, 0);
    assert_has(unit, store, "metrics_users", "datasets:1:a:ada", "views", 1);
    assert_has(unit, store, "metrics_days", ADAS, "views", 1);
    assert_has(unit, store, "metrics_days", NOBODYS, "views", 5);
    assert_has(unit, store, "metrics_datasets", "a", "views", 1);
}

#define test(f) cmocka_unit_test_setup_teardown(f, unit_setup, unit_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(forgotten_stays_forgotten),
        test(nobodys_own_uses_of_the_batch_count),
        test(what_is_added_is_kept),
        test(whoever_is_there_loses_it),
    };

    return cmocka_run_group_tests(tests, unit_store_group, NULL);
}
