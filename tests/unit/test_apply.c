/* Batches into a real database: once each, whatever is repeated, raced, refused or away. */
#include "unit_proxy.h"
#include <time.h>

#define OTHER_SPOOL "ffffffffffffffffffffffff"

static mm_delta_t resource(const char *type, const char *id, int64_t views)
{
    return (mm_delta_t){.kind = MM_DELTA_RESOURCE,
                        .type = type,
                        .id = id,
                        .views = views,
                        .last_viewed_ms = 1000,
                        .last_downloaded_ms = MM_TIME_NONE,
                        .first_seen_ms = 1000};
}

static mm_delta_t person(const char *type, const char *id, const char *user, int64_t views)
{
    mm_delta_t delta = resource(type, id, views);

    delta.kind = MM_DELTA_USER;
    delta.user = user;
    return delta;
}

static mm_outcome_t apply_one(mm_store_t *store, const char *spool, int64_t seq, mm_delta_t delta)
{
    mm_outcome_t outcome = MM_RETRY, worst;
    mm_err_t err = {0};

    worst = mm_store_apply(store, spool, seq, &delta, 1, &outcome, &err);
    assert_int_equal(worst, outcome);
    assert_int_equal(worst == MM_APPLIED, err.status == APR_SUCCESS);
    return worst;
}

static int64_t views_of(mm_store_t *store, const char *collection, const char *id, apr_pool_t *pool)
{
    const char *json = unit_find(store, collection, id, pool);
    const char *views = strstr(json, "'views' : { '$numberLong' : '");

    return views ? strtoll(views + strlen("'views' : { '$numberLong' : '"), NULL, 10) : -1;
}

static void test_document_has_the_fields_of_the_model(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    mm_delta_t delta = resource("datasets", "d1", 3);

    delta.downloads = 2;
    delta.machine_downloads = 1;
    delta.last_downloaded_ms = 1700000000123;
    assert_int_equal(apply_one(store, SPOOL, 7, delta), MM_APPLIED);
    /* in which order the fields stand is the server's affair */
    const char *json = unit_find(store, "metrics_datasets", "d1", unit->pool);
    assert_non_null(strstr(json, "'_id' : 'd1'"));
    assert_non_null(strstr(json, "'views' : { '$numberLong' : '3' }"));
    assert_non_null(strstr(json, "'downloads' : { '$numberLong' : '2' }"));
    assert_non_null(strstr(json, "'machine_views' : { '$numberLong' : '0' }"));
    assert_non_null(strstr(json, "'machine_downloads' : { '$numberLong' : '1' }"));
    assert_non_null(strstr(json, "'last_viewed' : { '$date' : { '$numberLong' : '1000' } }"));
    assert_non_null(strstr(json, "'last_downloaded' : { '$date' : { '$numberLong' : '1700000000123' } }"));
    assert_non_null(strstr(json, "'first_seen' : { '$date' : { '$numberLong' : '1000' } }"));
    assert_non_null(strstr(json, "'seq' : { '" SPOOL "' : { '$numberLong' : '7' } }"));
}

static void test_time_that_is_none_makes_no_field(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    mm_delta_t delta = resource("files", "f", 0);

    delta.last_viewed_ms = delta.first_seen_ms = MM_TIME_NONE;
    assert_int_equal(apply_one(store, SPOOL, 1, delta), MM_APPLIED);
    const char *json = unit_find(store, "metrics_files", "f", unit->pool);
    assert_non_null(strstr(json, "'downloads' : { '$numberLong' : '0' }"));
    assert_null(strstr(json, "last_"));
    assert_null(strstr(json, "first_seen"));
}

static void test_times_only_grow_and_first_seen_only_shrinks(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    mm_delta_t delta = resource("files", "f", 1);

    assert_int_equal(apply_one(store, SPOOL, 1, delta), MM_APPLIED);
    delta.last_viewed_ms = 900;
    delta.first_seen_ms = 1100;
    assert_int_equal(apply_one(store, SPOOL, 2, delta), MM_APPLIED);
    const char *json = unit_find(store, "metrics_files", "f", unit->pool);
    assert_non_null(strstr(json, "'last_viewed' : { '$date' : { '$numberLong' : '1000' } }"));
    assert_non_null(strstr(json, "'first_seen' : { '$date' : { '$numberLong' : '1000' } }"));
    delta.last_viewed_ms = 1100;
    delta.first_seen_ms = 900;
    assert_int_equal(apply_one(store, SPOOL, 3, delta), MM_APPLIED);
    json = unit_find(store, "metrics_files", "f", unit->pool);
    assert_non_null(strstr(json, "'last_viewed' : { '$date' : { '$numberLong' : '1100' } }"));
    assert_non_null(strstr(json, "'first_seen' : { '$date' : { '$numberLong' : '900' } }"));
}

