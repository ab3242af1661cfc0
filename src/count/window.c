/* Clicks in buckets of time as long as the window.
 *
 * Of the clicks in one bucket only the latest can count: all others have it within W behind them. It counts if the
 * earliest click of the next bucket is not within W of it; no bucket behind that one can hold such a click. So an entry
 * keeps the earliest and the latest time, and whether a use counts follows from two entries. A click changes one entry,
 * and with it the answer for this bucket and for the one before: at most one use is new and at most one is taken back.
 *
 * Keys are SipHash-2-4 under the secret of the day, in two steps: the user and the thing (long), then with the bucket
 * or the hour (short). One thread.
 */
#include "count/window_private.h"

#include <string.h>
#include <apr_siphash.h>

#define DAY_MS  INT64_C(86400000)
#define HOUR_MS INT64_C(3600000)
/* The longest of user, session, address and agent; type; id; each with its NUL. */
#define WHO_MAX (1 + MM_EVENT_ADDRESS_MAX + 1 + MM_EVENT_AGENT_MAX + 1 + MM_EVENT_TYPE_MAX + 1 + MM_EVENT_ID_MAX + 1)

_Static_assert(MM_EVENT_USER_MAX < MM_EVENT_AGENT_MAX && MM_EVENT_SESSION_MAX < MM_EVENT_AGENT_MAX, "WHO_MAX");

/* A click on its way into the window. */
typedef struct visit {
    mm_window_t *window;
    mm_action_t action;
    mm_class_t class;
    uint8_t who[WHO_MAX]; /* user and thing */
    size_t len;           /* 0: nobody knows who it was */
    int64_t day;          /* of the two below; -1: none yet */
    const mm_salt_t *salt;
    uint64_t identity; /* the hash of who */
} visit_t;

/* The clicks of one bucket. */
typedef struct bucket {
    bool there;
    int64_t earliest_ms, latest_ms;
    mm_class_t class; /* of the latest */
} bucket_t;

mm_window_t *mm_window_create(int64_t double_click_ms, apr_pool_t *pool)
{
    mm_window_t *window = apr_pcalloc(pool, sizeof(*window));

    window->width_ms = double_click_ms;
    window->limit_s = UINT32_MAX;
    window->clicks = mm_recent_create(MM_WINDOW_CLICKS_MAX, pool);
    window->uses = mm_recent_create(MM_WINDOW_USES_MAX, pool);
    return window;
}

int64_t mm_window_forgotten(const mm_window_t *window)
{
    return mm_recent_forgotten(window->clicks) + mm_recent_forgotten(window->uses) + window->salts.forgotten;
}

void mm_window_expire(mm_window_t *window)
{
    int64_t memory_s = MM_WINDOW_MEMORY_S + (window->width_ms + 999) / 1000;
    uint32_t before_s = window->now_s > memory_s ? window->now_s - (uint32_t)memory_s : 0;

    mm_recent_expire(window->clicks, before_s);
    mm_recent_expire(window->uses, before_s);
    mm_salts_expire(&window->salts, before_s);
}

void mm_window_begin_anew(mm_window_t *window)
{
    window->now_s = 0;
    window->idle_since_us = 0;
    mm_recent_clear(window->clicks);
    mm_recent_clear(window->uses);
    mm_salts_clear(&window->salts);
    window->salts.dropped = true;
}

/* The window's clock is that of the events: an import of last year's log remembers as live traffic does. But a single
 * one from a host whose clock was years ahead would keep everything else from being forgotten. */
static void move_clock(mm_window_t *window, int64_t time_us)
{
    int64_t time_s = time_us / 1000000;

    if (time_s > window->now_s && time_s <= window->limit_s) {
        window->now_s = (uint32_t)time_s;
        mm_window_expire(window);
    }
}

