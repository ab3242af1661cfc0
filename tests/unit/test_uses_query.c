/* Every order and every selection, as the database understands them, with and without indexes. */
#include "unit_store.h"
#include "store/uses.h"
#include "store/value.h"

/* id:user of all rows, or id alone in totals, in batches of two. */
static const char *order_of(mm_store_t *store, const mm_uses_query_t *query, apr_pool_t *pool)
{
    const char *text = "";
    mm_uses_t *uses;
    mm_use_t rows[2];
    mm_err_t err = {0};
    size_t i, n = 1;

    assert_int_equal(mm_uses_open(&uses, store, query, pool, &err), APR_SUCCESS);
    while (n > 0) {
        if (mm_uses_next(uses, rows, 2, &n, pool, &err) != APR_SUCCESS) {
            fail_msg("%s", err.text);
        }
        for (i = 0; i < n; i++) {
            text = apr_pstrcat(pool, text, *text ? " " : "", rows[i].id, rows[i].user ? ":" : "",
                               rows[i].user ? rows[i].user : "", NULL);
        }
    }
    return text;
}

static mm_store_t *filled(unit_t *unit)
{
    mm_store_t *store = unit_store(unit->pool);

    unit_insert(store, "metrics_datasets",
                "{'_id': 'a', 'views': 5, 'downloads': 1, 'machine_views': 4, 'machine_downloads': 0, "
                "'last_viewed': {'$date': 3000}, 'last_downloaded': {'$date': 1000}}");
    unit_insert(store, "metrics_datasets",
                "{'_id': 'b', 'views': 4, 'downloads': 0, 'machine_views': 0, 'last_viewed': {'$date': 1000}}");
    unit_insert(store, "metrics_datasets",
                "{'_id': 'c', 'views': 4, 'downloads': 3, 'machine_views': 1, 'machine_downloads': 3, "
                "'last_viewed': {'$date': 2000}, 'last_downloaded': {'$date': 5000}}");
    unit_insert(store, "metrics_datasets",
                "{'_id': 'd', 'views': 'many', 'downloads': 2, 'machine_downloads': 2, "
                "'last_downloaded': {'$date': 1500}}");
    return store;
}

static void test_orders_of_totals(void **state)
{
    static const struct {
        mm_order_t order;
        const char *there, *back;
    } expected[] = {{MM_ORDER_DOWNLOADS, "c d a b", "b a d c"},
                    {MM_ORDER_LAST_VIEWED, "a c b d", "d b c a"},
                    {MM_ORDER_LAST_DOWNLOADED, "c d a b", "b a d c"},
                    {MM_ORDER_RESOURCE, "a b c d", "d c b a"}};
    unit_t *unit = *state;
    mm_store_t *store = filled(unit);
    const char *types[] = {"datasets"};

    for (int prepared = 0; prepared < 2; prepared++) {
        for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
            mm_uses_query_t query = {.type = "datasets", .order = expected[i].order};

            assert_string_equal(order_of(store, &query, unit->pool), expected[i].there);
            query.backwards = true;
            assert_string_equal(order_of(store, &query, unit->pool), expected[i].back);
        }
        assert_int_equal(mm_store_prepare(store, types, 1, NULL), APR_SUCCESS);
    }
}

/* By what the agents did, though no document holds that number; a counter that is a word is none. */
static void test_orders_by_agents(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = filled(unit);
    mm_uses_query_t query = {.type = "datasets", .agents = MM_AGENTS_REGULAR};

    assert_string_equal(order_of(store, &query, unit->pool), "b c a");
    query.backwards = true;
    assert_string_equal(order_of(store, &query, unit->pool), "a c b");
    query = (mm_uses_query_t){.type = "datasets", .agents = MM_AGENTS_MACHINE};
    assert_string_equal(order_of(store, &query, unit->pool), "a c d");
    query.order = MM_ORDER_DOWNLOADS;
    assert_string_equal(order_of(store, &query, unit->pool), "c d a");
    query.order = MM_ORDER_RESOURCE;
    assert_string_equal(order_of(store, &query, unit->pool), "a c d");
}