static void test_batch_counts_once_however_often_it_is_applied(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    mm_delta_t delta = resource("datasets", "d1", 5);

    assert_int_equal(apply_one(store, SPOOL, 1, delta), MM_APPLIED);
    assert_int_equal(apply_one(store, SPOOL, 1, delta), MM_APPLIED);
    assert_int_equal(views_of(store, "metrics_datasets", "d1", unit->pool), 5);
    assert_int_equal(apply_one(store, SPOOL, 2, delta), MM_APPLIED);
    assert_int_equal(apply_one(store, SPOOL, 2, delta), MM_APPLIED);
    assert_int_equal(views_of(store, "metrics_datasets", "d1", unit->pool), 10);
    /* numbers are compared as numbers, over the whole range */
    assert_int_equal(apply_one(store, SPOOL, 10, delta), MM_APPLIED);
    assert_int_equal(apply_one(store, SPOOL, INT64_MAX, delta), MM_APPLIED);
    assert_int_equal(apply_one(store, SPOOL, INT64_MAX, delta), MM_APPLIED);
    assert_int_equal(views_of(store, "metrics_datasets", "d1", unit->pool), 20);
}

/* A document that has a later batch of this spool than the one in hand got it from somebody else: what it does not take
 * it does not have. */
static void test_later_batch_of_this_spool_is_foreign(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    mm_delta_t deltas[2] = {resource("datasets", "mine", 5), resource("datasets", "theirs", 5)};
    mm_outcome_t outcomes[2];
    mm_err_t err = {0};

    assert_int_equal(apply_one(store, SPOOL, 12, deltas[1]), MM_APPLIED);
    assert_int_equal(mm_store_apply(store, SPOOL, 11, deltas, 2, outcomes, &err), MM_RETRY);
    assert_int_equal(outcomes[0], MM_APPLIED);
    assert_int_equal(outcomes[1], MM_RETRY);
    assert_int_equal(err.status, MM_STORE_FOREIGN);
    assert_non_null(strstr(err.text, "\"theirs\" has taken batch 12"));
    assert_int_equal(views_of(store, "metrics_datasets", "theirs", unit->pool), 5);
}

static void test_spools_do_not_fence_each_other(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    mm_delta_t delta = resource("datasets", "d1", 1);

    assert_int_equal(apply_one(store, SPOOL, 9, delta), MM_APPLIED);
    assert_int_equal(apply_one(store, OTHER_SPOOL, 1, delta), MM_APPLIED);
    assert_int_equal(apply_one(store, "111111111111111111111111", 1, delta), MM_APPLIED);
    assert_int_equal(apply_one(store, "111111111111111111111111", 1, delta), MM_APPLIED);
    assert_int_equal(views_of(store, "metrics_datasets", "d1", unit->pool), 3);
}

static void test_part_of_a_batch_applied_before_a_crash(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    mm_delta_t deltas[3] = {resource("datasets", "a", 1), resource("datasets", "b", 1), resource("datasets", "c", 1)};
    mm_outcome_t outcomes[3];

    assert_int_equal(apply_one(store, SPOOL, 3, deltas[0]), MM_APPLIED);
    assert_int_equal(apply_one(store, OTHER_SPOOL, 3, deltas[2]), MM_APPLIED);
    assert_int_equal(mm_store_apply(store, SPOOL, 3, deltas, 3, outcomes, NULL), MM_APPLIED);
    assert_int_equal(views_of(store, "metrics_datasets", "a", unit->pool), 1);
    assert_int_equal(views_of(store, "metrics_datasets", "b", unit->pool), 1);
    assert_int_equal(views_of(store, "metrics_datasets", "c", unit->pool), 2);
}

