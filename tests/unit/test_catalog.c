/* MetricsCatalog: what is taken, and the sentence for what is not. */
#include "unit.h"
#include "store/catalog.h"
#include "store/catalog_private.h"

static mm_catalog_t *parse(const char *words, apr_pool_t *pool)
{
    mm_catalog_t *catalog = NULL;
    mm_err_t err = {0};

    if (mm_catalog_parse(&catalog, "datasets", words, pool, &err) != APR_SUCCESS) {
        fail_msg("%s: %s", words, err.text);
    }
    return catalog;
}

static const mm_parent_rule_t *rule(const mm_catalog_t *catalog, int i)
{
    return &APR_ARRAY_IDX(catalog->parents, i, mm_parent_rule_t);
}

static void test_collection_alone(void **state)
{
    mm_catalog_t *catalog = parse("  datasets\t", ((unit_t *)*state)->pool);

    assert_string_equal(catalog->type, "datasets");
    assert_string_equal(catalog->collection, "datasets");
    assert_string_equal(catalog->id_path, "_id");
    assert_null(catalog->name_path);
    assert_null(catalog->owner_path);
    assert_int_equal(catalog->parents->nelts, 0);
}

static void test_every_field(void **state)
{
    mm_catalog_t *catalog =
        parse("spaces.projects id=doi name=title.0x owner=author._id created=c size=length status=s "
              "location=loader_id",
              ((unit_t *)*state)->pool);

    assert_string_equal(catalog->collection, "spaces.projects");
    assert_string_equal(catalog->id_path, "doi");
    assert_string_equal(catalog->name_path, "title.0x");
    assert_string_equal(catalog->owner_path, "author._id");
    assert_string_equal(catalog->created_path, "c");
    assert_string_equal(catalog->size_path, "length");
    assert_string_equal(catalog->status_path, "s");
    assert_string_equal(catalog->location_path, "loader_id");
}

static void test_parents(void **state)
{
    mm_catalog_t *catalog = parse("uploads parents=collections:collections parents=datasets:datasets:files "
                                  "parents=datasets:my.folders:files:parent.datasetId",
                                  ((unit_t *)*state)->pool);

    assert_int_equal(catalog->parents->nelts, 3);
    assert_string_equal(rule(catalog, 0)->type, "collections");
    assert_null(rule(catalog, 0)->collection);
    assert_string_equal(rule(catalog, 0)->path, "collections");
    assert_null(rule(catalog, 0)->parent_path);
    assert_string_equal(rule(catalog, 1)->collection, "datasets");
    assert_string_equal(rule(catalog, 1)->path, "files");
    assert_string_equal(rule(catalog, 1)->parent_path, "_id");
    assert_string_equal(rule(catalog, 2)->type, "datasets");
    assert_string_equal(rule(catalog, 2)->collection, "my.folders");
    assert_string_equal(rule(catalog, 2)->parent_path, "parent.datasetId");
}

static void test_input_is_copied(void **state)
{
    apr_pool_t *pool = ((unit_t *)*state)->pool;
    char words[] = "datasets name=name", type[] = "datasets";
    mm_catalog_t *catalog;

    assert_int_equal(mm_catalog_parse(&catalog, type, words, pool, NULL), APR_SUCCESS);
    memset(words, 'x', sizeof(words) - 1);
    memset(type, 'x', sizeof(type) - 1);
    assert_string_equal(catalog->type, "datasets");
    assert_string_equal(catalog->collection, "datasets");
    assert_string_equal(catalog->name_path, "name");
}

static void test_what_is_refused_and_why(void **state)
{
    apr_pool_t *pool = ((unit_t *)*state)->pool;
    static const char *const cases[][2] = {
        {"", "needs a collection"},
        {" \t ", "needs a collection"},
        {"name=name", "name of a collection"},
        {"$cmd", "name of a collection"},
        {"system.users", "name of a collection"},
        {"a..b", "name of a collection"},
        {"a.", "name of a collection"},
        {"c titel=name",
         "\"titel=name\" is not one of field=path; the fields are id, name, owner, created, size, status, "
         "location and parents"},
        {"c name", "the fields are"},
        {"c =x", "the fields are"},
        {"c name=", "a path is"},
        {"c name=$where", "a path is"},
        {"c name=a.$b", "a path is"},
        {"c name=a..b", "a path is"},
        {"c name=.a", "a path is"},
        {"c name=a.", "a path is"},
        {"c name=\"a\"", "without quotes"},
        {"c name='a'", "without quotes"},
        {"c name=a\xff", "a path is"},
        {"c name=a\x01", "a path is"},
        {"c name=a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a", "16 field names"},
        {"c name=a name=b", "twice"},
        {"c parents=datasets", "should be parents="},
        {"c parents=", "should be parents="},
        {"c parents=a:b:c:d:e", "should be parents="},
        {"c parents=a:b:c:d:", "should be parents="},
        {"c parents=:b", "type of resources"},
        {"c parents=Upper:b", "type of resources"},
        {"c parents=a:", "a path is"},
        {"c parents=a::c", "name of a collection"},
        {"c parents=a:b:", "a path is"},
        {"c parents=a:b:c:", "a path is"},
        {"c parents=a:b:c:$d", "a path is"},
    };
    size_t i;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        mm_catalog_t *catalog = NULL;
        mm_err_t err = {0};

        if (mm_catalog_parse(&catalog, "datasets", cases[i][0], pool, &err) != APR_EINVAL || catalog) {
            fail_msg("taken: %s", cases[i][0]);
        }
        if (!strstr(err.text, cases[i][1])) {
            fail_msg("%s: %s", cases[i][0], err.text);
        }
    }
}

static void test_limits(void **state)
{
    apr_pool_t *pool = ((unit_t *)*state)->pool;
    mm_catalog_t *catalog;
    mm_err_t err = {0};
    const char *words = "c";
    char path[MM_CATALOG_PATH_MAX + 2];
    int i;

    memset(path, 'p', sizeof(path) - 1);
    path[sizeof(path) - 1] = 0;
    assert_int_equal(mm_catalog_parse(&catalog, "a", apr_pstrcat(pool, "c name=", path, NULL), pool, &err), APR_EINVAL);
    path[sizeof(path) - 2] = 0;
    assert_int_equal(mm_catalog_parse(&catalog, "a", apr_pstrcat(pool, "c name=", path, NULL), pool, &err),
                     APR_SUCCESS);
    for (i = 0; i < MM_CATALOG_RULES_MAX; i++) {
        words = apr_pstrcat(pool, words, " parents=a:b", NULL);
    }
    assert_int_equal(mm_catalog_parse(&catalog, "a", words, pool, &err), APR_SUCCESS);
    assert_int_equal(mm_catalog_parse(&catalog, "a", apr_pstrcat(pool, words, " parents=a:b", NULL), pool, &err),
                     APR_EINVAL);
    assert_int_equal(mm_catalog_parse(&catalog, "No Type", "c", pool, &err), APR_EINVAL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, unit_setup, unit_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_collection_alone), TEST(test_every_field), TEST(test_parents),
        TEST(test_input_is_copied),  TEST(test_limits),      TEST(test_what_is_refused_and_why),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