static void test_selections_of_totals(void **state)
{
    static const char *const ids[] = {"c", "none", "b"};
    unit_t *unit = *state;
    mm_store_t *store = filled(unit);
    mm_uses_query_t query = {.type = "datasets", .ids = ids, .n_ids = 3};

    unit_insert(store, "metrics_datasets", "{'_id': {'$binary': {'base64': '//4=', 'subType': '00'}}, 'views': 1}");
    assert_string_equal(order_of(store, &query, unit->pool), "c b");
    query.n_ids = 1;
    assert_string_equal(order_of(store, &query, unit->pool), "c");
    query.n_ids = 0;
    assert_string_equal(order_of(store, &query, unit->pool), "");
    query = (mm_uses_query_t){.type = "datasets", .ids = (const char *const[]){"\xff\xfe"}, .n_ids = 1};
    assert_string_equal(order_of(store, &query, unit->pool), "\xff\xfe");
    query = (mm_uses_query_t){.type = "datasets", .unused_since = true, .unused_since_ms = 3000};
    assert_string_equal(order_of(store, &query, unit->pool), "d b \xff\xfe");
    query.unused_since_ms = 3001;
    assert_string_equal(order_of(store, &query, unit->pool), "d a b \xff\xfe");
}

static void insert_use(mm_store_t *store, const char *type, const char *id, const char *user, int views, int downloads)
{
    bson_t doc = BSON_INITIALIZER;

    BSON_APPEND_UTF8(&doc, "type", type);
    mm_value_append_text(&doc, "resource", id);
    mm_value_append_text(&doc, "user", user);
    BSON_APPEND_INT32(&doc, "views", views);
    BSON_APPEND_INT32(&doc, "downloads", downloads);
    BSON_APPEND_DATE_TIME(&doc, "last_viewed", 100 - views);
    unit_insert_doc(store, "metrics_users", &doc);
    bson_destroy(&doc);
}

static void test_orders_and_selections_of_users(void **state)
{
    static const char *const a[] = {"a"}, *const two[] = {"a", "b"};
    static const struct {
        mm_uses_query_t query;
        const char *rows;
    } expected[] = {
        {{.order = MM_ORDER_VIEWS}, "b:ann a:bob b:bob a:ann c:\xff"},
        {{.order = MM_ORDER_VIEWS, .backwards = true}, "c:\xff a:ann b:bob a:bob b:ann"},
        {{.order = MM_ORDER_RESOURCE}, "a:ann a:bob b:ann b:bob c:\xff"},
        {{.order = MM_ORDER_USER}, "a:ann b:ann a:bob b:bob c:\xff"},
        {{.order = MM_ORDER_USER, .backwards = true}, "c:\xff b:bob a:bob b:ann a:ann"},
        {{.ids = a, .n_ids = 1}, "a:bob a:ann"},
        {{.ids = two, .n_ids = 2, .order = MM_ORDER_RESOURCE}, "a:ann a:bob b:ann b:bob"},
        {{.user = "ann"}, "b:ann a:ann"},
        {{.user = "ann", .order = MM_ORDER_LAST_VIEWED}, "a:ann b:ann"},
        {{.user = "\xff"}, "c:\xff"},
        {{.user = "bob", .ids = a, .n_ids = 1}, "a:bob"},
        {{.user = "$ne"}, ""},
    };
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    const char *types[] = {"datasets"};

    insert_use(store, "datasets", "a", "ann", 1, 3);
    insert_use(store, "datasets", "a", "bob", 2, 2);
    insert_use(store, "datasets", "b", "ann", 3, 0);
    insert_use(store, "datasets", "b", "bob", 2, 2);
    insert_use(store, "datasets", "c", "\xff", 1, 0);
    insert_use(store, "datasets", "c", "idle", 0, 0);
    insert_use(store, "files", "a", "ann", 9, 9);
    for (int prepared = 0; prepared < 2; prepared++) {
        for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
            mm_uses_query_t query = expected[i].query;

            query.type = "datasets";
            query.per_user = true;
            assert_string_equal(order_of(store, &query, unit->pool), expected[i].rows);
        }
        assert_int_equal(mm_store_prepare(store, types, 1, NULL), APR_SUCCESS);
    }
}

#define DAY_MS INT64_C(86400000)

