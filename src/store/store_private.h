/* What the files of src/store share. Not for other rooms. */
#ifndef MM_STORE_PRIVATE_H
#define MM_STORE_PRIVATE_H

#include <stdbool.h>
#include <mongoc/mongoc.h>
#include "store/store.h"

/* An id or user longer than this never came from an event (MM_EVENT_ID_MAX is a quarter of it) and is neither written
 * nor read. With it, the 1000 updates of one chunk stay far below the 48 MB that a server takes in one message. */
#define MM_STORE_TEXT_MAX 4096

struct mm_store {
    apr_pool_t *pool; /* for scratch sub-pools: the store is one thread's */
    mongoc_client_t *client;
    const char *database;
    const char *prefix;
    bool expects_new;    /* documents are inserted before they are upserted */
    int64_t patience_ms; /* what the server may spend on one operation, so that it gives up before our socket does */
};

/* store_uri.c: parses, and fills in what the URI leaves open. The caller destroys the result. */
mongoc_uri_t *mm_store_uri_parse(const char *uri, mm_err_t *err);

/* store_error.c */
bool mm_store_is_away(const bson_error_t *error);
/* Whether the server itself says that the time it was given was too short. */
bool mm_store_is_slow(const bson_error_t *error);
/* What a server's refusal of one write means for that write: MM_RETRY, MM_RETRY_ONE or MM_REJECTED. */
mm_outcome_t mm_store_outcome_of_code(int32_t code);
/* Fills err with "doing: the driver's text" and returns MM_STORE_AWAY or APR_EGENERAL. */
apr_status_t mm_store_fail(mm_err_t *err, const bson_error_t *error, const char *doing);

/* update.c: into two empty documents. seq_path is "seq.SPOOL". */
void mm_update_build(bson_t *filter, bson_t *update, const mm_delta_t *delta, const char *seq_path, int64_t seq);
/* insert.c: the document that this update, as an upsert with this filter, would insert. Into an empty one. */
void mm_insert_build(bson_t *doc, const bson_t *filter, const bson_t *update);
/* The collection that a delta belongs to; NULL when it is none that could have come out of an event. */
const char *mm_update_collection(const mm_store_t *store, const mm_delta_t *delta, apr_pool_t *pool);
/* The text of the _id of a delta's document. */
const char *mm_update_id(const mm_delta_t *delta, apr_pool_t *pool);

/* reply.c: what the driver's reply to a bulk of updates says. */
typedef enum mm_duplicate {
    MM_DUPLICATE_UNTOLD, /* the server does not say which index refuses */
    MM_DUPLICATE_ID,     /* that of _id */
    MM_DUPLICATE_OTHER
} mm_duplicate_t;
typedef struct mm_write_error {
    int64_t index; /* -1: not told */
    int32_t code;
    mm_duplicate_t duplicate; /* for a duplicate key */
    const char *text;         /* points into the reply */
} mm_write_error_t;
bool mm_reply_array(const bson_t *reply, const char *key, bson_iter_t *elements);
int64_t mm_reply_int(const bson_t *reply, const char *key);
/* The next element of writeErrors; false behind the last. */
bool mm_reply_next_error(bson_iter_t *elements, mm_write_error_t *found);

/* fence.c: reads which batch of this spool the documents of deltas[at[0 … n-1]] have taken last, into seqs[0 … n-1]; 0
 * where there is no number, MM_FENCE_ABSENT where there is no document. seq_path is "seq.SPOOL". */
#define MM_FENCE_ABSENT (-1)
bool mm_fence_read(const mm_store_t *store, mongoc_collection_t *collection, const mm_delta_t *deltas, const size_t *at,
                   size_t n, const char *seq_path, int64_t *seqs, apr_pool_t *pool, bson_error_t *error);

/* retract.c */
typedef struct mm_retract {
    mm_store_t *store;
    mongoc_collection_t *collection;
    const char *seq_path; /* "seq.SPOOL" */
    int64_t seq;
    apr_pool_t *pool;
} mm_retract_t;
/* Of deltas[at[0 … *n-1]], all of one collection and of outcome MM_RETRY, those that take something back from a
 * document that is not there become what they add to it. Those that add nothing are applied, and go from at. False: the
 * database did not answer. */
bool mm_retract(const mm_retract_t *what, mm_delta_t *deltas, mm_outcome_t *outcomes, size_t *at, size_t *n,
                bson_error_t *error);

/* claim.c: an id becomes a field's name, so it must not hold a dot or a dollar. */
bool mm_store_is_spool_id(const char *id);

/* store.c: majority and journal, into opts. */
void mm_store_append_concern(const mm_store_t *store, bson_t *opts);
/* The caller destroys it. Whatever the URI prefers: what was just written is read where it was written. */
mongoc_read_prefs_t *mm_store_primary(void);
/* store.c: the collection of a type's totals, NULL when type cannot name one. */
const char *mm_store_totals_name(const mm_store_t *store, const char *type, apr_pool_t *pool);
const char *mm_store_days_name(const mm_store_t *store, apr_pool_t *pool);
const char *mm_store_users_name(const mm_store_t *store, apr_pool_t *pool);
const char *mm_store_meta_name(const mm_store_t *store, apr_pool_t *pool);
/* The caller destroys it. */
mongoc_collection_t *mm_store_collection(const mm_store_t *store, const char *name);

#endif
