/* Counters out of a real database, in the usual order. */
#include "unit_store.h"
#include "store/uses.h"

/* Totals of a type, in the usual order. */
static apr_status_t open_uses(mm_uses_t **uses, mm_store_t *store, const char *type, apr_pool_t *pool, mm_err_t *err)
{
    mm_uses_query_t *query = apr_pcalloc(pool, sizeof(*query));

    query->type = type;
    return mm_uses_open(uses, store, query, pool, err);
}

static void insert_totals(mm_store_t *store, const char *id, int64_t views, int64_t downloads)
{
    bson_t *doc = BCON_NEW("_id", BCON_UTF8(id), "views", BCON_INT64(views), "downloads", BCON_INT64(downloads));

    unit_insert_doc(store, "metrics_datasets", doc);
    bson_destroy(doc);
}

/* All rows as "id views/downloads; …", read max at a time. */
static const char *read_all(mm_store_t *store, const char *type, size_t max, apr_pool_t *pool)
{
    mm_use_t *rows = apr_palloc(pool, sizeof(*rows) * max);
    const char *text = "";
    mm_uses_t *totals;
    size_t i, n = 1;
    mm_err_t err = {0};

    assert_int_equal(open_uses(&totals, store, type, pool, &err), APR_SUCCESS);
    while (n > 0) {
        if (mm_uses_next(totals, rows, max, &n, pool, &err) != APR_SUCCESS) {
            fail_msg("%s", err.text);
        }
        for (i = 0; i < n; i++) {
            text = apr_psprintf(pool, "%s%s %ld/%ld; ", text, rows[i].id, (long)rows[i].views, (long)rows[i].downloads);
        }
    }
    /* and at the end it stays at the end */
    assert_int_equal(mm_uses_next(totals, rows, max, &n, pool, &err), APR_SUCCESS);
    assert_int_equal(n, 0);
    return text;
}

static void test_order_is_views_downloads_id(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    const char *types[] = {"datasets"};
    size_t max;
    int prepared;

    insert_totals(store, "b", 1, 0);
    insert_totals(store, "none", 0, 0);
    insert_totals(store, "a", 1, 0);
    insert_totals(store, "d", 0, 7);
    insert_totals(store, "top", 10, 0);
    insert_totals(store, "c", 1, 2);
    insert_totals(store, "negative", -3, -4);
    for (prepared = 0; prepared < 2; prepared++) {
        for (max = 1; max < 9; max++) {
            assert_string_equal(read_all(store, "datasets", max, unit->pool), "top 10/0; c 1/2; a 1/0; b 1/0; d 0/7; ");
        }
        assert_int_equal(mm_store_prepare(store, types, 1, NULL), APR_SUCCESS);
    }
    assert_string_equal(read_all(store, "files", 5, unit->pool), "");
}

static void test_many_rows_in_batches(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    mm_use_t rows[1000], last = {.views = INT64_MAX};
    mm_uses_t *totals;
    size_t i, n = 0, seen = 0;

    for (i = 0; i < 2300; i++) {
        insert_totals(store, apr_psprintf(unit->pool, "%u", (unsigned)i), (int64_t)(i % 7) + 1, 0);
    }
    assert_int_equal(open_uses(&totals, store, "datasets", unit->pool, NULL), APR_SUCCESS);
    do {
        assert_int_equal(mm_uses_next(totals, rows, 1000, &n, unit->pool, NULL), APR_SUCCESS);
        for (i = 0; i < n; i++) {
            assert_true(rows[i].views < last.views || (rows[i].views == last.views && strcmp(last.id, rows[i].id) < 0));
            last = rows[i];
        }
        seen += n;
    } while (n == 1000);
    assert_int_equal(seen, 2300);
}

