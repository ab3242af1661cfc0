/* Rows: what the gate lets pass, of resources and of people, and what is left of a resource. */
#include "unit_report.h"

#include "report/rows.h"

static void use_by(fixture_t *fixture, const char *id, const char *user, int64_t views, int64_t downloads)
{
    fixture->deltas[fixture->n_deltas++] = (mm_delta_t){.kind = user ? MM_DELTA_USER : MM_DELTA_RESOURCE,
                                                        .type = "datasets",
                                                        .id = id,
                                                        .user = user,
                                                        .views = views,
                                                        .downloads = downloads,
                                                        .last_viewed_ms = 1000,
                                                        .last_downloaded_ms = MM_TIME_NONE,
                                                        .first_seen_ms = MM_TIME_NONE};
}

/* d1: ann 3/1, bob 2/1 of 9/2; d2: ann 1/0 of 1/0; d3: nobody of 4/0; bytes: bob of 1/1 */
static fixture_t *filled(unit_t *unit)
{
    fixture_t *fixture = fixture_make(unit);

    use_by(fixture, "d1", NULL, 9, 2);
    use_by(fixture, "d2", NULL, 1, 0);
    use_by(fixture, "d3", NULL, 4, 0);
    use_by(fixture, "\xff", NULL, 1, 1);
    use_by(fixture, "d1", "ann", 3, 1);
    use_by(fixture, "d1", "bob", 2, 1);
    use_by(fixture, "d2", "ann", 1, 0);
    use_by(fixture, "\xff", "bob", 1, 0);
    fixture_store(fixture);
    fixture->route.endpoint = MM_ENDPOINT_USERS;
    return fixture;
}

/* "id:user views/downloads; …" */
static const char *all(fixture_t *fixture)
{
    const char *text = "";
    mm_rows_t *rows = NULL;
    mm_batch_t batch;
    mm_err_t err = {0};

    fixture_forget(fixture);
    assert_int_equal(mm_rows_open(&rows, &fixture->report, "datasets", fixture->pool, &err), APR_SUCCESS);
    do {
        if (mm_rows_next(rows, &batch, fixture->pool, &err) != APR_SUCCESS) {
            fail_msg("%s", err.text);
        }
        assert_true(!batch.ended || batch.n == 0);
        for (size_t i = 0; i < batch.n; i++) {
            const mm_use_t *use = &batch.rows[i];
            text = apr_psprintf(fixture->pool, "%s%s:%s %ld/%ld; ", text, use->id, use->user ? use->user : "",
                                (long)use->views, (long)use->downloads);
            bool has_time = use->user || (!mm_route_is_per_user(&fixture->route) && use->views > 0);
            assert_int_equal(use->last_viewed_ms, has_time ? 1000 : MM_TIME_NONE);
        }
    } while (!batch.ended);
    return text;
}

static void test_totals_and_users(void **state)
{
    fixture_t *fixture = filled(*state);

    assert_string_equal(all(fixture), "d1:ann 3/1; d1:bob 2/1; d2:ann 1/0; \xff:bob 1/0; ");
    fixture->route.endpoint = MM_ENDPOINT_TOTALS;
    assert_string_equal(all(fixture), "d1: 9/2; d3: 4/0; \xff: 1/1; d2: 1/0; ");
}

static void test_both_rights(void **state)
{
    static const char *const no_d1[] = {"datasets:d1", NULL}, *const no_ann[] = {"users:ann", NULL},
                             *const nobody[] = {"users:", NULL}, *const nothing[] = {"datasets:", NULL};
    fixture_t *fixture = filled(*state);

    fixture->denied = no_d1;
    assert_string_equal(all(fixture), "d2:ann 1/0; \xff:bob 1/0; ");
    fixture->denied = no_ann;
    assert_string_equal(all(fixture), "d1:bob 2/1; \xff:bob 1/0; ");
    fixture->denied = nobody;
    assert_string_equal(all(fixture), "");
    fixture->denied = nothing;
    assert_string_equal(all(fixture), "");
    assert_int_equal(fixture->questions, 1); /* nobody is asked about who used what may not be seen */
}

