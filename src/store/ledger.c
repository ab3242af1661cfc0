/* Single documents, one update each: an import touches one in many thousand lines.
 *
 * Numbers go by $max, so an update that is sent again, or comes late, takes nothing back.
 */
#include "store/ledger.h"

#include <string.h>
#include <unistd.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include <apr_time.h>
#include "store/passes_doc.h"
#include "store/store_private.h"
#include "store/value.h"

#define PREFIX             "log:"
#define CODE_DUPLICATE_KEY 11000
#define HOST_MAX           256
#define SHOWN_MAX          64
#define DOING              "Writing the import's ledger in MongoDB"

static bool is_id(const char *id)
{
    size_t i = 0;

    while (id[i] && apr_isxdigit(id[i])) {
        i++;
    }
    return i == MM_LEDGER_ID_LEN && !id[i];
}

static void append_id(bson_t *doc, const char *key, const char *id)
{
    char text[sizeof(PREFIX) + MM_LEDGER_ID_LEN];

    apr_snprintf(text, sizeof(text), PREFIX "%s", id);
    BSON_APPEND_UTF8(doc, key, text);
}

/* --- one update ----------------------------------------------------------------------------------------------------
 */

typedef struct change {
    mm_store_t *store;
    bson_t filter, update;
} change_t;

static void change_begin(change_t *change, mm_store_t *store, const char *id)
{
    change->store = store;
    bson_init(&change->filter);
    bson_init(&change->update);
    append_id(&change->filter, "_id", id);
}

static void change_end(change_t *change)
{
    bson_destroy(&change->filter);
    bson_destroy(&change->update);
}

static mongoc_collection_t *meta_of(mm_store_t *store)
{
    apr_pool_t *pool;
    mongoc_collection_t *collection;

    if (apr_pool_create(&pool, store->pool) != APR_SUCCESS) {
        return NULL;
    }
    collection = mm_store_collection(store, mm_store_meta_name(store, pool));
    apr_pool_destroy(pool);
    return collection;
}

static bool change_send(const change_t *change, bool upsert, bson_error_t *error)
{
    mongoc_collection_t *collection = meta_of(change->store);
    bson_t opts = BSON_INITIALIZER;
    bool ok;

    if (!collection) {
        return false;
    }
    mm_store_append_concern(change->store, &opts);
    BSON_APPEND_BOOL(&opts, "upsert", upsert);
    ok = mongoc_collection_update_one(collection, &change->filter, &change->update, &opts, NULL, error);
    bson_destroy(&opts);
    mongoc_collection_destroy(collection);
    return ok;
}

/* --- reading -------------------------------------------------------------------------------------------------------
 */

static int64_t number_of(const bson_t *doc, const char *key, int64_t otherwise)
{
    bson_iter_t iter;

    if (!bson_iter_init_find(&iter, doc, key)) {
        return otherwise;
    }
    if (BSON_ITER_HOLDS_DATE_TIME(&iter)) {
        return bson_iter_date_time(&iter);
    }
    return BSON_ITER_HOLDS_NUMBER(&iter) && bson_iter_as_int64(&iter) >= 0 ? bson_iter_as_int64(&iter) : otherwise;
}

static void read_ledger(mm_ledger_t *ledger, const bson_t *doc)
{
    char id[MM_VALUE_ID_SIZE];
    bson_iter_t iter;

    *ledger = (mm_ledger_t){.head = 0};
    if (!bson_iter_init_find(&iter, doc, "_id") || !mm_value_id(&iter, id) ||
        strncmp(id, PREFIX, strlen(PREFIX)) != 0 || !is_id(id + strlen(PREFIX))) {
        return;
    }
    apr_cpystrn(ledger->id, id + strlen(PREFIX), sizeof(ledger->id));
    ledger->head = number_of(doc, "head", 0);
    ledger->lines = number_of(doc, "lines", 0);
    ledger->bad = number_of(doc, "bad", 0);
    ledger->uses = number_of(doc, "uses", 0);
    ledger->first_ms = number_of(doc, "first", MM_TIME_NONE);
    ledger->last_ms = number_of(doc, "last", MM_TIME_NONE);
}

static void build_in(bson_t *filter, const char *const *ids, size_t n)
{
    bson_t condition, list;
    const char *key;
    char buf[16];

    BSON_APPEND_DOCUMENT_BEGIN(filter, "_id", &condition);
    BSON_APPEND_ARRAY_BEGIN(&condition, "$in", &list);
    for (size_t i = 0; i < n; i++) {
        bson_uint32_to_string((uint32_t)i, &key, buf, sizeof(buf));
        append_id(&list, key, ids[i]);
    }
    bson_append_array_end(&condition, &list);
    bson_append_document_end(filter, &condition);
}

