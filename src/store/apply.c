/* Batches in: each delta becomes one upsert that its document takes at most once.
 *
 * The fence. A document remembers in seq.SPOOL the number of the last batch of that spool it has taken. The update asks
 * for {_id: X, seq.SPOOL: not >= n} ("not >=" and not "<", which would pass over a document that has no number yet):
 *   - the document is there and has not taken batch n: matched, applied;
 *   - it is not there: inserted, with the counts;
 *   - it is there and has taken batch n: nothing matches, the server tries to insert, and the _id refuses (11000).
 * 11000 also answers when another host inserted the document between our look and our insert. The same update is then
 * sent again without upsert, and the number that the documents have afterwards is read: n, then it is applied, now or
 * before; less or none, then something else refused it; more, then a later batch of this spool was applied before this
 * one, which only somebody else can have done who gives out the same numbers.
 *
 * Where documents are mostly new (an import of years that were not counted yet) they are inserted first, as the upsert
 * would have made them, and only those whose _id is there already go the way above: servers insert a batch many times
 * as fast as they upsert it (measured: 46,000 a second against 1,600 with secantusd-rs).
 *
 * A delta may take uses back (retract.c).
 *
 * Every answer that leaves a doubt is MM_RETRY; applying again is free of harm.
 */
#include "store/store_private.h"

#include <inttypes.h>
#include <string.h>
#include <apr_strings.h>

#define CODE_DUPLICATE_KEY 11000
/* A little less than the column limit of a log line. */
#define SHOWN_ID_MAX 200

typedef struct apply {
    mm_store_t *store;
    const char *seq_path; /* "seq.SPOOL" */
    int64_t seq;
    mm_delta_t *deltas; /* a copy */
    mm_outcome_t *outcomes;
    apr_pool_t *pool;
    mm_err_t retry, rejected; /* the first reason of each kind */
} apply_t;

/* Some of the deltas, by their index. */
typedef struct selection {
    size_t *at;
    size_t n;
} selection_t;

static void note(mm_err_t *first, apr_status_t status, const char *text)
{
    if (first->status == APR_SUCCESS) {
        mm_err_set(first, status, "%s", text);
    }
}

static void reject(apply_t *apply, size_t i, mm_outcome_t outcome, const char *why)
{
    const mm_delta_t *delta = &apply->deltas[i];

    apply->outcomes[i] = outcome;
    note(&apply->rejected, APR_EINVAL,
         apr_psprintf(apply->pool, "The counts of %s \"%.*s\" cannot be stored: %s", delta->type ? delta->type : "?",
                      SHOWN_ID_MAX, delta->id ? delta->id : "", why));
}

/* How deltas are sent. */
typedef enum manner {
    INSERT, /* those whose _id is there are to be upserted */
    UPSERT, /* those that met their own _id are to be updated */
    UPDATE
} manner_t;

static bool add_update(mongoc_bulk_operation_t *bulk, apply_t *apply, size_t i, manner_t manner)
{
    bson_t filter = BSON_INITIALIZER, update = BSON_INITIALIZER, opts = BSON_INITIALIZER, doc = BSON_INITIALIZER;
    bson_error_t error = {0};
    bool added;

    mm_update_build(&filter, &update, &apply->deltas[i], apply->seq_path, apply->seq);
    if (manner == INSERT) {
        mm_insert_build(&doc, &filter, &update);
        added = mongoc_bulk_operation_insert_with_opts(bulk, &doc, NULL, &error);
    }
    else {
        BSON_APPEND_BOOL(&opts, "upsert", manner == UPSERT);
        added = mongoc_bulk_operation_update_one_with_opts(bulk, &filter, &update, &opts, &error);
    }
    if (!added) {
        reject(apply, i, MM_UNSTORABLE, error.message);
    }
    bson_destroy(&doc);
    bson_destroy(&opts);
    bson_destroy(&update);
    bson_destroy(&filter);
    return added;
}