static void test_one_batch_fills_several_collections(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    mm_delta_t deltas[5] = {resource("datasets", "x", 1), person("datasets", "x", "ann", 1), resource("files", "x", 2),
                            person("files", "x", "ann", 2), resource("datasets", "y", 3)};
    mm_outcome_t outcomes[5];
    bson_t filter = BSON_INITIALIZER;

    assert_int_equal(mm_store_apply(store, SPOOL, 1, deltas, 5, outcomes, NULL), MM_APPLIED);
    assert_int_equal(mm_store_apply(store, SPOOL, 1, deltas, 5, outcomes, NULL), MM_APPLIED);
    assert_int_equal(views_of(store, "metrics_datasets", "x", unit->pool), 1);
    assert_int_equal(views_of(store, "metrics_datasets", "y", unit->pool), 3);
    assert_int_equal(views_of(store, "metrics_files", "x", unit->pool), 2);
    assert_int_equal(unit_count(store, "metrics_users"), 2);
    BSON_APPEND_UTF8(&filter, "_id", "files:1:x:ann");
    BSON_APPEND_UTF8(&filter, "type", "files");
    BSON_APPEND_UTF8(&filter, "resource", "x");
    BSON_APPEND_UTF8(&filter, "user", "ann");
    assert_non_null(
        strstr(unit_find_bson(store, "metrics_users", &filter, unit->pool), "'views' : { '$numberLong' : '2' }"));
    bson_destroy(&filter);
}

static void test_ids_are_data(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    char *longest = apr_palloc(unit->pool, 1025);
    const char *ids[] = {"$gt",      "a.b", "\"'\\",      "\xff\xfe", longest, "__proto__", "{\"$ne\":1}", "", "$where",
                         "\xc3\xa9", "_id", "doi:10/x y", "null",     "1",     "\n",        "seq." SPOOL};
    size_t i, round, n = sizeof(ids) / sizeof(ids[0]);
    mm_delta_t deltas[32];
    mm_outcome_t outcomes[32];

    memset(longest, 'x', 1024);
    longest[1024] = 0;
    for (i = 0; i < n; i++) {
        deltas[i] = resource("datasets", ids[i], 1);
        deltas[n + i] = person("datasets", ids[i], ids[n - 1 - i], 1);
    }
    assert_true(2 * n <= 32);
    for (round = 0; round < 2; round++) {
        assert_int_equal(mm_store_apply(store, SPOOL, 1, deltas, 2 * n, outcomes, NULL), MM_APPLIED);
        assert_int_equal(unit_count(store, "metrics_datasets"), n);
        assert_int_equal(unit_count(store, "metrics_users"), n);
    }
    assert_int_equal(views_of(store, "metrics_datasets", "$gt", unit->pool), 1);
    assert_int_equal(views_of(store, "metrics_datasets", "{\"$ne\":1}", unit->pool), 1);
}

static void test_bytes_that_are_no_utf8_become_binary(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    bson_t filter = BSON_INITIALIZER;

    assert_int_equal(apply_one(store, SPOOL, 1, resource("files", "a\xff", 1)), MM_APPLIED);
    bson_append_binary(&filter, "_id", -1, BSON_SUBTYPE_BINARY, (const uint8_t *)"a\xff", 2);
    assert_string_not_equal(unit_find_bson(store, "metrics_files", &filter, unit->pool), "");
    bson_destroy(&filter);
}

static void test_document_that_cannot_take_it_is_rejected_alone(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    mm_delta_t deltas[4] = {resource("datasets", "good", 1), resource("datasets", "bad", 1),
                            resource("datasets", "worse", 1), resource("files", "good", 1)};
    mm_outcome_t outcomes[4];
    mm_err_t err = {0};

    unit_insert(store, "metrics_datasets", "{'_id': 'bad', 'views': 'many'}");
    unit_insert(store, "metrics_datasets", "{'_id': 'worse', 'seq': 5}");
    assert_int_equal(mm_store_apply(store, SPOOL, 1, deltas, 4, outcomes, &err), MM_REJECTED);
    assert_int_equal(outcomes[0], MM_APPLIED);
    assert_int_equal(outcomes[1], MM_REJECTED);
    assert_int_equal(outcomes[2], MM_REJECTED);
    assert_int_equal(outcomes[3], MM_APPLIED);
    assert_non_null(strstr(err.text, "datasets \"bad\""));
    assert_int_equal(views_of(store, "metrics_datasets", "good", unit->pool), 1);
    assert_int_equal(views_of(store, "metrics_files", "good", unit->pool), 1);
    /* rejected again, and the others not counted again */
    assert_int_equal(mm_store_apply(store, SPOOL, 1, deltas, 4, outcomes, &err), MM_REJECTED);
    assert_int_equal(outcomes[0], MM_APPLIED);
    assert_int_equal(views_of(store, "metrics_datasets", "good", unit->pool), 1);
}