/* Calls fn for each document that the filter finds. */
static apr_status_t find(mm_store_t *store, const bson_t *filter, void (*fn)(void *baton, const bson_t *doc),
                         void *baton, mm_err_t *err)
{
    mongoc_collection_t *collection = meta_of(store);
    mongoc_read_prefs_t *primary = mm_store_primary();
    bson_t opts = BSON_INITIALIZER;
    mongoc_cursor_t *cursor;
    bson_error_t error = {0};
    const bson_t *doc;
    apr_status_t rv = APR_SUCCESS;

    if (!collection) {
        return mm_err_set(err, APR_ENOMEM, "no memory to read the import's ledger");
    }
    BSON_APPEND_INT64(&opts, "maxTimeMS", store->patience_ms);
    cursor = mongoc_collection_find_with_opts(collection, filter, &opts, primary);
    while (mongoc_cursor_next(cursor, &doc)) {
        fn(baton, doc);
    }
    if (mongoc_cursor_error(cursor, &error)) {
        rv = mm_store_fail(err, &error, "Reading the import's ledger from MongoDB");
    }
    mongoc_cursor_destroy(cursor);
    mongoc_read_prefs_destroy(primary);
    bson_destroy(&opts);
    mongoc_collection_destroy(collection);
    return rv;
}

typedef struct longest {
    mm_ledger_t ledger;
    mm_passes_t passes;
    bool ok; /* all of its passes are known */
} longest_t;

static void take_longest(void *baton, const bson_t *doc)
{
    longest_t *longest = baton, found = {.ok = true};

    read_ledger(&found.ledger, doc);
    found.ok = mm_passes_read(&found.passes, doc);
    found.ledger.offset = mm_passes_furthest(&found.passes);
    if (found.ledger.offset > 0 && found.ledger.head > longest->ledger.head) {
        *longest = found;
    }
}

apr_status_t mm_ledger_find(mm_store_t *store, const char *const *ids, size_t n, mm_ledger_t *found,
                            mm_passes_t *passes, mm_err_t *err)
{
    bson_t filter = BSON_INITIALIZER;
    longest_t longest = {.ok = true};
    apr_status_t rv;

    build_in(&filter, ids, n);
    rv = find(store, &filter, take_longest, &longest, err);
    bson_destroy(&filter);
    *found = longest.ledger;
    *passes = longest.passes;
    return rv == APR_SUCCESS && !longest.ok
               ? mm_err_set(err, APR_EINVAL, "the log's document %s%s in MongoDB has more than %d passes", PREFIX,
                            found->id, MM_PASSES_ROOM)
               : rv;
}

/* --- claiming ------------------------------------------------------------------------------------------------------
 */

typedef struct holder {
    apr_pool_t *pool;
    const char *host, *since;
} holder_t;

static void read_holder(void *baton, const bson_t *doc)
{
    holder_t *holder = baton;
    bson_iter_t iter, found;

    if (bson_iter_init(&iter, doc) && bson_iter_find_descendant(&iter, "importer.host", &found)) {
        holder->host = mm_value_show(&found, SHOWN_MAX, holder->pool);
    }
    if (bson_iter_init(&iter, doc) && bson_iter_find_descendant(&iter, "importer.since", &found)) {
        holder->since = mm_value_show(&found, SHOWN_MAX, holder->pool);
    }
}

static apr_status_t tell_holder(mm_store_t *store, const char *id, mm_err_t *err)
{
    bson_t filter = BSON_INITIALIZER;
    holder_t holder = {.pool = NULL};

    if (apr_pool_create(&holder.pool, store->pool) != APR_SUCCESS) {
        return mm_err_set(err, MM_LEDGER_TAKEN, "somebody else imports this log");
    }
    append_id(&filter, "_id", id);
    (void)find(store, &filter, read_holder, &holder, NULL);
    mm_err_set(err, MM_LEDGER_TAKEN,
               "host %s imports this log since %s. If it does not any more, its spool being lost, say --take-over; "
               "what it had counted of its last batch is then counted twice",
               holder.host ? holder.host : "?", holder.since ? holder.since : "?");
    bson_destroy(&filter);
    apr_pool_destroy(holder.pool);
    return MM_LEDGER_TAKEN;
}

/* Nobody's, or ours. */
static void append_free(bson_t *filter, const char *spool_id)
{
    bson_t either, one, exists;

    BSON_APPEND_ARRAY_BEGIN(filter, "$or", &either);
    BSON_APPEND_DOCUMENT_BEGIN(&either, "0", &one);
    BSON_APPEND_DOCUMENT_BEGIN(&one, "importer", &exists);
    BSON_APPEND_BOOL(&exists, "$exists", false);
    bson_append_document_end(&one, &exists);
    bson_append_document_end(&either, &one);
    BSON_APPEND_DOCUMENT_BEGIN(&either, "1", &one);
    mm_value_append_text(&one, "importer.spool", spool_id);
    bson_append_document_end(&either, &one);
    bson_append_array_end(filter, &either);
}

