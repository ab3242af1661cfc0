/* Pages: what the gate is asked, what its answers are worth, and what the window leaves. */
#include "unit_report.h"

#include "report/page.h"
#include "store/store_private.h"

#define COLLECTIONS 700

static mm_rows_t *open_datasets(fixture_t *fixture)
{
    mm_rows_t *cursor = NULL;
    mm_err_t err;

    assert_int_equal(mm_rows_open(&cursor, &fixture->report, "datasets", fixture->pool, &err), APR_SUCCESS);
    return cursor;
}

static mm_page_t fetch(fixture_t *fixture, mm_rows_t *cursor, mm_window_t *window)
{
    mm_page_t page;
    mm_err_t err = {0};
    mm_window_t all = {0, -1};

    if (mm_page_fetch(&page, &fixture->report, "datasets", cursor, window ? window : &all, fixture->pool, &err) !=
        APR_SUCCESS) {
        fail_msg("%s", err.text);
    }
    return page;
}

/* d1 with 3 views, d2 with 2, d3 with 1. */
static fixture_t *three(unit_t *unit)
{
    fixture_t *fixture = fixture_make(unit);

    fixture_use(fixture, "datasets", "d1", 3, 0, 1000, MM_TIME_NONE);
    fixture_use(fixture, "datasets", "d2", 2, 0, 1000, MM_TIME_NONE);
    fixture_use(fixture, "datasets", "d3", 1, 0, 1000, MM_TIME_NONE);
    fixture_store(fixture);
    return fixture;
}

static void test_end(void **state)
{
    fixture_t *fixture = three(*state);
    mm_rows_t *cursor = open_datasets(fixture);

    assert_int_equal(fetch(fixture, cursor, NULL).n, 3);
    mm_page_t page = fetch(fixture, cursor, NULL);
    assert_true(page.ended);
    assert_int_equal(page.n, 0);
    assert_int_equal(fixture->questions, 1);
}

static void test_only_one_is_yes(void **state)
{
    static const char *const denied[] = {"datasets:d2", NULL};
    static const unsigned char no[] = {0, 2, 0xFF, 0x81};
    fixture_t *fixture = three(*state);

    fixture->denied = denied;
    for (size_t i = 0; i < sizeof(no); i++) {
        fixture->verdict = no[i];
        mm_page_t page = fetch(fixture, open_datasets(fixture), NULL);
        assert_false(page.ended);
        assert_int_equal(page.n, 2);
        assert_string_equal(page.rows[0].use->id, "d1");
        assert_string_equal(page.rows[1].use->id, "d3");
    }
}

static void test_window_counts_what_may_be_seen(void **state)
{
    static const char *const denied[] = {"datasets:d1", NULL};
    fixture_t *fixture = three(*state);
    mm_window_t window = {1, 5};

    fixture->denied = denied;
    mm_page_t page = fetch(fixture, open_datasets(fixture), &window);
    assert_int_equal(page.n, 1);
    assert_string_equal(page.rows[0].use->id, "d3");
    assert_int_equal(window.skip, 0);
    assert_int_equal(window.left, 4);

    window = (mm_window_t){0, 1};
    page = fetch(fixture, open_datasets(fixture), &window);
    assert_int_equal(page.n, 1);
    assert_string_equal(page.rows[0].use->id, "d2");
    assert_int_equal(window.left, 0);

    window = (mm_window_t){7, -1};
    assert_int_equal(fetch(fixture, open_datasets(fixture), &window).n, 0);
    assert_int_equal(window.skip, 5);
    assert_int_equal(window.left, -1);
}

/* A catalogue that is away does not matter as long as nobody may see anything; then it does. */
static void test_catalogue_is_asked_only_for_what_may_be_seen(void **state)
{
    static const char *const denied[] = {"datasets:", NULL};
    fixture_t *fixture = three(*state);
    mm_window_t window = {0, -1};
    mm_page_t page;
    mm_err_t err = {0};

    fixture->report.catalog_store = fixture_store_away(fixture->pool);
    fixture->denied = denied;
    page = fetch(fixture, open_datasets(fixture), NULL);
    assert_false(page.ended);
    assert_int_equal(page.n, 0);
    fixture->denied = NULL;
    assert_int_equal(
        mm_page_fetch(&page, &fixture->report, "datasets", open_datasets(fixture), &window, fixture->pool, &err),
        MM_STORE_AWAY);
    assert_true(*err.text);
}

