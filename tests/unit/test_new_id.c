/* Spools whose numbers are given out twice: found out by whoever comes second, and mended with another id. */
#include "drain_unit.h"
#include <inttypes.h>
#include "base/file.h"
#include "drain/batch.h"
#include "drain/drain.h"
#include "drain/new_id.h"
#include "store/store.h"

#define NOWHERE "mongodb://127.0.0.1:9/unit?serverSelectionTimeoutMS=200&connectTimeoutMS=200"

/* A machine with a spool, a writer and, now and then, a drainer. */
typedef struct host {
    apr_pool_t *pool;
    const char *uri;
    char *dir;
    mm_spool_writer_t *writer;
    mm_err_t err;
} host_t;

static host_t host_begin(const unit_t *unit, const char *name, const char *uri)
{
    host_t host = {.pool = unit->pool, .uri = uri, .dir = apr_pstrcat(unit->pool, unit->dir, "/", name, NULL)};

    mm_store_init();
    assert_int_equal(mm_spool_prepare(host.dir, (uid_t)-1, (gid_t)-1, unit->pool, &host.err), APR_SUCCESS);
    host.writer = writer_make(host.dir, MM_SPOOL_SEGMENT_MAX, unit->pool);
    return host;
}

static void file_copy(const char *from_dir, const char *from, const char *to_dir, const char *to, apr_pool_t *pool)
{
    char *data;
    size_t len;
    int fd = open(apr_pstrcat(pool, to_dir, "/", to, NULL), O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(mm_file_slurp(&data, &len, apr_pstrcat(pool, from_dir, "/", from, NULL), 1 << 24, pool, NULL), 0);
    assert_int_equal(write(fd, data, len), len);
    close(fd);
}

/* The machine is cloned, its spool with it. */
static host_t host_copy(const unit_t *unit, const host_t *from, const char *name)
{
    host_t host = {.pool = unit->pool, .uri = from->uri, .dir = apr_pstrcat(unit->pool, unit->dir, "/", name, NULL)};
    apr_dir_t *handle;
    apr_finfo_t info;

    assert_int_equal(mkdir(host.dir, 0700), 0);
    assert_int_equal(apr_dir_open(&handle, from->dir, unit->pool), APR_SUCCESS);
    while (apr_dir_read(&info, APR_FINFO_NAME, handle) == APR_SUCCESS) {
        if (strcmp(info.name, ".") != 0 && strcmp(info.name, "..") != 0) {
            file_copy(from->dir, info.name, host.dir, info.name, unit->pool);
        }
    }
    apr_dir_close(handle);
    host.writer = writer_make(host.dir, MM_SPOOL_SEGMENT_MAX, unit->pool);
    return host;
}

/* A drainer from its start until there is nothing left or something fails. */
static apr_status_t drain_at(host_t *host, const char *uri)
{
    mm_drain_options_t options = {
        .spool_dir = host->dir, .mongo_uri = uri, .prefix = MM_STORE_PREFIX_DEFAULT, .interval_us = 1, .once = 1};
    mm_drain_t *drain = NULL;
    apr_pool_t *pool;
    apr_status_t rv;

    host->err.text[0] = '\0';
    apr_pool_create(&pool, host->pool);
    rv = mm_drain_create(&drain, &options, NULL, pool, &host->err);
    if (rv == APR_SUCCESS) {
        rv = mm_drain_run(drain, &host->err);
    }
    apr_pool_destroy(pool);
    return rv;
}

static apr_status_t drain(host_t *host)
{
    return drain_at(host, host->uri);
}

static apr_status_t visit(host_t *host, const char *id)
{
    spool_view(host->writer, id, NULL);
    return drain(host);
}

static void assert_views(const host_t *host, const char *id, int64_t views)
{
    int64_t found = db_get(host->uri, "metrics_datasets", id, "views");

    if (found != views) {
        fail_msg("%s has %" PRId64 " views, not %" PRId64, id, found, views);
    }
}

static void assert_told(const host_t *host, const char *words)
{
    if (strstr(host->err.text, words) == NULL) {
        fail_msg("\"%s\" is not in: %s", words, host->err.text);
    }
}

static mm_new_id_t new_id(host_t *host)
{
    mm_new_id_t result;

    if (mm_new_id(&result, host->dir, host->pool, &host->err) != APR_SUCCESS) {
        fail_msg("%s", host->err.text);
    }
    assert_string_not_equal(result.before, result.after);
    return result;
}

static void spool_id_of(const host_t *host, char id[MM_SPOOL_ID_LEN + 1])
{
    assert_int_equal(mm_spool_id(id, host->dir, host->pool, NULL), APR_SUCCESS);
}

/* --- finding out --- */

/* first and second are a spool and its copy, in either order. */
static void clash(host_t *first, host_t *second)
{
    assert_int_equal(visit(first, "first"), APR_SUCCESS);
    /* As often as it likes, also after a restart: nothing is taken for counted, nothing is thrown away. */
    for (int i = 0; i < 3; i++) {
        assert_int_equal(i == 0 ? visit(second, "second") : drain(second), MM_STORE_FOREIGN);
        assert_told(second, "copy of another one");
        assert_told(second, apr_pstrcat(second->pool, "metricsctl new-id --spool ", second->dir, NULL));
        assert_views(second, "second", 0);
        assert_false(has_file(second->dir, "rejected.ndjson"));
    }
    assert_int_equal(visit(first, "first"), APR_SUCCESS);
    new_id(second);
    assert_int_equal(drain(second), APR_SUCCESS);
    assert_int_equal(visit(second, "second"), APR_SUCCESS);
    assert_int_equal(visit(first, "first"), APR_SUCCESS);
    assert_views(first, "first", 3);
    assert_views(first, "second", 2);
    assert_views(first, "before", 1);
}

static void copy_that_comes_second(void **state)
{
    host_t one = host_begin(*state, "one", unit_mongo_uri(((unit_t *)*state)->pool)), two;

    assert_int_equal(visit(&one, "before"), APR_SUCCESS);
    two = host_copy(*state, &one, "two");
    clash(&one, &two);
}

static void copy_that_comes_first(void **state)
{
    host_t one = host_begin(*state, "one", unit_mongo_uri(((unit_t *)*state)->pool)), two;

    assert_int_equal(visit(&one, "before"), APR_SUCCESS);
    two = host_copy(*state, &one, "two");
    clash(&two, &one);
}

/* A batch that both of them have is one batch. */
static void copy_with_a_batch_in_hand(void **state)
{
    host_t one = host_begin(*state, "one", unit_mongo_uri(((unit_t *)*state)->pool)), two;

    spool_view(one.writer, "before", NULL);
    assert_int_equal(drain_at(&one, NOWHERE), MM_STORE_AWAY);
    assert_true(has_file(one.dir, MM_BATCH_FILE));
    two = host_copy(*state, &one, "two");
    assert_int_equal(drain(&two), APR_SUCCESS);
    assert_int_equal(drain(&one), APR_SUCCESS);
    assert_views(&one, "before", 1);
    clash(&one, &two);
}

static void copy_of_a_spool_that_never_counted(void **state)
{
    host_t one = host_begin(*state, "one", unit_mongo_uri(((unit_t *)*state)->pool)), two;

    two = host_copy(*state, &one, "two");
    assert_int_equal(visit(&one, "one"), APR_SUCCESS);
    assert_int_equal(visit(&two, "two"), MM_STORE_FOREIGN);
    assert_told(&two, "there is an id, but no checkpoint");
    assert_true(new_id(&two).pending);
    assert_int_equal(drain(&two), APR_SUCCESS);
    assert_views(&one, "one", 1);
    assert_views(&one, "two", 1);
}

static void lost_checkpoint(void **state)
{
    host_t host = host_begin(*state, "spool", unit_mongo_uri(((unit_t *)*state)->pool));

    assert_int_equal(visit(&host, "a"), APR_SUCCESS);
    assert_int_equal(visit(&host, "b"), APR_SUCCESS);
    file_copy(host.dir, MM_CHECKPOINT_FILE, host.dir, "kept", host.pool);
    assert_int_equal(unlink(apr_pstrcat(host.pool, host.dir, "/" MM_CHECKPOINT_FILE, NULL)), 0);
    assert_int_equal(visit(&host, "c"), MM_STORE_FOREIGN);
    assert_told(&host, "there is an id, but no checkpoint");
    /* as the message says: */
    assert_int_equal(unlink(apr_pstrcat(host.pool, host.dir, "/" MM_BATCH_FILE, NULL)), 0);
    file_copy(host.dir, "kept", host.dir, MM_CHECKPOINT_FILE, host.pool);
    assert_int_equal(drain(&host), APR_SUCCESS);
    assert_views(&host, "a", 1);
    assert_views(&host, "b", 1);
    assert_views(&host, "c", 1);
}

static void lost_checkpoint_for_good(void **state)
{
    host_t host = host_begin(*state, "spool", unit_mongo_uri(((unit_t *)*state)->pool));
    mm_new_id_t result;

    assert_int_equal(visit(&host, "a"), APR_SUCCESS);
    assert_int_equal(unlink(apr_pstrcat(host.pool, host.dir, "/" MM_CHECKPOINT_FILE, NULL)), 0);
    result = new_id(&host);
    assert_false(result.pending);
    assert_false(result.remembered);
    assert_int_equal(visit(&host, "b"), APR_SUCCESS);
    assert_views(&host, "a", 1); /* what was counted is wiped: it cannot count again */
    assert_views(&host, "b", 1);
}

static void restored_checkpoint(void **state)
{
    host_t host = host_begin(*state, "spool", unit_mongo_uri(((unit_t *)*state)->pool));

    assert_int_equal(visit(&host, "a"), APR_SUCCESS);
    file_copy(host.dir, MM_CHECKPOINT_FILE, host.dir, "yesterday", host.pool);
    assert_int_equal(visit(&host, "b"), APR_SUCCESS);
    file_copy(host.dir, MM_CHECKPOINT_FILE, host.dir, "today", host.pool);
    file_copy(host.dir, "yesterday", host.dir, MM_CHECKPOINT_FILE, host.pool);
    assert_int_equal(visit(&host, "c"), MM_STORE_FOREIGN);
    assert_told(&host, "restored from a backup");
    assert_int_equal(unlink(apr_pstrcat(host.pool, host.dir, "/" MM_BATCH_FILE, NULL)), 0);
    file_copy(host.dir, "today", host.dir, MM_CHECKPOINT_FILE, host.pool);
    assert_int_equal(drain(&host), APR_SUCCESS);
    assert_views(&host, "b", 1);
    assert_views(&host, "c", 1);
}

/* --- and nobody else --- */

static void restarts_are_not_foreign(void **state)
{
    const char *uri = unit_mongo_uri(((unit_t *)*state)->pool);
    host_t host = host_begin(*state, "spool", uri);

    for (int i = 0; i < 3; i++) {
        assert_int_equal(visit(&host, "a"), APR_SUCCESS);
        spool_view(host.writer, "b", NULL);
        assert_int_equal(drain_at(&host, NOWHERE), MM_STORE_AWAY);
        /* applied, and killed before the checkpoint */
        file_copy(host.dir, MM_BATCH_FILE, host.dir, "again", host.pool);
        assert_int_equal(drain(&host), APR_SUCCESS);
        file_copy(host.dir, "again", host.dir, MM_BATCH_FILE, host.pool);
        assert_int_equal(drain(&host), APR_SUCCESS);
    }
    assert_views(&host, "a", 3);
    assert_views(&host, "b", 3);
}

static void hosts_with_ids_of_their_own_do_not_meet(void **state)
{
    const char *uri = unit_mongo_uri(((unit_t *)*state)->pool);
    host_t one = host_begin(*state, "one", uri), two = host_begin(*state, "two", uri);

    for (int i = 0; i < 3; i++) {
        assert_int_equal(visit(&one, "a"), APR_SUCCESS);
        assert_int_equal(visit(&two, "a"), APR_SUCCESS);
    }
    assert_views(&one, "a", 6);
}

/* --- the new id --- */

static void keeps_what_was_counted(void **state)
{
    host_t host = host_begin(*state, "spool", unit_mongo_uri(((unit_t *)*state)->pool));
    char id[MM_SPOOL_ID_LEN + 1];
    mm_new_id_t result;

    assert_int_equal(visit(&host, "a"), APR_SUCCESS);
    spool_view(host.writer, "b", NULL);
    spool_id_of(&host, id);
    result = new_id(&host);
    assert_string_equal(result.before, id);
    spool_id_of(&host, id);
    assert_string_equal(result.after, id);
    assert_false(result.pending);
    assert_true(result.remembered);
    assert_false(has_file(host.dir, MM_BATCH_TEMP_FILE));
    assert_int_equal(visit(&host, "c"), APR_SUCCESS);
    assert_views(&host, "a", 1);
    assert_views(&host, "b", 1);
    assert_views(&host, "c", 1);
}

typedef struct seen {
    char spool[MM_SPOOL_ID_LEN + 1];
    int64_t seq, segments, deltas, views;
} seen_t;

static apr_status_t on_batch(void *baton, const char *spool_id, int64_t seq, const char *nonce, mm_err_t *err)
{
    seen_t *seen = baton;

    (void)nonce;
    (void)err;
    memcpy(seen->spool, spool_id, sizeof(seen->spool));
    seen->seq = seq;
    return APR_SUCCESS;
}

static apr_status_t on_segment(void *baton, const char *name, int64_t to, mm_err_t *err)
{
    (void)name;
    (void)to;
    (void)err;
    ((seen_t *)baton)->segments++;
    return APR_SUCCESS;
}

static apr_status_t on_delta(void *baton, const mm_delta_t *delta, mm_err_t *err)
{
    (void)err;
    ((seen_t *)baton)->deltas++;
    ((seen_t *)baton)->views += delta->views;
    return APR_SUCCESS;
}

/* A batch of more than one buffer, and everything in it stays. */
static void keeps_a_large_batch(void **state)
{
    host_t host = host_begin(*state, "spool", NOWHERE);
    seen_t before = {.seq = 0}, after = {.seq = 0};
    mm_batch_reader_t reader = {.on_batch = on_batch, .on_segment = on_segment, .on_delta = on_delta, .baton = &before};
    mm_new_id_t result;
    char id[32];

    for (int i = 0; i < 3000; i++) {
        snprintf(id, sizeof(id), "id-%d", i % 2000);
        spool_view(host.writer, id, "ann");
    }
    assert_int_equal(drain(&host), MM_STORE_AWAY);
    assert_int_equal(mm_batch_read(host.dir, MM_BATCH_FILE, &reader, host.pool, NULL), APR_SUCCESS);
    assert_int_equal(before.deltas, 6000);
    result = new_id(&host);
    assert_true(result.pending);
    reader.baton = &after;
    assert_int_equal(mm_batch_read(host.dir, MM_BATCH_FILE, &reader, host.pool, NULL), APR_SUCCESS);
    assert_string_equal(after.spool, result.after);
    assert_int_equal(after.segments, before.segments);
    assert_int_equal(after.deltas, before.deltas);
    assert_int_equal(after.views, before.views);
}

/* Killed after each of its renames. */
static void may_be_killed(void **state)
{
    static const char *const files[] = {MM_CHECKPOINT_FILE, MM_BATCH_FILE, "id"};
    const char *uri = unit_mongo_uri(((unit_t *)*state)->pool);

    for (int renamed = 0; renamed <= 3; renamed++) {
        host_t host = host_begin(*state, apr_psprintf(((unit_t *)*state)->pool, "spool%d", renamed), uri);
        const char *counted = apr_psprintf(host.pool, "counted%d", renamed);
        const char *pending = apr_psprintf(host.pool, "pending%d", renamed);

        assert_int_equal(visit(&host, counted), APR_SUCCESS);
        spool_view(host.writer, pending, NULL);
        assert_int_equal(drain_at(&host, NOWHERE), MM_STORE_AWAY);
        for (int i = 0; i < 3; i++) {
            file_copy(host.dir, files[i], host.dir, apr_pstrcat(host.pool, "old-", files[i], NULL), host.pool);
        }
        new_id(&host);
        for (int i = renamed; i < 3; i++) {
            file_copy(host.dir, apr_pstrcat(host.pool, "old-", files[i], NULL), host.dir, files[i], host.pool);
        }
        if (renamed == 2) {
            assert_int_equal(drain(&host), APR_EGENERAL);
            assert_told(&host, "metricsctl new-id was interrupted");
            assert_views(&host, pending, 0);
            new_id(&host);
        }
        assert_int_equal(visit(&host, pending), APR_SUCCESS);
        assert_views(&host, counted, 1);
        assert_views(&host, pending, 2);
    }
}

/* The same without a batch. */
static void may_be_killed_between_checkpoint_and_id(void **state)
{
    host_t host = host_begin(*state, "spool", unit_mongo_uri(((unit_t *)*state)->pool));

    assert_int_equal(visit(&host, "a"), APR_SUCCESS);
    file_copy(host.dir, "id", host.dir, "old-id", host.pool);
    new_id(&host);
    file_copy(host.dir, "old-id", host.dir, "id", host.pool);
    assert_int_equal(visit(&host, "b"), APR_EGENERAL);
    new_id(&host);
    assert_int_equal(drain(&host), APR_SUCCESS);
    assert_views(&host, "a", 1);
    assert_views(&host, "b", 1);
}

static void refuses_and_changes_nothing(void **state)
{
    host_t host = host_begin(*state, "spool", NOWHERE);
    char id[MM_SPOOL_ID_LEN + 1], now[MM_SPOOL_ID_LEN + 1];
    mm_new_id_t result;
    int lock;

    spool_id_of(&host, id);
    /* a drainer is at work */
    assert_int_equal(mm_spool_lock(&lock, host.dir, host.pool, NULL), APR_SUCCESS);
    assert_int_equal(mm_new_id(&result, host.dir, host.pool, &host.err), APR_EAGAIN);
    close(lock);
    /* what it should rename is damaged */
    spool_view(host.writer, "a", NULL);
    assert_int_equal(drain(&host), MM_STORE_AWAY);
    file_damage(host.dir, MM_BATCH_FILE, -8);
    assert_int_equal(mm_new_id(&result, host.dir, host.pool, &host.err), APR_EGENERAL);
    assert_told(&host, "damaged");
    spool_id_of(&host, now);
    assert_string_equal(id, now);
    /* there is no spool */
    assert_int_not_equal(mm_new_id(&result, "/nonexistent/spool", host.pool, &host.err), APR_SUCCESS);
}

static void a_damaged_checkpoint_below_a_batch_does_not_matter(void **state)
{
    host_t host = host_begin(*state, "spool", unit_mongo_uri(((unit_t *)*state)->pool));

    assert_int_equal(visit(&host, "a"), APR_SUCCESS);
    spool_view(host.writer, "b", NULL);
    assert_int_equal(drain_at(&host, NOWHERE), MM_STORE_AWAY);
    file_damage(host.dir, MM_CHECKPOINT_FILE, -8);
    assert_true(new_id(&host).pending);
    assert_int_equal(drain(&host), APR_SUCCESS);
    assert_views(&host, "a", 1);
    assert_views(&host, "b", 1);
}

#define test(f) cmocka_unit_test_setup_teardown(f, unit_setup, unit_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(copy_that_comes_second),
        test(copy_that_comes_first),
        test(copy_with_a_batch_in_hand),
        test(copy_of_a_spool_that_never_counted),
        test(lost_checkpoint),
        test(lost_checkpoint_for_good),
        test(restored_checkpoint),
        test(restarts_are_not_foreign),
        test(hosts_with_ids_of_their_own_do_not_meet),
        test(keeps_what_was_counted),
        test(keeps_a_large_batch),
        test(may_be_killed),
        test(may_be_killed_between_checkpoint_and_id),
        test(refuses_and_changes_nothing),
        test(a_damaged_checkpoint_below_a_batch_does_not_matter),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
