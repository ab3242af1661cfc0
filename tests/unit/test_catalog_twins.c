/* Documents that have one id: of each batch of them, whatever is in it, the same one is first. */
#include "unit_store.h"
#include "store/catalog_private.h"
#include "store/catalog_twins.h"
#include "store/store_private.h"
#include "store/value.h"

/* The text of the field k, or of _id. */
static const char *id_of(const void *baton, const bson_t *doc, apr_pool_t *pool)
{
    char id[MM_VALUE_ID_SIZE];
    bson_iter_t iter;

    return bson_iter_init_find(&iter, doc, baton) && mm_value_id(&iter, id) ? apr_pstrdup(pool, id) : NULL;
}

static mm_twins_query_t things(mm_store_t *store, const char *path)
{
    return (mm_twins_query_t){
        store, mm_store_collection(store, "things"), "things", path, mm_forms_make(store->pool), id_of, path};
}

static mm_twin_t twin_of(const char *json, const char *path, apr_pool_t *pool)
{
    bson_error_t error;
    mm_twin_t twin;
    bson_t *doc = bson_new_from_json((const uint8_t *)json, -1, &error);

    assert_non_null(doc);
    mm_twin_init(&twin, doc, id_of(path, doc, pool));
    bson_destroy(doc);
    return twin;
}

static void check_one_first(unit_t *unit, const char *path, const char *const *docs, size_t n)
{
    mm_store_t *store = unit_store(unit->pool);
    mm_twins_query_t query = things(store, path);
    int first = 0;
    mm_err_t err;

    for (size_t i = 0; i < n; i++) {
        unit_insert(store, "things", docs[i]);
    }
    for (size_t i = 0; i < n; i++) {
        mm_twin_t alone = twin_of(docs[i], path, unit->pool);
        mm_twin_t beside[] = {twin_of(docs[(i + 1) % n], path, unit->pool), alone};

        assert_int_equal(mm_twins_settle(&query, &alone, 1, unit->pool, &err), APR_SUCCESS);
        assert_int_equal(mm_twins_settle(&query, beside, 2, unit->pool, &err), APR_SUCCESS);
        assert_int_equal(alone.is_first, beside[1].is_first);
        first += alone.is_first;
    }
    assert_int_equal(first, 1);
    mongoc_collection_destroy(query.collection);
}

static void test_forms_of_an_id(void **state)
{
    static const char *const oids[] = {"{\"_id\": {\"$oid\": \"aaaaaaaaaaaaaaaaaaaaaaa1\"}}",
                                       "{\"_id\": \"aaaaaaaaaaaaaaaaaaaaaaa1\"}"};
    static const char *const numbers[] = {"{\"_id\": \"7\"}", "{\"_id\": 7}"};

    check_one_first(*state, "_id", oids, 2);
    check_one_first(*state, "_id", numbers, 2);
}

static void test_another_path(void **state)
{
    static const char *const docs[] = {"{\"_id\": 1, \"k\": \"a\"}", "{\"_id\": 2, \"k\": \"a\"}",
                                       "{\"_id\": \"2\", \"k\": \"a\"}"};

    check_one_first(*state, "k", docs, 3);
}

static void test_without_others(void **state)
{
    unit_t *unit = *state;
    mm_twins_query_t query = things(unit_store(unit->pool), "_id");
    mm_twin_t twins[] = {twin_of("{\"_id\": \"a\"}", "_id", unit->pool), twin_of("{\"_id\": 5.0}", "_id", unit->pool)};
    mm_err_t err;

    assert_int_equal(mm_twins_settle(&query, twins, 2, unit->pool, &err), APR_SUCCESS);
    assert_true(twins[0].is_first && twins[1].is_first);
    assert_int_equal(mm_twins_settle(&query, NULL, 0, unit->pool, &err), APR_SUCCESS);
    mongoc_collection_destroy(query.collection);
}

/* Where no other form can be, the database is not asked. */
static void test_away(void **state)
{
    unit_t *unit = *state;
    mm_twins_query_t query =
        things(unit_store_at("mongodb://127.0.0.1:1/x?serverSelectionTimeoutMS=300", unit->pool), "_id");
    mm_twin_t word = twin_of("{\"_id\": \"a\"}", "_id", unit->pool),
              number = twin_of("{\"_id\": 7}", "_id", unit->pool);
    mm_err_t err;

    assert_int_equal(mm_twins_settle(&query, &word, 1, unit->pool, &err), APR_SUCCESS);
    assert_true(word.is_first);
    assert_int_equal(mm_twins_settle(&query, &number, 1, unit->pool, &err), MM_STORE_AWAY);
    mongoc_collection_destroy(query.collection);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, unit_setup, unit_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_forms_of_an_id),
        TEST(test_another_path),
        TEST(test_without_others),
        TEST(test_away),
    };

    return cmocka_run_group_tests(tests, unit_store_group, NULL);
}