static void test_nobody_to_ask_shows_nothing(void **state)
{
    fixture_t *fixture = three(*state);
    mm_window_t window = {0, -1};
    mm_page_t page;
    mm_err_t err = {0};

    fixture->report.gate.see_resources = NULL;
    assert_int_equal(
        mm_page_fetch(&page, &fixture->report, "datasets", open_datasets(fixture), &window, fixture->pool, &err),
        APR_EINVAL);
    assert_int_equal(page.n, 0);
}

/* d1 in all collections, d2 in a few of them, d3 in a space that has the id of a collection. */
static fixture_t *many_parents(unit_t *unit)
{
    fixture_t *fixture = three(unit);
    char *list = apr_pstrdup(unit->pool, "");

    for (int i = 0; i < COLLECTIONS; i++) {
        list = apr_psprintf(unit->pool, "%s%s'c%03d'", list, i ? "," : "", i);
    }
    unit_insert(fixture->report.store, "app_datasets",
                apr_psprintf(unit->pool, "{'_id':'d1','collections':[%s]}", list));
    unit_insert(fixture->report.store, "app_datasets", "{'_id':'d2','collections':['c001','c600','c002']}");
    unit_insert(fixture->report.store, "app_datasets", "{'_id':'d3','collections':['c600'],'spaces':['c001','s1']}");
    return fixture;
}

static void test_parents_are_asked_once_each_and_in_portions(void **state)
{
    fixture_t *fixture = many_parents(*state);
    mm_page_t page = fetch(fixture, open_datasets(fixture), NULL);

    assert_int_equal(page.n, 3);
    assert_int_equal(fixture->questions, 4);
    assert_int_equal(fixture->asked[0], 3);
    assert_string_equal(fixture->asked_type[1], "collections");
    assert_int_equal(fixture->asked[1], MM_REPORT_BATCH);
    assert_string_equal(fixture->asked_type[2], "collections");
    assert_int_equal(fixture->asked[2], COLLECTIONS - MM_REPORT_BATCH);
    assert_string_equal(fixture->asked_type[3], "spaces");
    assert_int_equal(fixture->asked[3], 2);
    assert_int_equal(page.rows[0].entry.n_parents, COLLECTIONS);
    assert_int_equal(page.rows[1].entry.n_parents, 3);
    assert_int_equal(page.rows[2].entry.n_parents, 3);
    assert_int_equal(page.most_parents, COLLECTIONS);
    for (int i = 0; i < COLLECTIONS; i++) {
        assert_string_equal(page.rows[0].entry.parents[i].id, apr_psprintf(fixture->pool, "c%03d", i));
    }
}

static void test_parents_that_may_not_be_seen(void **state)
{
    static const char *const denied[] = {"collections:c001", "collections:c600", "spaces:s1", NULL};
    fixture_t *fixture = many_parents(*state);

    fixture->denied = denied;
    fixture->verdict = 7;
    mm_page_t page = fetch(fixture, open_datasets(fixture), NULL);
    assert_int_equal(page.rows[0].entry.n_parents, COLLECTIONS - 2);
    assert_string_equal(page.rows[0].entry.parents[1].id, "c002");
    assert_int_equal(page.rows[1].entry.n_parents, 1);
    assert_string_equal(page.rows[1].entry.parents[0].id, "c002");
    assert_int_equal(page.rows[2].entry.n_parents, 1);
    assert_string_equal(page.rows[2].entry.parents[0].type, "spaces");
    assert_string_equal(page.rows[2].entry.parents[0].id, "c001");
}

