/* Parents at all levels: which there are, who may see them, and that the way up ends whatever documents hold. */
#include "unit_report.h"

#include "report/ancestors.h"

/* files are in sets, sets are in collections, collections are in collections and spaces. */
static fixture_t *make(unit_t *unit, const char *const *columns)
{
    static const char *const types[] = {"sets", "collections", "spaces"};
    fixture_t *fixture = fixture_make(unit);
    apr_array_header_t *catalogs = apr_array_make(unit->pool, 4, sizeof(mm_catalog_t *));

    fixture_catalog(fixture, catalogs, "files", "files name=n parents=sets:sets:files");
    fixture_catalog(fixture, catalogs, "sets", "sets name=n parents=collections:up");
    fixture_catalog(fixture, catalogs, "collections",
                    "collections name=n parents=collections:up parents=spaces:spaces");
    fixture_catalog(fixture, catalogs, "spaces", "spaces name=n");
    fixture->report.catalogs = catalogs;
    fixture->route.type = "files";
    for (size_t i = 0; columns[i]; i++) {
        const char *type = columns[i] + strlen("parent_");

        fixture->route.ancestors[i] = (mm_ancestor_column_t){.name = columns[i], .ids = strstr(type, "_ids") != NULL};
        for (size_t j = 0; j < 3; j++) {
            fixture->route.ancestors[i].type =
                strncmp(type, types[j], strlen(types[j])) == 0 ? types[j] : fixture->route.ancestors[i].type;
        }
        fixture->route.n_ancestors = i + 1;
    }
    return fixture;
}

static const char *const three[] = {"parent_sets", "parent_collections", "parent_spaces", NULL};

static void insert(fixture_t *fixture, const char *collection, const char *json)
{
    unit_insert(fixture->report.store, collection, json);
}

static mm_page_t page_of(fixture_t *fixture, mm_ancestors_t **ancestors)
{
    mm_window_t all = {0, -1};
    mm_rows_t *rows = NULL;
    mm_page_t page = {0};
    mm_err_t err = {0};

    if (!*ancestors) {
        assert_int_equal(mm_ancestors_make(ancestors, &fixture->report, fixture->pool), APR_SUCCESS);
    }
    if (mm_rows_open(&rows, &fixture->report, fixture->route.type, fixture->pool, &err) != APR_SUCCESS ||
        mm_page_fetch(&page, &fixture->report, fixture->route.type, rows, &all, fixture->pool, &err) != APR_SUCCESS ||
        mm_ancestors_fill(*ancestors, &page, fixture->pool, &err) != APR_SUCCESS) {
        fail_msg("%s", err.text);
    }
    return page;
}

/* "A;B|C|…" of a row. */
static const char *cells_of(const fixture_t *fixture, const mm_page_row_t *row)
{
    const char *text = "";

    for (size_t i = 0; i < fixture->route.n_ancestors; i++) {
        text = i > 0 ? apr_pstrcat(fixture->pool, text, "|", NULL) : text;
        for (size_t j = 0; j < row->ancestors[i].pieces.n; j++) {
            text = apr_pstrcat(fixture->pool, text, j > 0 ? ";" : "", row->ancestors[i].pieces.texts[j], NULL);
        }
    }
    return text;
}

/* Of the only row. */
static const char *cells(fixture_t *fixture, unsigned troubles)
{
    mm_ancestors_t *ancestors = NULL;
    mm_page_t page = page_of(fixture, &ancestors);

    assert_int_equal(page.n, 1);
    assert_int_equal(page.rows[0].entry.troubles, troubles);
    return cells_of(fixture, &page.rows[0]);
}

static void fill_levels(fixture_t *fixture)
{
    fixture_use(fixture, "files", "f", 1, 0, 1000, MM_TIME_NONE);
    fixture_store(fixture);
    insert(fixture, "files", "{'_id': 'f', 'n': 'F'}");
    insert(fixture, "sets", "{'_id': 's1', 'n': 'S1', 'files': ['f'], 'up': ['c1', 'c2']}");
    insert(fixture, "sets", "{'_id': 's2', 'n': 'S2', 'files': ['f'], 'up': ['c2']}");
    insert(fixture, "collections", "{'_id': 'c1', 'n': 'C1', 'up': 'c3', 'spaces': []}");
    insert(fixture, "collections", "{'_id': 'c2', 'n': 'C2', 'up': ['c3'], 'spaces': ['p1']}");
    insert(fixture, "collections", "{'_id': 'c3', 'n': 'C3', 'spaces': ['p1', 'p2']}");
    insert(fixture, "spaces", "{'_id': 'p1', 'n': 'P1'}");
    insert(fixture, "spaces", "{'_id': 'p2', 'n': 'P2'}");
}

static void test_all_levels(void **state)
{
    static const char *const columns[] = {"parent_sets", "parent_collections_ids", "parent_collections",
                                          "parent_spaces", NULL};
    fixture_t *fixture = make(*state, columns);

    fill_levels(fixture);
    assert_string_equal(cells(fixture, 0), "S1;S2|c1;c2;c3|C1;C2;C3|P1;P2");
}