static void test_somebody_elses_unique_index_is_not_taken_for_applied(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    bson_error_t error = {0};
    bson_t *command = BCON_NEW("createIndexes", "metrics_datasets", "indexes", "[", "{", "key", "{", "views",
                               BCON_INT32(1), "}", "name", "silly", "unique", BCON_BOOL(true), "}", "]");

    assert_true(unit_command(store, command, &error));
    bson_destroy(command);
    assert_int_equal(apply_one(store, SPOOL, 1, resource("datasets", "a", 1)), MM_APPLIED);
    assert_int_equal(apply_one(store, SPOOL, 1, resource("datasets", "b", 1)), MM_REJECTED);
    assert_int_equal(views_of(store, "metrics_datasets", "b", unit->pool), -1);
}

static void test_validator_of_the_administrator_rejects(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    bson_error_t error = {0};
    bson_t *command =
        BCON_NEW("create", "metrics_datasets", "validator", "{", "views", "{", "$lt", BCON_INT32(10), "}", "}");

    assert_true(unit_command(store, command, &error));
    bson_destroy(command);
    assert_int_equal(apply_one(store, SPOOL, 1, resource("datasets", "a", 9)), MM_APPLIED);
    assert_int_equal(apply_one(store, SPOOL, 2, resource("datasets", "a", 9)), MM_REJECTED);
    assert_int_equal(views_of(store, "metrics_datasets", "a", unit->pool), 9);
}

static void test_what_no_event_can_have_made_is_rejected(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    mm_delta_t deltas[8];
    mm_outcome_t outcomes[8];
    mm_err_t err = {0};
    char *huge = apr_palloc(unit->pool, MM_STORE_TEXT_MAX + 2);
    size_t i;

    memset(huge, 'x', MM_STORE_TEXT_MAX + 1);
    huge[MM_STORE_TEXT_MAX + 1] = 0;
    deltas[0] = resource("Data.sets", "a", 1);
    deltas[1] = resource(NULL, "a", 1);
    deltas[2] = resource("datasets", NULL, 1);
    deltas[3] = resource("datasets", huge, 1);
    deltas[4] = person("datasets", "a", NULL, 1);
    deltas[5] = resource("datasets", "a", 1);
    deltas[5].kind = 9;
    deltas[6] = resource("users", "a", 1); /* would write into metrics_users */
    deltas[7] = resource("datasets", "fine", 1);
    assert_int_equal(mm_store_apply(store, SPOOL, 1, deltas, 8, outcomes, &err), MM_REJECTED);
    for (i = 0; i < 7; i++) {
        assert_int_equal(outcomes[i], MM_UNSTORABLE);
    }
    assert_int_equal(outcomes[7], MM_APPLIED);
    assert_int_equal(unit_count(store, "metrics_datasets"), 1);
    assert_int_equal(unit_count(store, "metrics_users"), 0);
}

static void test_spool_id_must_be_one(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    const char *bad[] = {"", "0123", SPOOL "0", "0123456789abcdef0123456.", "$123456789abcdef01234567", NULL};
    mm_delta_t delta = resource("datasets", "a", 1);
    size_t i;

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(apply_one(store, bad[i], 1, delta), MM_RETRY);
    }
    assert_int_equal(apply_one(store, SPOOL, 0, delta), MM_RETRY);
    assert_int_equal(unit_count(store, "metrics_datasets"), 0);
}

static void test_nothing_is_applied(void **state)
{
    unit_t *unit = *state;
    mm_err_t err = {0};

    assert_int_equal(mm_store_apply(unit_store(unit->pool), SPOOL, 1, NULL, 0, NULL, &err), MM_APPLIED);
    assert_int_equal(err.status, APR_SUCCESS);
}

