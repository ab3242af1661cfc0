/* The way down: children by both forms of parents=, and what is too many. */
#include <stdlib.h>

#include "unit_store.h"
#include "store/catalog.h"

static apr_array_header_t *catalogs_of(apr_pool_t *pool)
{
    static const char *const all[][2] = {
        {"datasets", "datasets name=name parents=collections:in.collections parents=spaces:spaces"},
        {"files", "uploads id=key name=n parents=datasets:datasets:files parents=datasets:folders:files:set._id"}};
    apr_array_header_t *catalogs = apr_array_make(pool, 2, sizeof(mm_catalog_t *));
    mm_err_t err = {0};

    for (size_t i = 0; i < 2; i++) {
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

/* "a b c", in order */
static const char *children(mm_store_t *store, const char *parent_type, const char *parent, const char *type,
                            apr_pool_t *pool)
{
    const mm_catalog_children_query_t query = {parent_type, parent, type, NULL, NULL};
    const char *const *ids, *text = "";
    mm_err_t err = {0};
    size_t n;

    if (mm_catalog_children(store, catalogs_of(pool), &query, &ids, &n, pool, &err) != APR_SUCCESS) {
        fail_msg("%s", err.text);
    }
    const char **sorted = apr_pmemdup(pool, ids, n * sizeof(*ids) + 1);
    qsort(sorted, n, sizeof(*sorted), by_text);
    for (size_t i = 0; i < n; i++) {
        text = apr_pstrcat(pool, text, i ? " " : "", sorted[i], NULL);
    }
    return text;
}

static void test_ids_in_the_childs_document(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);

    unit_insert(store, "datasets", "{'_id': 'a', 'in': {'collections': ['c1', 'c2']}}");
    unit_insert(store, "datasets", "{'_id': 7, 'in': {'collections': 'c1'}}");
    unit_insert(store, "datasets",
                "{'_id': {'$oid': 'aaaaaaaaaaaaaaaaaaaaaaa1'}, 'in': [{'collections': ['c1', 'c1']}]}");
    unit_insert(store, "datasets", "{'_id': 'space', 'spaces': ['c1']}");
    unit_insert(store, "datasets", "{'_id': {'odd': 1}, 'in': {'collections': ['c1']}}");
    assert_string_equal(children(store, "collections", "c1", "datasets", unit->pool), "7 a aaaaaaaaaaaaaaaaaaaaaaa1");
    assert_string_equal(children(store, "collections", "c2", "datasets", unit->pool), "a");
    assert_string_equal(children(store, "collections", "$ne", "datasets", unit->pool), "");
    assert_string_equal(children(store, "spaces", "c1", "datasets", unit->pool), "space");
    assert_string_equal(children(store, "spaces", "c1", "files", unit->pool), "");
    assert_string_equal(children(store, "spaces", "c1", "nothing", unit->pool), "");
}

static void test_documents_that_hold_both(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);

    unit_insert(store, "datasets", "{'_id': {'$oid': 'aaaaaaaaaaaaaaaaaaaaaaa1'}, 'files': ['f1', 'f2']}");
    unit_insert(store, "folders", "{'set': {'_id': {'$oid': 'aaaaaaaaaaaaaaaaaaaaaaa1'}}, 'files': ['f2', 'f3', 4]}");
    unit_insert(store, "folders", "{'set': {'_id': 'other'}, 'files': ['f9']}");
    assert_string_equal(children(store, "datasets", "aaaaaaaaaaaaaaaaaaaaaaa1", "files", unit->pool), "4 f1 f2 f3");
    assert_string_equal(children(store, "datasets", "other", "files", unit->pool), "f9");
}

