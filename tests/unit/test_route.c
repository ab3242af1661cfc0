/* Routes: which path and query string is what, and what is said about all others. */
#include "unit.h"

#include "route/route.h"

static const char *const types[] = {"datasets", "collections", "files", NULL};

static int parse(unit_t *unit, mm_route_t *route, const char *path, const char *args, mm_err_t *err)
{
    memset(err, 0, sizeof(*err));
    memset(route, 0xAA, sizeof(*route));
    return mm_route_parse(route, path, args, types, 3, unit->pool, err);
}

static mm_route_t route_of(unit_t *unit, const char *path, const char *args)
{
    mm_route_t route;
    mm_err_t err;
    int status = parse(unit, &route, path, args, &err);

    if (status != 0) {
        fail_msg("%s?%s: %d %s", path, args ? args : "", status, err.text);
    }
    return route;
}

/* The answer to path?args is this status, leaves the route alone, and its sentence holds told. */
static void assert_refused(unit_t *unit, const char *path, const char *args, int status, const char *told)
{
    mm_route_t route, untouched;
    mm_err_t err;
    int got = parse(unit, &route, path, args, &err);

    if (got != status || !strstr(err.text, told)) {
        fail_msg("%s?%s: %d, expected %d; \"%s\", expected \"%s\"", path, args ? args : "", got, status, err.text,
                 told);
    }
    memset(&untouched, 0xAA, sizeof(untouched));
    assert_memory_equal(&route, &untouched, sizeof(route));
    assert_true(err.status != APR_SUCCESS);
    for (const char *c = err.text; *c; c++) {
        assert_in_range(*c, 0x20, 0x7E);
    }
}

static void test_base(void **state)
{
    static const char *const paths[] = {"", "/"};

    for (int i = 0; i < 2; i++) {
        mm_route_t route = route_of(*state, paths[i], i ? "" : NULL);
        assert_int_equal(route.endpoint, MM_ENDPOINT_TOTALS_ALL);
        assert_null(route.type);
        assert_null(route.id);
        assert_int_equal(route.limit, -1);
        assert_int_equal(route.offset, 0);
        assert_int_equal(route.parents, MM_PARENTS_JOINED);
        assert_int_equal(route.raw, 0);
        assert_int_equal(route.bom, 0);
        assert_int_equal(route.wants_post, 0);
    }
}

static void test_totals(void **state)
{
    mm_route_t route = route_of(*state, "/collections", "limit=10&offset=20&parents=rows&raw=1&bom=1");

    assert_int_equal(route.endpoint, MM_ENDPOINT_TOTALS);
    assert_ptr_equal(route.type, types[1]);
    assert_int_equal(route.limit, 10);
    assert_int_equal(route.offset, 20);
    assert_int_equal(route.parents, MM_PARENTS_ROWS);
    assert_int_equal(route.raw, 1);
    assert_int_equal(route.bom, 1);
    assert_int_equal(route.wants_post, 0);
    assert_int_equal(route_of(*state, "", "parents=none").parents, MM_PARENTS_NONE);
}

static void test_formats(void **state)
{
    assert_ptr_equal(route_of(*state, "/files.csv", NULL).type, types[2]);
    assert_ptr_equal(route_of(*state, "/files", "format=csv").type, types[2]);
    assert_ptr_equal(route_of(*state, "/files.csv", "format=csv").type, types[2]);
    assert_int_equal(route_of(*state, "/", "format=csv").endpoint, MM_ENDPOINT_TOTALS_ALL);
    assert_int_equal(route_of(*state, "/files", NULL).format, MM_FORMAT_ANY);
    assert_int_equal(route_of(*state, "/files.json", NULL).format, MM_FORMAT_JSON);
    assert_int_equal(route_of(*state, "/files.ndjson", "format=ndjson").format, MM_FORMAT_NDJSON);
    assert_int_equal(route_of(*state, "", "format=tsv").format, MM_FORMAT_TSV);
    assert_refused(*state, "/files.pdf", NULL, 406, "\"pdf\"; there is: csv, json");
    assert_refused(*state, "/files.csv.gz", NULL, 406, "\"csv.gz\"");
    assert_refused(*state, "/files", "format=openmetrics", 406, "\"openmetrics\"; there is: csv, json");
    assert_refused(*state, "", "format=pdf", 406, "there is: csv");
    assert_refused(*state, "/files.pdf", "format=pdf", 406, "there is: csv");
    assert_refused(*state, "/files.csv", "format=json", 400, "\"format\"");
    assert_refused(*state, "/files.json", "format=csv", 400, "\"format\"");
    assert_refused(*state, "/files", "format=", 400, "\"format\"");
    assert_refused(*state, "/files.", NULL, 404, "\"/files.\"");
    assert_refused(*state, "/nothing.csv", NULL, 404, "/nothing.csv");
    assert_refused(*state, "/events.csv", NULL, 404, "/events.csv");
    assert_refused(*state, "/files/a/views.csv", NULL, 404, "/files/a/views.csv");
}