static void test_all_fields_of_a_row(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    mm_delta_t delta = {.kind = MM_DELTA_RESOURCE,
                        .type = "files",
                        .id = "bytes \xff\xfe",
                        .views = 4,
                        .downloads = 3,
                        .machine_views = 2,
                        .machine_downloads = 1,
                        .last_viewed_ms = -1,
                        .last_downloaded_ms = 1700000000123,
                        .first_seen_ms = 5};
    mm_use_t row;
    mm_outcome_t outcome;
    mm_uses_t *totals;
    size_t n;

    assert_int_equal(mm_store_apply(store, SPOOL, 1, &delta, 1, &outcome, NULL), MM_APPLIED);
    assert_int_equal(open_uses(&totals, store, "files", unit->pool, NULL), APR_SUCCESS);
    assert_int_equal(mm_uses_next(totals, &row, 1, &n, unit->pool, NULL), APR_SUCCESS);
    assert_int_equal(n, 1);
    assert_string_equal(row.id, delta.id);
    assert_int_equal(row.views, 4);
    assert_int_equal(row.downloads, 3);
    assert_int_equal(row.machine_views, 2);
    assert_int_equal(row.machine_downloads, 1);
    assert_int_equal(row.last_viewed_ms, -1);
    assert_int_equal(row.last_downloaded_ms, 1700000000123);
}

static void test_odd_ids_come_back_as_they_went_in(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    char *longest = apr_palloc(unit->pool, 1025);
    const char *ids[] = {"$gt",       "a.b",         "\"'\\", "\xff\xfe", longest,
                         "__proto__", "{\"$ne\":1}", "",      "\xc3\xa9", "\xc3"};
    size_t i, j, n, count = sizeof(ids) / sizeof(ids[0]);
    mm_use_t rows[16];
    mm_outcome_t outcome;
    mm_uses_t *totals;

    memset(longest, 'y', 1024);
    longest[1024] = 0;
    for (i = 0; i < count; i++) {
        mm_delta_t delta = {.kind = MM_DELTA_RESOURCE, .type = "files", .id = ids[i], .views = (int64_t)i + 1};

        assert_int_equal(mm_store_apply(store, SPOOL, 1, &delta, 1, &outcome, NULL), MM_APPLIED);
    }
    assert_int_equal(open_uses(&totals, store, "files", unit->pool, NULL), APR_SUCCESS);
    assert_int_equal(mm_uses_next(totals, rows, 16, &n, unit->pool, NULL), APR_SUCCESS);
    assert_int_equal(n, count);
    for (i = 0, j = count - 1; i < count; i++, j--) {
        assert_string_equal(rows[i].id, ids[j]);
    }
}

static void test_documents_of_somebody_else(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    const char *text;

    unit_insert(store, "metrics_datasets", "{'_id': {'$oid': '0123456789abcdef01234567'}, 'views': 2, 'downloads': 1}");
    unit_insert(store, "metrics_datasets", "{'_id': 42, 'views': 3.0, 'downloads': {'$numberLong': '9'}}");
    unit_insert(store, "metrics_datasets", "{'_id': {'type': 'x'}, 'views': 99}");
    unit_insert(store, "metrics_datasets", "{'_id': {'_id': 'x'}, 'views': 99}");
    unit_insert(store, "metrics_datasets", "{'_id': true, 'views': 99}");
    unit_insert(store, "metrics_datasets", "{'_id': 'a\\u0000b', 'views': 99}");
    unit_insert(store, "metrics_datasets", "{'_id': {'$binary': {'base64': 'AAA=', 'subType': '00'}}, 'views': 99}");
    unit_insert(store, "metrics_datasets", "{'_id': {'$uuid': '00112233-4455-6677-8899-aabbccddeeff'}, 'views': 99}");
    unit_insert(store, "metrics_datasets", "{'_id': 'strings', 'views': 'many', 'downloads': 1, 'last_viewed': 'now'}");
    unit_insert(store, "metrics_datasets", "{'_id': 'half', 'views': 0.5, 'downloads': {'$numberDouble': 'NaN'}}");
    unit_insert(store, "metrics_datasets", "{'_id': 'bare'}");
    unit_insert(store, "metrics_datasets", "{'_id': 'lists', 'views': [5], 'downloads': {'x': 6}}");
    text = read_all(store, "datasets", 100, unit->pool);
    assert_non_null(strstr(text, "0123456789abcdef01234567 2/1; "));
    assert_non_null(strstr(text, "42 3/9; "));
    assert_non_null(strstr(text, "strings 0/1; "));
    assert_int_equal(strlen(text), strlen("0123456789abcdef01234567 2/1; 42 3/9; strings 0/1; "));
}

