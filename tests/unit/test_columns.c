/* Which columns a route has, and what stands in them. */
#include "unit.h"

#include "report/columns.h"

static const char *names_of(const mm_columns_t *columns, apr_pool_t *pool)
{
    const char *names = "";

    for (size_t i = 0; i < columns->n; i++) {
        names = apr_pstrcat(pool, names, *names ? "," : "", columns->columns[i].name, NULL);
    }
    return names;
}

static void test_names(void **state)
{
#define TOTALS "views,downloads,last_viewed,last_downloaded"
    static const struct {
        mm_route_t route;
        const char *names;
    } cases[] = {
        {{.endpoint = MM_ENDPOINT_TOTALS, .type = "files", .parents = MM_PARENTS_NONE},
         "resource_id,resource_name," TOTALS},
        {{.endpoint = MM_ENDPOINT_TOTALS_ALL},
         "resource_type,resource_id,resource_name," TOTALS ",parent_type,parent_id,parent_name"},
        {{.endpoint = MM_ENDPOINT_USERS, .type = "files", .parents = MM_PARENTS_NONE},
         "resource_id,resource_name,user_id,user_name," TOTALS},
        {{.endpoint = MM_ENDPOINT_USERS_ALL,
          .extras = {MM_EXTRA_LOCATION, MM_EXTRA_OWNER, MM_EXTRA_MACHINE_DOWNLOADS},
          .n_extras = 3},
         "resource_type,resource_id,resource_name,user_id,user_name," TOTALS
         ",parent_type,parent_id,parent_name,location,owner,machine_downloads"},
        {{.endpoint = MM_ENDPOINT_TOTALS,
          .type = "files",
          .parents = MM_PARENTS_NONE,
          .extras = {MM_EXTRA_OWNER},
          .n_extras = 1,
          .ancestors = {{"spaces", "parent_spaces_ids", 1}, {"datasets", "parent_datasets", 0}},
          .n_ancestors = 2},
         "resource_id,resource_name," TOTALS ",owner,parent_spaces_ids,parent_datasets"},
    };
    unit_t *unit = *state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        mm_columns_t columns;
        mm_columns_choose(&columns, &cases[i].route);
        assert_string_equal(names_of(&columns, unit->pool), cases[i].names);
    }
}

static void test_all_there_can_be_at_once(void **state)
{
    mm_route_t route = {.endpoint = MM_ENDPOINT_USERS_ALL, .n_extras = MM_EXTRAS};
    mm_columns_t columns;

    (void)state;
    for (int i = 0; i < MM_EXTRAS; i++) {
        route.extras[i] = (mm_extra_t)i;
    }
    mm_columns_choose(&columns, &route);
    assert_int_equal(columns.n, MM_COLUMNS_FIXED - 2); /* but for the day and the month */
    assert_int_equal(columns.parents_at, 9);
}

static void test_days(void **state)
{
    mm_route_t route = {.endpoint = MM_ENDPOINT_DAYS_ALL, .n_extras = 1, .extras = {MM_EXTRA_MACHINE_VIEWS}};
    mm_columns_t columns;

    (void)state;
    mm_columns_choose(&columns, &route);
    assert_int_equal(columns.n, 5);
    assert_string_equal(columns.columns[0].name, "day");
    assert_string_equal(columns.columns[1].name, "resource_type");
    assert_string_equal(columns.columns[3].name, "downloads");
    assert_string_equal(columns.columns[4].name, "machine_views");
    route.endpoint = MM_ENDPOINT_DAYS;
    route.type = "files";
    route.per = MM_PER_MONTH;
    mm_columns_choose(&columns, &route);
    assert_int_equal(columns.n, 4);
    assert_string_equal(columns.columns[0].name, "month");
}

static const mm_use_t use = {.id = "d1",
                             .user = "ann",
                             .views = 10,
                             .downloads = 2,
                             .machine_views = 4,
                             .machine_downloads = 3, /* more than all: somebody changed them by hand */
                             .unique_views = 5,
                             .unique_investigations = 7,
                             .last_viewed_ms = 5,
                             .last_downloaded_ms = MM_TIME_NONE};