/* Unordered, and acknowledged only when a majority has it in its journal. */
static mongoc_bulk_operation_t *new_bulk(const apply_t *apply, mongoc_collection_t *collection)
{
    mongoc_bulk_operation_t *bulk;
    bson_t opts = BSON_INITIALIZER;

    mm_store_append_concern(apply->store, &opts);
    BSON_APPEND_BOOL(&opts, "ordered", false);
    bulk = mongoc_collection_create_bulk_operation_with_opts(collection, &opts);
    bson_destroy(&opts);
    return bulk;
}

/* One update that the server refused. */
static void judge_error(apply_t *apply, size_t i, const mm_write_error_t *found)
{
    mm_outcome_t outcome = mm_store_outcome_of_code(found->code);
    const char *why = apr_psprintf(apply->pool, "%s (code %d)", found->text, found->code);

    if (found->code == CODE_DUPLICATE_KEY && found->duplicate != MM_DUPLICATE_OTHER) {
        outcome = MM_RETRY_ONE; /* of an update that inserts nothing */
    }
    if (outcome == MM_REJECTED) {
        reject(apply, i, outcome, why);
        return;
    }
    apply->outcomes[i] = outcome;
    note(&apply->retry, APR_EGENERAL, why);
}

/* Reads what became of the single updates. Returns how many the reply names as failed; those whose _id may have been
 * there already go into again, if that is not NULL. */
static size_t judge_errors(apply_t *apply, const selection_t *sent, const bson_t *reply, selection_t *again)
{
    bson_iter_t elements;
    mm_write_error_t found;
    size_t named = 0;

    if (!mm_reply_array(reply, "writeErrors", &elements)) {
        return 0;
    }
    while (mm_reply_next_error(&elements, &found)) {
        size_t i;

        if (found.index < 0 || (size_t)found.index >= sent->n) {
            continue;
        }
        i = sent->at[found.index];
        named++;
        if (found.code == CODE_DUPLICATE_KEY && found.duplicate != MM_DUPLICATE_OTHER && again && again->n < sent->n) {
            apply->outcomes[i] = MM_RETRY;
            again->at[again->n++] = i;
        }
        else {
            judge_error(apply, i, &found);
        }
    }
    return named;
}

/* Whether the server took all of the updates that it does not name as failed, for good. */
static bool is_durable(const bson_t *reply, bool ok, bool upsert, size_t sent, size_t named)
{
    size_t seen = named + (size_t)(mm_reply_int(reply, "nMatched") + mm_reply_int(reply, "nUpserted") +
                                   mm_reply_int(reply, "nInserted"));
    bson_iter_t concern;

    if (mm_reply_array(reply, "writeConcernErrors", &concern) && bson_iter_next(&concern)) {
        return false;
    }
    /* An insert inserts or fails, an upsert matches, inserts or fails: the sum tells whether all were heard of. Without
     * upsert it does not. */
    return upsert ? seen == sent : ok;
}

/* Nothing is known of those that were not named as failed. */
static void doubt(apply_t *apply, const selection_t *sent, const bson_error_t *error)
{
    mm_err_t err;
    size_t i;

    for (i = 0; i < sent->n; i++) {
        if (apply->outcomes[sent->at[i]] == MM_APPLIED) {
            apply->outcomes[sent->at[i]] = MM_RETRY;
        }
    }
    mm_store_fail(&err, error, "Writing counts to MongoDB");
    note(&apply->retry, err.status, err.text);
}

/* Gives each update that was sent its outcome. Returns false when the answer says nothing about them. */
static bool judge(apply_t *apply, const selection_t *sent, bool ok, const bson_t *reply, const bson_error_t *error,
                  selection_t *again)
{
    size_t i, named;

    for (i = 0; i < sent->n; i++) {
        apply->outcomes[sent->at[i]] = MM_APPLIED;
    }
    named = judge_errors(apply, sent, reply, again);
    if (is_durable(reply, ok, again != NULL, sent->n, named)) {
        return true;
    }
    doubt(apply, sent, error);
    return named > 0;
}