static void append_importer(bson_t *update, const char *spool_id)
{
    char host[HOST_MAX];
    bson_t set, importer;

    if (gethostname(host, sizeof(host)) != 0) {
        host[0] = '\0';
    }
    host[sizeof(host) - 1] = '\0';
    BSON_APPEND_DOCUMENT_BEGIN(update, "$set", &set);
    BSON_APPEND_DOCUMENT_BEGIN(&set, "importer", &importer);
    mm_value_append_text(&importer, "spool", spool_id);
    mm_value_append_text(&importer, "host", host);
    BSON_APPEND_DATE_TIME(&importer, "since", apr_time_as_msec(apr_time_now()));
    bson_append_document_end(&set, &importer);
    bson_append_document_end(update, &set);
}

apr_status_t mm_ledger_claim(mm_store_t *store, const char *id, const char *spool_id, bool take_over, mm_err_t *err)
{
    bson_error_t error = {0};
    apr_status_t rv = APR_SUCCESS;
    change_t change;

    if (!is_id(id)) {
        return mm_err_set(err, APR_EINVAL, "\"%.64s\" is no log's id", id);
    }
    change_begin(&change, store, id);
    if (!take_over) {
        append_free(&change.filter, spool_id);
    }
    append_importer(&change.update, spool_id);
    /* Two that make the document in the same instant: the second finds out at its second try whose it is. */
    for (int tries = 0; tries < 2 && !change_send(&change, true, &error); tries++) {
        if (error.domain != MONGOC_ERROR_SERVER || error.code != CODE_DUPLICATE_KEY) {
            rv = mm_store_fail(err, &error, DOING);
            break;
        }
        rv = tries > 0 ? tell_holder(store, id, err) : APR_SUCCESS;
    }
    change_end(&change);
    return rv;
}

apr_status_t mm_ledger_release(mm_store_t *store, const char *id, const char *spool_id, mm_err_t *err)
{
    bson_error_t error = {0};
    apr_status_t rv;
    change_t change;
    bson_t unset;

    change_begin(&change, store, id);
    mm_value_append_text(&change.filter, "importer.spool", spool_id);
    BSON_APPEND_DOCUMENT_BEGIN(&change.update, "$unset", &unset);
    BSON_APPEND_UTF8(&unset, "importer", "");
    bson_append_document_end(&change.update, &unset);
    rv = change_send(&change, false, &error) ? APR_SUCCESS : mm_store_fail(err, &error, DOING);
    change_end(&change);
    return rv;
}

/* --- writing -------------------------------------------------------------------------------------------------------
 */

static void append_date(bson_t *doc, const char *key, int64_t ms)
{
    if (ms != MM_TIME_NONE) {
        BSON_APPEND_DATE_TIME(doc, key, ms);
    }
}

static void build_put(bson_t *update, const mm_ledger_t *ledger, const mm_passes_t *passes)
{
    bson_t part;

    BSON_APPEND_DOCUMENT_BEGIN(update, "$max", &part);
    BSON_APPEND_INT64(&part, "head", ledger->head);
    mm_passes_append(&part, passes);
    BSON_APPEND_INT64(&part, "lines", ledger->lines);
    BSON_APPEND_INT64(&part, "bad", ledger->bad);
    BSON_APPEND_INT64(&part, "uses", ledger->uses);
    append_date(&part, "last", ledger->last_ms);
    bson_append_document_end(update, &part);
    if (ledger->first_ms != MM_TIME_NONE) {
        BSON_APPEND_DOCUMENT_BEGIN(update, "$min", &part);
        append_date(&part, "first", ledger->first_ms);
        bson_append_document_end(update, &part);
    }
    BSON_APPEND_DOCUMENT_BEGIN(update, "$set", &part);
    mm_value_append_text(&part, "name", ledger->name);
    BSON_APPEND_DATE_TIME(&part, "imported", apr_time_as_msec(apr_time_now()));
    bson_append_document_end(update, &part);
}

apr_status_t mm_ledger_adopt(mm_store_t *store, const mm_ledger_t *ledger, const mm_passes_t *passes, mm_err_t *err)
{
    bson_error_t error = {0};
    apr_status_t rv;
    change_t change;

    if (!is_id(ledger->id)) {
        return mm_err_set(err, APR_EINVAL, "\"%.64s\" is no log's id", ledger->id);
    }
    change_begin(&change, store, ledger->id);
    build_put(&change.update, ledger, passes);
    rv = change_send(&change, true, &error) ? APR_SUCCESS : mm_store_fail(err, &error, DOING);
    change_end(&change);
    return rv;
}

apr_status_t mm_ledger_put(mm_store_t *store, const char *spool_id, const mm_ledger_t *ledger, mm_err_t *err)
{
    const mm_passes_t own = {.pass = {{ledger->offset, ledger->since_ms, ledger->until_ms}}, .n = 1};
    apr_status_t rv = mm_ledger_adopt(store, ledger, &own, err);

    return rv == APR_SUCCESS && ledger->done ? mm_ledger_release(store, ledger->id, spool_id, err) : rv;
}
