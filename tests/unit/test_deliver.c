/* A batch file into a real database: all of it, once, and what is refused is put aside. */
#include "drain_unit.h"
#include "unit_proxy.h"
#include "drain/batch.h"
#include "drain/deliver.h"
#include "drain/rejected.h"

#define NONCE   "76543210fedcba9876543210"
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
    s.count = mm_count_create(&(mm_policy_t){0}, unit->pool);
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
    assert_int_equal(mm_batch_write(s->dir, SPOOL, seq, NONCE, s->count, s->reader, NULL, NULL), APR_SUCCESS);
    mm_count_reset(s->count);
    mm_deliver_begin(&s->deliver);
}

static apr_status_t deliver_at(setting_t *s, int64_t now_us)
{
    mm_wait_t wait = {.stop = &stop};

    s->err.text[0] = '\0';
    return mm_deliver_batch_at(&s->deliver, s->dir, s->store, &wait, now_us, s->unit->pool, &s->err);
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
    assert_int_equal(s.deliver.done, 2 * n + 5);
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
    s.deliver.done = 12; /* six resources, each with its day */
    assert_int_equal(deliver(&s), APR_SUCCESS);
    assert_int_equal(s.deliver.done, 20);
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
        assert_int_equal(s.deliver.done, 200);
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
static void spoil_in(const char *uri, const char *name, const char *id)
{
    mongoc_client_t *client = mongoc_client_new(uri);
    mongoc_uri_t *parsed = mongoc_uri_new(uri);
    mongoc_collection_t *collection = mongoc_client_get_collection(client, mongoc_uri_get_database(parsed), name);
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

static void spoil(const char *uri, const char *id)
{
    spoil_in(uri, "metrics_datasets", id);
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
    assert_int_equal(s.deliver.done, 8);
    assert_int_equal(s.deliver.rejected, 3); /* of the unknown type the day, too */
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

static void add_many(setting_t *s, const char *type, const char *prefix, int n)
{
    char id[32];

    for (int i = 0; i < n; i++) {
        snprintf(id, sizeof(id), "%s%d", prefix, i);
        add(s, type, id, NULL);
    }
}

static void spoil_many(const setting_t *s, const char *prefix, int n)
{
    char id[32];

    for (int i = 0; i < n; i++) {
        snprintf(id, sizeof(id), "%s%d", prefix, i);
        spoil(s->uri, id);
    }
}

/* A database that refuses many documents has another problem than those documents. */
static void waits_when_much_is_refused(void **state)
{
    setting_t s = begin(*state);
    mongoc_collection_t *collection = mm_store_collection(s.store, "metrics_datasets");

    spoil_many(&s, "bad", 9);
    add_many(&s, "datasets", "bad", 9);
    add_many(&s, "datasets", "good", 31);
    write_batch(&s, 1);
    for (int i = 0; i < 5; i++) {
        size_t chunk = s.deliver.chunk;

        assert_int_equal(deliver(&s), APR_EGENERAL);
        assert_non_null(strstr(s.err.text, "refuses 9 of 80 documents"));
        assert_non_null(strstr(s.err.text, "bad0"));
        assert_int_equal(s.deliver.done, 0);
        assert_int_equal(s.deliver.rejected, 0);
        assert_false(has_file(s.dir, MM_REJECTED_FILE));
        assert_true(s.deliver.chunk >= chunk); /* smaller calls would hide it */
    }
    assert_true(mongoc_collection_drop_with_opts(collection, NULL, NULL));
    mongoc_collection_destroy(collection);
    assert_int_equal(deliver(&s), APR_SUCCESS);
    assert_int_equal(db_sum(s.uri, "metrics_datasets", NULL, "views"), 40);
    assert_false(has_file(s.dir, MM_REJECTED_FILE));
}

static void waits_when_all_is_refused_again_and_again(void **state)
{
    setting_t s = begin(*state);

    spoil_many(&s, "bad", 6);
    for (int i = 0; i < 6; i++) {
        spoil_in(s.uri, "metrics_days", apr_psprintf(s.unit->pool, "2026-01-01:datasets:4:bad%d:", i));
    }
    for (int seq = 1; seq <= 3; seq++) {
        char id[32];

        snprintf(id, sizeof(id), "bad%d", 2 * seq - 2);
        add(&s, "datasets", id, NULL);
        snprintf(id, sizeof(id), "bad%d", 2 * seq - 1);
        add(&s, "datasets", id, NULL);
        write_batch(&s, seq);
        assert_int_equal(deliver(&s), seq < 3 ? APR_SUCCESS : APR_EGENERAL);
        assert_int_equal(s.deliver.rejected, seq < 3 ? 4 : 0);
    }
    assert_non_null(strstr(s.err.text, "cannot be the fault of single ones"));
}

/* What no database was asked about says nothing about the database. */
static void puts_aside_what_cannot_be_sent(void **state)
{
    setting_t s = begin(*state);

    add_many(&s, "users", "x", 50);
    write_batch(&s, 1);
    assert_int_equal(deliver(&s), APR_SUCCESS);
    assert_int_equal(s.deliver.rejected, 100);
}

#define HOUR_US INT64_C(3600000000)

/* One document of three for which the server has no reason that we know. */
static void puts_aside_what_is_stuck(void **state)
{
#define STUCK                                                                                                          \
    {                                                                                                                  \
        PROXY_REPLY, "{'ok': 1, 'n': 2, 'writeErrors': [{'index': 1, 'code': 424242, 'errmsg': 'something new'}]}"     \
    }
    /* The days are taken at once; applied again, they are asked about twice. */
#define DAYS                                                                                                           \
    {                                                                                                                  \
        PROXY_PASS, NULL                                                                                               \
    }
    static const unit_step_t plan[] = {{PROXY_PASS, NULL},
                                       STUCK,
                                       DAYS,
                                       STUCK,
                                       DAYS,
                                       DAYS,
                                       {PROXY_CUT_BEFORE, NULL},
                                       STUCK,
                                       DAYS,
                                       DAYS,
                                       STUCK,
                                       DAYS,
                                       DAYS,
                                       STUCK,
                                       DAYS,
                                       DAYS};
    static const struct {
        int hour;
        apr_status_t status;
    } tries[] = {{1, APR_EGENERAL},  {4, APR_EGENERAL},  {9, MM_STORE_AWAY},
                 {10, APR_EGENERAL}, {12, APR_EGENERAL}, {13, APR_SUCCESS}};
    setting_t s = begin(*state);
    unit_proxy_t proxy;
    apr_pool_t *pool;

    apr_pool_create(&pool, s.unit->pool);
    s.store = unit_proxy_start(&proxy, s.uri, plan, sizeof(plan) / sizeof(plan[0]), pool);
    add_many(&s, "datasets", "id", 3);
    write_batch(&s, 1);
    for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
        assert_int_equal(deliver_at(&s, tries[i].hour * HOUR_US), tries[i].status);
        assert_int_equal(s.deliver.rejected, tries[i].status == APR_SUCCESS);
    }
    assert_int_equal(s.deliver.done, 6);
    assert_non_null(strstr(s.deliver.reason.text, "for 6 hours"));
    assert_non_null(strstr(s.deliver.reason.text, "something new (code 424242)"));
    assert_true(has_file(s.dir, MM_REJECTED_FILE));
    apr_pool_destroy(pool);
    unit_proxy_stop(&proxy);
}

/* --- claims --- */

static void claims_each_batch_once(void **state)
{
    static const unit_step_t plan[] = {{PROXY_PASS, NULL}};
    setting_t s = begin(*state);
    unit_proxy_t proxy;
    apr_pool_t *pool;

    apr_pool_create(&pool, s.unit->pool);
    s.store = unit_proxy_start(&proxy, s.uri, plan, 1, pool);
    s.deliver.chunk = 10;
    add_many(&s, "datasets", "id", 25);
    write_batch(&s, 1);
    assert_int_equal(deliver(&s), APR_SUCCESS);
    assert_true(s.deliver.claimed);
    assert_int_equal(db_get(s.uri, "metrics_meta", "spool:" SPOOL, "seq"), 1);
    add(&s, "datasets", "id0", NULL);
    write_batch(&s, 2);
    assert_false(s.deliver.claimed);
    assert_int_equal(deliver(&s), APR_SUCCESS);
    assert_int_equal(db_get(s.uri, "metrics_meta", "spool:" SPOOL, "seq"), 2);
    apr_pool_destroy(pool);
    unit_proxy_stop(&proxy);
    /* Of resources and of days: 10, 20, then the rest; each batch claimed and settled once. */
    assert_int_equal(proxy.updates, 1 + 3 * 2 + 1 + 1 + 2 + 1);
}

static void applies_nothing_of_a_foreign_batch(void **state)
{
    setting_t s = begin(*state);

    assert_int_equal(mm_store_claim(s.store, SPOOL, 3, NONCE, NULL), APR_SUCCESS);
    add(&s, "datasets", "a", NULL);
    write_batch(&s, 2);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(deliver(&s), MM_STORE_FOREIGN);
        assert_non_null(strstr(s.err.text, "metricsctl new-id --spool "));
        assert_non_null(strstr(s.err.text, "restored from a backup"));
        assert_int_equal(s.deliver.done, 0);
        assert_int_equal(db_sum(s.uri, "metrics_datasets", NULL, "views"), 0);
    }
    assert_false(has_file(s.dir, MM_REJECTED_FILE));
    add(&s, "datasets", "a", NULL);
    write_batch(&s, 1);
    assert_int_equal(deliver(&s), MM_STORE_FOREIGN);
    assert_non_null(strstr(s.err.text, "there is an id, but no checkpoint"));
}

/* A copy overtakes this batch in its middle: the documents tell. */
static void notices_who_overtakes_it(void **state)
{
    setting_t s = begin(*state);
    mm_delta_t delta = {.kind = MM_DELTA_RESOURCE,
                        .type = "datasets",
                        .id = "b",
                        .views = 1,
                        .last_viewed_ms = NOON_MS,
                        .last_downloaded_ms = MM_TIME_NONE,
                        .first_seen_ms = NOON_MS};
    mm_outcome_t outcome;

    add(&s, "datasets", "a", NULL);
    add(&s, "datasets", "b", NULL);
    write_batch(&s, 1);
    s.deliver.claimed = true;
    assert_int_equal(mm_store_claim(s.store, SPOOL, 2, "000000000000000000000000", NULL), APR_SUCCESS);
    assert_int_equal(mm_store_apply(s.store, SPOOL, 2, &delta, 1, &outcome, NULL), MM_APPLIED);
    assert_int_equal(deliver(&s), MM_STORE_FOREIGN);
    assert_non_null(strstr(s.err.text, "has taken batch 2"));
    assert_non_null(strstr(s.err.text, "metricsctl new-id --spool "));
    assert_int_equal(s.deliver.done, 0);
    assert_int_equal(deliver(&s), MM_STORE_FOREIGN);
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
        test(waits_when_much_is_refused),
        test(waits_when_all_is_refused_again_and_again),
        test(puts_aside_what_cannot_be_sent),
        test(puts_aside_what_is_stuck),
        test(claims_each_batch_once),
        test(applies_nothing_of_a_foreign_batch),
        test(notices_who_overtakes_it),
        test(says_when_the_file_is_damaged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