/* What is above a parent that may not be seen is seen only where another way leads there. */
static void test_nothing_through_what_may_not_be_seen(void **state)
{
    static const struct {
        const char *denied[4];
        const char *cells;
    } cases[] = {
        {{"sets:s1", NULL}, "S2|C2;C3|P1;P2"},
        {{"sets:", NULL}, "||"},
        {{"collections:c3", NULL}, "S1;S2|C1;C2|P1"},
        {{"collections:c2", NULL}, "S1;S2|C1;C3|P1;P2"},
        {{"collections:c1", "collections:c2", NULL}, "S1;S2||"},
        {{"spaces:p1", NULL}, "S1;S2|C1;C2;C3|P2"},
    };
    fixture_t *fixture = make(*state, three);

    fill_levels(fixture);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        fixture->denied = cases[i].denied;
        fixture->questions = 0;
        assert_string_equal(cells(fixture, 0), cases[i].cells);
    }
}

/* Rights are those of now, though what is above is remembered. */
static void test_asked_anew_for_each_page(void **state)
{
    static const char *const denied[] = {"collections:c3", NULL};
    fixture_t *fixture = make(*state, three);
    mm_ancestors_t *ancestors = NULL;

    fill_levels(fixture);
    page_of(fixture, &ancestors);
    fixture->denied = denied;
    mm_page_t page = page_of(fixture, &ancestors);
    assert_string_equal(cells_of(fixture, &page.rows[0]), "S1;S2|C1;C2|P1");
    fixture->denied = NULL;
    page = page_of(fixture, &ancestors);
    assert_string_equal(cells_of(fixture, &page.rows[0]), "S1;S2|C1;C2;C3|P1;P2");
}

typedef struct expected {
    const char *id, *cells;
    unsigned troubles;
} expected_t;

/* Every row is as expected of its id. */
static void assert_rows(fixture_t *fixture, const expected_t *expected, size_t n)
{
    mm_ancestors_t *ancestors = NULL;
    mm_page_t page;

    for (size_t i = 0; i < n; i++) {
        fixture_use(fixture, fixture->route.type, expected[i].id, (int64_t)(n - i), 0, 1000, MM_TIME_NONE);
    }
    fixture_store(fixture);
    page = page_of(fixture, &ancestors);
    assert_int_equal(page.n, n);
    for (size_t i = 0; i < n; i++) {
        assert_string_equal(page.rows[i].use->id, expected[i].id);
        assert_string_equal(cells_of(fixture, &page.rows[i]), expected[i].cells);
        assert_int_equal(page.rows[i].entry.troubles, expected[i].troubles);
    }
}

static void test_cycles(void **state)
{
    static const char *const columns[] = {"parent_collections", NULL};
    static const expected_t expected[] = {
        {"a", "B", 1u << MM_TROUBLE_CYCLE},
        {"b", "A", 1u << MM_TROUBLE_CYCLE},
        {"below", "A;B", 0},
        {"self", "", 1u << MM_TROUBLE_CYCLE},
    };
    fixture_t *fixture = make(*state, columns);

    fixture->route.type = "collections";
    insert(fixture, "collections", "{'_id': 'a', 'n': 'A', 'up': ['b']}");
    insert(fixture, "collections", "{'_id': 'b', 'n': 'B', 'up': ['a']}");
    insert(fixture, "collections", "{'_id': 'below', 'n': 'Below', 'up': ['a']}");
    insert(fixture, "collections", "{'_id': 'self', 'n': 'Self', 'up': ['self']}");
    assert_rows(fixture, expected, 4);
}

static void test_whatever_documents_hold(void **state)
{
    static const expected_t expected[] = {
        {"in good", "S|C|P", 0},
        {"in dangling", "S||", 1u << MM_TROUBLE_MISSING},
        {"in odd", "S||", 1u << MM_TROUBLE_TYPE},
        {"below odd", "S||", 1u << MM_TROUBLE_TYPE | 1u << MM_TROUBLE_MISSING},
        {"gone", "||", 1u << MM_TROUBLE_MISSING},
    };
    fixture_t *fixture = make(*state, three);

    for (size_t i = 0; i < 4; i++) {
        insert(fixture, "files", apr_psprintf(fixture->pool, "{'_id': '%s', 'n': 'F'}", expected[i].id));
    }
    insert(fixture, "sets", "{'_id': 's1', 'n': 'S', 'files': ['in good'], 'up': ['c']}");
    insert(fixture, "sets", "{'_id': 's2', 'n': 'S', 'files': ['in dangling'], 'up': ['gone']}");
    insert(fixture, "sets", "{'_id': 's3', 'n': 'S', 'files': ['in odd'], 'up': {'x': 1}}");
    insert(fixture, "sets", "{'_id': 's4', 'n': 'S', 'files': ['below odd'], 'up': ['odd']}");
    insert(fixture, "collections", "{'_id': 'c', 'n': 'C', 'spaces': ['p']}");
    insert(fixture, "collections", "{'_id': 'odd', 'n': {'x': 1}, 'up': [true], 'spaces': 5}");
    insert(fixture, "spaces", "{'_id': 'p', 'n': 'P'}");
    assert_rows(fixture, expected, 5);
}