static void test_thousand_deltas_and_again(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    mm_delta_t *deltas = apr_palloc(unit->pool, sizeof(*deltas) * 1000);
    mm_outcome_t *outcomes = apr_palloc(unit->pool, sizeof(*outcomes) * 1000);
    size_t i, round;

    for (i = 0; i < 1000; i++) {
        deltas[i] = resource("files", apr_psprintf(unit->pool, "f%04u", (unsigned)i), 1);
    }
    for (round = 0; round < 2; round++) {
        assert_int_equal(mm_store_apply(store, SPOOL, 1, deltas, 1000, outcomes, NULL), MM_APPLIED);
    }
    assert_int_equal(unit_count(store, "metrics_files"), 1000);
    assert_int_equal(views_of(store, "metrics_files", "f0999", unit->pool), 1);
}

/* --- away -----------------------------------------------------------------------------------------------------------
 */

static void check_away(apr_pool_t *pool, int backlog)
{
    mm_delta_t deltas[3] = {resource("datasets", "a", 1), resource("UPPER", "a", 1), resource("files", "b", 1)};
    mm_outcome_t outcomes[3] = {MM_APPLIED, MM_APPLIED, MM_APPLIED};
    struct timespec before, after;
    mm_err_t err = {0};
    int port, fd = unit_deaf_port(backlog, &port);
    mm_store_t *store = unit_store_at(
        apr_psprintf(pool, "mongodb://ann:s3cret@127.0.0.1:%d/x?connectTimeoutMS=300&socketTimeoutMS=300", port), pool);

    clock_gettime(CLOCK_MONOTONIC, &before);
    assert_int_equal(mm_store_apply(store, SPOOL, 1, deltas, 3, outcomes, &err), MM_RETRY);
    clock_gettime(CLOCK_MONOTONIC, &after);
    assert_int_equal(outcomes[0], MM_RETRY);
    assert_int_equal(outcomes[1], MM_UNSTORABLE);
    assert_int_equal(outcomes[2], MM_RETRY);
    assert_int_equal(err.status, MM_STORE_AWAY);
    assert_null(strstr(err.text, "s3cret"));
    assert_true(after.tv_sec - before.tv_sec < 5);
    close(fd);
}

static void test_nobody_listens(void **state)
{
    check_away(((unit_t *)*state)->pool, 0);
}

static void test_nobody_answers(void **state)
{
    check_away(((unit_t *)*state)->pool, 4);
}

/* --- bad moments -----------------------------------------------------------------------------------------------------
 */

#define REPLY(json)                                                                                                    \
    {                                                                                                                  \
        PROXY_REPLY, json                                                                                              \
    }

typedef struct bad_moment {
    unit_proxy_t proxy;
    apr_pool_t *pool;   /* of the store that goes through the proxy */
    mm_store_t *direct; /* the same database, past the proxy */
    mm_store_t *through;
} bad_moment_t;

static void begin(bad_moment_t *moment, const unit_step_t *plan, size_t n, apr_pool_t *pool)
{
    const char *uri = unit_mongo_uri(pool);

    apr_pool_create(&moment->pool, pool);
    moment->direct = unit_store_at(uri, pool);
    moment->through = unit_proxy_start(&moment->proxy, uri, plan, n, moment->pool);
}

static void end(bad_moment_t *moment, size_t updates)
{
    apr_pool_destroy(moment->pool);
    unit_proxy_stop(&moment->proxy);
    assert_int_equal(moment->proxy.updates, updates);
}

/* Another host has inserted the document between the server's look and its insert: the _id refuses ours, yet our counts
 * are not in it. */
static void test_race_for_the_insert(void **state)
{
    static const unit_step_t plan[] = {
        REPLY("{'n': 1, 'nModified': 1, 'writeErrors': [{'index': 1, 'code': 11000, 'keyPattern': {'_id': 1}, "
              "'errmsg': 'E11000 duplicate key'}], 'ok': 1}"),
    };
    unit_t *unit = *state;
    mm_delta_t deltas[2] = {resource("files", "told", 1), resource("files", "raced", 1)};
    mm_outcome_t outcomes[2];
    bad_moment_t moment;

    begin(&moment, plan, 1, unit->pool);
    assert_int_equal(apply_one(moment.direct, OTHER_SPOOL, 1, deltas[1]), MM_APPLIED);
    assert_int_equal(mm_store_apply(moment.through, SPOOL, 1, deltas, 2, outcomes, NULL), MM_APPLIED);
    assert_int_equal(views_of(moment.direct, "metrics_files", "raced", unit->pool), 2);
    assert_int_equal(views_of(moment.direct, "metrics_files", "told", unit->pool), -1); /* was not asked again */
    end(&moment, 2);
}