static void test_status(void **state)
{
    mm_route_t route = route_of(*state, "/status", NULL);

    assert_int_equal(route.endpoint, MM_ENDPOINT_STATUS);
    assert_int_equal(route.format, MM_FORMAT_ANY);
    assert_int_equal(route.wants_post, 0);
    assert_null(route.type);
    assert_int_equal(route_of(*state, "/status.json", NULL).format, MM_FORMAT_JSON);
    assert_int_equal(route_of(*state, "/status", "format=json").format, MM_FORMAT_JSON);
    assert_int_equal(route_of(*state, "/status", "format=openmetrics").format, MM_FORMAT_OPENMETRICS);
    assert_refused(*state, "/status", "format=csv", 406, "\"csv\"; there is: json, openmetrics.");
    assert_refused(*state, "/status.csv", NULL, 406, "\"csv\"");
    assert_refused(*state, "/status.json", "format=openmetrics", 400, "\"format\"");
    assert_refused(*state, "/status", "limit=1", 400, "there are: format.");
    assert_refused(*state, "/status.", NULL, 404, "/status");
    assert_refused(*state, "/status/", NULL, 404, "at the end");
}

static void test_record_by_path(void **state)
{
    mm_route_t route = route_of(*state, "/datasets/5a1b/views", NULL);

    assert_int_equal(route.endpoint, MM_ENDPOINT_RECORD);
    assert_ptr_equal(route.type, types[0]);
    assert_string_equal(route.id, "5a1b");
    assert_int_equal(route.action, MM_ACTION_VIEW);
    assert_int_equal(route.wants_post, 1);
    route = route_of(*state, "/files/\xFF\x01.csv?/downloads", NULL);
    assert_string_equal(route.id, "\xFF\x01.csv?");
    assert_int_equal(route.action, MM_ACTION_DOWNLOAD);
    assert_string_equal(route_of(*state, "/files/datasets/views", NULL).id, "datasets");
}

static void test_record_by_parameter(void **state)
{
    mm_route_t route = route_of(*state, "/datasets/downloads", "id=10.5072%2FFK2%2fx+y%20z%25&");

    assert_int_equal(route.endpoint, MM_ENDPOINT_RECORD);
    assert_ptr_equal(route.type, types[0]);
    assert_string_equal(route.id, "10.5072/FK2/x y z%");
    assert_int_equal(route.action, MM_ACTION_DOWNLOAD);
    assert_int_equal(route.wants_post, 1);
    assert_string_equal(route_of(*state, "/datasets/views", "id=views").id, "views");
    assert_string_equal(route_of(*state, "/datasets/views", "id=10.5072/FK2=x").id, "10.5072/FK2=x");
    assert_refused(*state, "/datasets/views", NULL, 400, "\"id\" is missing");
    assert_refused(*state, "/datasets/views", "id=", 400, "\"id\" is an id");
    assert_refused(*state, "/datasets/views", "id", 400, "\"id\" is an id");
    assert_refused(*state, "/datasets/views", "id=a&id=a", 400, "\"id\" stands more than once");
    assert_refused(*state, "/datasets/views", "id=a%00b", 400, "id=a%00b");
    assert_refused(*state, "/datasets/views", "id=a&limit=1", 400, "\"limit\" here; there are: id.");
    assert_refused(*state, "/datasets/a/views", "id=b", 400, "\"id\" here; this takes none");
}

