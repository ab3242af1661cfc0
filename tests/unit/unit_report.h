/* For the tests of src/report: a store with uses and catalogue documents in it, a gate that can be told what to do and
 * writes down what it was asked, and a sink that keeps what it gets.
 */
#ifndef UNIT_REPORT_H
#define UNIT_REPORT_H

#include "unit_store.h"
#include "report/report.h"

#define DELTAS_MAX    4000
#define QUESTIONS_MAX 256

typedef struct fixture {
    apr_pool_t *pool;
    const char *uri;
    mm_report_t report;
    bool sees_all;
    mm_route_t route;
    mm_delta_t deltas[DELTAS_MAX];
    size_t n_deltas;

    const char *const *denied;   /* "type:id", or "type:" for all of a type; NULL-terminated; NULL: none */
    unsigned char verdict;       /* what the denied get */
    const char *const *narrowed; /* NULL: not narrowed */
    size_t n_narrowed;
    bool narrow_fails;
    int fail_at;   /* the question, from 1, that is answered with an error; 0: none */
    int questions; /* asked so far */
    const char *asked_type[QUESTIONS_MAX];
    size_t asked[QUESTIONS_MAX]; /* how many ids */

    mm_sink_fn sink;
    char *out;
    size_t out_len, out_room;
    int sink_fails_at; /* the call, from 1; 0: none */
    int sink_calls;
} fixture_t;

static inline bool fixture_denies(const fixture_t *fixture, const char *type, const char *id)
{
    for (const char *const *entry = fixture->denied; entry && *entry; entry++) {
        size_t len = strlen(type);
        if (strncmp(*entry, type, len) == 0 && (*entry)[len] == ':' &&
            (!(*entry)[len + 1] || strcmp(*entry + len + 1, id) == 0)) {
            return true;
        }
    }
    return false;
}

static inline apr_status_t fixture_gate(void *baton, const char *type, const char *const *ids, size_t n,
                                        unsigned char *verdicts, mm_err_t *err)
{
    fixture_t *fixture = baton;

    assert_in_range(n, 1, MM_REPORT_BATCH);
    assert_in_range(fixture->questions, 0, QUESTIONS_MAX - 1);
    fixture->asked_type[fixture->questions] = type;
    fixture->asked[fixture->questions] = n;
    if (++fixture->questions == fixture->fail_at) {
        memset(verdicts, 1, n);
        return mm_err_set(err, APR_EGENERAL, "the gate fell");
    }
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(verdicts[i], 0);
        for (size_t other = 0; other < i; other++) {
            assert_string_not_equal(ids[i], ids[other]);
        }
        verdicts[i] = fixture_denies(fixture, type, ids[i]) ? fixture->verdict : 1;
    }
    return APR_SUCCESS;
}

/* People are asked about as if they were of the type "users", and named "USER of ID" where a test denies such. */
static inline apr_status_t fixture_gate_users(void *baton, const char *type, const char *const *ids,
                                              const char *const *users, size_t n, unsigned char *verdicts,
                                              mm_err_t *err)
{
    fixture_t *fixture = baton;
    const char **pairs = apr_palloc(fixture->pool, n * sizeof(*pairs));

    assert_non_null(type);
    for (size_t i = 0; i < n; i++) {
        pairs[i] = apr_psprintf(fixture->pool, "%s of %s", users[i], ids[i]);
    }
    apr_status_t rv = fixture_gate(baton, "users", pairs, n, verdicts, err);
    for (size_t i = 0; i < n && rv == APR_SUCCESS; i++) {
        verdicts[i] = fixture_denies(fixture, "users", users[i]) ? fixture->verdict : verdicts[i];
    }
    return rv;
}

/* Where fixture->sees_all is set, all resources but those denied are said to be visible to anybody. */
static inline bool fixture_sees_all(void *baton, const char *type)
{
    assert_non_null(type);
    return ((const fixture_t *)baton)->sees_all;
}

/* Narrows to fixture->narrowed, where that is set. */
static inline apr_status_t fixture_narrow(void *baton, const char *type, const char *const **ids, size_t *n,
                                          apr_pool_t *pool, mm_err_t *err)
{
    const fixture_t *fixture = baton;

    (void)pool;
    assert_non_null(type);
    if (fixture->narrow_fails) {
        return mm_err_set(err, APR_EGENERAL, "the gate fell");
    }
    *ids = fixture->narrowed;
    *n = fixture->n_narrowed;
    return APR_SUCCESS;
}

static inline apr_status_t fixture_sink(void *baton, const char *data, size_t len)
{
    fixture_t *fixture = baton;

    if (len == 0) {
        return APR_SUCCESS;
    }
    if (++fixture->sink_calls == fixture->sink_fails_at) {
        return APR_ECONNABORTED;
    }
    if (fixture->out_len + len + 1 > fixture->out_room) {
        char *grown = apr_palloc(fixture->pool, (fixture->out_len + len) * 2 + 1);
        memcpy(grown, fixture->out, fixture->out_len);
        fixture->out = grown;
        fixture->out_room = (fixture->out_len + len) * 2 + 1;
    }
    memcpy(fixture->out + fixture->out_len, data, len);
    fixture->out_len += len;
    fixture->out[fixture->out_len] = '\0';
    return APR_SUCCESS;
}