/* Sends the selected deltas. Those that met their own _id go into again, which is NULL for an update only. Returns
 * false when nothing was heard of them: they are MM_RETRY then. */
static bool send_updates(apply_t *apply, mongoc_collection_t *collection, manner_t manner, const selection_t *selected,
                         selection_t *again)
{
    mongoc_bulk_operation_t *bulk = new_bulk(apply, collection);
    selection_t sent = {apr_palloc(apply->pool, sizeof(size_t) * selected->n), 0};
    bson_error_t error = {0};
    bson_t reply;
    size_t i;
    bool ok, heard = true;

    for (i = 0; i < selected->n; i++) {
        if (add_update(bulk, apply, selected->at[i], manner)) {
            sent.at[sent.n++] = selected->at[i];
        }
    }
    if (sent.n > 0) {
        ok = mongoc_bulk_operation_execute(bulk, &reply, &error) != 0;
        heard = judge(apply, &sent, ok, &reply, &error, again);
        bson_destroy(&reply);
    }
    mongoc_bulk_operation_destroy(bulk);
    return heard;
}

/* What an update without upsert did not find, it did not change; and that may have more than one reason. */
static void judge_seq(apply_t *apply, size_t i, int64_t seq)
{
    const mm_delta_t *delta = &apply->deltas[i];

    if (seq == apply->seq) {
        return;
    }
    apply->outcomes[i] = seq > apply->seq ? MM_RETRY : MM_RETRY_ONE;
    if (seq > apply->seq) {
        /* whatever else is wrong, this is what must be known */
        mm_err_set(&apply->retry, MM_STORE_FOREIGN,
                   "%s \"%.*s\" has taken batch %" PRId64 " of this spool, so it takes no batch %" PRId64 " any more",
                   delta->type, SHOWN_ID_MAX, delta->id, seq, apply->seq);
        return;
    }
    note(&apply->retry, APR_EGENERAL,
         apr_psprintf(apply->pool,
                      "%s \"%.*s\" cannot be inserted because of a duplicate key (code 11000), and not of its own: is "
                      "there another unique index?",
                      delta->type, SHOWN_ID_MAX, delta->id));
}

/* Whether those that met their own _id really have this batch. */
static bool confirm(apply_t *apply, mongoc_collection_t *collection, const selection_t *again)
{
    int64_t *seqs = apr_palloc(apply->pool, sizeof(*seqs) * again->n);
    bson_error_t error = {0};
    size_t i;

    if (!mm_fence_read(apply->store, collection, apply->deltas, again->at, again->n, apply->seq_path, seqs, apply->pool,
                       &error)) {
        doubt(apply, again, &error);
        return false;
    }
    for (i = 0; i < again->n; i++) {
        if (apply->outcomes[again->at[i]] == MM_APPLIED) {
            judge_seq(apply, again->at[i], seqs[i]);
        }
    }
    return true;
}

/* What takes something back from a document that is not there becomes less, or nothing. */
static bool retract(apply_t *apply, mongoc_collection_t *collection, const selection_t **selected)
{
    selection_t *left = apr_pmemdup(apply->pool, *selected, sizeof(*left));
    const mm_retract_t what = {apply->store, collection, apply->seq_path, apply->seq, apply->pool};
    bson_error_t error = {0};

    if (!mm_retract(&what, apply->deltas, apply->outcomes, left->at, &left->n, &error)) {
        doubt(apply, *selected, &error);
        return false;
    }
    *selected = left;
    return true;
}

