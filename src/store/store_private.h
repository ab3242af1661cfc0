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
    int64_t patience_ms; /* what the server may spend on one operation, so that it gives up before our socket does */
};

/* store_uri.c: parses, and fills in what the URI leaves open. The caller destroys the result. */
mongoc_uri_t *mm_store_uri_parse(const char *uri, mm_err_t *err);

/* store_error.c */
bool mm_store_is_away(const bson_error_t *error);
/* What a server's answer to one write means for that write. */
mm_outcome_t mm_store_outcome_of_code(int32_t code);
/* Fills err with "doing: the driver's text" and returns MM_STORE_AWAY or APR_EGENERAL. */
apr_status_t mm_store_fail(mm_err_t *err, const bson_error_t *error, const char *doing);

/* update.c: into two empty documents. seq_path is "seq.SPOOL". */
void mm_update_build(bson_t *filter, bson_t *update, const mm_delta_t *delta, const char *seq_path, int64_t seq);

/* store.c: the collection of a type's totals, NULL when type cannot name one. */
const char *mm_store_totals_name(const mm_store_t *store, const char *type, apr_pool_t *pool);
const char *mm_store_users_name(const mm_store_t *store, apr_pool_t *pool);
/* The caller destroys it. */
mongoc_collection_t *mm_store_collection(const mm_store_t *store, const char *name);

#endif