/* A sink that keeps only how much it got. */
static inline apr_status_t fixture_count(void *baton, const char *data, size_t len)
{
    fixture_t *fixture = baton;

    (void)data;
    fixture->out_len += len;
    return APR_SUCCESS;
}

static inline void fixture_catalog(fixture_t *fixture, apr_array_header_t *catalogs, const char *type,
                                   const char *words)
{
    mm_err_t err = {0};

    if (mm_catalog_parse(apr_array_push(catalogs), type, words, fixture->pool, &err) != APR_SUCCESS) {
        fail_msg("%s", err.text);
    }
}

/* Types datasets, collections and files; datasets have collections and spaces as parents, spaces are no type. */
static inline fixture_t *fixture_make_at(unit_t *unit, const char *uri)
{
    static const char *const types[] = {"datasets", "collections", "files", NULL};
    fixture_t *fixture = apr_pcalloc(unit->pool, sizeof(*fixture));
    apr_array_header_t *catalogs = apr_array_make(unit->pool, 3, sizeof(mm_catalog_t *));

    fixture->pool = unit->pool;
    fixture->uri = uri;
    fixture->out = apr_pstrdup(unit->pool, "");
    fixture_catalog(fixture, catalogs, "datasets",
                    "app_datasets id=_id name=name parents=collections:collections parents=spaces:spaces");
    fixture_catalog(fixture, catalogs, "collections", "app_collections id=_id name=title");
    fixture->route.endpoint = MM_ENDPOINT_TOTALS;
    fixture->route.type = types[0];
    fixture->route.limit = -1;
    fixture->report =
        (mm_report_t){.route = &fixture->route,
                      .store = unit_store_at(uri, unit->pool),
                      .catalogs = catalogs,
                      .forms = mm_forms_make(unit->pool),
                      .types = types,
                      .n_types = 3,
                      .gate = {fixture_gate, fixture_gate_users, fixture_narrow, fixture, fixture_sees_all}};
    fixture->sink = fixture_sink;
    fixture->report.catalog_store = fixture->report.store;
    return fixture;
}

static inline fixture_t *fixture_make(unit_t *unit)
{
    return fixture_make_at(unit, unit_mongo_uri(unit->pool));
}

/* Notes a use; fixture_store writes all that were noted to the database. */
static inline void fixture_use(fixture_t *fixture, const char *type, const char *id, int64_t views, int64_t downloads,
                               int64_t last_viewed_ms, int64_t last_downloaded_ms)
{
    assert_in_range(fixture->n_deltas, 0, DELTAS_MAX - 1);
    fixture->deltas[fixture->n_deltas++] = (mm_delta_t){.kind = MM_DELTA_RESOURCE,
                                                        .type = type,
                                                        .id = id,
                                                        .views = views,
                                                        .downloads = downloads,
                                                        .last_viewed_ms = last_viewed_ms,
                                                        .last_downloaded_ms = last_downloaded_ms,
                                                        .first_seen_ms = MM_TIME_NONE};
}

static inline void fixture_store(fixture_t *fixture)
{
    mm_outcome_t *outcomes = apr_pcalloc(fixture->pool, fixture->n_deltas * sizeof(*outcomes));
    mm_err_t err = {0};

    if (mm_store_apply(fixture->report.store, SPOOL, 1, fixture->deltas, fixture->n_deltas, outcomes, &err) !=
        MM_APPLIED) {
        fail_msg("%s", err.text);
    }
}

/* n used datasets, all of this name in the catalogue. */
static inline void fixture_named(fixture_t *fixture, int n, const char *name)
{
    mongoc_collection_t *collection = mm_store_collection(fixture->report.store, "app_datasets");
    bson_t **docs = apr_palloc(fixture->pool, (size_t)n * sizeof(*docs));
    bson_error_t error;

    for (int i = 0; i < n; i++) {
        const char *id = apr_psprintf(fixture->pool, "d%04d", i);
        fixture_use(fixture, "datasets", id, n - i, 0, 1000, MM_TIME_NONE);
        docs[i] = BCON_NEW("_id", BCON_UTF8(id), "name", BCON_UTF8(name));
    }
    if (!mongoc_collection_insert_many(collection, (const bson_t **)docs, (size_t)n, NULL, NULL, &error)) {
        fail_msg("%s", error.message);
    }
    for (int i = 0; i < n; i++) {
        bson_destroy(docs[i]);
    }
    mongoc_collection_destroy(collection);
    fixture_store(fixture);
}

/* A store that cannot be reached. */
static inline mm_store_t *fixture_store_away(apr_pool_t *pool)
{
    int port, fd = unit_deaf_port(0, &port);

    close(fd);
    return unit_store_at(apr_psprintf(pool, "mongodb://127.0.0.1:%d/away?serverSelectionTimeoutMS=500", port), pool);
}

static inline void fixture_forget(fixture_t *fixture)
{
    fixture->out_len = 0;
    fixture->out[0] = '\0';
    fixture->questions = fixture->sink_calls = 0;
}

/* Gives the report a writer of CSV, as the route wants it, into the fixture's sink. */
static inline void fixture_write_csv(fixture_t *fixture)
{
    fixture->report.writer =
        mm_writer_csv(fixture->sink, fixture, ',', fixture->route.raw, fixture->route.bom, fixture->pool);
}

#endif