static void test_type_must_be_one(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    const char *bad[] = {"", "a.b", "$x", "users", NULL};
    mm_use_t row;
    mm_uses_t *totals;
    mm_err_t err = {0};
    size_t i, n;

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(open_uses(&totals, store, bad[i], unit->pool, &err), APR_EINVAL);
    }
    assert_int_equal(open_uses(&totals, store, "files", unit->pool, &err), APR_SUCCESS);
    assert_int_equal(mm_uses_next(totals, &row, 0, &n, unit->pool, &err), APR_EINVAL);
}

static void test_away(void **state)
{
    unit_t *unit = *state;
    int port, fd = unit_deaf_port(0, &port);
    mm_store_t *store =
        unit_store_at(apr_psprintf(unit->pool, "mongodb://ann:s3cret@127.0.0.1:%d/x", port), unit->pool);
    mm_use_t row;
    mm_uses_t *totals;
    mm_err_t err = {0};
    size_t n = 77;

    assert_int_equal(open_uses(&totals, store, "datasets", unit->pool, &err), APR_SUCCESS);
    assert_int_equal(mm_uses_next(totals, &row, 1, &n, unit->pool, &err), MM_STORE_AWAY);
    assert_null(strstr(err.text, "s3cret"));
    assert_int_equal(n, 77);
    close(fd);
}

static void test_error_of_the_server_is_not_away(void **state)
{
    unit_t *unit = *state;
    const char *uri = unit_mongo_uri(unit->pool);
    /* a read concern that no server knows */
    mm_store_t *store = unit_store_at(
        apr_pstrcat(unit->pool, uri, strchr(uri, '?') ? "&" : "?", "readConcernLevel=imaginary", NULL), unit->pool);
    mm_use_t row;
    mm_uses_t *totals;
    mm_err_t err = {0};
    size_t n;

    assert_int_equal(open_uses(&totals, store, "datasets", unit->pool, &err), APR_SUCCESS);
    assert_int_equal(mm_uses_next(totals, &row, 1, &n, unit->pool, &err), APR_EGENERAL);
    assert_non_null(strstr(err.text, "metrics_datasets"));
}

static void test_cursor_ends_with_its_pool(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    apr_pool_t *pool;
    mm_use_t row;
    mm_uses_t *totals;
    size_t i, n;

    for (i = 0; i < 5; i++) {
        insert_totals(store, apr_psprintf(unit->pool, "%u", (unsigned)i), 1, 1);
    }
    apr_pool_create(&pool, unit->pool);
    assert_int_equal(open_uses(&totals, store, "datasets", pool, NULL), APR_SUCCESS);
    assert_int_equal(mm_uses_next(totals, &row, 1, &n, pool, NULL), APR_SUCCESS);
    assert_int_equal(n, 1);
    apr_pool_destroy(pool);
    assert_string_equal(read_all(store, "datasets", 2, unit->pool), "0 1/1; 1 1/1; 2 1/1; 3 1/1; 4 1/1; ");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, unit_setup, unit_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_order_is_views_downloads_id),
        TEST(test_many_rows_in_batches),
        TEST(test_all_fields_of_a_row),
        TEST(test_odd_ids_come_back_as_they_went_in),
        TEST(test_documents_of_somebody_else),
        TEST(test_type_must_be_one),
        TEST(test_away),
        TEST(test_error_of_the_server_is_not_away),
        TEST(test_cursor_ends_with_its_pool),
    };

    return cmocka_run_group_tests(tests, unit_store_group, NULL);
}
