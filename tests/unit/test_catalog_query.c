/* What is asked of the server: which documents, and how much of each. */
#include "unit_store.h"
#include "store/catalog_private.h"

static const char *project(apr_pool_t *pool, size_t n, const char *const *paths)
{
    bson_t doc = BSON_INITIALIZER;
    char *json;
    const char *text;

    mm_catalog_project(&doc, paths, n);
    json = bson_as_relaxed_extended_json(&doc, NULL);
    text = apr_pstrdup(pool, json);
    bson_free(json);
    bson_destroy(&doc);
    return text;
}

static void test_projection(void **state)
{
    apr_pool_t *pool = ((unit_t *)*state)->pool;

    assert_string_equal(project(pool, 1, (const char *[]){"_id"}), "{ \"_id\" : 1 }");
    assert_string_equal(project(pool, 2, (const char *[]){"_id", "name"}), "{ \"name\" : 1, \"_id\" : 1 }");
    assert_string_equal(project(pool, 2, (const char *[]){"doi", "name"}),
                        "{ \"doi\" : 1, \"name\" : 1, \"_id\" : 0 }");
    /* the server refuses a path beside one that it lies within, and the same one twice */
    assert_string_equal(project(pool, 4, (const char *[]){"a.b", "a", "a", "a.c"}), "{ \"a\" : 1, \"_id\" : 0 }");
    assert_string_equal(project(pool, 2, (const char *[]){"ab", "a"}), "{ \"ab\" : 1, \"a\" : 1, \"_id\" : 0 }");
    assert_string_equal(project(pool, 3, (const char *[]){"_id.x", "_id", "_ident"}),
                        "{ \"_ident\" : 1, \"_id\" : 1 }");
}

typedef struct seen {
    int documents;
    size_t largest;
    int enough; /* 0: never */
} seen_t;

static bool on_document(void *baton, const bson_t *doc)
{
    seen_t *seen = baton;

    seen->documents++;
    seen->largest = doc->len > seen->largest ? doc->len : seen->largest;
    return seen->documents != seen->enough;
}

static void test_more_ids_than_one_query_holds(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    const char **ids = apr_palloc(unit->pool, sizeof(*ids) * 1201);
    seen_t seen = {0};
    mm_catalog_query_t query = {
        .collection = "things", .path = "_id", .ids = ids, .n = 1201, .on_document = on_document, .baton = &seen};
    bson_t doc;
    unsigned i;

    for (i = 0; i < 1201; i++) {
        ids[i] = apr_psprintf(unit->pool, "id%u", i);
        bson_init(&doc);
        BSON_APPEND_UTF8(&doc, "_id", ids[i]);
        BSON_APPEND_UTF8(&doc, "name", "n");
        unit_insert_doc(store, "things", &doc);
        bson_destroy(&doc);
    }
    mm_catalog_want(&query, NULL);
    mm_catalog_want(&query, "name");
    assert_int_equal(mm_catalog_query(store, &query, unit->pool, NULL), APR_SUCCESS);
    assert_int_equal(seen.documents, 1201);
    /* and less when that is enough: no more of this query, and none of the others */
    seen = (seen_t){.enough = 7};
    assert_int_equal(mm_catalog_query(store, &query, unit->pool, NULL), APR_SUCCESS);
    assert_int_equal(seen.documents, 7);
}

static void test_long_fields_stay_where_they_are(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    size_t len = 10 * 1024 * 1024;
    char *text = malloc(len);
    const char *ids[] = {"big"};
    seen_t seen = {0};
    mm_catalog_query_t query = {
        .collection = "things", .path = "_id", .ids = ids, .n = 1, .on_document = on_document, .baton = &seen};
    bson_t doc = BSON_INITIALIZER;

    memset(text, 'x', len);
    BSON_APPEND_UTF8(&doc, "_id", "big");
    bson_append_utf8(&doc, "description", -1, text, (int)len);
    BSON_APPEND_UTF8(&doc, "name", "n");
    unit_insert_doc(store, "things", &doc);
    bson_destroy(&doc);
    free(text);
    mm_catalog_want(&query, "name");
    assert_int_equal(mm_catalog_query(store, &query, unit->pool, NULL), APR_SUCCESS);
    assert_int_equal(seen.documents, 1);
    assert_true(seen.largest < 100);
}

static void test_away(void **state)
{
    unit_t *unit = *state;
    int port, fd = unit_deaf_port(0, &port);
    mm_store_t *store = unit_store_at(apr_psprintf(unit->pool, "mongodb://a:s3cret@127.0.0.1:%d/x", port), unit->pool);
    const char *ids[] = {"a"};
    seen_t seen = {0};
    mm_catalog_query_t query = {
        .collection = "things", .path = "_id", .ids = ids, .n = 1, .on_document = on_document, .baton = &seen};
    mm_err_t err = {0};

    assert_int_equal(mm_catalog_query(store, &query, unit->pool, &err), MM_STORE_AWAY);
    assert_non_null(strstr(err.text, "things"));
    assert_null(strstr(err.text, "s3cret"));
    close(fd);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, unit_setup, unit_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_projection),
        TEST(test_more_ids_than_one_query_holds),
        TEST(test_long_fields_stay_where_they_are),
        TEST(test_away),
    };

    return cmocka_run_group_tests(tests, unit_store_group, NULL);
}