/* Another unique index refuses, and the server says so only in words, or not at all, or wrongly. */
static void test_unique_index_without_a_key_pattern(void **state)
{
    static const struct {
        unit_step_t step;
        mm_outcome_t outcome;
        const char *words;
        size_t updates;
    } cases[] = {
        {REPLY("{'n': 0, 'writeErrors': [{'index': 0, 'code': 11000, 'errmsg': 'E11000 duplicate key error collection: "
               "d.metrics_files index: silly dup key: { views: 1 }'}], 'ok': 1}"),
         MM_REJECTED, "silly", 1},
        {REPLY("{'n': 0, 'writeErrors': [{'index': 0, 'code': 11000, 'errmsg': 'E11000'}], 'ok': 1}"), MM_RETRY_ONE,
         "another unique index", 2},
        {REPLY("{'n': 0, 'writeErrors': [{'index': 0, 'code': 11000, 'errmsg': 'E11000 collection: d.c index: _id_ "
               "dup'}], 'ok': 1}"),
         MM_RETRY_ONE, "another unique index", 2},
    };
    unit_t *unit = *state;
    mm_delta_t delta = resource("files", "refused", 1);
    size_t i;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        mm_outcome_t outcome;
        bad_moment_t moment;
        mm_err_t err = {0};

        begin(&moment, &cases[i].step, 1, unit->pool);
        assert_int_not_equal(mm_store_apply(moment.through, SPOOL, 1, &delta, 1, &outcome, &err), MM_APPLIED);
        assert_int_equal(outcome, cases[i].outcome);
        assert_non_null(strstr(err.text, cases[i].words));
        assert_int_equal(views_of(moment.direct, "metrics_files", "refused", unit->pool), -1);
        end(&moment, cases[i].updates);
    }
}

/* As above, and the second try meets a server that goes away. */
static void test_race_and_then_no_answer(void **state)
{
    static const unit_step_t plan[] = {
        REPLY("{'n': 0, 'writeErrors': [{'index': 0, 'code': 11000, 'errmsg': 'E11000'}], 'ok': 1}"),
        {PROXY_CUT_BEFORE, NULL},
    };
    unit_t *unit = *state;
    mm_delta_t delta = resource("files", "raced", 1);
    bad_moment_t moment;

    begin(&moment, plan, 2, unit->pool);
    assert_int_equal(apply_one(moment.direct, OTHER_SPOOL, 1, delta), MM_APPLIED);
    assert_int_equal(apply_one(moment.through, SPOOL, 1, delta), MM_RETRY);
    assert_int_equal(views_of(moment.direct, "metrics_files", "raced", unit->pool), 1);
    assert_int_equal(apply_one(moment.direct, SPOOL, 1, delta), MM_APPLIED);
    assert_int_equal(views_of(moment.direct, "metrics_files", "raced", unit->pool), 2);
    end(&moment, 2);
}

/* The server did it, and nobody heard of it. */
static void test_lost_reply_counts_once(void **state)
{
    static const unit_step_t plan[] = {{PROXY_CUT_AFTER, NULL}};
    unit_t *unit = *state;
    mm_delta_t deltas[3] = {resource("files", "a", 1), resource("files", "b", 1), resource("datasets", "a", 1)};
    mm_outcome_t outcomes[3];
    bad_moment_t moment;
    mm_err_t err = {0};

    begin(&moment, plan, 1, unit->pool);
    assert_int_equal(mm_store_apply(moment.through, SPOOL, 1, deltas, 3, outcomes, &err), MM_RETRY);
    assert_int_equal(err.status, MM_STORE_AWAY);
    assert_int_equal(outcomes[0], MM_RETRY);
    assert_int_equal(outcomes[1], MM_RETRY);
    assert_int_equal(outcomes[2], MM_RETRY); /* not sent: the first collection got no answer */
    assert_int_equal(views_of(moment.direct, "metrics_files", "a", unit->pool), 1);
    assert_int_equal(mm_store_apply(moment.direct, SPOOL, 1, deltas, 3, outcomes, &err), MM_APPLIED);
    assert_int_equal(views_of(moment.direct, "metrics_files", "a", unit->pool), 1);
    assert_int_equal(views_of(moment.direct, "metrics_datasets", "a", unit->pool), 1);
    end(&moment, 1);
}

