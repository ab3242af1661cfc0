/* What events leave open: who visited, and what a key stands for; and what happens where that cannot be told. */
#include "unit_clowder.h"
#include "resolve/resolve.h"
#include "resolve/visitor.h"

#define CAROL "5a0000000000000000000003"

static int64_t clock_us;
static int64_t paused_us;
static bool stops;

static int64_t now_us(void)
{
    return clock_us;
}

static bool pause_for(void *baton, int64_t us)
{
    (void)baton;
    paused_us += us;
    clock_us += us;
    return !stops;
}

typedef struct setting {
    unit_t *unit;
    mm_store_t *store;
    mm_resolve_t *resolve;
    const char *out; /* "user/class: id id … " for each event */
    char log[2000];
    mm_log_t logger;
    mm_err_t err;
} setting_t;

static void write_log(void *baton, mm_log_level_t level, const char *tag, const char *text)
{
    char *log = baton;

    (void)level;
    snprintf(log + strlen(log), 2000 - strlen(log), "%s %s\n", tag, text);
}

static void begin(setting_t *s, unit_t *unit, const char *uri)
{
    const char *used = uri ? uri : unit_mongo_uri(unit->pool);
    mm_resolve_options_t options = {.uri = used, .log = &s->logger, .now_us = now_us, .pause = pause_for};

    *s = (setting_t){.unit = unit, .out = "", .store = unit_store_at(used, unit->pool)};
    s->logger = (mm_log_t){write_log, s->log};
    s->resolve = mm_resolve_create(&options, unit->pool);
    mm_resolve_begin(s->resolve);
    clock_us = VISIT_US + 1000000;
    paused_us = 0;
    stops = false;
}

static void note(void *baton, const mm_event_t *event, const char *const *ids, size_t n)
{
    setting_t *s = baton;
    apr_pool_t *pool = s->unit->pool;

    s->out = apr_pstrcat(
        pool, s->out, apr_pstrmemdup(pool, event->user.data ? event->user.data : "", event->user.len), "/",
        apr_pstrmemdup(pool, event->class_mark.data ? event->class_mark.data : "", event->class_mark.len), ":", NULL);
    assert_int_equal(event->identity.len + event->via.len, 0);
    for (size_t i = 0; i < n; i++) {
        s->out = apr_pstrcat(pool, s->out, " ", ids[i], NULL);
    }
    s->out = apr_pstrcat(pool, s->out, "; ", NULL);
}

/* What becomes of one event. */
static const char *run(setting_t *s, mm_event_t event)
{
    const char *id = apr_pstrmemdup(s->unit->pool, event.id.data, event.id.len);

    s->out = "";
    if (mm_resolve_take(s->resolve, &event)) {
        note(s, &event, &id, 1);
    }
    else if (mm_resolve_finish(s->resolve, INT64_MAX, note, s, &s->err) != APR_SUCCESS) {
        fail_msg("%s", s->err.text);
    }
    return s->out;
}

static const char *run_visit(setting_t *s, mm_credential_kind_t kind, const char *secret)
{
    return run(s, visit_with(kind, secret, s->unit->pool));
}

static void fill(setting_t *s)
{
    clowder_user(s->store, ADA, "ada");
    clowder_user(s->store, BOB, "bob");
    clowder_session(s->store, "s1", "ada", VISIT_MS, VISIT_MS + MINUTE);
    clowder_key(s->store, "k1", "mine", "bob");
    clowder_key(s->store, "k2", "_extraction_key", "bob");
}

static void every_kind_of_credential(void **state)
{
    setting_t s;

    begin(&s, *state, NULL);
    fill(&s);
    assert_string_equal(run_visit(&s, 0, NULL), "/: a; ");
    assert_string_equal(run_visit(&s, MM_CREDENTIAL_COOKIE, "s1"), ADA "/: a; ");
    assert_string_equal(run_visit(&s, MM_CREDENTIAL_COOKIE, "wrong"), "/: a; ");
    assert_string_equal(run_visit(&s, MM_CREDENTIAL_KEY, "k1"), BOB "/: a; ");
    assert_string_equal(run_visit(&s, MM_CREDENTIAL_KEY, "k2"), BOB "/extractor: a; ");
    assert_string_equal(run_visit(&s, MM_CREDENTIAL_KEY, "wrong"), "/: a; ");
    assert_string_equal(run_visit(&s, MM_CREDENTIAL_MASTER, ""), "/extractor: a; ");
    assert_int_equal(mm_resolve_tally(s.resolve)->known, 4);
    assert_int_equal(mm_resolve_tally(s.resolve)->nobody, 2);
    assert_int_equal(paused_us, 0); /* what was read once told all of it */
    assert_string_equal(s.log, "");
}