static void test_cells(void **state)
{
    mm_page_row_t row = {.use = &use,
                         .entry = {.name = "One",
                                   .owner = "bob",
                                   .status = "open",
                                   .location = "tape",
                                   .created_ms = 7,
                                   .size = MM_CATALOG_NO_SIZE},
                         .user_name = "Ann",
                         .owner_name = "Bob"};
    mm_page_t page = {.type = "datasets", .n = 1, .rows = &row};
    mm_route_t route = {.endpoint = MM_ENDPOINT_USERS_ALL, .n_extras = MM_EXTRAS, .parents = MM_PARENTS_NONE};
    mm_cell_t cells[MM_COLUMNS_MAX];
    mm_columns_t columns;

    (void)state;
    for (int i = 0; i < MM_EXTRAS; i++) {
        route.extras[i] = (mm_extra_t)i;
    }
    mm_columns_choose(&columns, &route);
    mm_columns_fill(&columns, &route, &page, 0, cells);
    static const char *const texts[] = {"datasets", "d1", "One", "ann", "Ann"};
    for (size_t i = 0; i < 5; i++) {
        assert_string_equal(cells[i].text, texts[i]);
    }
    assert_int_equal(cells[5].number, 10);
    assert_int_equal(cells[6].number, 2);
    assert_int_equal(cells[7].number, 5);
    assert_int_equal(cells[8].number, MM_TIME_NONE);
    assert_string_equal(cells[9].text, "bob");
    assert_string_equal(cells[10].text, "Bob");
    assert_int_equal(cells[11].number, MM_CELL_NONE);
    assert_int_equal(cells[12].number, 7);
    assert_string_equal(cells[13].text, "open");
    assert_string_equal(cells[14].text, "tape");
    assert_int_equal(cells[15].number, 6);
    assert_int_equal(cells[16].number, 0);
    assert_int_equal(cells[17].number, 4);
    assert_int_equal(cells[18].number, 3);
    assert_int_equal(cells[19].number, 5);
    assert_int_equal(cells[20].number, 0);
    assert_int_equal(cells[21].number, 7);
}

static void test_counts_of_agents(void **state)
{
    mm_page_row_t row = {.use = &use, .entry = {.name = ""}};
    mm_page_t page = {.type = "datasets", .n = 1, .rows = &row};
    static const int64_t expected[][2] = {
        [MM_AGENT_ALL] = {10, 2}, [MM_AGENT_REGULAR] = {6, 0}, [MM_AGENT_MACHINE] = {4, 3}};

    (void)state;
    for (int agent = MM_AGENT_ALL; agent <= MM_AGENT_MACHINE; agent++) {
        mm_route_t route = {.endpoint = MM_ENDPOINT_TOTALS, .type = "datasets", .agent = (mm_agent_t)agent};
        mm_cell_t cells[MM_COLUMNS_MAX];
        mm_columns_t columns;

        mm_columns_choose(&columns, &route);
        mm_columns_fill(&columns, &route, &page, 0, cells);
        assert_int_equal(cells[2].number, expected[agent][0]);
        assert_int_equal(cells[3].number, expected[agent][1]);
    }
}

static void test_parents(void **state)
{
    const mm_parent_t parents[] = {{"spaces", "s1", "One"}, {"spaces", "s2", "Two"}};
    mm_route_t route = {.endpoint = MM_ENDPOINT_TOTALS, .type = "datasets"};
    mm_cell_t cells[MM_COLUMNS_MAX];
    const char *pieces[6];
    mm_columns_t columns;

    (void)state;
    mm_columns_choose(&columns, &route);
    mm_columns_fill_parents(&columns, parents, 2, pieces, cells);
    assert_int_equal(cells[6].pieces.n, 2);
    assert_string_equal(cells[6].pieces.texts[1], "spaces");
    assert_string_equal(cells[7].pieces.texts[0], "s1");
    assert_string_equal(cells[8].pieces.texts[1], "Two");
    mm_columns_fill_parents(&columns, NULL, 0, pieces, cells);
    assert_int_equal(cells[7].pieces.n, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, unit_setup, unit_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_names),   TEST(test_all_there_can_be_at_once),
        TEST(test_cells),   TEST(test_counts_of_agents),
        TEST(test_parents), TEST(test_days),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