static void test_id_limits(void **state)
{
    unit_t *unit = *state;
    char id[MM_EVENT_ID_MAX + 2];

    memset(id, 'x', sizeof(id));
    id[MM_EVENT_ID_MAX] = '\0';
    assert_string_equal(route_of(unit, apr_psprintf(unit->pool, "/files/%s/views", id), NULL).id, id);
    assert_string_equal(route_of(unit, "/files/views", apr_psprintf(unit->pool, "id=%s", id)).id, id);
    id[MM_EVENT_ID_MAX] = 'x';
    id[MM_EVENT_ID_MAX + 1] = '\0';
    assert_refused(unit, apr_psprintf(unit->pool, "/files/%s/views", id), NULL, 400, "longer than 1024");
    assert_refused(unit, "/files/views", apr_psprintf(unit->pool, "id=%s", id), 400, "1 to 1024 bytes, not \"xxx");
}

static void test_reserved_ids_go_into_the_parameter(void **state)
{
    assert_refused(*state, "/datasets/users/views", NULL, 404, "goes into ?id=");
    assert_refused(*state, "/datasets/days/views", NULL, 404, "goes into ?id=");
    assert_refused(*state, "/datasets/views/views", NULL, 404, "goes into ?id=");
    assert_refused(*state, "/datasets/downloads/downloads", NULL, 404, "goes into ?id=");
    assert_refused(*state, "/datasets/10.5072/FK2/views", NULL, 404, "an id with a / goes into ?id=");
    assert_refused(*state, "/datasets/10.5072/FK2/x/y/views", NULL, 404, "an id with a / goes into ?id=");
}

static void test_users(void **state)
{
    static const char *const paths[] = {"/files/users", "/files/users.csv", "/files_by_user", "/files_by_user.csv"};

    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        mm_route_t route = route_of(*state, paths[i], "id=users&user=a%26b");
        assert_int_equal(route.endpoint, MM_ENDPOINT_USERS);
        assert_string_equal(route.type, "files");
        assert_string_equal(route.id, "users");
        assert_string_equal(route.user, "a&b");
        assert_int_equal(route.wants_post, 0);
    }
    mm_route_t route = route_of(*state, "/users.csv", "others=1");
    assert_int_equal(route.endpoint, MM_ENDPOINT_USERS_ALL);
    assert_null(route.type);
    assert_int_equal(route.sort, MM_SORT_RESOURCE);
    assert_refused(*state, "/users", "id=a", 400, "\"id\" here");
    assert_refused(*state, "/users.", NULL, 404, "/users.");
    assert_refused(*state, "/_by_user", NULL, 404, "/_by_user");
    assert_refused(*state, "/files_by_user_by_user", NULL, 404, "_by_user");
    assert_refused(*state, "/files/users.", NULL, 404, "/files/users.");
    assert_refused(*state, "/files/users/", NULL, 404, "at the end");
}

static void test_one_resource(void **state)
{
    mm_route_t route = route_of(*state, "/files/a.csv", NULL);

    assert_int_equal(route.endpoint, MM_ENDPOINT_TOTALS);
    assert_string_equal(route.id, "a.csv"); /* a dot belongs to an id */
    assert_int_equal(route.format, MM_FORMAT_ANY);
    assert_string_equal(route_of(*state, "/files", "id=a%2Fb").id, "a/b");
    assert_string_equal(route_of(*state, "/files/datasets", NULL).id, "datasets");
    assert_int_equal(route_of(*state, "/files/a", NULL).action, 0);
    route = route_of(*state, "/files/a.csv/users.csv", NULL);
    assert_int_equal(route.endpoint, MM_ENDPOINT_USERS);
    assert_string_equal(route.id, "a.csv");
    assert_refused(*state, "/files/a", "id=b", 400, "\"id\" here");
    assert_refused(*state, "/files/a/users", "id=b", 400, "\"id\" here");
    assert_refused(*state, "/files/days/views", NULL, 404, "goes into ?id=");
}