/* What each reply to a batch of two makes of the two. */
static void test_replies(void **state)
{
    static const struct {
        unit_step_t step;
        mm_outcome_t first, second, worst;
        apr_status_t status;
    } cases[] = {
        /* stepping down */
        {REPLY("{'ok': 0, 'code': 10107, 'errmsg': 'not primary'}"), MM_RETRY, MM_RETRY, MM_RETRY, MM_STORE_AWAY},
        /* may be our fault, may be not: nothing is thrown away for a command that failed as a whole */
        {REPLY("{'ok': 0, 'code': 9, 'errmsg': 'cannot parse'}"), MM_RETRY, MM_RETRY, MM_RETRY, APR_EGENERAL},
        {REPLY("{'ok': 0, 'code': 13, 'errmsg': 'not authorized'}"), MM_RETRY, MM_RETRY, MM_RETRY, APR_EGENERAL},
        /* done, but not on a majority */
        {REPLY("{'ok': 1, 'n': 2, 'writeConcernError': {'code': 64, 'errmsg': 'timed out'}}"), MM_RETRY, MM_RETRY,
         MM_RETRY, APR_EGENERAL},
        {REPLY("{'ok': 1, 'n': 1, 'writeErrors': [{'index': 1, 'code': 121, 'errmsg': 'validation'}], "
               "'writeConcernError': {'code': 64, 'errmsg': 'timed out'}}"),
         MM_RETRY, MM_REJECTED, MM_RETRY, APR_EGENERAL},
        /* one by one */
        {REPLY("{'ok': 1, 'n': 1, 'writeErrors': [{'index': 0, 'code': 112, 'errmsg': 'conflict'}]}"), MM_RETRY,
         MM_APPLIED, MM_RETRY, APR_EGENERAL},
        {REPLY("{'ok': 1, 'n': 1, 'writeErrors': [{'index': 0, 'code': 17419, 'errmsg': 'too large'}]}"), MM_REJECTED,
         MM_APPLIED, MM_REJECTED, APR_EINVAL},
        {REPLY("{'ok': 1, 'n': 0, 'writeErrors': [{'index': 0, 'code': 121, 'errmsg': 'validation'}, "
               "{'index': 1, 'code': 14031, 'errmsg': 'disk full'}]}"),
         MM_REJECTED, MM_RETRY, MM_RETRY, APR_EGENERAL},
        /* a code that we do not know, or one that is not about the document */
        {REPLY("{'ok': 1, 'n': 1, 'writeErrors': [{'index': 0, 'code': 424242, 'errmsg': 'new'}]}"), MM_RETRY_ONE,
         MM_APPLIED, MM_RETRY, APR_EGENERAL},
        {REPLY("{'ok': 1, 'n': 1, 'writeErrors': [{'index': 0, 'code': 72, 'errmsg': 'options'}]}"), MM_RETRY_ONE,
         MM_APPLIED, MM_RETRY, APR_EGENERAL},
        /* a server that does not say all it should */
        {REPLY("{'ok': 1, 'n': 1}"), MM_RETRY, MM_RETRY, MM_RETRY, APR_EGENERAL},
        {REPLY("{'ok': 1}"), MM_RETRY, MM_RETRY, MM_RETRY, APR_EGENERAL},
        {REPLY("{'ok': 1, 'n': 1, 'writeErrors': [{'index': 7, 'code': 121, 'errmsg': 'whose?'}]}"), MM_RETRY, MM_RETRY,
         MM_RETRY, APR_EGENERAL},
    };
    unit_t *unit = *state;
    mm_delta_t deltas[2] = {resource("files", "a", 1), resource("files", "b", 1)};
    size_t i;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        mm_outcome_t outcomes[2];
        bad_moment_t moment;
        mm_err_t err = {0};

        begin(&moment, &cases[i].step, 1, unit->pool);
        assert_int_equal(mm_store_apply(moment.through, SPOOL, 1, deltas, 2, outcomes, &err), cases[i].worst);
        assert_int_equal(outcomes[0], cases[i].first);
        assert_int_equal(outcomes[1], cases[i].second);
        assert_int_equal(err.status, cases[i].status);
        assert_true(err.text[0]);
        end(&moment, 1);
    }
}

