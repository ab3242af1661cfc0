/* Collects, asks, hands out. A finish first gets everything it needs, and only then hands out, so that a failure leaves
 * nothing half done. Collected events, keys and ids live in one pool, cleared behind each finish. One thread.
 */
#include "resolve/resolve.h"

#include <inttypes.h>
#include <string.h>
#include <apr_strings.h>
#include <apr_time.h>
#include "base/throttle.h"
#include "event/id_list.h"
#include "resolve/keys.h"
#include "resolve/visitor.h"

#define EXTRACTOR "extractor"

struct mm_resolve {
    mm_resolve_options_t options;
    apr_pool_t *pool;
    mm_store_t *store; /* NULL: not opened yet */
    mm_visitors_t visitors;
    mm_resolve_tally_t tally;
    mm_throttle_t failures, cuts, unfit;
    apr_pool_t *pending_pool;
    apr_pool_t *keys_pool;       /* of what is asked for */
    apr_pool_t *event_pool;      /* of the one that is handed out */
    apr_array_header_t *pending; /* of mm_event_t */
};

static int64_t now_us(const mm_resolve_t *resolve)
{
    return resolve->options.now_us ? resolve->options.now_us() : apr_time_now();
}

static void forget(mm_resolve_t *resolve)
{
    apr_pool_clear(resolve->pending_pool);
    resolve->pending = apr_array_make(resolve->pending_pool, 64, sizeof(mm_event_t));
}

mm_resolve_t *mm_resolve_create(const mm_resolve_options_t *options, apr_pool_t *pool)
{
    mm_resolve_t *resolve = apr_pcalloc(pool, sizeof(*resolve));

    resolve->options = *options;
    resolve->options.uri = apr_pstrdup(pool, options->uri);
    resolve->pool = pool;
    resolve->visitors = (mm_visitors_t){.pool = pool, .log = options->log};
    apr_pool_create(&resolve->pending_pool, pool);
    apr_pool_create(&resolve->keys_pool, pool);
    apr_pool_create(&resolve->event_pool, pool);
    forget(resolve);
    return resolve;
}

void mm_resolve_begin(mm_resolve_t *resolve)
{
    resolve->tally = (mm_resolve_tally_t){.known = 0};
    forget(resolve);
}

const mm_resolve_tally_t *mm_resolve_tally(const mm_resolve_t *resolve)
{
    return &resolve->tally;
}

/* --- one event --- */

/* What httpd or the administrator's rules know of a visitor stays as it is. */
static void apply(mm_resolve_t *resolve, mm_event_t *event, mm_visitor_answer_t answer, const mm_visitor_t *visitor)
{
    event->identity = mm_bytes_of(NULL);
    if (answer == MM_VISITOR_FAILED) {
        resolve->tally.visitors_failed++;
    }
    else if (answer != MM_VISITOR_KNOWN) {
        resolve->tally.nobody++;
    }
    else {
        resolve->tally.known++;
        if (event->user.len == 0 && visitor->user && strlen(visitor->user) <= MM_EVENT_USER_MAX) {
            event->user = mm_bytes_of(visitor->user);
        }
        if (event->class_mark.len == 0 && visitor->is_extractor) {
            event->class_mark = mm_bytes_of(EXTRACTOR);
        }
    }
}

static mm_bytes_t copy(mm_bytes_t bytes, apr_pool_t *pool)
{
    return (mm_bytes_t){bytes.len > 0 ? apr_pstrmemdup(pool, bytes.data, bytes.len) : NULL, bytes.len};
}

void mm_resolve_collect(mm_resolve_t *resolve, const mm_event_t *event)
{
    apr_pool_t *pool = resolve->pending_pool;
    mm_event_t *kept = apr_array_push(resolve->pending);

    *kept = *event;
    kept->type = copy(event->type, pool);
    kept->id = copy(event->id, pool);
    kept->user = copy(event->user, pool);
    kept->session = copy(event->session, pool);
    kept->address = copy(event->address, pool);
    kept->agent = copy(event->agent, pool);
    kept->class_mark = copy(event->class_mark, pool);
    kept->via = copy(event->via, pool);
    kept->identity = copy(event->identity, pool);
}

bool mm_resolve_take(mm_resolve_t *resolve, mm_event_t *event)
{
    mm_visitor_t visitor;
    mm_visitor_answer_t answer;

    if (event->via.len > 0) {
        mm_resolve_collect(resolve, event);
        return false;
    }
    if (event->identity.len == 0) {
        return true;
    }
    answer = mm_visitors_find(&resolve->visitors, &visitor, event, now_us(resolve));
    if (answer == MM_VISITOR_ASK) {
        mm_resolve_collect(resolve, event);
        return false;
    }
    apply(resolve, event, answer, &visitor);
    return true;
}

