/* The keys of events become ids, by the application's documents: many at once, one query for each kind of key. */
#ifndef MM_KEYS_H
#define MM_KEYS_H

#include <apr_hash.h>
#include <apr_tables.h>
#include "event/event.h"
#include "store/via.h"

/* Ids that one key may lead to, and all keys of one look-up together; more are left out. At Clowder's 24 digits the
 * latter are some 10 MB. */
#define MM_KEYS_IDS_MAX 10000
#define MM_KEYS_ALL_MAX 100000

typedef struct mm_keys {
    apr_pool_t *pool;
    apr_hash_t *kinds;         /* via -> its keys */
    apr_array_header_t *order; /* of the same, as they came */
    size_t ids;
    bool cut;      /* ids were left out */
    int64_t unfit; /* ids that no event can have (MM_EVENT_ID_MAX): they are left out */
} mm_keys_t;

/* Memory is pool's. */
void mm_keys_init(mm_keys_t *keys, apr_pool_t *pool);

/* Notes the key, or the list of them, of an event that has via. */
void mm_keys_add(mm_keys_t *keys, const mm_event_t *event);

/* Looks up all that were noted. MM_STORE_AWAY: nothing is known, begin again. Any other failure: of some keys nothing
 * will be known. */
apr_status_t mm_keys_lookup(mm_keys_t *keys, mm_store_t *store, mm_err_t *err);

/* How many ids they are at most, without a look at which. */
int64_t mm_keys_count(const mm_keys_t *keys, const mm_event_t *event);

/* The ids of an event's keys, each once, at most MM_KEYS_IDS_MAX; none where no key is known. *failed: it could not be
 * looked up. The array is pool's. */
const apr_array_header_t *mm_keys_ids(mm_keys_t *keys, const mm_event_t *event, bool *failed,
                                      apr_pool_t *pool); /* of const char * */

#endif
