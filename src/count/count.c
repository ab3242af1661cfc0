/* Aggregation: one entry per document, found by a hash over (kind, day, type, id, user), kept in the order of their
 * first event.
 *
 * The key is kind, day, and the others joined by NUL, which none of them holds, so two documents never share a key. The
 * deltas' strings point into the key of their entry. All memory is one sub-pool, cleared by a reset.
 *
 * Ids are chosen by visitors, and of apr's own hash, which multiplies by 33, anybody can write thousands of ids that
 * collide under every seed. So it is SipHash under a secret, and stands before the key, where apr_hash is sent to look.
 * Day by day a resource or a user is mostly of the same day, so that entry is remembered with theirs.
 */
#include "count/count.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <apr_hash.h>
#include <apr_siphash.h>

#define DAY_MS INT64_C(86400000)
/* The hash, kind and day, then type, id and user, each with its NUL. */
#define KEY_HASH sizeof(uint64_t)
#define KEY_HEAD (KEY_HASH + 1 + sizeof(int64_t))
#define KEY_MAX  (KEY_HEAD + MM_EVENT_TYPE_MAX + 1 + MM_EVENT_ID_MAX + 1 + MM_EVENT_USER_MAX + 1)

typedef struct entry {
    mm_delta_t delta;
    struct entry *next;
    struct entry *day; /* of a resource without a user, or of a user: the day that was asked for last */
    char key[];
} entry_t;

struct mm_count {
    mm_policy_t policy;
    mm_window_t *window;
    unsigned char secret[APR_SIPHASH_KSIZE];
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
    count->window = mm_window_create(policy->double_click_ms, parent);
    if (getrandom(count->secret, sizeof(count->secret), 0) != (ssize_t)sizeof(count->secret)) {
        abort(); /* does not happen for so few bytes; without it, anybody could slow the count down */
    }
    apr_pool_create(&count->pool, parent);
    apr_pool_tag(count->pool, "mm_count");
    mm_count_reset(count);
    return count;
}

/* apr_hash is told the whole length, so keys of one hash are still told apart. */
static unsigned int hash_of(const char *key, apr_ssize_t *len)
{
    unsigned int hash;

    (void)len;
    memcpy(&hash, key, sizeof(hash));
    return hash;
}

void mm_count_reset(mm_count_t *count)
{
    apr_pool_clear(count->pool);
    count->entries = apr_hash_make_custom(count->pool, hash_of);
    count->first = NULL;
    count->last = &count->first;
    count->n = 0;
}

bool mm_count_full(const mm_count_t *count)
{
    return mm_count_full_at(count, MM_COUNT_DELTAS_MAX);
}

bool mm_count_full_at(const mm_count_t *count, size_t max)
{
    return count->n + MM_COUNT_DELTAS_PER_EVENT > max;
}

int64_t mm_count_room(const mm_count_t *count)
{
    return mm_count_room_at(count, MM_COUNT_DELTAS_MAX);
}

int64_t mm_count_room_at(const mm_count_t *count, size_t max)
{
    return mm_count_full_at(count, max) ? 0 : (int64_t)((max - count->n) / MM_COUNT_DELTAS_PER_EVENT);
}

mm_window_t *mm_count_window(const mm_count_t *count)
{
    return count->window;
}

/* A use that was counted and taken back again is nothing to a day. A resource and a user keep its time. */
static bool is_nothing(const mm_delta_t *delta)
{
    return delta->kind == MM_DELTA_DAY && delta->views == 0 && delta->downloads == 0 && delta->machine_views == 0 &&
           delta->machine_downloads == 0 && delta->unique_views == 0 && delta->unique_downloads == 0 &&
           delta->unique_investigations == 0 && delta->machine_unique_views == 0 &&
           delta->machine_unique_downloads == 0 && delta->machine_unique_investigations == 0;
}

size_t mm_count_deltas(const mm_count_t *count)
{
    size_t n = 0;

    for (const entry_t *entry = count->first; entry != NULL; entry = entry->next) {
        n += !is_nothing(&entry->delta);
    }
    return n;
}