/* --- several hosts ---------------------------------------------------------------------------------------------------
 */

#define HOSTS   4
#define BATCHES 10
#define SHARED  50

typedef struct host {
    const char *uri;
    int number;
    int failures;
} host_t;

/* One host: its own spool, its own connection, the same resources as the others; every batch is applied twice. */
static void *run_host(void *arg)
{
    host_t *host = arg;
    apr_pool_t *pool;
    mm_store_t *store;
    mm_delta_t deltas[SHARED];
    mm_outcome_t outcomes[SHARED];
    char spool[25];
    int i, batch;

    apr_pool_create(&pool, NULL);
    store = unit_store_at(host->uri, pool);
    snprintf(spool, sizeof(spool), "%024x", host->number + 1);
    for (batch = 1; batch <= BATCHES; batch++) {
        for (i = 0; i < SHARED; i++) {
            /* ids that no batch had before, so that the hosts race to insert them */
            deltas[i] = resource("datasets", apr_psprintf(pool, "%d-%d", batch, i), 1);
        }
        host->failures += mm_store_apply(store, spool, batch, deltas, SHARED, outcomes, NULL) != MM_APPLIED;
        host->failures += mm_store_apply(store, spool, batch, deltas, SHARED, outcomes, NULL) != MM_APPLIED;
    }
    apr_pool_destroy(pool);
    return NULL;
}

static void test_hosts_race_for_new_documents(void **state)
{
    unit_t *unit = *state;
    const char *uri = unit_mongo_uri(unit->pool);
    mm_store_t *store = unit_store_at(uri, unit->pool);
    pthread_t threads[HOSTS];
    host_t hosts[HOSTS];
    int i, batch;

    for (i = 0; i < HOSTS; i++) {
        hosts[i] = (host_t){uri, i, 0};
        assert_int_equal(pthread_create(&threads[i], NULL, run_host, &hosts[i]), 0);
    }
    for (i = 0; i < HOSTS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(hosts[i].failures, 0);
    }
    for (batch = 1; batch <= BATCHES; batch++) {
        for (i = 0; i < SHARED; i++) {
            const char *id = apr_psprintf(unit->pool, "%d-%d", batch, i);

            assert_int_equal(views_of(store, "metrics_datasets", id, unit->pool), HOSTS);
        }
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, unit_setup, unit_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_document_has_the_fields_of_the_model),
        TEST(test_time_that_is_none_makes_no_field),
        TEST(test_times_only_grow_and_first_seen_only_shrinks),
        TEST(test_batch_counts_once_however_often_it_is_applied),
        TEST(test_spools_do_not_fence_each_other),
        TEST(test_later_batch_of_this_spool_is_foreign),
        TEST(test_part_of_a_batch_applied_before_a_crash),
        TEST(test_one_batch_fills_several_collections),
        TEST(test_ids_are_data),
        TEST(test_bytes_that_are_no_utf8_become_binary),
        TEST(test_document_that_cannot_take_it_is_rejected_alone),
        TEST(test_somebody_elses_unique_index_is_not_taken_for_applied),
        TEST(test_validator_of_the_administrator_rejects),
        TEST(test_what_no_event_can_have_made_is_rejected),
        TEST(test_spool_id_must_be_one),
        TEST(test_nothing_is_applied),
        TEST(test_thousand_deltas_and_again),
        TEST(test_nobody_listens),
        TEST(test_nobody_answers),
        TEST(test_race_for_the_insert),
        TEST(test_unique_index_without_a_key_pattern),
        TEST(test_race_and_then_no_answer),
        TEST(test_lost_reply_counts_once),
        TEST(test_replies),
        TEST(test_hosts_race_for_new_documents),
    };

    return cmocka_run_group_tests(tests, unit_store_group, NULL);
}
