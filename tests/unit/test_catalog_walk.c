/* The walk through the catalogue: each resource once, in order, those of its own documents that are odd left out. */
#include "unit_store.h"
#include "store/catalog_walk.h"

typedef struct walked {
    unit_t *unit;
    mm_store_t *store;
    apr_array_header_t *catalogs;
    size_t at_once;
} walked_t;

static walked_t prepare(unit_t *unit, const char *words)
{
    walked_t walked = {unit, unit_store(unit->pool), apr_array_make(unit->pool, 1, sizeof(mm_catalog_t *)), 3};
    mm_err_t err = {0};

    if (mm_catalog_parse(apr_array_push(walked.catalogs), "files", words, unit->pool, &err) != APR_SUCCESS) {
        fail_msg("%s", err.text);
    }
    return walked;
}

/* "a b c", and how many calls that took in *calls. */
static const char *walk(const walked_t *walked, const mm_catalog_walk_query_t *query, int *calls)
{
    apr_pool_t *pool = walked->unit->pool;
    const char **ids = apr_palloc(pool, walked->at_once * sizeof(*ids)), *text = "";
    mm_catalog_walk_t *walk = NULL;
    mm_err_t err = {0};
    bool ended = false;
    size_t n;

    assert_int_equal(mm_catalog_walk_open(&walk, walked->store, walked->catalogs, query, pool, &err), APR_SUCCESS);
    for (*calls = 0; !ended; ++*calls) {
        if (mm_catalog_walk_next(walk, ids, walked->at_once, &n, &ended, pool, &err) != APR_SUCCESS) {
            fail_msg("%s", err.text);
        }
        assert_in_range(n, 0, walked->at_once);
        for (size_t i = 0; i < n; i++) {
            text = apr_pstrcat(pool, text, *text ? " " : "", ids[i], NULL);
        }
    }
    return text;
}

static void test_order_and_odd_documents(void **state)
{
    walked_t walked = prepare(*state, "uploads name=n created=made");
    mm_catalog_walk_query_t query = {.type = "files", .created_before_ms = MM_TIME_NONE};
    int calls;

    assert_string_equal(walk(&walked, &query, &calls), "");
    unit_insert(walked.store, "uploads", "{'_id': {'odd': 1}, 'n': 'no id'}");
    unit_insert(walked.store, "uploads", "{'_id': {'$oid': 'aaaaaaaaaaaaaaaaaaaaaaa1'}}");
    unit_insert(walked.store, "uploads", "{'_id': 'b'}");
    unit_insert(walked.store, "uploads", "{'_id': 7}");
    unit_insert(walked.store, "uploads", "{'_id': 'a'}");
    assert_string_equal(walk(&walked, &query, &calls), "7 a b aaaaaaaaaaaaaaaaaaaaaaa1");
    assert_int_equal(calls, 2);
    query.backwards = true;
    assert_string_equal(walk(&walked, &query, &calls), "aaaaaaaaaaaaaaaaaaaaaaa1 b a 7");
    query.type = "datasets";
    assert_string_equal(walk(&walked, &query, &calls), "");
}

/* What has no date, or something else in its place, is not younger than anything. */
static void test_age(void **state)
{
    walked_t walked = prepare(*state, "uploads created=made");
    mm_catalog_walk_query_t query = {.type = "files", .created_before_ms = 1000};
    int calls;

    unit_insert(walked.store, "uploads", "{'_id': 'a', 'made': {'$date': 999}}");
    unit_insert(walked.store, "uploads", "{'_id': 'b', 'made': {'$date': 1000}}");
    unit_insert(walked.store, "uploads", "{'_id': 'c', 'made': 'yesterday'}");
    unit_insert(walked.store, "uploads", "{'_id': 'd'}");
    assert_string_equal(walk(&walked, &query, &calls), "a c d");
    query.created_before_ms = MM_TIME_NONE;
    assert_string_equal(walk(&walked, &query, &calls), "a b c d");
}

static void test_some_ids_at_another_path(void **state)
{
    static const char *const asked[] = {"k2", "9", "none", "k1"};
    walked_t walked = prepare(*state, "uploads id=keys");
    mm_catalog_walk_query_t query = {.type = "files", .created_before_ms = MM_TIME_NONE, .ids = asked, .n_ids = 4};
    int calls;

    unit_insert(walked.store, "uploads", "{'_id': 4, 'keys': ['k0', 'k1', 'k2']}");
    unit_insert(walked.store, "uploads", "{'_id': 3, 'keys': 9}");
    unit_insert(walked.store, "uploads", "{'_id': 2, 'keys': 'k9'}");
    assert_string_equal(walk(&walked, &query, &calls), "9 k1");
    query.ids = NULL;
    assert_string_equal(walk(&walked, &query, &calls), "k9 9 k0");
    query.ids = asked;
    query.n_ids = 0;
    assert_string_equal(walk(&walked, &query, &calls), "");
}