bool mm_window_set_clock(mm_window_t *window, int64_t now_us)
{
    int64_t limit_s = now_us / 1000000 + MM_WINDOW_AHEAD_S;

    window->limit_s = limit_s < UINT32_MAX ? (uint32_t)limit_s : UINT32_MAX;
    if (window->now_s <= window->limit_s) {
        return true;
    }
    mm_window_begin_anew(window);
    return false;
}

void mm_window_idle(mm_window_t *window, int64_t now_us)
{
    if (window->idle_since_us == 0) {
        window->idle_since_us = now_us;
        window->idle_from_s = window->now_s;
    }
    move_clock(window, INT64_C(1000000) * window->idle_from_s + now_us - window->idle_since_us);
}

/* --- keys --- */

static uint8_t *put(uint8_t *to, const mm_bytes_t *part)
{
    if (part->len > 0) {
        memcpy(to, part->data, part->len);
    }
    to[part->len] = '\0';
    return to + part->len + 1;
}

/* The parts hold no NUL, so no two who differ are written alike. */
static size_t put_who(uint8_t *who, const mm_event_t *event)
{
    uint8_t *end = who + 1;

    if (event->user.len > 0) {
        who[0] = 'u';
        end = put(end, &event->user);
    }
    else if (event->session.len > 0) {
        who[0] = 's';
        end = put(end, &event->session);
    }
    else if (event->address.len > 0 || event->agent.len > 0) {
        who[0] = 'a';
        end = put(end, &event->address);
        end = put(end, &event->agent);
    }
    else {
        return 0;
    }
    end = put(end, &event->type);
    return (size_t)(put(end, &event->id) - who);
}

/* False: there is no secret for that day. */
static bool identify(visit_t *visit, int64_t day)
{
    if (visit->day != day) {
        visit->salt = mm_salts_of(&visit->window->salts, day, visit->window->now_s);
        if (visit->salt == NULL) {
            return false;
        }
        visit->day = day;
        visit->identity = apr_siphash24(visit->who, visit->len, visit->salt->key);
    }
    return true;
}

/* what tells keys of different use apart. */
static bool key_of(visit_t *visit, char what, int number, int64_t at, int64_t at_ms, uint64_t *key)
{
    uint8_t text[2 + sizeof(visit->identity) + sizeof(at)];

    if (!identify(visit, at_ms / DAY_MS)) {
        return false;
    }
    text[0] = (uint8_t)what;
    text[1] = (uint8_t)number;
    memcpy(text + 2, &visit->identity, sizeof(visit->identity));
    memcpy(text + 2 + sizeof(visit->identity), &at, sizeof(at));
    *key = apr_siphash24(text, sizeof(text), visit->salt->key);
    return true;
}

/* --- unique uses --- */

static void book(mm_window_booking_t *booking, visit_t *visit, int sign, int64_t time_ms, mm_class_t class)
{
    mm_recent_entry_t *entry;
    uint32_t *uses;
    uint64_t key;

    *booking = (mm_window_booking_t){.sign = sign, .time_ms = time_ms, .class = class};
    if (visit->len == 0 || !key_of(visit, 'h', (int)class, time_ms / HOUR_MS, time_ms, &key)) {
        booking->unique = booking->unique_any = sign;
        return;
    }
    entry = mm_recent_touch(visit->window->uses, key, visit->window->now_s);
    uses = visit->action == MM_ACTION_VIEW ? &entry->of.uses.views : &entry->of.uses.downloads;
    if (sign > 0) {
        booking->unique_any = entry->of.uses.views + entry->of.uses.downloads == 0;
        booking->unique = *uses == 0;
        *uses += *uses < UINT32_MAX / 2;
    }
    else if (*uses > 0) { /* if not, the hour is forgotten, and its unique use stands */
        --*uses;
        booking->unique = -(*uses == 0);
        booking->unique_any = -(entry->of.uses.views + entry->of.uses.downloads == 0);
    }
}

/* --- double-clicks --- */