static apr_status_t see_all(void *baton, const char *type, const char *const *ids, size_t n, unsigned char *verdicts,
                            mm_err_t *err)
{
    (void)baton, (void)type, (void)ids, (void)err;
    memset(verdicts, 1, n);
    return APR_SUCCESS;
}

/* A chain of 150 collections: the first 100 levels are walked. */
static void test_many_levels(void **state)
{
    static const char *const columns[] = {"parent_collections_ids", NULL};
    fixture_t *fixture = make(*state, columns);
    mm_ancestors_t *ancestors = NULL;

    fixture->route.type = "collections";
    fixture_use(fixture, "collections", "000", 1, 0, 1000, MM_TIME_NONE);
    fixture_store(fixture);
    for (int i = 0; i < 150; i++) {
        insert(fixture, "collections",
               apr_psprintf(fixture->pool, "{'_id': '%03d', 'n': 'N', 'up': ['%03d']}", i, i + 1));
    }
    fixture->report.gate.see_resources = see_all; /* the fixture's notes only so many questions */
    mm_page_t page = page_of(fixture, &ancestors);
    assert_true(page.rows[0].entry.troubles & 1u << MM_TROUBLE_WORK);
    assert_in_range(page.rows[0].ancestors[0].pieces.n, MM_ANCESTORS_LEVELS, MM_ANCESTORS_LEVELS + 2);
}

/* Ten levels of 40 collections that are each in all of the next: few for us, 40 to the tenth ways. */
static void test_many_ways(void **state)
{
    enum { WIDTH = 40, LEVELS = 10 };
    static const char *const columns[] = {"parent_collections_ids", NULL};
    fixture_t *fixture = make(*state, columns);
    mm_ancestors_t *ancestors = NULL;

    fixture->route.type = "collections";
    fixture_use(fixture, "collections", "x", 1, 0, 1000, MM_TIME_NONE);
    fixture_store(fixture);
    for (int level = 0; level < LEVELS; level++) {
        const char *up = "";

        for (int i = 0; i < WIDTH; i++) {
            up = apr_psprintf(fixture->pool, "%s%s'%d-%02d'", up, i > 0 ? ", " : "", level + 1, i);
        }
        for (int i = 0; i < (level == 0 ? 1 : WIDTH); i++) {
            const char *id = level == 0 ? "x" : apr_psprintf(fixture->pool, "%d-%02d", level, i);
            insert(
                fixture, "collections",
                apr_psprintf(fixture->pool, "{'_id': '%s', 'n': 'N', 'up': [%s]}", id, level == LEVELS - 1 ? "" : up));
        }
    }
    mm_page_t page = page_of(fixture, &ancestors);
    assert_int_equal(page.rows[0].entry.troubles, 0);
    assert_int_equal(page.rows[0].ancestors[0].pieces.n, WIDTH * (LEVELS - 1));
}

static void test_failures_are_told(void **state)
{
    fixture_t *fixture = make(*state, three);
    mm_window_t all = {0, -1};
    mm_ancestors_t *ancestors = NULL;
    mm_rows_t *rows = NULL;
    mm_page_t page;
    mm_err_t err = {0};

    fill_levels(fixture);
    assert_int_equal(mm_ancestors_make(&ancestors, &fixture->report, fixture->pool), APR_SUCCESS);
    assert_int_equal(mm_rows_open(&rows, &fixture->report, "files", fixture->pool, &err), APR_SUCCESS);
    assert_int_equal(mm_page_fetch(&page, &fixture->report, "files", rows, &all, fixture->pool, &err), APR_SUCCESS);
    fixture->fail_at = fixture->questions + 1;
    assert_int_equal(mm_ancestors_fill(ancestors, &page, fixture->pool, &err), APR_EGENERAL);
    assert_string_equal(err.text, "the gate fell");
    fixture->report.catalog_store = fixture_store_away(fixture->pool);
    ancestors = NULL;
    assert_int_equal(mm_ancestors_make(&ancestors, &fixture->report, fixture->pool), APR_SUCCESS);
    assert_int_equal(mm_ancestors_fill(ancestors, &page, fixture->pool, &err), MM_STORE_AWAY);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, unit_setup, unit_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_all_levels),
        TEST(test_nothing_through_what_may_not_be_seen),
        TEST(test_asked_anew_for_each_page),
        TEST(test_cycles),
        TEST(test_whatever_documents_hold),
        TEST(test_many_levels),
        TEST(test_many_ways),
        TEST(test_failures_are_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
