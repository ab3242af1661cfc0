/* A batch file into a real database: all of it, once, and what is refused is put aside. */
#include "drain_unit.h"
#include "drain/batch.h"
#include "drain/deliver.h"
#include "drain/rejected.h"

#define SPOOL   "0123456789abcdef01234567"
#define NOWHERE "mongodb://127.0.0.1:9/unit?serverSelectionTimeoutMS=200&connectTimeoutMS=200"

static volatile sig_atomic_t stop;

typedef struct setting {
    const unit_t *unit;
    char *dir;
    const char *uri;
    mm_store_t *store;
    mm_count_t *count;
    mm_spool_reader_t *reader;
    mm_deliver_t deliver;
    mm_err_t err;
} setting_t;

static mm_store_t *store_open(const char *uri, apr_pool_t *pool)
{
    mm_store_t *store = NULL;
    mm_err_t err;

    mm_store_init();
    if (mm_store_open(&store, uri, MM_STORE_PREFIX_DEFAULT, pool, &err) != APR_SUCCESS) {
        fail_msg("%s", err.text);
    }
    return store;
}

static setting_t begin(const unit_t *unit)
{
    setting_t s = {.unit = unit, .dir = spool_make(unit), .uri = unit_mongo_uri(unit->pool)};

    stop = 0;
    s.store = store_open(s.uri, unit->pool);
    s.count = mm_count_create(unit->pool);
    assert_int_equal(mm_spool_reader_create(&s.reader, s.dir, NULL, unit->pool, NULL), APR_SUCCESS);
    return s;
}

static void add(setting_t *s, const char *type, const char *id, const char *user)
{
    mm_event_t event = event_of(MM_ACTION_VIEW, id, user, NOON_US);

    event.type = bytes_of(type);
    mm_count_add(s->count, &event);
}

/* Writes what was added as batch seq. */
static void write_batch(setting_t *s, int64_t seq)
{
    assert_int_equal(mm_batch_write(s->dir, SPOOL, seq, s->count, s->reader, NULL), APR_SUCCESS);
    mm_count_reset(s->count);
    mm_deliver_begin(&s->deliver);
}

static apr_status_t deliver(setting_t *s)
{
    mm_wait_t wait = {.stop = &stop};

    s->err.text[0] = '\0';
    return mm_deliver_batch(&s->deliver, s->dir, s->store, &wait, s->unit->pool, &s->err);
}

static void delivers_all_chunks_once(void **state)
{
    setting_t s = begin(*state);
    const int64_t n = 2 * MM_DELIVER_CHUNK_MAX + 17;
    char id[32];

    for (int i = 0; i < n; i++) {
        snprintf(id, sizeof(id), "id-%d", i);
        add(&s, "datasets", id, i < 5 ? "eve" : NULL);
    }
    write_batch(&s, 1);
    assert_int_equal(deliver(&s), APR_SUCCESS);
    assert_int_equal(s.deliver.done, n + 5);
    assert_int_equal(s.deliver.rejected, 0);
    assert_int_equal(db_sum(s.uri, "metrics_datasets", NULL, "views"), n);
    assert_int_equal(db_sum(s.uri, "metrics_users", NULL, "views"), 5);
    /* Going on behind the end is nothing; from the beginning, as after a crash, it is no use twice. */
    assert_int_equal(deliver(&s), APR_SUCCESS);
    s.deliver.done = 0;
    assert_int_equal(deliver(&s), APR_SUCCESS);
    assert_int_equal(db_sum(s.uri, "metrics_datasets", NULL, "views"), n);
    assert_int_equal(db_sum(s.uri, "metrics_users", NULL, "views"), 5);
}

static void goes_on_where_it_stopped(void **state)
{
    setting_t s = begin(*state);
    char id[32];

    for (int i = 0; i < 10; i++) {
        snprintf(id, sizeof(id), "id-%d", i);
        add(&s, "datasets", id, NULL);
    }
    write_batch(&s, 1);
    s.deliver.done = 6;
    assert_int_equal(deliver(&s), APR_SUCCESS);
    assert_int_equal(s.deliver.done, 10);
    assert_int_equal(db_sum(s.uri, "metrics_datasets", NULL, "views"), 4);
    assert_int_equal(db_get(s.uri, "metrics_datasets", "id-6", "views"), 1);
}

static void sizes_its_calls_by_their_time(void **state)
{
    const int64_t second = 1000000;

    (void)state;
    assert_int_equal(mm_deliver_next_chunk(1000, false, 0), 1000);
    assert_int_equal(mm_deliver_next_chunk(1000, false, 3 * second), 1000);
    assert_int_equal(mm_deliver_next_chunk(1000, false, 6 * second), 500);
    assert_int_equal(mm_deliver_next_chunk(1000, true, 10 * second), 250);
    assert_int_equal(mm_deliver_next_chunk(250, false, second / 2), 500);
    assert_int_equal(mm_deliver_next_chunk(600, false, second / 2), 1000);
    assert_int_equal(mm_deliver_next_chunk(250, false, 2 * second), 250);
    assert_int_equal(mm_deliver_next_chunk(30, true, 0), MM_DELIVER_CHUNK_MIN);
    assert_int_equal(mm_deliver_next_chunk(MM_DELIVER_CHUNK_MIN, true, 0), MM_DELIVER_CHUNK_MIN);
    assert_int_equal(mm_deliver_next_chunk(MM_DELIVER_CHUNK_MIN, false, 60 * second), MM_DELIVER_CHUNK_MIN);
}

