/* From keys to ids, where the application keeps them apart: a share link and its file, a folder and its files. */
#ifndef MM_VIA_H
#define MM_VIA_H

#include <stdbool.h>
#include "store/store.h"

/* COLLECTION:KEYPATH:IDPATH: documents of COLLECTION that hold the key at KEYPATH hold the ids at IDPATH. */
typedef struct mm_via {
    const char *collection, *key_path, *id_path;
} mm_via_t;

/* APR_EINVAL: a sentence that says what may be written. Needs no database. */
apr_status_t mm_via_parse(mm_via_t *via, const char *text, apr_pool_t *pool, mm_err_t *err);

/* The database answered, but not within the time that a query may take: trying again would not help. */
#define MM_STORE_SLOW (APR_OS_START_USERERR + 108)

/* Calls on_id for each id of each of the n keys (no two alike), in no order, until it returns false. A key is looked
 * for as string, as ObjectId where it is 24 hex digits, and as integer where it is one; ids are text that lives only
 * during the call. An id may come several times. MM_STORE_AWAY: the database does not answer. MM_STORE_SLOW or another
 * failure: this query cannot be answered. */
typedef bool (*mm_via_fn)(void *baton, size_t key, const char *id);
apr_status_t mm_via_lookup(mm_store_t *store, const mm_via_t *via, const char *const *keys, size_t n, mm_via_fn on_id,
                           void *baton, apr_pool_t *pool, mm_err_t *err);

#endif