static void test_no_parents_no_questions(void **state)
{
    fixture_t *fixture = many_parents(*state);

    fixture->route.parents = MM_PARENTS_NONE;
    mm_page_t page = fetch(fixture, open_datasets(fixture), NULL);
    assert_int_equal(fixture->questions, 1);
    assert_int_equal(page.rows[0].entry.n_parents, 0);
}

static void test_gate_fails_about_parents(void **state)
{
    fixture_t *fixture = many_parents(*state);
    mm_window_t window = {0, -1};
    mm_page_t page;
    mm_err_t err = {0};

    for (fixture->fail_at = 1; fixture->fail_at <= 4; fixture->fail_at++) {
        fixture_forget(fixture);
        assert_int_equal(
            mm_page_fetch(&page, &fixture->report, "datasets", open_datasets(fixture), &window, fixture->pool, &err),
            APR_EGENERAL);
        assert_string_equal(err.text, "the gate fell");
        assert_int_equal(fixture->questions, fixture->fail_at);
    }
}

static void count_finds(const mongoc_apm_command_started_t *event)
{
    if (strcmp(mongoc_apm_command_started_get_command_name(event), "find") == 0) {
        (*(int *)mongoc_apm_command_started_get_context(event))++;
    }
}

#define USERS 300

/* A dataset and its users, in a catalogue where collections list their datasets. */
static fixture_t *many_users(unit_t *unit)
{
    fixture_t *fixture = fixture_make(unit);
    apr_array_header_t *catalogs = apr_array_make(unit->pool, 2, sizeof(mm_catalog_t *));

    fixture_catalog(fixture, catalogs, "datasets",
                    "app_datasets id=_id name=name parents=collections:app_collections:datasets");
    fixture_catalog(fixture, catalogs, "collections", "app_collections id=_id name=title");
    fixture->report.catalogs = catalogs;
    for (int i = 0; i < USERS; i++) {
        fixture_use(fixture, "datasets", "d1", 1, 0, 1000, MM_TIME_NONE);
        fixture->deltas[i].kind = MM_DELTA_USER;
        fixture->deltas[i].user = apr_psprintf(unit->pool, "u%03d", i);
    }
    fixture_store(fixture);
    unit_insert(fixture->report.store, "app_datasets", "{'_id':'d1','name':'D'}");
    unit_insert(fixture->report.store, "app_collections", "{'_id':'c1','title':'C','datasets':['d0','d1']}");
    fixture->route.endpoint = MM_ENDPOINT_USERS;
    return fixture;
}

/* Its users, its document, and the collections that hold it. */
static void test_a_resource_of_many_users_is_looked_up_once(void **state)
{
    fixture_t *fixture = many_users(*state);
    mongoc_apm_callbacks_t *callbacks = mongoc_apm_callbacks_new();
    int finds = 0;

    mongoc_apm_set_command_started_cb(callbacks, count_finds);
    mongoc_client_set_apm_callbacks(fixture->report.catalog_store->client, callbacks, &finds);
    mongoc_apm_callbacks_destroy(callbacks);
    mm_page_t page = fetch(fixture, open_datasets(fixture), NULL);
    assert_int_equal(page.n, USERS);
    for (size_t i = 0; i < page.n; i++) {
        assert_string_equal(page.rows[i].entry.name, "D");
        assert_int_equal(page.rows[i].entry.n_parents, 1);
        assert_string_equal(page.rows[i].entry.parents[0].name, "C");
    }
    assert_int_equal(finds, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_end, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(test_only_one_is_yes, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(test_window_counts_what_may_be_seen, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(test_catalogue_is_asked_only_for_what_may_be_seen, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(test_nobody_to_ask_shows_nothing, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(test_parents_are_asked_once_each_and_in_portions, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(test_parents_that_may_not_be_seen, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(test_no_parents_no_questions, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(test_gate_fails_about_parents, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(test_a_resource_of_many_users_is_looked_up_once, unit_setup, unit_teardown),
    };

    return cmocka_run_group_tests(tests, unit_store_group, NULL);
}
