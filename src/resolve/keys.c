/* Keys are noted once however many events bring them, and asked for together. Nothing is kept for the next time: a
 * folder changes, and a batch of look-ups by an index is cheap. One thread.
 */
#include "resolve/keys.h"

#include <string.h>
#include <apr_strings.h>
#include "event/id_list.h"

typedef struct entry {
    const char *text;
    apr_array_header_t *ids; /* of const char *; NULL: none */
    apr_hash_t *seen;
} entry_t;

typedef struct kind {
    const char *via;
    apr_hash_t *by_text;
    apr_array_header_t *list; /* of entry_t * */
    bool failed;
} kind_t;

void mm_keys_init(mm_keys_t *keys, apr_pool_t *pool)
{
    *keys = (mm_keys_t){.pool = pool, .kinds = apr_hash_make(pool), .order = apr_array_make(pool, 4, sizeof(kind_t *))};
}

static kind_t *kind_of(mm_keys_t *keys, mm_bytes_t via)
{
    kind_t *kind = apr_hash_get(keys->kinds, via.data, (apr_ssize_t)via.len);

    if (!kind) {
        kind = apr_pcalloc(keys->pool, sizeof(*kind));
        kind->via = apr_pstrmemdup(keys->pool, via.data, via.len);
        kind->by_text = apr_hash_make(keys->pool);
        kind->list = apr_array_make(keys->pool, 64, sizeof(entry_t *));
        apr_hash_set(keys->kinds, kind->via, (apr_ssize_t)via.len, kind);
        APR_ARRAY_PUSH(keys->order, kind_t *) = kind;
    }
    return kind;
}

void mm_keys_add(mm_keys_t *keys, const mm_event_t *event)
{
    kind_t *kind = kind_of(keys, event->via);
    mm_bytes_t text;

    for (size_t at = 0; mm_id_list_next(event, &at, &text);) {
        entry_t *key = apr_hash_get(kind->by_text, text.data, (apr_ssize_t)text.len);

        if (!key) {
            key = apr_pcalloc(keys->pool, sizeof(*key));
            key->text = apr_pstrmemdup(keys->pool, text.data, text.len);
            apr_hash_set(kind->by_text, key->text, (apr_ssize_t)text.len, key);
            APR_ARRAY_PUSH(kind->list, entry_t *) = key;
        }
    }
}

typedef struct looking {
    mm_keys_t *keys;
    kind_t *kind;
} looking_t;

static bool on_id(void *baton, size_t at, const char *id)
{
    looking_t *looking = baton;
    mm_keys_t *keys = looking->keys;
    entry_t *key = APR_ARRAY_IDX(looking->kind->list, at, entry_t *);

    if (id[0] == '\0' || strlen(id) > MM_EVENT_ID_MAX) {
        keys->unfit++;
        return true;
    }
    if (!key->ids) {
        key->ids = apr_array_make(keys->pool, 1, sizeof(const char *));
        key->seen = apr_hash_make(keys->pool);
    }
    if (apr_hash_get(key->seen, id, APR_HASH_KEY_STRING)) {
        return true;
    }
    if (key->ids->nelts >= MM_KEYS_IDS_MAX || keys->ids >= MM_KEYS_ALL_MAX) {
        keys->cut = true;
        return keys->ids < MM_KEYS_ALL_MAX;
    }
    id = apr_pstrdup(keys->pool, id);
    apr_hash_set(key->seen, id, APR_HASH_KEY_STRING, id);
    APR_ARRAY_PUSH(key->ids, const char *) = id;
    keys->ids++;
    return true;
}

static apr_status_t look_up(mm_keys_t *keys, kind_t *kind, mm_store_t *store, mm_err_t *err)
{
    looking_t looking = {keys, kind};
    size_t n = (size_t)kind->list->nelts;
    const char **texts = apr_palloc(keys->pool, n * sizeof(*texts));
    mm_via_t via;
    apr_status_t rv = mm_via_parse(&via, kind->via, keys->pool, err);

    for (size_t i = 0; i < n; i++) {
        texts[i] = APR_ARRAY_IDX(kind->list, i, const entry_t *)->text;
    }
    return rv == APR_SUCCESS ? mm_via_lookup(store, &via, texts, n, on_id, &looking, keys->pool, err) : rv;
}

apr_status_t mm_keys_lookup(mm_keys_t *keys, mm_store_t *store, mm_err_t *err)
{
    apr_status_t result = APR_SUCCESS;

    for (int i = 0; i < keys->order->nelts && result != MM_STORE_AWAY; i++) {
        kind_t *kind = APR_ARRAY_IDX(keys->order, i, kind_t *);
        mm_err_t why;
        apr_status_t rv = look_up(keys, kind, store, &why);

        kind->failed = rv != APR_SUCCESS;
        if (rv == MM_STORE_AWAY || (rv != APR_SUCCESS && result == APR_SUCCESS)) {
            result = mm_err_set(err, rv, "via=%s: %s", kind->via, why.text);
        }
    }
    return result;
}

int64_t mm_keys_count(const mm_keys_t *keys, const mm_event_t *event)
{
    const kind_t *kind = apr_hash_get(keys->kinds, event->via.data, (apr_ssize_t)event->via.len);
    mm_bytes_t text;
    int64_t n = 0;

    for (size_t at = 0; kind && mm_id_list_next(event, &at, &text);) {
        const entry_t *key = apr_hash_get(kind->by_text, text.data, (apr_ssize_t)text.len);

        n += key && key->ids ? key->ids->nelts : 0;
    }
    return n < MM_KEYS_IDS_MAX ? n : MM_KEYS_IDS_MAX;
}

/* Those of one more key of an event. */
static void add_ids(mm_keys_t *keys, apr_array_header_t *ids, apr_hash_t *seen, const entry_t *key)
{
    for (int i = 0; key->ids && i < key->ids->nelts; i++) {
        const char *id = APR_ARRAY_IDX(key->ids, i, const char *);

        if (apr_hash_get(seen, id, APR_HASH_KEY_STRING)) {
            continue;
        }
        if (ids->nelts >= MM_KEYS_IDS_MAX) {
            keys->cut = true;
            return;
        }
        apr_hash_set(seen, id, APR_HASH_KEY_STRING, id);
        APR_ARRAY_PUSH(ids, const char *) = id;
    }
}

const apr_array_header_t *mm_keys_ids(mm_keys_t *keys, const mm_event_t *event, bool *failed, apr_pool_t *pool)
{
    const kind_t *kind = apr_hash_get(keys->kinds, event->via.data, (apr_ssize_t)event->via.len);
    apr_array_header_t *ids = apr_array_make(pool, 4, sizeof(const char *));
    apr_hash_t *seen = apr_hash_make(pool);
    mm_bytes_t text;

    *failed = kind && kind->failed;
    for (size_t at = 0; kind && mm_id_list_next(event, &at, &text);) {
        const entry_t *key = apr_hash_get(kind->by_text, text.data, (apr_ssize_t)text.len);

        if (key) {
            add_ids(keys, ids, seen, key);
        }
    }
    return ids;
}