static void keeps_its_size_for_the_next_batch(void **state)
{
    setting_t s = begin(*state);
    char id[32];

    for (int seq = 1; seq <= 2; seq++) {
        for (int i = 0; i < 100; i++) {
            snprintf(id, sizeof(id), "id-%d", i);
            add(&s, "datasets", id, NULL);
        }
        if (seq == 1) {
            s.deliver.chunk = 13; /* as a slow database leaves it */
        }
        write_batch(&s, seq);
        assert_int_not_equal(s.deliver.chunk, 0);
        assert_int_not_equal(s.deliver.chunk, MM_DELIVER_CHUNK_MAX);
        assert_int_equal(deliver(&s), APR_SUCCESS);
        assert_int_equal(s.deliver.done, 100);
        assert_int_equal(db_sum(s.uri, "metrics_datasets", NULL, "views"), 100 * seq);
    }
}

static void stops_when_told(void **state)
{
    setting_t s = begin(*state);

    add(&s, "datasets", "a", NULL);
    write_batch(&s, 1);
    stop = 1;
    assert_int_equal(deliver(&s), APR_EINTR);
    assert_int_equal(s.deliver.done, 0);
    stop = 0;
    assert_int_equal(deliver(&s), APR_SUCCESS);
    assert_int_equal(db_get(s.uri, "metrics_datasets", "a", "views"), 1);
}

static void keeps_what_a_database_that_is_away_did_not_take(void **state)
{
    setting_t s = begin(*state);
    mm_store_t *there = s.store;

    add(&s, "datasets", "a", "eve");
    write_batch(&s, 1);
    s.store = store_open(NOWHERE, s.unit->pool);
    assert_int_equal(deliver(&s), MM_STORE_AWAY);
    assert_string_not_equal(s.err.text, "");
    assert_int_equal(s.deliver.done, 0);
    assert_false(has_file(s.dir, MM_REJECTED_FILE));
    s.store = there;
    assert_int_equal(deliver(&s), APR_SUCCESS);
    assert_int_equal(db_sum(s.uri, "metrics_datasets", NULL, "views"), 1);
    assert_int_equal(db_sum(s.uri, "metrics_users", NULL, "views"), 1);
}

/* A document whose counter is text: the server refuses to add to it, now and always. */
static void spoil(const char *uri, const char *id)
{
    mongoc_client_t *client = mongoc_client_new(uri);
    mongoc_uri_t *parsed = mongoc_uri_new(uri);
    mongoc_collection_t *collection =
        mongoc_client_get_collection(client, mongoc_uri_get_database(parsed), "metrics_datasets");
    bson_t *doc = BCON_NEW("_id", BCON_UTF8(id), "views", BCON_UTF8("many"));
    bson_error_t error;

    if (!mongoc_collection_insert_one(collection, doc, NULL, NULL, &error)) {
        fail_msg("%s", error.message);
    }
    bson_destroy(doc);
    mongoc_collection_destroy(collection);
    mongoc_uri_destroy(parsed);
    mongoc_client_destroy(client);
}

static void puts_aside_what_is_refused(void **state)
{
    setting_t s = begin(*state);

    spoil(s.uri, "bad");
    add(&s, "datasets", "before", NULL);
    add(&s, "datasets", "bad", NULL);
    add(&s, "users", "no such type", NULL);
    add(&s, "datasets", "behind", NULL);
    write_batch(&s, 1);
    assert_int_equal(deliver(&s), APR_SUCCESS);
    assert_int_equal(s.deliver.done, 4);
    assert_int_equal(s.deliver.rejected, 2);
    assert_int_equal(s.deliver.left_out, 0);
    assert_string_not_equal(s.deliver.reason.text, "");
    assert_true(has_file(s.dir, MM_REJECTED_FILE));
    assert_int_equal(db_get(s.uri, "metrics_datasets", "before", "views"), 1);
    assert_int_equal(db_get(s.uri, "metrics_datasets", "behind", "views"), 1);
}

static void applies_again_when_rejects_cannot_be_written(void **state)
{
    setting_t s = begin(*state);
    char *path = apr_pstrcat(s.unit->pool, s.dir, "/" MM_REJECTED_FILE, NULL);

    assert_int_equal(mkdir(path, 0700), 0);
    spoil(s.uri, "bad");
    add(&s, "datasets", "bad", NULL);
    add(&s, "datasets", "good", NULL);
    write_batch(&s, 1);
    assert_int_not_equal(deliver(&s), APR_SUCCESS);
    assert_non_null(strstr(s.err.text, MM_REJECTED_FILE));
    assert_int_equal(s.deliver.done, 0);
    assert_int_equal(s.deliver.rejected, 0);
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(deliver(&s), APR_SUCCESS);
    assert_int_equal(s.deliver.rejected, 1);
    assert_int_equal(db_get(s.uri, "metrics_datasets", "good", "views"), 1);
}

static void says_when_the_file_is_damaged(void **state)
{
    setting_t s = begin(*state);

    add(&s, "datasets", "a", NULL);
    write_batch(&s, 1);
    file_damage(s.dir, MM_BATCH_FILE, -8);
    assert_int_equal(deliver(&s), APR_EINVAL);
}

#define test(f) cmocka_unit_test_setup_teardown(f, unit_setup, unit_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(delivers_all_chunks_once),
        test(goes_on_where_it_stopped),
        cmocka_unit_test(sizes_its_calls_by_their_time),
        test(keeps_its_size_for_the_next_batch),
        test(stops_when_told),
        test(keeps_what_a_database_that_is_away_did_not_take),
        test(puts_aside_what_is_refused),
        test(applies_again_when_rejects_cannot_be_written),
        test(says_when_the_file_is_damaged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