static void test_others(void **state)
{
    static const char *const no_bob[] = {"users:bob", NULL}, *const no_d1[] = {"datasets:d1", NULL},
                             *const nobody[] = {"users:", NULL};
    fixture_t *fixture = filled(*state);

    fixture->route.others = 1;
    fixture->route.sort = MM_SORT_RESOURCE;
    assert_string_equal(all(fixture),
                        "d1:ann 3/1; d1:bob 2/1; d1: 4/0; d2:ann 1/0; d3: 4/0; \xff:bob 1/0; \xff: 0/1; ");
    fixture->denied = no_bob;
    assert_string_equal(all(fixture), "d1:ann 3/1; d1: 6/1; d2:ann 1/0; d3: 4/0; \xff: 1/1; ");
    fixture->denied = no_d1;
    assert_string_equal(all(fixture), "d2:ann 1/0; d3: 4/0; \xff:bob 1/0; \xff: 0/1; ");
    fixture->denied = nobody;
    assert_string_equal(all(fixture), "d1: 9/2; d2: 1/0; d3: 4/0; \xff: 1/1; ");
    fixture->route.direction = MM_DIRECTION_DESC;
    assert_string_equal(all(fixture), "\xff: 1/1; d3: 4/0; d2: 1/0; d1: 9/2; ");
}

/* The totals are read first: a use that comes between makes nothing negative. An id that somebody wrote as another type
 * does not bring the others out of step. */
static void test_others_with_documents_of_somebody_else(void **state)
{
    fixture_t *fixture = filled(*state);

    fixture->route.others = 1;
    fixture->route.sort = MM_SORT_RESOURCE;
    unit_insert(fixture->report.store, "metrics_users",
                "{'_id': 'x', 'type': 'datasets', 'resource': 'd2', 'user': 'zoe', 'views': 5, 'downloads': 0, "
                "'last_viewed': {'$date': 1000}}");
    unit_insert(fixture->report.store, "metrics_datasets", "{'_id': 5, 'views': 7, 'downloads': 0}");
    unit_insert(fixture->report.store, "metrics_users",
                "{'_id': 'y', 'type': 'datasets', 'resource': '5', 'user': 'zoe', 'views': 5, 'downloads': 0, "
                "'last_viewed': {'$date': 1000}}");
    assert_string_equal(all(fixture), "5:zoe 5/0; 5: 2/0; d1:ann 3/1; d1:bob 2/1; d1: 4/0; d2:ann 1/0; d2:zoe 5/0; "
                                      "d3: 4/0; \xff:bob 1/0; \xff: 0/1; ");
}

/* An id of a type that comes in another order than its text: then users are not told apart, but sums still hold. */
static void test_others_out_of_step(void **state)
{
    fixture_t *fixture = filled(*state);

    fixture->route.others = 1;
    fixture->route.sort = MM_SORT_RESOURCE;
    unit_insert(fixture->report.store, "metrics_datasets",
                "{'_id': {'$oid': 'aaaaaaaaaaaaaaaaaaaaaaa1'}, 'views': 3, 'downloads': 0}");
    unit_insert(fixture->report.store, "metrics_users",
                "{'_id': 'x', 'type': 'datasets', 'resource': 'aaaaaaaaaaaaaaaaaaaaaaa1', 'user': 'zoe', 'views': 1, "
                "'downloads': 0, 'last_viewed': {'$date': 1000}}");
    assert_string_equal(all(fixture), "d1: 9/2; d2: 1/0; d3: 4/0; \xff: 1/1; aaaaaaaaaaaaaaaaaaaaaaa1:zoe 1/0; "
                                      "aaaaaaaaaaaaaaaaaaaaaaa1: 2/0; ");
}

static void test_children(void **state)
{
    static const char *const no_c1[] = {"collections:c1", NULL};
    fixture_t *fixture = filled(*state);

    unit_insert(fixture->report.store, "app_datasets", "{'_id': 'd2', 'collections': ['c1', 'c2']}");
    unit_insert(fixture->report.store, "app_datasets", "{'_id': 'd3', 'collections': ['c1']}");
    fixture->route.parent_type = "collections";
    fixture->route.parent_id = "c1";
    assert_string_equal(all(fixture), "d2:ann 1/0; ");
    fixture->route.endpoint = MM_ENDPOINT_TOTALS;
    assert_string_equal(all(fixture), "d3: 4/0; d2: 1/0; ");
    fixture->route.id = "d3";
    assert_string_equal(all(fixture), "d3: 4/0; ");
    fixture->route.id = "d1";
    assert_string_equal(all(fixture), "");
    fixture->route.id = NULL;
    fixture->denied = no_c1;
    assert_string_equal(all(fixture), "");
    assert_int_equal(fixture->questions, 1);
}

static void test_gate_fails(void **state)
{
    fixture_t *fixture = filled(*state);
    mm_err_t err;

    for (int others = 0; others < 2; others++) {
        fixture->route.others = others;
        fixture->route.sort = others ? MM_SORT_RESOURCE : MM_SORT_DEFAULT;
        for (fixture->fail_at = 1; fixture->fail_at <= 2; fixture->fail_at++) {
            mm_rows_t *rows = NULL;
            mm_batch_t batch;

            fixture_forget(fixture);
            assert_int_equal(mm_rows_open(&rows, &fixture->report, "datasets", fixture->pool, &err), APR_SUCCESS);
            assert_int_equal(mm_rows_next(rows, &batch, fixture->pool, &err), APR_EGENERAL);
            assert_string_equal(err.text, "the gate fell");
            assert_int_equal(batch.n, 0);
        }
    }
}

