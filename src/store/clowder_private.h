/* What the files that read Clowder's documents share, and show to their tests. Not for other rooms. */
#ifndef MM_STORE_CLOWDER_PRIVATE_H
#define MM_STORE_CLOWDER_PRIVATE_H

#include <bson/bson.h>
#include "store/clowder.h"

/* What a document says beyond this many spaces is not heard. */
#define MM_CLOWDER_SPACES_MAX 4096

/* One query. */
typedef struct mm_clowder_query {
    const char *collection;
    const bson_t *filter;
    const char *const *paths; /* what is read */
    size_t n_paths;
    int64_t limit; /* 0: none */
} mm_clowder_query_t;

/* Calls fn for each document that is found. */
typedef void (*mm_clowder_bson_fn)(void *baton, const bson_t *doc);
apr_status_t mm_clowder_query(mm_store_t *store, const mm_clowder_query_t *query, mm_clowder_bson_fn fn, void *baton,
                              mm_err_t *err);

/* Adds {path: {$in: ids}}. */
void mm_clowder_append_in(bson_t *filter, const char *path, const mm_oid_t *ids, size_t n);
/* False where the value at path is no ObjectId. */
bool mm_clowder_oid_at(const bson_t *doc, const char *path, mm_oid_t *oid);
/* The text at path, not terminated; NULL where it is none. */
const char *mm_clowder_text_at(const bson_t *doc, const char *path, size_t *len);
/* Whether that is what stands there. */
bool mm_clowder_is(const bson_t *doc, const char *path, const char *text);

/* Reads what a document says of a resource, its spaces into an array of MM_CLOWDER_SPACES_MAX. False where it has no
 * id. */
bool mm_clowder_parse(mm_clowder_doc_t *parsed, mm_clowder_kind_t kind, mm_oid_t *spaces, const bson_t *doc);
/* Calls fn for each file that a dataset or a folder lists, until it returns false, which is the answer then. Pure. */
bool mm_clowder_each_file(const bson_t *doc, mm_clowder_file_fn fn, void *baton);

/* Reads what a document says of its user, whatever it holds. False where it has no id. Pure. */
bool mm_clowder_parse_user(mm_clowder_user_t *user, const bson_t *doc, apr_pool_t *pool);

#endif