static void what_httpd_knows_stays(void **state)
{
    setting_t s;
    mm_event_t event;

    begin(&s, *state, NULL);
    fill(&s);
    event = visit_with(MM_CREDENTIAL_KEY, "k2", s.unit->pool);
    event.user = mm_bytes_of("root");
    assert_string_equal(run(&s, event), "root/extractor: a; ");
    event.class_mark = mm_bytes_of("robot");
    assert_string_equal(run(&s, event), "root/robot: a; ");
}

static void the_first_that_is_good_counts(void **state)
{
    setting_t s;
    mm_event_t event;
    char text[MM_EVENT_IDENTITY_MAX];

    begin(&s, *state, NULL);
    fill(&s);
    mm_credential_t both[] = {credential_of(MM_CREDENTIAL_COOKIE, "s1"), credential_of(MM_CREDENTIAL_KEY, "k1")};
    event = visit_with(0, NULL, s.unit->pool);
    event.identity = (mm_bytes_t){text, mm_identity_write(text, both, 2)};
    assert_string_equal(run(&s, event), ADA "/: a; ");
    both[0] = credential_of(MM_CREDENTIAL_COOKIE, "expired");
    event.identity.len = mm_identity_write(text, both, 2);
    assert_string_equal(run(&s, event), BOB "/: a; ");
}

static void somebody_new_is_found_without_hurry(void **state)
{
    setting_t s;
    mm_event_t event;

    begin(&s, *state, NULL);
    fill(&s);
    assert_string_equal(run_visit(&s, MM_CREDENTIAL_COOKIE, "s1"), ADA "/: a; ");
    clowder_user(s.store, CAROL, "carol");
    clowder_session(s.store, "s3", "carol", VISIT_MS, VISIT_MS + 99 * MINUTE);
    /* Visits from before the reading are judged by it. */
    assert_string_equal(run_visit(&s, MM_CREDENTIAL_COOKIE, "s3"), "/: a; ");
    event = visit_with(MM_CREDENTIAL_COOKIE, "s3", s.unit->pool);
    event.time_us = clock_us;
    clock_us += 1000;
    assert_string_equal(run(&s, event), CAROL "/: a; ");
    assert_in_range(paused_us, 1, MM_VISITOR_PAUSE_MAX_US); /* the last reading was a moment ago */
}

static void sessions_end_and_are_used_on(void **state)
{
    setting_t s;
    mm_event_t event;

    begin(&s, *state, NULL);
    fill(&s);
    clowder_session(s.store, "s2", "ada", VISIT_MS - 31 * MINUTE, VISIT_MS + 99 * MINUTE);
    assert_string_equal(run_visit(&s, MM_CREDENTIAL_COOKIE, "s2"), "/: a; "); /* idle for too long */
    event = visit_with(MM_CREDENTIAL_COOKIE, "s1", s.unit->pool);
    event.time_us = VISIT_US + MINUTE * 1000;
    clock_us = event.time_us + 1;
    assert_string_equal(run(&s, event), "/: a; "); /* it expired */
    clowder_session(s.store, "s4", "bob", VISIT_MS, VISIT_MS + 99 * MINUTE);
    event = visit_with(MM_CREDENTIAL_COOKIE, "s4", s.unit->pool);
    event.time_us = clock_us + 1;
    clock_us += 2;
    assert_string_equal(run(&s, event), BOB "/: a; ");
    mongoc_collection_t *sessions = mm_store_collection(s.store, "social.authenticator");
    bson_t *who = BCON_NEW("authenticatorId", "s4");
    bson_t *used = BCON_NEW("$set", "{", "lastUsed", BCON_DATE_TIME(VISIT_MS + 40 * MINUTE), "}");
    assert_true(mongoc_collection_update_one(sessions, who, used, NULL, NULL, NULL));
    bson_destroy(who);
    bson_destroy(used);
    mongoc_collection_destroy(sessions);
    /* What was read before says that it was idle; the visit itself renewed it. */
    event.time_us = VISIT_US + 40 * MINUTE * 1000;
    clock_us = event.time_us + 1;
    assert_string_equal(run(&s, event), BOB "/: a; ");
}