void mm_count_each(const mm_count_t *count, void (*fn)(void *baton, const mm_delta_t *delta), void *baton)
{
    for (const entry_t *entry = count->first; entry != NULL; entry = entry->next) {
        if (!is_nothing(&entry->delta)) {
            fn(baton, &entry->delta);
        }
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

static entry_t *entry_add(mm_count_t *count, const char *key, size_t len, const mm_event_t *event)
{
    entry_t *entry = apr_palloc(count->pool, sizeof(*entry) + len);
    mm_delta_t *delta = &entry->delta;

    memset(entry, 0, sizeof(*entry));
    memcpy(entry->key, key, len);
    delta->kind = (mm_delta_kind_t)key[KEY_HASH];
    memcpy(&delta->day_ms, key + KEY_HASH + 1, sizeof(delta->day_ms));
    delta->type = entry->key + KEY_HEAD;
    delta->id = delta->type + event->type.len + 1;
    delta->user = delta->kind != MM_DELTA_RESOURCE && event->user.len > 0 ? delta->id + event->id.len + 1 : NULL;
    delta->last_viewed_ms = MM_TIME_NONE;
    delta->last_downloaded_ms = MM_TIME_NONE;
    delta->first_seen_ms = MM_TIME_NONE;
    apr_hash_set(count->entries, entry->key, (apr_ssize_t)len, entry);
    *count->last = entry;
    count->last = &entry->next;
    count->n++;
    return entry;
}

static entry_t *entry_for(mm_count_t *count, mm_delta_kind_t kind, const mm_event_t *event, int64_t day_ms)
{
    char key[KEY_MAX];
    char *end = key + KEY_HASH;
    entry_t *entry;
    uint64_t hash;

    *end++ = (char)kind;
    memcpy(end, &day_ms, sizeof(day_ms));
    end += sizeof(day_ms);
    end = key_part(end, &event->type);
    end = key_part(end, &event->id);
    if (kind != MM_DELTA_RESOURCE) {
        end = key_part(end, &event->user);
    }
    hash = apr_siphash24(key + KEY_HASH, (apr_size_t)(end - key) - KEY_HASH, count->secret);
    memcpy(key, &hash, sizeof(hash));
    entry = apr_hash_get(count->entries, key, end - key);
    return entry ? entry : entry_add(count, key, (size_t)(end - key), event);
}

/* The day of the event's resource and user; owner is the entry of the user, or of the resource if nobody is known. */
static entry_t *day_for(mm_count_t *count, entry_t *owner, const mm_event_t *event, int64_t day_ms)
{
    if (owner->day == NULL || owner->day->delta.day_ms != day_ms) {
        owner->day = entry_for(count, MM_DELTA_DAY, event, day_ms);
    }
    return owner->day;
}

static void add_booking(mm_delta_t *delta, mm_action_t action, const mm_window_booking_t *booking)
{
    bool view = action == MM_ACTION_VIEW;

    *(view ? &delta->views : &delta->downloads) += booking->sign;
    *(view ? &delta->unique_views : &delta->unique_downloads) += booking->unique;
    delta->unique_investigations += booking->unique_any;
    if (booking->class == MM_CLASS_MACHINE) {
        *(view ? &delta->machine_views : &delta->machine_downloads) += booking->sign;
        *(view ? &delta->machine_unique_views : &delta->machine_unique_downloads) += booking->unique;
        delta->machine_unique_investigations += booking->unique_any;
    }
}

/* These never go back: of a double-click, the last is the one that counts, and the first was the first all the same. */
static void add_time(mm_delta_t *delta, const mm_event_t *event)
{
    int64_t time_ms = event->time_us / 1000;
    int64_t *last_ms = event->action == MM_ACTION_VIEW ? &delta->last_viewed_ms : &delta->last_downloaded_ms;

    if (*last_ms < time_ms) { /* MM_TIME_NONE is less than any time */
        *last_ms = time_ms;
    }
    if (delta->first_seen_ms == MM_TIME_NONE || delta->first_seen_ms > time_ms) {
        delta->first_seen_ms = time_ms;
    }
}

static entry_t *add_to(mm_count_t *count, mm_delta_kind_t kind, const mm_event_t *event,
                       const mm_window_booking_t *bookings, size_t n)
{
    entry_t *entry = entry_for(count, kind, event, MM_TIME_NONE);

    add_time(&entry->delta, event);
    for (size_t i = 0; i < n; i++) {
        add_booking(&entry->delta, event->action, &bookings[i]);
    }
    return entry;
}

/* Whoever adds an event has checked it, but may have put an id into it since, or a user; and what is longer would be
 * written beyond the end of a key. */
static bool fits(const mm_event_t *event)
{
    return event->type.len <= MM_EVENT_TYPE_MAX && event->id.len > 0 && event->id.len <= MM_EVENT_ID_MAX &&
           event->user.len <= MM_EVENT_USER_MAX && event->session.len <= MM_EVENT_SESSION_MAX &&
           event->address.len <= MM_EVENT_ADDRESS_MAX && event->agent.len <= MM_EVENT_AGENT_MAX;
}

mm_verdict_t mm_count_judge(const mm_count_t *count, const mm_event_t *event)
{
    mm_class_t class;

    return mm_rule_judge(event, &count->policy, &class);
}

mm_verdict_t mm_count_add(mm_count_t *count, const mm_event_t *event)
{
    mm_window_booking_t bookings[MM_WINDOW_BOOKINGS_MAX];
    mm_class_t class;
    entry_t *owner;
    mm_verdict_t verdict = fits(event) ? mm_rule_judge(event, &count->policy, &class) : MM_IGNORED_KEY;
    size_t n;
    int uses = 0;

    if (verdict != MM_COUNTED) {
        return verdict;
    }
    n = mm_window_add(count->window, event, class, bookings);
    owner = add_to(count, MM_DELTA_RESOURCE, event, bookings, n);
    if (event->user.len > 0) {
        owner = add_to(count, MM_DELTA_USER, event, bookings, n);
    }
    for (size_t i = 0; i < n; i++) {
        int64_t day_ms = bookings[i].time_ms - bookings[i].time_ms % DAY_MS;

        add_booking(&day_for(count, owner, event, day_ms)->delta, event->action, &bookings[i]);
        uses += bookings[i].sign;
    }
    return uses > 0 ? MM_COUNTED : MM_IGNORED_DOUBLE_CLICK;
}
