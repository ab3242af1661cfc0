/* Every resource of a type that the application knows, used or not: a cursor over its own documents. */
#ifndef MM_CATALOG_WALK_H
#define MM_CATALOG_WALK_H

#include <stdbool.h>
#include "store/catalog.h"

/* Which. What it points to must live as long as the walk. */
typedef struct mm_catalog_walk_query {
    const char *type;
    const char *const *ids; /* of these n_ids only; NULL: all */
    size_t n_ids;
    int64_t created_before_ms; /* only what was made before, or nobody knows when; MM_TIME_NONE: all */
    bool backwards;            /* the same order from its end */
} mm_catalog_walk_query_t;

typedef struct mm_catalog_walk mm_catalog_walk_t;

/* In the order of the documents' _id, which every collection has an index of: no sort, whatever their number. Nothing
 * is sent before the first mm_catalog_walk_next; pool's end closes the cursor. Of a type without a catalogue there are
 * none. */
apr_status_t mm_catalog_walk_open(mm_catalog_walk_t **walk, mm_store_t *store, const apr_array_header_t *catalogs,
                                  const mm_catalog_walk_query_t *query, apr_pool_t *pool, mm_err_t *err);

/* Looks at up to max documents and puts the ids of those that are asked for into ids, their texts in pool: *n of them,
 * which may be 0 before the end. Of a document with several ids it is the first one, of one without there is none. */
apr_status_t mm_catalog_walk_next(mm_catalog_walk_t *walk, const char **ids, size_t max, size_t *n, bool *ended,
                                  apr_pool_t *pool, mm_err_t *err);

#endif