static void test_days(void **state)
{
    mm_route_t route = route_of(*state, "/days.json", "per=month&sort=day&order=desc&columns=unique_views");

    assert_int_equal(route.endpoint, MM_ENDPOINT_DAYS_ALL);
    assert_true(mm_route_is_by_day(&route) && !mm_route_is_per_user(&route) && mm_route_is_backwards(&route));
    assert_null(route.type);
    assert_int_equal(route.per, MM_PER_MONTH);
    assert_int_equal(route.format, MM_FORMAT_JSON);
    route = route_of(*state, "/files/days.csv", "id=a/b");
    assert_int_equal(route.endpoint, MM_ENDPOINT_DAYS);
    assert_string_equal(route.id, "a/b");
    assert_int_equal(route.per, MM_PER_DAY);
    assert_false(mm_route_is_backwards(&route));
    route = route_of(*state, "/files/a.csv/days", "since=2026-01-01");
    assert_int_equal(route.endpoint, MM_ENDPOINT_DAYS);
    assert_string_equal(route.id, "a.csv");
    assert_refused(*state, "/days", "id=a", 400, "\"id\" here");
    assert_refused(*state, "/days", "sort=views", 400, "is day, not");
    assert_refused(*state, "/days", "columns=owner", 400, "columns");
    assert_refused(*state, "/days", "columns=parent_files", 400, "columns");
    assert_refused(*state, "/days", "parents=none", 400, "parents");
    assert_refused(*state, "/files", "per=day", 400, "per");
    assert_refused(*state, "/files", "sort=day", 400, "sort");
    assert_refused(*state, "/days.", NULL, 404, "/days.");
    assert_refused(*state, "/files/days/", NULL, 404, "at the end");
    assert_refused(*state, "/days/views", NULL, 404, "/days/views");
}

static void test_children(void **state)
{
    mm_route_t route = route_of(*state, "/collections/c1/datasets.csv", NULL);

    assert_int_equal(route.endpoint, MM_ENDPOINT_TOTALS);
    assert_string_equal(route.type, "datasets");
    assert_string_equal(route.parent_type, "collections");
    assert_string_equal(route.parent_id, "c1");
    assert_null(route.id);
    route = route_of(*state, "/datasets", "parent=collections:a:b");
    assert_string_equal(route.parent_type, "collections");
    assert_string_equal(route.parent_id, "a:b");
    assert_refused(*state, "/collections/c1/spaces", NULL, 404, "TYPE is");
    assert_refused(*state, "/collections/users/datasets", NULL, 404, "goes into ?id=");
    assert_refused(*state, "/collections//datasets", NULL, 404, "the id is empty");
    assert_refused(*state, "/collections/c1/datasets", "parent=collections:c2", 400, "no parameter \"parent\" here");
    assert_refused(*state, "/datasets", "parent=spaces:s", 400, "not configured: \"spaces\"");
}

static void test_events(void **state)
{
    mm_route_t route = route_of(*state, "/events", NULL);

    assert_int_equal(route.endpoint, MM_ENDPOINT_EVENTS);
    assert_int_equal(route.wants_post, 1);
    assert_null(route.type);
    assert_refused(*state, "/events", "raw=1", 400, "\"raw\" here; this takes none");
    assert_refused(*state, "/events/", NULL, 404, "/events/");
}

static void test_unknown_paths(void **state)
{
    static const char *const paths[] = {"/nothing", "/Datasets",     "/dataset",         "//",          "//datasets",
                                        "/views",   "/datasets/a/b", "/nothing/a/views", "/x/y/z/views"};

    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        assert_refused(*state, paths[i], NULL, 404, "TYPE is: datasets, collections, files.");
        assert_refused(*state, paths[i], NULL, 404, paths[i]);
        assert_refused(*state, paths[i], "nonsense=%", 404, paths[i]); /* the path comes first */
    }
    assert_refused(*state, "/datasets//views", NULL, 404, "the id is empty");
    assert_refused(*state, "/datasets/a/view", NULL, 404, "/views");
}

static void test_slash_at_the_end(void **state)
{
    assert_refused(*state, "/datasets/", NULL, 404, "a / at the end counts");
    assert_refused(*state, "/datasets/a/", NULL, 404, "a / at the end counts");
    assert_refused(*state, "/datasets/a/views/", NULL, 404, "/datasets/a/views/");
    assert_refused(*state, "/datasets/a/views/", NULL, 404, "POST /TYPE/ID/views");
}

static void test_what_is_repeated_is_harmless(void **state)
{
    assert_refused(*state, "/\r\nSet-Cookie: a\x1b[31m\"\xC3\xBC", NULL, 404, "\"/??Set-Cookie: a?[31m???\"");
    assert_refused(*state, "/files.\x01\xFF", NULL, 406, "\"??\"");
}