/* What the look-up of parents says and what this says is one relation, from its two ends. */
static void test_agrees_with_the_way_up(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    apr_array_header_t *catalogs = catalogs_of(unit->pool);
    mm_entry_t entry;
    mm_err_t err;

    unit_insert(store, "datasets", "{'_id': 'd', 'files': ['f1', 'f2']}");
    for (int i = 1; i < 3; i++) {
        const char *id = apr_psprintf(unit->pool, "f%d", i);
        unit_insert(store, "uploads", apr_psprintf(unit->pool, "{'key': 'f%d'}", i));
        assert_int_equal(
            mm_catalog_lookup(store, catalogs, "files", &id, 1, MM_CATALOG_PARENTS, &entry, unit->pool, &err),
            APR_SUCCESS);
        assert_int_equal(entry.n_parents, 1);
        assert_string_equal(entry.parents[0].id, "d");
    }
    assert_string_equal(children(store, "datasets", "d", "files", unit->pool), "f1 f2");
}

/* A document of the dataset d: files from..from+n-1. */
static void fill_from(mm_store_t *store, const char *id, int from, int n, int length)
{
    bson_t doc = BSON_INITIALIZER, list;
    char *text = malloc((size_t)length + 1), buf[16];
    const char *key;

    BSON_APPEND_UTF8(&doc, "_id", id);
    BSON_APPEND_ARRAY_BEGIN(&doc, "files", &list);
    for (int i = 0; i < n; i++) {
        bson_uint32_to_string((uint32_t)i, &key, buf, sizeof(buf));
        snprintf(text, (size_t)length + 1, "%0*d", length, from + i);
        BSON_APPEND_UTF8(&list, key, text);
    }
    bson_append_array_end(&doc, &list);
    BSON_APPEND_DOCUMENT_BEGIN(&doc, "set", &list);
    BSON_APPEND_UTF8(&list, "_id", "d");
    bson_append_document_end(&doc, &list);
    unit_insert_doc(store, strcmp(id, "d") == 0 ? "datasets" : "folders", &doc);
    bson_destroy(&doc);
    free(text);
}

static void fill(mm_store_t *store, int n, int length)
{
    fill_from(store, "d", 0, n, length);
}

static const mm_catalog_children_query_t files_of_d = {"datasets", "d", "files", NULL, NULL};

static void check_too_many(unit_t *unit, int n, int length)
{
    mm_store_t *store = unit_store(unit->pool);
    const char *const *ids = NULL;
    mm_err_t err = {0};
    size_t count = 0;

    fill(store, n, length);
    assert_int_equal(mm_catalog_children(store, catalogs_of(unit->pool), &files_of_d, &ids, &count, unit->pool, &err),
                     MM_STORE_TOO_MANY);
    assert_non_null(strstr(err.text, "parent_id"));
    assert_null(ids);
}

static void test_too_many(void **state)
{
    check_too_many(*state, MM_CATALOG_CHILDREN_MAX + 1, 8);
}

static void test_too_long(void **state)
{
    check_too_many(*state, 8 * 1024 + 1, 1024);
}

static void test_just_not_too_many(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    const char *const *ids;
    mm_err_t err = {0};
    size_t n = 0;

    fill(store, MM_CATALOG_CHILDREN_MAX, 8);
    assert_int_equal(mm_catalog_children(store, catalogs_of(unit->pool), &files_of_d, &ids, &n, unit->pool, &err),
                     APR_SUCCESS);
    assert_int_equal(n, MM_CATALOG_CHILDREN_MAX);
}

/* Lets pass the first ids of those that fill made. */
typedef struct seen {
    long first;
    int asked; /* how often */
    bool fails;
} seen_t;

static apr_status_t keep(void *baton, const char **ids, size_t *n, apr_pool_t *scratch, mm_err_t *err)
{
    seen_t *seen = baton;
    size_t kept = 0;

    assert_non_null(scratch);
    assert_in_range(*n, 1, MM_CATALOG_CHILDREN_LOOKED_MAX);
    seen->asked++;
    for (size_t i = 0; i < *n; i++) {
        if (atol(ids[i]) < seen->first) {
            ids[kept++] = ids[i];
        }
    }
    *n = kept;
    return seen->fails ? mm_err_set(err, APR_EGENERAL, "the gate fell") : APR_SUCCESS;
}

