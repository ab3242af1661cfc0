/* Aggregation: one entry per document, found by a hash over (kind, type, id, user), kept in the order of their first
 * event.
 *
 * The key is those four joined by NUL, which none of them holds, so two documents never share a key. The deltas'
 * strings point into the key of their entry. All memory is one sub-pool, cleared by a reset. apr_hash seeds itself at
 * random, so ids chosen by a visitor do not collide on purpose.
 */
#include "count/count.h"

#include <string.h>
#include <apr_hash.h>

/* kind, then type, id and user, each with its NUL. */
#define KEY_MAX (1 + MM_EVENT_TYPE_MAX + 1 + MM_EVENT_ID_MAX + 1 + MM_EVENT_USER_MAX + 1)

typedef struct entry {
    mm_delta_t delta;
    struct entry *next;
    char key[];
} entry_t;

struct mm_count {
    mm_policy_t policy;
    apr_pool_t *pool; /* holds the entries and the hash, cleared by reset */
    apr_hash_t *entries;
    entry_t *first;
    entry_t **last; /* where the next entry is linked in */
    size_t n;
};

mm_count_t *mm_count_create(const mm_policy_t *policy, apr_pool_t *parent)
{
    mm_count_t *count = apr_pcalloc(parent, sizeof(*count));

    count->policy = *policy;
    apr_pool_create(&count->pool, parent);
    apr_pool_tag(count->pool, "mm_count");
    mm_count_reset(count);
    return count;
}

void mm_count_reset(mm_count_t *count)
{
    apr_pool_clear(count->pool);
    count->entries = apr_hash_make(count->pool);
    count->first = NULL;
    count->last = &count->first;
    count->n = 0;
}

bool mm_count_full(const mm_count_t *count)
{
    return count->n + MM_COUNT_DELTAS_PER_EVENT > MM_COUNT_DELTAS_MAX;
}

size_t mm_count_deltas(const mm_count_t *count)
{
    return count->n;
}

void mm_count_each(const mm_count_t *count, void (*fn)(void *baton, const mm_delta_t *delta), void *baton)
{
    for (const entry_t *entry = count->first; entry != NULL; entry = entry->next) {
        fn(baton, &entry->delta);
    }
}

static char *key_part(char *to, const mm_bytes_t *part)
{
    if (part->len > 0) {
        memcpy(to, part->data, part->len);
    }
    to[part->len] = '\0';
    return to + part->len + 1;
}

static entry_t *entry_add(mm_count_t *count, mm_delta_kind_t kind, const char *key, size_t len, const mm_event_t *event)
{
    entry_t *entry = apr_pcalloc(count->pool, sizeof(*entry) + len);
    mm_delta_t *delta = &entry->delta;

    memcpy(entry->key, key, len);
    delta->kind = kind;
    delta->type = entry->key + 1;
    delta->id = delta->type + event->type.len + 1;
    delta->user = kind == MM_DELTA_USER ? delta->id + event->id.len + 1 : NULL;
    delta->last_viewed_ms = MM_TIME_NONE;
    delta->last_downloaded_ms = MM_TIME_NONE;
    delta->first_seen_ms = MM_TIME_NONE;
    apr_hash_set(count->entries, entry->key, (apr_ssize_t)len, entry);
    *count->last = entry;
    count->last = &entry->next;
    count->n++;
    return entry;
}

static mm_delta_t *delta_for(mm_count_t *count, mm_delta_kind_t kind, const mm_event_t *event)
{
    char key[KEY_MAX];
    char *end = key;
    entry_t *entry;

    *end++ = (char)kind;
    end = key_part(end, &event->type);
    end = key_part(end, &event->id);
    if (kind == MM_DELTA_USER) {
        end = key_part(end, &event->user);
    }
    entry = apr_hash_get(count->entries, key, end - key);
    if (entry == NULL) {
        entry = entry_add(count, kind, key, (size_t)(end - key), event);
    }
    return &entry->delta;
}

static void delta_add(mm_delta_t *delta, const mm_event_t *event, mm_class_t class)
{
    bool view = event->action == MM_ACTION_VIEW;
    int64_t machine = class == MM_CLASS_MACHINE ? 1 : 0;
    int64_t time_ms = event->time_us / 1000;
    int64_t *last_ms = view ? &delta->last_viewed_ms : &delta->last_downloaded_ms;

    *(view ? &delta->views : &delta->downloads) += 1;
    *(view ? &delta->machine_views : &delta->machine_downloads) += machine;
    if (*last_ms < time_ms) { /* MM_TIME_NONE is less than any time */
        *last_ms = time_ms;
    }
    if (delta->first_seen_ms == MM_TIME_NONE || delta->first_seen_ms > time_ms) {
        delta->first_seen_ms = time_ms;
    }
}

mm_verdict_t mm_count_add(mm_count_t *count, const mm_event_t *event)
{
    mm_class_t class;
    mm_verdict_t verdict = mm_rule_judge(event, &count->policy, &class);

    if (verdict != MM_COUNTED) {
        return verdict;
    }
    delta_add(delta_for(count, MM_DELTA_RESOURCE, event), event, class);
    if (event->user.len > 0) {
        delta_add(delta_for(count, MM_DELTA_USER, event), event, class);
    }
    return MM_COUNTED;
}