static void test_no_types_and_many(void **state)
{
    static const char *const many[] = {"a_type_with_a_long_name_number_1", "b_type_with_a_long_name_number_2",
                                       "c_type_with_a_long_name_number_3", "d_type_with_a_long_name_number_4",
                                       "e_type_with_a_long_name_number_5", "f_type_with_a_long_name_number_6",
                                       "g_type_with_a_long_name_number_7"};
    unit_t *unit = *state;
    mm_route_t route;
    mm_err_t err;
    char path[MM_ERR_TEXT_MAX * 2];

    assert_int_equal(mm_route_parse(&route, "", NULL, NULL, 0, unit->pool, &err), 0);
    assert_int_equal(mm_route_parse(&route, "/a", NULL, NULL, 0, unit->pool, &err), 404);
    assert_non_null(strstr(err.text, "TYPE is: (none is configured)."));
    memset(path, 'x', sizeof(path));
    path[sizeof(path) - 1] = '\0';
    assert_int_equal(mm_route_parse(&route, path, NULL, many, 7, unit->pool, &err), 404);
    assert_non_null(strstr(err.text, "xxx...\""));
    assert_non_null(strstr(err.text, "number_6, ..."));
    assert_int_equal(mm_route_parse(&route, path, NULL, many, 7, unit->pool, NULL), 404);
    assert_int_equal(mm_route_parse(&route, "/g_type_with_a_long_name_number_7", NULL, many, 7, unit->pool, &err), 0);
    assert_ptr_equal(route.type, many[6]);
}

static void test_reserved_types(void **state)
{
    (void)state;
    assert_true(mm_route_type_is_reserved("events"));
    assert_true(mm_route_type_is_reserved("dashboard"));
    assert_true(mm_route_type_is_reserved("files_by_user"));
    assert_true(mm_route_type_is_reserved("_by_user"));
    assert_false(mm_route_type_is_reserved("datasets"));
    assert_false(mm_route_type_is_reserved("event"));
    assert_false(mm_route_type_is_reserved("by_user"));
    assert_false(mm_route_type_is_reserved("a_by_users"));
}

/* parent_TYPE and parent_TYPE_ids of types that there are, also of one that ends in _ids. */
static void test_parents_of_all_levels(void **state)
{
    static const char *const names[] = {"files", "files_ids", "sets", "name"};
    static const struct {
        const char *column, *type;
        int ids;
    } cases[] = {
        {"parent_files", "files", 0},
        {"parent_files_ids", "files_ids", 0},
        {"parent_files_ids_ids", "files_ids", 1},
        {"parent_sets_ids", "sets", 1},
        {"parent_set", NULL, 0},
        {"parent__ids", NULL, 0},
        {"parent_sets_id", NULL, 0},
        {"parent_name", NULL, 0}, /* there is a column of this name */
        {"parent_name_ids", "name", 1},
    };
    unit_t *unit = *state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        mm_route_t route;
        mm_err_t err = {0};
        const char *args = apr_pstrcat(unit->pool, "columns=", cases[i].column, ",owner,", cases[i].column, NULL);
        int status = mm_route_parse(&route, "/files", args, names, 4, unit->pool, &err);

        assert_int_equal(status, cases[i].type ? 0 : 400);
        if (cases[i].type) {
            assert_int_equal(route.n_ancestors, 1);
            assert_int_equal(route.n_extras, 1);
            assert_string_equal(route.ancestors[0].type, cases[i].type);
            assert_string_equal(route.ancestors[0].name, cases[i].column);
            assert_int_equal(route.ancestors[0].ids, cases[i].ids);
        }
        else {
            assert_non_null(strstr(err.text, cases[i].column));
            assert_non_null(strstr(err.text, "parent_files_ids"));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_base),
        cmocka_unit_test(test_totals),
        cmocka_unit_test(test_formats),
        cmocka_unit_test(test_status),
        cmocka_unit_test(test_record_by_path),
        cmocka_unit_test(test_record_by_parameter),
        cmocka_unit_test(test_id_limits),
        cmocka_unit_test(test_reserved_ids_go_into_the_parameter),
        cmocka_unit_test(test_users),
        cmocka_unit_test(test_days),
        cmocka_unit_test(test_one_resource),
        cmocka_unit_test(test_children),
        cmocka_unit_test(test_parents_of_all_levels),
        cmocka_unit_test(test_events),
        cmocka_unit_test(test_unknown_paths),
        cmocka_unit_test(test_slash_at_the_end),
        cmocka_unit_test(test_what_is_repeated_is_harmless),
        cmocka_unit_test(test_no_types_and_many),
        cmocka_unit_test(test_reserved_types),
    };

    return cmocka_run_group_tests(tests, unit_setup, unit_teardown);
}
