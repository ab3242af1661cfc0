/* What an event leaves open and only the application's database can tell: who the visitor is (identity.h), and which
 * resources a key stands for (via). In the drainer, so that no visitor waits for it.
 *
 * Events that need nothing, or whose visitor is known already, go through at once. The others are collected and asked
 * for together. While the database is away they wait, as a batch does; for any other reason an event does not wait: its
 * visitor is then nobody, its key unknown, and the log says why.
 */
#ifndef MM_RESOLVE_H
#define MM_RESOLVE_H

#include <stdbool.h>
#include <apr_pools.h>
#include "base/err.h"
#include "base/log.h"
#include "event/event.h"

/* Events that are collected; some MB when each is as long as it may be. */
#define MM_RESOLVE_PENDING_MAX 2000

typedef struct mm_resolve_options {
    const char *uri;                        /* of the application's database */
    const mm_log_t *log;                    /* outlives it; may be NULL */
    int64_t (*now_us)(void);                /* of the events' clock; NULL: the system's */
    bool (*pause)(void *baton, int64_t us); /* waits; false: the work should end. NULL: there is no waiting */
    void *baton;
} mm_resolve_options_t;

/* Since the last mm_resolve_begin. */
typedef struct mm_resolve_tally {
    int64_t known, nobody; /* visits with credentials */
    int64_t visitors_failed, keys_failed;
} mm_resolve_tally_t;

typedef struct mm_resolve mm_resolve_t;

/* Strings of options are copied. Nothing is connected yet. */
mm_resolve_t *mm_resolve_create(const mm_resolve_options_t *options, apr_pool_t *pool);

/* Forgets what is collected, and begins a tally. */
void mm_resolve_begin(mm_resolve_t *resolve);

/* True: *event needs no more, and has its user and class now, which live until the next call of anything here. False:
 * it was copied and will come out of mm_resolve_finish. */
bool mm_resolve_take(mm_resolve_t *resolve, mm_event_t *event);

/* Collects *event though it may need no more, so that it comes out behind those that are collected. */
void mm_resolve_collect(mm_resolve_t *resolve, const mm_event_t *event);

/* How many events are collected. */
int64_t mm_resolve_waiting(const mm_resolve_t *resolve);

/* Whether mm_resolve_finish should be called before anything more is taken. */
bool mm_resolve_full(const mm_resolve_t *resolve);

/* Asks for all that was collected and hands out each event with its n ids; event->id is the first of them, and n is 0
 * where its key is unknown. On a failure nothing was handed out, and all is still collected: MM_STORE_AWAY, APR_EINTR
 * when the work should end, or MM_RESOLVE_TOO_MANY: these would be more than room ids on top of one for each event.
 * MM_RESOLVE_ONE as room: it is all of one request, which cannot be torn apart, and counts for the first
 * MM_KEYS_IDS_MAX ids that its keys lead to. */
#define MM_RESOLVE_TOO_MANY (APR_OS_START_USERERR + 106)
#define MM_RESOLVE_ONE      INT64_C(-1)
typedef void (*mm_resolve_fn)(void *baton, const mm_event_t *event, const char *const *ids, size_t n);
apr_status_t mm_resolve_finish(mm_resolve_t *resolve, int64_t room, mm_resolve_fn fn, void *baton, mm_err_t *err);

/* The same for the first n of them. Those behind stay collected. */
apr_status_t mm_resolve_finish_first(mm_resolve_t *resolve, int64_t n, int64_t room, mm_resolve_fn fn, void *baton,
                                     mm_err_t *err);

const mm_resolve_tally_t *mm_resolve_tally(const mm_resolve_t *resolve);

#endif