static void insert_day(mm_store_t *store, const char *type, const char *id, int day, const char *user, int views,
                       int downloads, int machine_views)
{
    bson_t doc = BSON_INITIALIZER;

    BSON_APPEND_UTF8(&doc, "type", type);
    mm_value_append_text(&doc, "resource", id);
    BSON_APPEND_DATE_TIME(&doc, "day", day * DAY_MS);
    if (user) {
        mm_value_append_text(&doc, "user", user);
    }
    BSON_APPEND_INT64(&doc, "views", views);
    if (downloads) {
        BSON_APPEND_INT64(&doc, "downloads", downloads); /* absent while nothing changed it */
    }
    if (machine_views) {
        BSON_APPEND_INT64(&doc, "machine_views", machine_views);
    }
    unit_insert_doc(store, "metrics_days", &doc);
    bson_destroy(&doc);
}

/* "id:user views/downloads" of the first row */
static const char *first_of(mm_store_t *store, const mm_uses_query_t *query, apr_pool_t *pool)
{
    mm_uses_t *uses;
    mm_use_t row;
    mm_err_t err = {0};
    size_t n;

    assert_int_equal(mm_uses_open(&uses, store, query, pool, &err), APR_SUCCESS);
    if (mm_uses_next(uses, &row, 1, &n, pool, &err) != APR_SUCCESS || n != 1) {
        fail_msg("%s", err.text);
    }
    assert_int_equal(row.last_viewed_ms, MM_TIME_NONE);
    return apr_psprintf(pool, "%s:%s %d/%d %d", row.id, row.user ? row.user : "", (int)row.views, (int)row.downloads,
                        (int)row.machine_views);
}

static void test_periods(void **state)
{
    static const char *const b[] = {"b"};
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    mm_uses_query_t query = {.type = "datasets", .has_since = true, .since_ms = 10 * DAY_MS};
    const char *types[] = {"datasets"};

    assert_int_equal(mm_store_prepare(store, types, 1, NULL), APR_SUCCESS);
    insert_day(store, "datasets", "a", 9, NULL, 100, 0, 0);
    insert_day(store, "datasets", "a", 10, NULL, 2, 1, 2);
    insert_day(store, "datasets", "a", 10, "ann", 1, 0, 0);
    insert_day(store, "datasets", "a", 11, "ann", 2, 2, 1);
    insert_day(store, "datasets", "b", 11, NULL, 4, 0, 0);
    insert_day(store, "datasets", "b", 12, "\xff", 2, 0, 0);
    insert_day(store, "datasets", "c", 10, "ann", 0, 0, 0);
    insert_day(store, "files", "a", 10, "ann", 50, 0, 0);
    assert_string_equal(order_of(store, &query, unit->pool), "b a");
    query.has_until = true;
    query.until_ms = 12 * DAY_MS;
    assert_string_equal(order_of(store, &query, unit->pool), "a b");
    assert_string_equal(first_of(store, &query, unit->pool), "a: 5/3 3");
    query.agents = MM_AGENTS_REGULAR;
    assert_string_equal(order_of(store, &query, unit->pool), "b a");
    query.agents = MM_AGENTS_ALL;
    query.backwards = true;
    query.order = MM_ORDER_DOWNLOADS;
    assert_string_equal(order_of(store, &query, unit->pool), "b a");
    query = (mm_uses_query_t){.type = "datasets", .has_until = true, .until_ms = 10 * DAY_MS};
    assert_string_equal(first_of(store, &query, unit->pool), "a: 100/0 0");
    query = (mm_uses_query_t){.type = "datasets", .per_user = true, .has_since = true, .since_ms = 10 * DAY_MS};
    assert_string_equal(order_of(store, &query, unit->pool), "a:ann b:\xff");
    assert_string_equal(first_of(store, &query, unit->pool), "a:ann 3/2 1");
    query.order = MM_ORDER_USER;
    assert_string_equal(order_of(store, &query, unit->pool), "a:ann b:\xff");
    query.user = "ann";
    assert_string_equal(order_of(store, &query, unit->pool), "a:ann");
    query.ids = b;
    query.n_ids = 1;
    assert_string_equal(order_of(store, &query, unit->pool), "");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, unit_setup, unit_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_orders_of_totals),
        TEST(test_orders_by_agents),
        TEST(test_selections_of_totals),
        TEST(test_orders_and_selections_of_users),
        TEST(test_periods),
    };

    return cmocka_run_group_tests(tests, unit_store_group, NULL);
}