static void test_narrowed_rows_are_asked_about_all_the_same(void **state)
{
    static const char *const ids[] = {"d3", "d1", "no such"}, *const no_d1[] = {"datasets:d1", NULL};
    fixture_t *fixture = filled(*state);

    fixture->narrowed = ids;
    fixture->n_narrowed = 3;
    assert_string_equal(all(fixture), "d1:ann 3/1; d1:bob 2/1; ");
    fixture->route.others = 1;
    assert_string_equal(all(fixture), "d1:ann 3/1; d1:bob 2/1; d1: 4/0; d3: 4/0; ");
    fixture->route.endpoint = MM_ENDPOINT_TOTALS;
    fixture->route.others = 0;
    assert_string_equal(all(fixture), "d1: 9/2; d3: 4/0; ");
    fixture->denied = no_d1;
    assert_string_equal(all(fixture), "d3: 4/0; ");
    fixture->denied = NULL;
    fixture->n_narrowed = 0;
    assert_string_equal(all(fixture), "");
    assert_int_equal(fixture->questions, 0);
    /* Narrowing never gives more than was asked for. */
    fixture->n_narrowed = 3;
    fixture->route.id = "d2";
    assert_string_equal(all(fixture), "d2: 1/0; ");
}

/* d1, d2, d3 and bytes are used, of which the catalogue knows d1; touched has a document, but no use; a to c have none.
 */
static void test_never_used(void **state)
{
    static const char *const no_b[] = {"datasets:b", NULL}, *const ids[] = {"c", "d3", "touched", "unknown"};
    fixture_t *fixture = filled(*state);

    for (const char *const *id = (const char *const[]){"b", "d1", "a", "touched", "c", NULL}; *id; id++) {
        unit_insert(fixture->report.store, "app_datasets",
                    apr_psprintf(fixture->pool, "{'_id': '%s', 'name': 'x', 'collections': ['%s']}", *id,
                                 **id == 'a' ? "c1" : "c2"));
    }
    unit_insert(fixture->report.store, "metrics_datasets", "{'_id': 'touched', 'views': 0, 'downloads': 0}");
    fixture->route.endpoint = MM_ENDPOINT_TOTALS;
    fixture->route.never_used = MM_NEVER_USED_ONLY;
    assert_string_equal(all(fixture), "a: 0/0; b: 0/0; c: 0/0; touched: 0/0; ");
    fixture->route.never_used = MM_NEVER_USED_TOO;
    assert_string_equal(all(fixture), "d1: 9/2; d3: 4/0; \xff: 1/1; d2: 1/0; a: 0/0; b: 0/0; c: 0/0; touched: 0/0; ");
    fixture->route.direction = MM_DIRECTION_ASC;
    assert_string_equal(all(fixture), "touched: 0/0; c: 0/0; b: 0/0; a: 0/0; d2: 1/0; \xff: 1/1; d3: 4/0; d1: 9/2; ");
    fixture->denied = no_b;
    fixture->route.never_used = MM_NEVER_USED_ONLY;
    assert_string_equal(all(fixture), "touched: 0/0; c: 0/0; a: 0/0; ");
    fixture->narrowed = ids;
    fixture->n_narrowed = 4;
    assert_string_equal(all(fixture), "touched: 0/0; c: 0/0; ");
    fixture->route.parent_type = "collections";
    fixture->route.parent_id = "c1";
    assert_string_equal(all(fixture), "a: 0/0; ");
    fixture->route.parent_id = "none";
    assert_string_equal(all(fixture), "");
}

static void test_narrowing_that_fails_is_the_end(void **state)
{
    fixture_t *fixture = filled(*state);
    mm_rows_t *rows = NULL;
    mm_err_t err = {0};

    fixture->narrow_fails = true;
    assert_int_equal(mm_rows_open(&rows, &fixture->report, "datasets", fixture->pool, &err), APR_EGENERAL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, unit_setup, unit_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_totals_and_users),
        TEST(test_both_rights),
        TEST(test_others),
        TEST(test_others_with_documents_of_somebody_else),
        TEST(test_others_out_of_step),
        TEST(test_children),
        TEST(test_gate_fails),
        TEST(test_narrowed_rows_are_asked_about_all_the_same),
        TEST(test_never_used),
        TEST(test_narrowing_that_fails_is_the_end),
    };

    return cmocka_run_group_tests(tests, unit_store_group, NULL);
}