/* How many may be seen; -1: too many. All are there, and some others may be. */
static long count(unit_t *unit, mm_store_t *store, seen_t *seen)
{
    const mm_catalog_children_query_t query = {"datasets", "d", "files", keep, seen};
    const char *const *ids = NULL;
    mm_err_t err = {0};
    size_t n = 0;
    apr_status_t rv = mm_catalog_children(store, catalogs_of(unit->pool), &query, &ids, &n, unit->pool, &err);

    if (rv == MM_STORE_TOO_MANY) {
        return -1;
    }
    assert_int_equal(rv, APR_SUCCESS);
    assert_in_range(n, 0, MM_CATALOG_CHILDREN_MAX);
    long visible = 0;
    for (size_t i = 0; i < n; i++) {
        visible += atol(ids[i]) == visible && visible < seen->first;
    }
    return visible;
}

/* In lists of 60000 each: how many there are that may not be seen makes no difference. */
static void test_only_what_counts_is_too_many(void **state)
{
    static const long max = MM_CATALOG_CHILDREN_MAX;
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    const struct {
        long visible, n;
    } cases[] = {{0, 0}, {3, 3}, {max, max}, {max + 1, -1}, {120000, -1}};

    fill_from(store, "d", 0, 60000, 8);
    fill_from(store, "e", 60000, 60000, 8);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        seen_t seen = {cases[i].visible, 0, false};

        assert_int_equal(count(unit, store, &seen), cases[i].n);
        assert_in_range(seen.asked, 1, 30);
    }
}

/* 16 MiB of ids, of which what may be seen is little, or too much. */
static void test_only_what_counts_is_too_long(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    seen_t few = {7, 0, false}, many = {8 * 1024 + 1, 0, false};

    fill_from(store, "d", 0, 8 * 1024 - 1, 1024);
    fill_from(store, "e", 8 * 1024 - 1, 8 * 1024 - 1, 1024);
    assert_int_equal(count(unit, store, &few), 7);
    assert_int_equal(count(unit, store, &many), -1);
}

static void test_few_are_not_asked_about(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    seen_t seen = {1, 0, false};

    fill(store, 5, 8);
    assert_int_equal(count(unit, store, &seen), 1);
    assert_int_equal(seen.asked, 0);
}

static void test_a_gate_that_fails(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    seen_t seen = {1, 0, true};
    const mm_catalog_children_query_t query = {"datasets", "d", "files", keep, &seen};
    const char *const *ids;
    mm_err_t err = {0};
    size_t n;

    fill(store, MM_CATALOG_CHILDREN_MAX + 1, 8);
    assert_int_equal(mm_catalog_children(store, catalogs_of(unit->pool), &query, &ids, &n, unit->pool, &err),
                     APR_EGENERAL);
    assert_string_equal(err.text, "the gate fell");
}

static void test_away(void **state)
{
    unit_t *unit = *state;
    int port, fd = unit_deaf_port(0, &port);
    mm_store_t *store = unit_store_at(apr_psprintf(unit->pool, "mongodb://127.0.0.1:%d/x", port), unit->pool);
    const char *const *ids;
    mm_err_t err;
    size_t n;

    assert_int_equal(mm_catalog_children(store, catalogs_of(unit->pool), &files_of_d, &ids, &n, unit->pool, &err),
                     MM_STORE_AWAY);
    close(fd);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, unit_setup, unit_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_ids_in_the_childs_document),
        TEST(test_documents_that_hold_both),
        TEST(test_agrees_with_the_way_up),
        TEST(test_too_many),
        TEST(test_too_long),
        TEST(test_just_not_too_many),
        TEST(test_only_what_counts_is_too_many),
        TEST(test_only_what_counts_is_too_long),
        TEST(test_few_are_not_asked_about),
        TEST(test_a_gate_that_fails),
        TEST(test_away),
    };

    return cmocka_run_group_tests(tests, unit_store_group, NULL);
}
