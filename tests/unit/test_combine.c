/* Which parameters go together, and what a route as a whole means. */
#include "unit.h"

#include "route/combine.h"

static void test_what_the_server_computes(void **state)
{
    static const struct {
        mm_route_t route;
        bool computed;
    } cases[] = {{{.endpoint = MM_ENDPOINT_TOTALS}, false},
                 {{.endpoint = MM_ENDPOINT_USERS_ALL, .sort = MM_SORT_VIEWS}, false},
                 {{.endpoint = MM_ENDPOINT_TOTALS, .agent = MM_AGENT_REGULAR}, true},
                 {{.endpoint = MM_ENDPOINT_TOTALS, .agent = MM_AGENT_MACHINE, .sort = MM_SORT_DOWNLOADS}, true},
                 {{.endpoint = MM_ENDPOINT_TOTALS, .agent = MM_AGENT_MACHINE, .sort = MM_SORT_LAST_VIEWED}, false},
                 {{.endpoint = MM_ENDPOINT_TOTALS, .has_since = 1, .sort = MM_SORT_RESOURCE}, true},
                 {{.endpoint = MM_ENDPOINT_USERS, .has_until = 1}, true},
                 {{.endpoint = MM_ENDPOINT_DAYS, .sort = MM_SORT_DAY}, true}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(mm_route_is_computed(&cases[i].route), cases[i].computed);
    }
}

static void test_sorts(void **state)
{
    static const struct {
        mm_route_t route;
        const char *told; /* NULL: it goes */
    } cases[] = {
        {{.endpoint = MM_ENDPOINT_TOTALS, .sort = MM_SORT_LAST_VIEWED}, NULL},
        {{.endpoint = MM_ENDPOINT_TOTALS_ALL, .sort = MM_SORT_RESOURCE}, NULL},
        {{.endpoint = MM_ENDPOINT_TOTALS, .sort = MM_SORT_USER}, "cannot be user_id"},
        {{.endpoint = MM_ENDPOINT_TOTALS, .id = "a", .sort = MM_SORT_USER}, "cannot be user_id"},
        {{.endpoint = MM_ENDPOINT_USERS, .sort = MM_SORT_USER}, NULL},
        {{.endpoint = MM_ENDPOINT_USERS_ALL, .sort = MM_SORT_RESOURCE}, NULL},
        {{.endpoint = MM_ENDPOINT_USERS, .sort = MM_SORT_DOWNLOADS}, "views, resource_id or user_id"},
        {{.endpoint = MM_ENDPOINT_USERS_ALL, .sort = MM_SORT_LAST_DOWNLOADED}, "views, resource_id or user_id"},
        {{.endpoint = MM_ENDPOINT_USERS, .id = "a", .sort = MM_SORT_DOWNLOADS}, NULL},
        {{.endpoint = MM_ENDPOINT_USERS, .parent_id = "a", .sort = MM_SORT_DOWNLOADS}, NULL},
        {{.endpoint = MM_ENDPOINT_USERS_ALL, .user = "a", .sort = MM_SORT_LAST_VIEWED}, NULL},
        {{.endpoint = MM_ENDPOINT_USERS, .others = 1, .sort = MM_SORT_VIEWS}, "can only be resource_id"},
        {{.endpoint = MM_ENDPOINT_USERS, .others = 1, .sort = MM_SORT_RESOURCE}, NULL},
        {{.endpoint = MM_ENDPOINT_USERS, .others = 1, .user = "a"}, "exclude each other"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        mm_route_t route = cases[i].route;
        mm_err_t err = {0};
        int status = mm_combine_check(&route, &err);

        assert_int_equal(status, cases[i].told ? 400 : 0);
        if (cases[i].told && !strstr(err.text, cases[i].told)) {
            fail_msg("%s", err.text);
        }
    }
}

/* What is left of a resource can only be told resource by resource. */
static void test_others_set_the_order(void **state)
{
    mm_route_t route = {.endpoint = MM_ENDPOINT_USERS, .others = 1};
    mm_err_t err;

    (void)state;
    assert_int_equal(mm_combine_check(&route, &err), 0);
    assert_int_equal(route.sort, MM_SORT_RESOURCE);
    route = (mm_route_t){.endpoint = MM_ENDPOINT_USERS};
    assert_int_equal(mm_combine_check(&route, &err), 0);
    assert_int_equal(route.sort, MM_SORT_DEFAULT);
}

static void test_periods(void **state)
{
    static const struct {
        mm_route_t route;
        const char *told; /* NULL: it goes */
    } cases[] = {
        {{.has_since = 1, .since_ms = 5}, NULL},
        {{.has_until = 1, .until_ms = -5}, NULL},
        {{.has_since = 1, .since_ms = 5, .has_until = 1, .until_ms = 6}, NULL},
        {{.has_since = 1, .since_ms = 5, .has_until = 1, .until_ms = 5}, "There is no day"},
        {{.has_since = 1, .has_unused_since = 1}, "all time"},
        {{.has_until = 1, .sort = MM_SORT_LAST_VIEWED}, "can be views"},
        {{.endpoint = MM_ENDPOINT_USERS, .has_until = 1, .sort = MM_SORT_DOWNLOADS}, NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        mm_route_t route = cases[i].route;
        mm_err_t err = {0};

        assert_int_equal(mm_combine_check(&route, &err), cases[i].told ? 400 : 0);
        assert_true(!cases[i].told || strstr(err.text, cases[i].told));
    }
}

static void test_backwards(void **state)
{
    (void)state;
    for (int sort = MM_SORT_DEFAULT; sort <= MM_SORT_USER; sort++) {
        bool ids = sort == MM_SORT_RESOURCE || sort == MM_SORT_USER;
        mm_route_t route = {.sort = (mm_sort_t)sort};

        assert_false(mm_route_is_backwards(&route));
        route.direction = MM_DIRECTION_ASC;
        assert_int_equal(mm_route_is_backwards(&route), !ids);
        route.direction = MM_DIRECTION_DESC;
        assert_int_equal(mm_route_is_backwards(&route), ids);
    }
}

static void test_people(void **state)
{
    mm_route_t route = {.endpoint = MM_ENDPOINT_TOTALS, .extras = {MM_EXTRA_SIZE, MM_EXTRA_OWNER_NAME}, .n_extras = 1};

    (void)state;
    assert_false(mm_route_is_per_user(&route));
    assert_false(mm_route_names_people(&route));
    route.n_extras = 2;
    assert_true(mm_route_names_people(&route));
    route = (mm_route_t){.endpoint = MM_ENDPOINT_USERS_ALL};
    assert_true(mm_route_is_per_user(&route));
    assert_true(mm_route_names_people(&route));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, unit_setup, unit_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_sorts),
        cmocka_unit_test(test_what_the_server_computes),
        TEST(test_others_set_the_order),
        TEST(test_periods),
        TEST(test_backwards),
        TEST(test_people),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
