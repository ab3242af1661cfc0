/* Which batch documents have taken, read back. */
#include "unit_store.h"

#define SEQ "seq." SPOOL

static mm_delta_t delta_of(const char *id, const char *user)
{
    return (mm_delta_t){.kind = user ? MM_DELTA_USER : MM_DELTA_RESOURCE,
                        .type = "files",
                        .id = id,
                        .user = user,
                        .views = 1,
                        .last_viewed_ms = 1,
                        .last_downloaded_ms = MM_TIME_NONE,
                        .first_seen_ms = 1};
}

static void test_reads_what_was_applied(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    mongoc_collection_t *collection = mm_store_collection(store, "metrics_files");
    mm_delta_t deltas[6] = {delta_of("a", NULL),     delta_of("not there", NULL), delta_of("\xff\xfe", NULL),
                            delta_of("other", NULL), delta_of("text", NULL),      delta_of("double", NULL)};
    const size_t at[] = {5, 4, 3, 2, 1, 0};
    mm_outcome_t outcomes[6];
    int64_t seqs[6];
    bson_error_t error;

    assert_int_equal(mm_store_apply(store, SPOOL, 41, &deltas[0], 1, outcomes, NULL), MM_APPLIED);
    assert_int_equal(mm_store_apply(store, SPOOL, 42, &deltas[2], 1, outcomes, NULL), MM_APPLIED);
    assert_int_equal(mm_store_apply(store, "111111111111111111111111", 43, &deltas[3], 1, outcomes, NULL), MM_APPLIED);
    unit_insert(store, "metrics_files", "{'_id': 'text', 'seq': {'" SPOOL "': '50'}}");
    unit_insert(store, "metrics_files", "{'_id': 'double', 'seq': {'" SPOOL "': 50.0}}");
    assert_true(mm_fence_read(store, collection, deltas, at, 6, SEQ, seqs, unit->pool, &error));
    assert_int_equal(seqs[0], 50);
    assert_int_equal(seqs[1], 0);
    assert_int_equal(seqs[2], 0);
    assert_int_equal(seqs[3], 42);
    assert_int_equal(seqs[4], MM_FENCE_ABSENT);
    assert_int_equal(seqs[5], 41);
    mongoc_collection_destroy(collection);
}

/* More than one batch of the cursor, and ids longer than an id by itself may be. */
static void test_reads_many_and_long(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    mongoc_collection_t *collection = mm_store_collection(store, "metrics_users");
    const size_t n = 300;
    mm_delta_t *deltas = apr_palloc(unit->pool, sizeof(*deltas) * n);
    mm_outcome_t *outcomes = apr_palloc(unit->pool, sizeof(*outcomes) * n);
    int64_t *seqs = apr_palloc(unit->pool, sizeof(*seqs) * n);
    size_t *at = apr_palloc(unit->pool, sizeof(*at) * n), i;
    char *longest = apr_palloc(unit->pool, MM_STORE_TEXT_MAX + 1);
    bson_error_t error;

    memset(longest, 'x', MM_STORE_TEXT_MAX);
    longest[MM_STORE_TEXT_MAX] = 0;
    for (i = 0; i < n; i++) {
        at[i] = i;
        deltas[i] = delta_of(apr_psprintf(unit->pool, "%d", (int)i), "ann");
    }
    deltas[7] = delta_of(longest, longest);
    assert_int_equal(mm_store_apply(store, SPOOL, 3, deltas, n, outcomes, NULL), MM_APPLIED);
    assert_true(mm_fence_read(store, collection, deltas, at, n, SEQ, seqs, unit->pool, &error));
    for (i = 0; i < n; i++) {
        assert_int_equal(seqs[i], 3);
    }
    mongoc_collection_destroy(collection);
}

static void test_away(void **state)
{
    unit_t *unit = *state;
    int port, fd = unit_deaf_port(0, &port);
    mm_store_t *store = unit_store_at(apr_psprintf(unit->pool, "mongodb://127.0.0.1:%d/x", port), unit->pool);
    mongoc_collection_t *collection = mm_store_collection(store, "metrics_files");
    mm_delta_t delta = delta_of("a", NULL);
    const size_t at = 0;
    bson_error_t error = {0};
    int64_t seq = 9;

    assert_false(mm_fence_read(store, collection, &delta, &at, 1, SEQ, &seq, unit->pool, &error));
    assert_true(mm_store_is_away(&error));
    mongoc_collection_destroy(collection);
    close(fd);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, unit_setup, unit_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_reads_what_was_applied),
        TEST(test_reads_many_and_long),
        TEST(test_away),
    };

    return cmocka_run_group_tests(tests, unit_store_group, NULL);
}
