/* The credentials of a visit become a user, by what the application's database says. */
#ifndef MM_VISITOR_H
#define MM_VISITOR_H

#include "base/log.h"
#include "base/throttle.h"
#include "event/event.h"
#include "resolve/people.h"

/* What was read is read again when a visit brings something unknown that may be newer; else, where it is used, after so
 * long: a key may have been withdrawn. */
#define MM_VISITOR_AGE_US (INT64_C(300) * 1000000)
/* Reading it may take a tenth of our time, and comes at most once a second; but no visit waits longer for it than 30 s.
 */
#define MM_VISITOR_PAUSE_MIN_US (INT64_C(1) * 1000000)
#define MM_VISITOR_PAUSE_MAX_US (INT64_C(30) * 1000000)
#define MM_VISITOR_SHARE        10
/* Collections that are not what they should be are looked at again after this. */
#define MM_VISITOR_FAILED_US (INT64_C(60) * 1000000)

typedef enum mm_visitor_answer {
    MM_VISITOR_KNOWN,  /* the user, or at least that it is an extractor */
    MM_VISITOR_NOBODY, /* nothing that the visit brought was good at its time */
    MM_VISITOR_FAILED, /* not to be told: the collections are not what they should be */
    MM_VISITOR_ASK     /* not to be told before the collections are read (again) */
} mm_visitor_answer_t;

typedef struct mm_visitor {
    const char *user; /* NULL for the application's own key; lives until the people are read again */
    bool is_extractor;
} mm_visitor_t;

typedef struct mm_visitors {
    apr_pool_t *pool; /* the caller's; the rest begins as zeros */
    const mm_log_t *log;
    apr_pool_t *people_pool;
    mm_people_t *people;     /* NULL: never read */
    int64_t from_us;         /* of sessions that had ended before, it knows nothing */
    int64_t read_us;         /* when the reading began, of the clock that visits are told by; 0: never */
    int64_t took_us;         /* and how long it took */
    int64_t failed_until_us; /* until then they are as good as unreadable */
    mm_throttle_t told;
} mm_visitors_t;

/* What is known of a visit. now_us is of the clock of the events' times. */
mm_visitor_answer_t mm_visitors_find(mm_visitors_t *visitors, mm_visitor_t *visitor, const mm_event_t *event,
                                     int64_t now_us);

/* How long to wait before mm_visitors_read may be called. */
int64_t mm_visitors_pause(const mm_visitors_t *visitors, int64_t now_us);

/* Reads the collections. earliest_us: of the visits that ask. Afterwards no visit before now_us is MM_VISITOR_ASK.
 * MM_STORE_AWAY: nothing has changed, try again; there is no other failure: collections that are not what they should
 * be are logged. */
apr_status_t mm_visitors_read(mm_visitors_t *visitors, mm_store_t *store, int64_t earliest_us, int64_t now_us,
                              mm_err_t *err);

#endif