static void a_withdrawn_key_is_noticed(void **state)
{
    setting_t s;
    mm_event_t event;

    begin(&s, *state, NULL);
    fill(&s);
    assert_string_equal(run_visit(&s, MM_CREDENTIAL_KEY, "k1"), BOB "/: a; ");
    mongoc_collection_t *keys = mm_store_collection(s.store, "users.apikey");
    bson_t all = BSON_INITIALIZER;
    assert_true(mongoc_collection_delete_many(keys, &all, NULL, NULL, NULL));
    mongoc_collection_destroy(keys);
    event = visit_with(MM_CREDENTIAL_KEY, "k1", s.unit->pool);
    clock_us += MM_VISITOR_AGE_US + 1;
    event.time_us = clock_us - 1;
    assert_string_equal(run(&s, event), "/: a; ");
}

static void keys_become_ids(void **state)
{
    setting_t s;
    mm_event_t event;

    begin(&s, *state, NULL);
    fill(&s);
    unit_insert(s.store, "links", "{'_id':'l1','fileId':'f1'}");
    unit_insert(s.store, "folders", "{'_id':'d1','files':['f1','f2','f1']}");
    event = visit_with(MM_CREDENTIAL_KEY, "k1", s.unit->pool);
    event.via = mm_bytes_of("links:_id:fileId");
    event.id = mm_bytes_of("l1");
    assert_string_equal(run(&s, event), BOB "/: f1; ");
    event.id = mm_bytes_of("l2");
    assert_string_equal(run(&s, event), BOB "/:; ");
    event = visit_with(0, NULL, s.unit->pool);
    event.via = mm_bytes_of("folders:_id:files");
    event.id = mm_bytes_of("d1");
    assert_string_equal(run(&s, event), "/: f1 f2; ");
    event.flags = MM_EVENT_LIST;
    event.id = mm_bytes_of("d2,d1,d1,d3");
    unit_insert(s.store, "folders", "{'_id':'d3','files':['f2','f4']}");
    assert_string_equal(run(&s, event), "/: f1 f2 f4; ");
    event = visit_with(MM_CREDENTIAL_KEY, "new", s.unit->pool); /* a list without keys, whose visitor is asked for */
    event.flags = MM_EVENT_LIST;
    event.time_us = clock_us + 1;
    event.id = mm_bytes_of("g1,g2");
    assert_string_equal(run(&s, event), "/: g1 g2; ");
    event = visit_with(0, NULL, s.unit->pool);
    event.via = mm_bytes_of("what is this");
    assert_string_equal(run(&s, event), "/:; ");
    assert_int_equal(mm_resolve_tally(s.resolve)->keys_failed, 1);
    assert_non_null(strstr(s.log, "MM0216"));
}

static void many_are_asked_for_together(void **state)
{
    setting_t s;
    mm_event_t event;
    const char *expected = "";

    begin(&s, *state, NULL);
    for (int i = 0; i < 20; i++) {
        unit_insert(s.store, "links", apr_psprintf(s.unit->pool, "{'_id':'l%d','fileId':'f%d'}", i, i));
    }
    for (int i = 0; i < MM_RESOLVE_PENDING_MAX; i++) {
        const char *id = apr_psprintf(s.unit->pool, "l%d", i % 30);

        assert_false(mm_resolve_full(s.resolve));
        event = visit_with(0, NULL, s.unit->pool);
        event.via = mm_bytes_of("links:_id:fileId");
        event.id = mm_bytes_of(id);
        assert_false(mm_resolve_take(s.resolve, &event));
        if (i < 40) {
            expected = apr_pstrcat(s.unit->pool, expected, "/:", i % 30 < 20 ? " f" : "", i % 30 < 20 ? id + 1 : "",
                                   "; ", NULL);
        }
    }
    assert_true(mm_resolve_full(s.resolve));
    assert_int_equal(mm_resolve_finish(s.resolve, INT64_MAX, note, &s, &s.err), APR_SUCCESS);
    assert_memory_equal(s.out, expected, strlen(expected));
    assert_false(mm_resolve_full(s.resolve));
}