int64_t mm_resolve_waiting(const mm_resolve_t *resolve)
{
    return resolve->pending->nelts;
}

bool mm_resolve_full(const mm_resolve_t *resolve)
{
    return resolve->pending->nelts >= MM_RESOLVE_PENDING_MAX;
}

/* --- asking --- */

static apr_status_t open_store(mm_resolve_t *resolve, mm_err_t *err)
{
    apr_status_t rv = APR_SUCCESS;

    if (!resolve->store) {
        rv = mm_store_open(&resolve->store, resolve->options.uri, MM_STORE_PREFIX_DEFAULT, resolve->pool, err);
    }
    /* It was looked at when the configuration was read. */
    return rv == APR_EINVAL ? MM_STORE_AWAY : rv;
}

/* How many of the collected events ask for their visitor; *earliest_us is the first's time. */
static size_t askers(mm_resolve_t *resolve, int64_t *earliest_us)
{
    int64_t now = now_us(resolve);
    size_t n = 0;

    *earliest_us = now;
    for (int i = 0; i < resolve->pending->nelts; i++) {
        const mm_event_t *event = &APR_ARRAY_IDX(resolve->pending, i, mm_event_t);
        mm_visitor_t visitor;

        if (event->identity.len > 0 && mm_visitors_find(&resolve->visitors, &visitor, event, now) == MM_VISITOR_ASK) {
            *earliest_us = event->time_us < *earliest_us ? event->time_us : *earliest_us;
            n++;
        }
    }
    return n;
}

static apr_status_t ask_visitors(mm_resolve_t *resolve, mm_err_t *err)
{
    int64_t earliest_us, pause_us;

    if (askers(resolve, &earliest_us) == 0) {
        return APR_SUCCESS;
    }
    pause_us = mm_visitors_pause(&resolve->visitors, now_us(resolve));
    if (pause_us > 0 && resolve->options.pause && !resolve->options.pause(resolve->options.baton, pause_us)) {
        return mm_err_set(err, APR_EINTR, "told to stop while visitors were looked up");
    }
    return mm_visitors_read(&resolve->visitors, resolve->store, earliest_us, now_us(resolve), err);
}

static void tell(mm_resolve_t *resolve, const mm_keys_t *keys, apr_status_t rv, const mm_err_t *why)
{
    int64_t times;

    if (rv != APR_SUCCESS && mm_throttle_tell(&resolve->failures, apr_time_now(), 1, &times)) {
        mm_log(resolve->options.log, MM_LOG_WARNING, "MM0216",
               "uses are not counted, since the application's collections do not tell of what: %s", why->text);
    }
    if (keys->unfit > 0 && mm_throttle_tell(&resolve->unfit, apr_time_now(), keys->unfit, &times)) {
        mm_log(resolve->options.log, MM_LOG_WARNING, "MM0218",
               "%" PRId64 " id(s) that the application's collections hold are longer than %d bytes: uses of them are "
               "not counted",
               times, MM_EVENT_ID_MAX);
    }
}

static void tell_cut(mm_resolve_t *resolve)
{
    int64_t times;

    if (mm_throttle_tell(&resolve->cuts, apr_time_now(), 1, &times)) {
        mm_log(resolve->options.log, MM_LOG_WARNING, "MM0217",
               "one request stands for more than %d resources (or several for more than %d): the rest is not counted",
               MM_KEYS_IDS_MAX, MM_KEYS_ALL_MAX);
    }
}

static apr_status_t ask_keys(mm_resolve_t *resolve, mm_keys_t *keys, mm_err_t *err)
{
    mm_err_t why;
    apr_status_t rv;

    for (int i = 0; i < resolve->pending->nelts; i++) {
        const mm_event_t *event = &APR_ARRAY_IDX(resolve->pending, i, mm_event_t);

        if (event->via.len > 0) {
            mm_keys_add(keys, event);
        }
    }
    rv = mm_keys_lookup(keys, resolve->store, &why);
    if (rv == MM_STORE_AWAY) {
        return mm_err_set(err, rv, "%s", why.text);
    }
    tell(resolve, keys, rv, &why);
    return APR_SUCCESS;
}

static const apr_array_header_t *own_ids(const mm_event_t *event, apr_pool_t *pool)
{
    apr_array_header_t *ids = apr_array_make(pool, 1, sizeof(const char *));
    mm_bytes_t id;

    for (size_t at = 0; mm_id_list_next(event, &at, &id);) {
        APR_ARRAY_PUSH(ids, const char *) = apr_pstrmemdup(pool, id.data, id.len);
    }
    return ids;
}

/* What is handed out, and to whom. */
typedef struct handing {
    mm_keys_t keys;
    mm_resolve_fn fn;
    void *baton;
    int64_t left; /* of the ids that keys may lead to */
} handing_t;