static bool apply_collection(apply_t *apply, const char *name, const selection_t *selected)
{
    mongoc_collection_t *collection = mm_store_collection(apply->store, name);
    selection_t known = {apr_palloc(apply->pool, sizeof(size_t) * selected->n), 0};
    selection_t again = {apr_palloc(apply->pool, sizeof(size_t) * selected->n), 0};
    bool heard = retract(apply, collection, &selected);

    if (heard && apply->store->expects_new) {
        heard = send_updates(apply, collection, INSERT, selected, &known);
        selected = &known;
    }
    if (heard && selected->n > 0) {
        heard = send_updates(apply, collection, UPSERT, selected, &again);
    }
    if (heard && again.n > 0) {
        heard = send_updates(apply, collection, UPDATE, &again, NULL) && confirm(apply, collection, &again);
    }
    mongoc_collection_destroy(collection);
    return heard;
}

/* One bulk for each collection. The first that gets no answer ends it: the rest would only wait for time-outs. */
static void apply_all(apply_t *apply, size_t n)
{
    const char **names = apr_pcalloc(apply->pool, sizeof(*names) * n);
    selection_t selected = {apr_palloc(apply->pool, sizeof(size_t) * n), 0};
    size_t i, j;

    for (i = 0; i < n; i++) {
        apply->outcomes[i] = MM_RETRY;
        names[i] = mm_update_collection(apply->store, &apply->deltas[i], apply->pool);
        if (!names[i]) {
            reject(apply, i, MM_UNSTORABLE, "its type, id or user is none that an event can have");
        }
    }
    for (i = 0; i < n; i++) {
        const char *name = names[i];

        if (!name) {
            continue;
        }
        selected.n = 0;
        for (j = i; j < n; j++) {
            if (names[j] && strcmp(names[j], name) == 0) {
                selected.at[selected.n++] = j;
                names[j] = NULL;
            }
        }
        if (!apply_collection(apply, name, &selected)) {
            return;
        }
    }
}

static mm_outcome_t worst_of(const mm_outcome_t *outcomes, size_t n)
{
    mm_outcome_t worst = MM_APPLIED;
    size_t i;

    for (i = 0; i < n && worst != MM_RETRY; i++) {
        if (outcomes[i] == MM_RETRY || outcomes[i] == MM_RETRY_ONE) {
            worst = MM_RETRY;
        }
        else if (outcomes[i] != MM_APPLIED) {
            worst = MM_REJECTED;
        }
    }
    return worst;
}

mm_outcome_t mm_store_apply(mm_store_t *store, const char *spool_id, int64_t seq, const mm_delta_t *deltas, size_t n,
                            mm_outcome_t *outcomes, mm_err_t *err)
{
    apply_t apply = {.store = store, .seq = seq, .outcomes = outcomes};
    mm_outcome_t worst;
    size_t i;

    for (i = 0; i < n; i++) {
        outcomes[i] = MM_RETRY;
    }
    if (!mm_store_is_spool_id(spool_id) || seq < 1) {
        mm_err_set(err, APR_EINVAL, "Nothing was written: \"%.32s\" %" PRId64 " is no spool id and batch number",
                   spool_id ? spool_id : "", seq);
        return MM_RETRY;
    }
    if (apr_pool_create(&apply.pool, store->pool) != APR_SUCCESS) {
        mm_err_set(err, APR_ENOMEM, "Nothing was written: out of memory");
        return MM_RETRY;
    }
    apply.deltas = apr_pmemdup(apply.pool, deltas, sizeof(*deltas) * n);
    apply.seq_path = apr_pstrcat(apply.pool, "seq.", spool_id, NULL);
    apply_all(&apply, n);
    worst = worst_of(outcomes, n);
    if (worst == MM_RETRY) {
        mm_err_set(err, apply.retry.status, "%s", apply.retry.text);
    }
    else if (worst == MM_REJECTED) {
        mm_err_set(err, apply.rejected.status, "%s", apply.rejected.text);
    }
    apr_pool_destroy(apply.pool);
    return worst;
}