static void one_key_for_too_much_is_cut(void **state)
{
    setting_t s;
    mm_event_t event;
    bson_t doc = BSON_INITIALIZER, files;

    begin(&s, *state, NULL);
    BSON_APPEND_UTF8(&doc, "_id", "d1");
    BSON_APPEND_ARRAY_BEGIN(&doc, "files", &files);
    for (int i = 0; i < 10001; i++) {
        char key[16];

        snprintf(key, sizeof(key), "%d", i);
        BSON_APPEND_INT32(&files, key, i);
    }
    bson_append_array_end(&doc, &files);
    unit_insert_doc(s.store, "folders", &doc);
    bson_destroy(&doc);
    event = visit_with(0, NULL, s.unit->pool);
    event.via = mm_bytes_of("folders:_id:files");
    event.id = mm_bytes_of("d1");
    assert_non_null(strstr(run(&s, event), " 9999; "));
    assert_non_null(strstr(s.log, "MM0217"));
}

static void without_clowder_nobody_waits(void **state)
{
    setting_t s;

    begin(&s, *state, NULL);
    assert_string_equal(run_visit(&s, MM_CREDENTIAL_COOKIE, "s1"), "/: a; ");
    assert_string_equal(run_visit(&s, MM_CREDENTIAL_KEY, "k1"), "/: a; ");
    assert_int_equal(mm_resolve_tally(s.resolve)->visitors_failed, 2);
    assert_int_equal(paused_us, 0);
    assert_non_null(strstr(s.log, "MM0215"));
    assert_null(strstr(strstr(s.log, "MM0215") + 1, "MM0215")); /* once */
    /* It is looked at again after a while. */
    fill(&s);
    clock_us += MM_VISITOR_FAILED_US + 1;
    mm_event_t event = visit_with(MM_CREDENTIAL_KEY, "k1", s.unit->pool);
    event.time_us = clock_us - 1;
    assert_string_equal(run(&s, event), BOB "/: a; ");
}

static void without_a_database_everybody_waits(void **state)
{
    unit_t *unit = *state;
    setting_t s;
    int port, fd = unit_deaf_port(0, &port);
    mm_event_t event = visit_with(MM_CREDENTIAL_COOKIE, "s1", unit->pool);

    begin(&s, unit, apr_psprintf(unit->pool, "mongodb://127.0.0.1:%d/x", port));
    assert_false(mm_resolve_take(s.resolve, &event));
    for (int i = 0; i < 2; i++) {
        assert_int_equal(mm_resolve_finish(s.resolve, INT64_MAX, note, &s, &s.err), MM_STORE_AWAY);
    }
    mm_resolve_begin(s.resolve);
    event.identity.len = 0;
    event.via = mm_bytes_of("links:_id:fileId");
    assert_false(mm_resolve_take(s.resolve, &event));
    assert_int_equal(mm_resolve_finish(s.resolve, INT64_MAX, note, &s, &s.err), MM_STORE_AWAY);
    assert_string_equal(s.out, "");
    mm_resolve_begin(s.resolve);
    assert_int_equal(mm_resolve_finish(s.resolve, INT64_MAX, note, &s, &s.err), APR_SUCCESS); /* nothing to ask for */
    close(fd);
}

static void a_stop_ends_the_waiting(void **state)
{
    setting_t s;
    mm_event_t event;

    begin(&s, *state, NULL);
    fill(&s);
    run_visit(&s, MM_CREDENTIAL_COOKIE, "s1");
    event = visit_with(MM_CREDENTIAL_COOKIE, "new", s.unit->pool);
    event.time_us = clock_us + 1;
    stops = true;
    assert_false(mm_resolve_take(s.resolve, &event));
    assert_int_equal(mm_resolve_finish(s.resolve, INT64_MAX, note, &s, &s.err), APR_EINTR);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, unit_setup, unit_teardown)
    const struct CMUnitTest tests[] = {
        TEST(every_kind_of_credential),
        TEST(what_httpd_knows_stays),
        TEST(the_first_that_is_good_counts),
        TEST(somebody_new_is_found_without_hurry),
        TEST(sessions_end_and_are_used_on),
        TEST(a_withdrawn_key_is_noticed),
        TEST(keys_become_ids),
        TEST(many_are_asked_for_together),
        TEST(one_key_for_too_much_is_cut),
        TEST(without_clowder_nobody_waits),
        TEST(without_a_database_everybody_waits),
        TEST(a_stop_ends_the_waiting),
    };

    return cmocka_run_group_tests(tests, unit_store_group, NULL);
}