/* In two batches, and in one; the same one stands for all of them from both ends. */
static void test_documents_that_have_one_id(void **state)
{
    walked_t walked = prepare(*state, "uploads");
    mm_catalog_walk_query_t query = {.type = "files", .created_before_ms = MM_TIME_NONE};
    const char *forth, *back;
    int calls;

    unit_insert(walked.store, "uploads", "{'_id': {'$oid': 'aaaaaaaaaaaaaaaaaaaaaaa1'}}");
    unit_insert(walked.store, "uploads", "{'_id': 'aaaaaaaaaaaaaaaaaaaaaaa1'}");
    unit_insert(walked.store, "uploads", "{'_id': {'$oid': 'aaaaaaaaaaaaaaaaaaaaaaa2'}}");
    unit_insert(walked.store, "uploads", "{'_id': 'aaaaaaaaaaaaaaaaaaaaaaa2'}");
    unit_insert(walked.store, "uploads", "{'_id': 'aaaaaaaaaaaaaaaaaaaaaaa3'}");
    unit_insert(walked.store, "uploads", "{'_id': 7.0}");
    unit_insert(walked.store, "uploads", "{'_id': '7'}");
    unit_insert(walked.store, "uploads", "{'_id': '07'}");
    unit_insert(walked.store, "uploads", "{'_id': {'_id': '07'}}");
    for (walked.at_once = 1; walked.at_once < 9; walked.at_once++) {
        query.backwards = false;
        forth = walk(&walked, &query, &calls);
        query.backwards = true;
        back = walk(&walked, &query, &calls);
        assert_int_equal(strlen(forth), strlen(back));
        assert_int_equal(strlen(forth), strlen("7 07") + 3 * 25);
        for (const char *const *id =
                 (const char *const[]){"7", "07", "aaaaaaaaaaaaaaaaaaaaaaa1", "aaaaaaaaaaaaaaaaaaaaaaa2",
                                       "aaaaaaaaaaaaaaaaaaaaaaa3", NULL};
             *id; id++) {
            assert_non_null(strstr(apr_pstrcat(walked.unit->pool, " ", forth, " ", NULL),
                                   apr_pstrcat(walked.unit->pool, " ", *id, " ", NULL)));
        }
    }
}

/* The one that counts is too young here or old enough, whichever the others are. */
static void test_documents_that_have_one_id_at_another_path(void **state)
{
    walked_t walked = prepare(*state, "uploads id=key created=made");
    mm_catalog_walk_query_t query = {.type = "files", .created_before_ms = MM_TIME_NONE};
    int calls;

    for (int i = 0; i < 10; i++) {
        unit_insert(walked.store, "uploads",
                    apr_psprintf(walked.unit->pool, "{'key': ['%c', 'x'], 'made': {'$date': %d}}", "ab"[i % 2], i / 2));
    }
    for (walked.at_once = 1; walked.at_once < 12; walked.at_once++) {
        query.backwards = walked.at_once % 2;
        query.created_before_ms = MM_TIME_NONE;
        assert_int_equal(strlen(walk(&walked, &query, &calls)), strlen("a b"));
        query.created_before_ms = 3;
        const char *some = walk(&walked, &query, &calls);
        assert_string_equal(some, walk(&walked, &query, &calls));
        assert_in_range(strlen(some), 0, strlen("a b"));
    }
}

static void test_database_away(void **state)
{
    walked_t walked = prepare(*state, "uploads");
    mm_catalog_walk_query_t query = {.type = "files", .created_before_ms = MM_TIME_NONE};
    mm_catalog_walk_t *walk = NULL;
    const char *ids[1];
    mm_err_t err = {0};
    bool ended;
    size_t n;

    walked.store = unit_store_at("mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=300", walked.unit->pool);
    assert_int_equal(mm_catalog_walk_open(&walk, walked.store, walked.catalogs, &query, walked.unit->pool, &err),
                     APR_SUCCESS);
    assert_int_equal(mm_catalog_walk_next(walk, ids, 1, &n, &ended, walked.unit->pool, &err), MM_STORE_AWAY);
    assert_non_null(strstr(err.text, "uploads"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, unit_setup, unit_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_order_and_odd_documents),
        TEST(test_age),
        TEST(test_some_ids_at_another_path),
        TEST(test_documents_that_have_one_id),
        TEST(test_documents_that_have_one_id_at_another_path),
        TEST(test_database_away),
    };

    return cmocka_run_group_tests(tests, unit_store_group, NULL);
}