static size_t within(handing_t *handing, int n)
{
    if (n > handing->left) {
        n = (int)handing->left;
        handing->keys.cut = true;
    }
    handing->left -= n;
    return (size_t)n;
}

static void hand_out(mm_resolve_t *resolve, mm_event_t *event, handing_t *handing)
{
    mm_visitor_t visitor;
    const apr_array_header_t *ids;
    bool failed = false, has_via = event->via.len > 0;

    apr_pool_clear(resolve->event_pool);
    if (event->identity.len > 0) {
        apply(resolve, event, mm_visitors_find(&resolve->visitors, &visitor, event, now_us(resolve)), &visitor);
    }
    ids = has_via ? mm_keys_ids(&handing->keys, event, &failed, resolve->event_pool)
                  : own_ids(event, resolve->event_pool);
    resolve->tally.keys_failed += failed;
    event->via = mm_bytes_of(NULL);
    event->flags &= (uint16_t)~MM_EVENT_LIST;
    if (ids->nelts > 0) {
        event->id = mm_bytes_of(APR_ARRAY_IDX(ids, 0, const char *));
    }
    handing->fn(handing->baton, event, (const char *const *)ids->elts,
                has_via ? within(handing, ids->nelts) : (size_t)ids->nelts);
}

/* How many ids there are on top of one for each event. */
static int64_t surplus(const mm_resolve_t *resolve, const mm_keys_t *keys)
{
    int64_t sum = 0;

    for (int i = 0; i < resolve->pending->nelts; i++) {
        const mm_event_t *event = &APR_ARRAY_IDX(resolve->pending, i, mm_event_t);
        mm_bytes_t id;
        int64_t n = 0;

        if (event->via.len > 0) {
            n = mm_keys_count(keys, event);
        }
        else {
            for (size_t at = 0; mm_id_list_next(event, &at, &id);) {
                n++;
            }
        }
        sum += n > 1 ? n - 1 : 0;
    }
    return sum;
}

static apr_status_t ask(mm_resolve_t *resolve, mm_keys_t *keys, int64_t room, mm_err_t *err)
{
    apr_status_t rv = open_store(resolve, err);

    if (rv == APR_SUCCESS) {
        rv = ask_visitors(resolve, err);
    }
    if (rv == APR_SUCCESS) {
        rv = ask_keys(resolve, keys, err);
    }
    if (rv == APR_SUCCESS && room != MM_RESOLVE_ONE &&
        ((keys->cut && resolve->pending->nelts > 1) || surplus(resolve, keys) > room)) {
        rv = mm_err_set(err, MM_RESOLVE_TOO_MANY, "%d events stand for too many uses at once", resolve->pending->nelts);
    }
    return rv;
}

/* All of resolve->pending. */
static apr_status_t finish(mm_resolve_t *resolve, int64_t room, mm_resolve_fn fn, void *baton, mm_err_t *err)
{
    handing_t handing = {.fn = fn, .baton = baton, .left = room == MM_RESOLVE_ONE ? MM_KEYS_IDS_MAX : INT64_MAX};
    apr_status_t rv;

    apr_pool_clear(resolve->keys_pool);
    mm_keys_init(&handing.keys, resolve->keys_pool);
    rv = ask(resolve, &handing.keys, room, err);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    for (int i = 0; i < resolve->pending->nelts; i++) {
        hand_out(resolve, &APR_ARRAY_IDX(resolve->pending, i, mm_event_t), &handing);
    }
    if (handing.keys.cut) {
        tell_cut(resolve);
    }
    return APR_SUCCESS;
}

static void forget_first(mm_resolve_t *resolve, int n)
{
    apr_array_header_t *pending = resolve->pending;

    if (n == pending->nelts) {
        forget(resolve);
        return;
    }
    pending->nelts -= n;
    memmove(pending->elts, pending->elts + (size_t)n * sizeof(mm_event_t), (size_t)pending->nelts * sizeof(mm_event_t));
}

apr_status_t mm_resolve_finish_first(mm_resolve_t *resolve, int64_t n, int64_t room, mm_resolve_fn fn, void *baton,
                                     mm_err_t *err)
{
    const int all = resolve->pending->nelts;
    apr_status_t rv;

    if (all == 0) {
        return APR_SUCCESS;
    }
    resolve->pending->nelts = n < all ? (int)n : all;
    rv = finish(resolve, room, fn, baton, err);
    resolve->pending->nelts = all;
    if (rv == APR_SUCCESS) {
        forget_first(resolve, n < all ? (int)n : all);
    }
    return rv;
}

apr_status_t mm_resolve_finish(mm_resolve_t *resolve, int64_t room, mm_resolve_fn fn, void *baton, mm_err_t *err)
{
    return mm_resolve_finish_first(resolve, INT64_MAX, room, fn, baton, err);
}
