/* What is somebody's own, by all forms of an id, and when there is no answer. */
#include <stdlib.h>

#include "unit_store.h"
#include "store/catalog.h"

static apr_array_header_t *catalogs_of(apr_pool_t *pool)
{
    static const char *const all[][2] = {{"datasets", "datasets name=name owner=author._id"},
                                         {"files", "uploads id=key name=n owner=by"},
                                         {"collections", "collections name=name"}};
    apr_array_header_t *catalogs = apr_array_make(pool, 3, sizeof(mm_catalog_t *));
    mm_err_t err = {0};

    for (size_t i = 0; i < 3; i++) {
        if (mm_catalog_parse(apr_array_push(catalogs), all[i][0], all[i][1], pool, &err) != APR_SUCCESS) {
            fail_msg("%s", err.text);
        }
    }
    return catalogs;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* "a b c", in order; NULL where the list is none */
static const char *owned(mm_store_t *store, const char *owner, const char *type, size_t max, apr_pool_t *pool)
{
    const char *const *ids, *text = "";
    mm_err_t err = {0};
    size_t n;

    if (mm_catalog_owned(store, catalogs_of(pool), type, owner, max, &ids, &n, pool, &err) != APR_SUCCESS) {
        fail_msg("%s", err.text);
    }
    if (!ids) {
        assert_int_equal(n, 0);
        return NULL;
    }
    const char **sorted = apr_pmemdup(pool, ids, n * sizeof(*ids) + 1);
    qsort(sorted, n, sizeof(*sorted), by_text);
    for (size_t i = 0; i < n; i++) {
        text = apr_pstrcat(pool, text, i ? " " : "", sorted[i], NULL);
    }
    return text;
}

static void test_forms_of_ids(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);

    unit_insert(store, "datasets", "{'_id': 'a', 'author': {'_id': 'ada'}}");
    unit_insert(store, "datasets", "{'_id': 7, 'author': {'_id': 'ada'}}");
    unit_insert(store, "datasets", "{'_id': 'b', 'author': {'_id': 'bob'}}");
    unit_insert(store, "datasets", "{'_id': 'o', 'author': {'_id': {'$oid': 'aaaaaaaaaaaaaaaaaaaaaaa1'}}}");
    unit_insert(store, "datasets", "{'_id': 'nobody'}");
    unit_insert(store, "datasets", "{'_id': {'odd': 1}, 'author': {'_id': 'ada'}}");
    unit_insert(store, "uploads", "{'_id': 1, 'key': 'f1', 'by': 'ada'}");
    unit_insert(store, "uploads", "{'_id': 2, 'key': 'f1', 'by': 'ada'}");
    assert_string_equal(owned(store, "ada", "datasets", 9, unit->pool), "7 a");
    assert_string_equal(owned(store, "aaaaaaaaaaaaaaaaaaaaaaa1", "datasets", 9, unit->pool), "o");
    assert_string_equal(owned(store, "eve", "datasets", 9, unit->pool), "");
    assert_string_equal(owned(store, "$ne", "datasets", 9, unit->pool), "");
    assert_string_equal(owned(store, "{\"$gt\": \"\"}", "datasets", 9, unit->pool), "");
    assert_string_equal(owned(store, "ada", "files", 9, unit->pool), "f1");
}

static void test_no_owners_and_too_many(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);

    unit_insert(store, "datasets", "{'_id': 'a', 'author': {'_id': 'ada'}}");
    unit_insert(store, "datasets", "{'_id': 'b', 'author': {'_id': 'ada'}}");
    unit_insert(store, "collections", "{'_id': 'c', 'author': {'_id': 'ada'}}");
    assert_string_equal(owned(store, "ada", "datasets", 2, unit->pool), "a b");
    assert_null(owned(store, "ada", "datasets", 1, unit->pool));
    assert_string_equal(owned(store, "ada", "collections", 2, unit->pool), "");
    assert_string_equal(owned(store, "ada", "no such type", 2, unit->pool), "");
}

static void test_database_that_is_away(void **state)
{
    unit_t *unit = *state;
    const char *const *ids;
    mm_err_t err = {0};
    size_t n;
    int port, fd = unit_deaf_port(0, &port);

    close(fd);
    mm_store_t *store = unit_store_at(
        apr_psprintf(unit->pool, "mongodb://127.0.0.1:%d/away?serverSelectionTimeoutMS=500", port), unit->pool);
    assert_int_equal(mm_catalog_owned(store, catalogs_of(unit->pool), "datasets", "ada", 9, &ids, &n, unit->pool, &err),
                     MM_STORE_AWAY);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, unit_setup, unit_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_forms_of_ids),
        TEST(test_no_owners_and_too_many),
        TEST(test_database_that_is_away),
    };

    return cmocka_run_group_tests(tests, unit_store_group, NULL);
}
