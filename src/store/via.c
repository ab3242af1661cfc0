/* One query for each MM_CATALOG_QUERY_MAX keys. Documents are the application's: a key or an id of a type that can be
 * none is passed over. How much is collected is for the caller to bound; time is bounded by the server.
 */
#include "store/via.h"

#include <string.h>
#include <apr_strings.h>
#include "store/catalog_private.h"
#include "store/store_private.h"

apr_status_t mm_via_parse(mm_via_t *via, const char *text, apr_pool_t *pool, mm_err_t *err)
{
    char *collection = apr_pstrdup(pool, text), *key = strchr(collection, ':'), *id = key ? strchr(key + 1, ':') : NULL;
    apr_status_t rv;

    if (!id || strchr(id + 1, ':')) {
        return mm_err_set(err, APR_EINVAL, "via=%.80s should be via=COLLECTION:KEYPATH:IDPATH", text);
    }
    *key++ = *id++ = '\0';
    rv = mm_catalog_check_collection(collection, err);
    if (rv == APR_SUCCESS) {
        rv = mm_catalog_check_path(key, text, err);
    }
    if (rv == APR_SUCCESS) {
        rv = mm_catalog_check_path(id, text, err);
    }
    if (rv == APR_SUCCESS) {
        *via = (mm_via_t){collection, key, id};
    }
    return rv;
}

typedef struct lookup {
    const mm_via_t *via;
    const mm_idset_t *asked;
    mm_via_fn on_id;
    void *baton;
    const bson_t *doc;
    size_t key; /* whose ids are being read */
    bool go_on;
} lookup_t;

static bool give_id(void *baton, const bson_iter_t *value)
{
    lookup_t *lookup = baton;
    char id[MM_VALUE_ID_SIZE];

    if (mm_value_id(value, id) && id[0] != '\0') {
        lookup->go_on = lookup->on_id(lookup->baton, lookup->key, id);
    }
    return lookup->go_on;
}

static void give_key(void *baton, size_t at)
{
    lookup_t *lookup = baton;

    lookup->key = at;
    if (lookup->go_on) {
        mm_value_walk(lookup->doc, lookup->via->id_path, give_id, lookup);
    }
}

static bool match_key(void *baton, const bson_iter_t *value)
{
    lookup_t *lookup = baton;
    char key[MM_VALUE_ID_SIZE];

    if (mm_value_id(value, key)) {
        mm_idset_find(lookup->asked, key, give_key, lookup);
    }
    return lookup->go_on;
}

static bool on_document(void *baton, const bson_t *doc)
{
    lookup_t *lookup = baton;

    lookup->doc = doc;
    mm_value_walk(doc, lookup->via->key_path, match_key, lookup);
    return lookup->go_on;
}

apr_status_t mm_via_lookup(mm_store_t *store, const mm_via_t *via, const char *const *keys, size_t n, mm_via_fn on_id,
                           void *baton, apr_pool_t *pool, mm_err_t *err)
{
    lookup_t lookup = {
        .via = via, .asked = mm_idset_make(keys, n, pool), .on_id = on_id, .baton = baton, .go_on = true};
    bool too_slow = false;
    mm_catalog_query_t query = {.collection = via->collection,
                                .path = via->key_path,
                                .ids = keys,
                                .n = n,
                                .too_slow = &too_slow,
                                .on_document = on_document,
                                .baton = &lookup};
    apr_status_t rv;

    mm_catalog_want(&query, via->id_path);
    rv = mm_catalog_query(store, &query, pool, err);
    if (rv == MM_STORE_AWAY && too_slow) {
        rv = MM_STORE_SLOW;
        if (err) {
            err->status = rv;
        }
    }
    return rv;
}