static bool look(bucket_t *bucket, visit_t *visit, int64_t number, uint64_t *key)
{
    int64_t begin_ms = number * visit->window->width_ms;
    const mm_recent_entry_t *entry;

    *bucket = (bucket_t){.there = false};
    if (number < 0) {
        return true;
    }
    if (!key_of(visit, 'c', (int)visit->action, number, begin_ms, key)) {
        return false;
    }
    entry = mm_recent_find(visit->window->clicks, *key);
    if (entry != NULL) {
        bucket->there = true;
        bucket->earliest_ms = begin_ms + entry->of.click.earliest;
        bucket->latest_ms = begin_ms + entry->of.click.latest;
        bucket->class = (mm_class_t)entry->of.click.class_of_latest;
    }
    return true;
}

static void keep(visit_t *visit, uint64_t key, const bucket_t *bucket, int64_t number)
{
    int64_t begin_ms = number * visit->window->width_ms;
    mm_recent_entry_t *entry = mm_recent_touch(visit->window->clicks, key, visit->window->now_s);

    entry->of.click.earliest = (uint16_t)(bucket->earliest_ms - begin_ms);
    entry->of.click.latest = (uint16_t)(bucket->latest_ms - begin_ms);
    entry->of.click.class_of_latest = (uint8_t)bucket->class;
}

/* With one click more. Two of the same time are one, whichever came first. */
static bucket_t with(const bucket_t *bucket, int64_t time_ms, mm_class_t class)
{
    bucket_t more = *bucket;

    if (!bucket->there) {
        return (bucket_t){true, time_ms, time_ms, class};
    }
    if (time_ms < more.earliest_ms) {
        more.earliest_ms = time_ms;
    }
    if (time_ms > more.latest_ms || (time_ms == more.latest_ms && class < more.class)) {
        more.latest_ms = time_ms;
        more.class = class;
    }
    return more;
}

static bool counts(const bucket_t *bucket, const bucket_t *next, int64_t width_ms)
{
    return bucket->there && !(next->there && next->earliest_ms - bucket->latest_ms <= width_ms);
}

static size_t add_click(visit_t *visit, int64_t time_ms, mm_window_booking_t *bookings)
{
    int64_t width_ms = visit->window->width_ms, number = time_ms / width_ms;
    bucket_t before, after, previous, next;
    uint64_t key, other;
    size_t n = 0;

    if (!look(&previous, visit, number - 1, &other) || !look(&next, visit, number + 1, &other) ||
        !look(&before, visit, number, &key)) {
        book(&bookings[0], visit, 1, time_ms, visit->class);
        return 1;
    }
    after = with(&before, time_ms, visit->class);
    keep(visit, key, &after, number);
    if (counts(&previous, &before, width_ms) && !counts(&previous, &after, width_ms)) {
        book(&bookings[n++], visit, -1, previous.latest_ms, previous.class);
    }
    if (before.there && before.latest_ms == after.latest_ms && before.class == after.class) {
        return n;
    }
    if (counts(&before, &next, width_ms)) {
        book(&bookings[n++], visit, -1, before.latest_ms, before.class);
    }
    if (counts(&after, &next, width_ms)) {
        book(&bookings[n++], visit, 1, after.latest_ms, after.class);
    }
    return n;
}

size_t mm_window_add(mm_window_t *window, const mm_event_t *event, mm_class_t class,
                     mm_window_booking_t bookings[MM_WINDOW_BOOKINGS_MAX])
{
    visit_t visit; /* not cleared as a whole: who is long, and written once for each event */

    visit.window = window;
    visit.action = event->action;
    visit.class = class;
    visit.day = -1;
    window->idle_since_us = 0;
    move_clock(window, event->time_us);
    visit.len = put_who(visit.who, event);
    if (visit.len > 0 && window->width_ms > 0) {
        return add_click(&visit, event->time_us / 1000, bookings);
    }
    book(&bookings[0], &visit, 1, event->time_us / 1000, class);
    return 1;
}
