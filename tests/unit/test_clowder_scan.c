/* Clowder's collections from their beginning to their end, whatever they hold. */
#include "unit_rights.h"

#include <stdlib.h>

static int by_text(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

static const char *short_id(const mm_oid_t *id, apr_pool_t *pool)
{
    return apr_psprintf(pool, "%02x", id->bytes[MM_OID_SIZE - 1]);
}

typedef struct described {
    apr_pool_t *pool;
    const char *text;
} described_t;

static bool describe_file(void *baton, const mm_oid_t *file)
{
    described_t *described = baton;

    described->text = apr_pstrcat(described->pool, described->text, " has ", short_id(file, described->pool), NULL);
    return true;
}

static bool no_more(void *baton, const mm_oid_t *file)
{
    (void)file;
    ++*(int *)baton;
    return false;
}

static const char *describe(mm_clowder_scan_t *scan, const mm_clowder_doc_t *doc, apr_pool_t *pool)
{
    described_t described = {pool, NULL};

    described.text = apr_pstrcat(pool, short_id(&doc->id, pool), doc->has_author ? " by " : "",
                                 doc->has_author ? short_id(&doc->author, pool) : "", doc->trashed ? " trash" : "",
                                 doc->is_public ? " public" : "", doc->is_default ? " default" : "", NULL);
    for (size_t i = 0; i < doc->n_spaces; i++) {
        described.text = apr_pstrcat(pool, described.text, " in ", short_id(&doc->spaces[i], pool), NULL);
    }
    assert_true(mm_clowder_scan_files(scan, describe_file, &described));
    return apr_pstrcat(pool, described.text, "; ", NULL);
}

/* All documents, in order. */
static const char *all_of(mm_store_t *store, mm_clowder_part_t part)
{
    const mm_oid_t me = unit_oid(ID(ME));
    mm_clowder_scan_t *scan = mm_clowder_scan_make(store, part, &me, store->pool);
    apr_array_header_t *texts = apr_array_make(store->pool, 8, sizeof(const char *));
    mm_clowder_doc_t doc;

    while (mm_clowder_scan_next(scan, &doc)) {
        APR_ARRAY_PUSH(texts, const char *) = describe(scan, &doc, store->pool);
    }
    assert_false(mm_clowder_scan_has_failed(scan));
    assert_false(mm_clowder_scan_next(scan, &doc));
    qsort(texts->elts, (size_t)texts->nelts, sizeof(const char *), by_text);
    return apr_array_pstrcat(store->pool, texts, 0);
}

static void reads_what_matters(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);

    assert_string_equal(all_of(store, MM_CLOWDER_ALL_DATASETS), "");
    unit_insert(store, "datasets",
                "{'_id':" OID("d1") ",'author':{'_id':" OID(ME) "},'trash':true,'status':'PUBLIC','spaces':[" OID(
                    "5a") ",null],'files':[" OID("f1") ",'x'," OID("f2") "]}");
    unit_insert(store, "datasets", "{'_id':" OID("d2") ",'status':'DEFAULT','files':" OID("f3") "}");
    unit_insert(store, "datasets", "{'_id':'d3','status':'PUBLIC','files':[" OID("f3") "]}");
    unit_insert(store, "datasets", "{'_id':" OID("d4") ",'files':{'0':" OID("f3") "}}");
    unit_insert(store, "folders", "{'parentDatasetId':" OID("d1") ",'files':[" OID("f4") "]}");
    unit_insert(store, "folders", "{'parentDatasetId':'d1','files':[" OID("f5") "]}");
    unit_insert(store, "folders", "{'files':[" OID("f6") "]}");
    assert_string_equal(all_of(store, MM_CLOWDER_ALL_DATASETS),
                        "d1 trash public in 5a has f1 has f2; d2 default; d4; ");
    assert_string_equal(all_of(store, MM_CLOWDER_ALL_FOLDERS), "d1 has f4; ");
}

/* Who has not what is searched for may still be found, in a list; the document says what it is. */
static void a_search_says_what_it_found(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);

    unit_spaces(store);
    unit_insert(store, "spaces.projects", "{'_id':" OID("5d") ",'status':['PUBLIC']}");
    unit_insert(store, "uploads", "{'_id':" OID("f1") ",'author':{'_id':" OID(ME) "}}");
    unit_insert(store, "uploads", "{'_id':" OID("f2") ",'author':{'_id':" OID(OTHER) "}}");
    unit_insert(store, "uploads", "{'_id':" OID("f3") ",'author':[{'_id':" OID(ME) "}]}");
    unit_insert(store, "uploads", "{'_id':'f4','author':{'_id':" OID(ME) "}}");
    assert_string_equal(all_of(store, MM_CLOWDER_PUBLIC_SPACES), "5b public; 5d; ");
    assert_string_equal(all_of(store, MM_CLOWDER_FILES_OF), "f1 by 01; f3; ");
}

static void more_than_one_round_trip_with_others_in_between(void **state)
{
    enum { N = 450 };
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    mm_clowder_doc_t doc;
    int n = 0, calls = 0;

    for (int i = 0; i < N; i++) {
        unit_insert(store, "folders", "{'parentDatasetId':" OID("d1") ",'files':[" OID("f4") "," OID("f5") "]}");
    }
    mm_clowder_scan_t *scan = mm_clowder_scan_make(store, MM_CLOWDER_ALL_FOLDERS, NULL, unit->pool);
    for (; mm_clowder_scan_next(scan, &doc); n++) {
        if (n % 100 == 0) {
            all_of(store, MM_CLOWDER_ALL_DATASETS);
        }
        assert_false(mm_clowder_scan_files(scan, no_more, &calls));
    }
    assert_int_equal(n, N);
    assert_int_equal(calls, N);
    assert_false(mm_clowder_scan_has_failed(scan));
}

static void a_database_that_is_away_is_a_failure(void **state)
{
    unit_t *unit = *state;
    int port, fd = unit_deaf_port(0, &port);
    mm_store_t *store = unit_store_at(apr_psprintf(unit->pool, "mongodb://127.0.0.1:%d/x", port), unit->pool);
    mm_clowder_scan_t *scan = mm_clowder_scan_make(store, MM_CLOWDER_ALL_DATASETS, NULL, unit->pool);
    mm_clowder_doc_t doc;
    int calls = 0;

    assert_false(mm_clowder_scan_next(scan, &doc));
    assert_true(mm_clowder_scan_has_failed(scan));
    assert_true(mm_clowder_scan_files(scan, no_more, &calls));
    assert_int_equal(calls, 0);
    close(fd);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, unit_setup, unit_teardown)
    const struct CMUnitTest tests[] = {
        TEST(reads_what_matters),
        TEST(a_search_says_what_it_found),
        TEST(more_than_one_round_trip_with_others_in_between),
        TEST(a_database_that_is_away_is_a_failure),
    };

    return cmocka_run_group_tests(tests, unit_store_group, NULL);
}
