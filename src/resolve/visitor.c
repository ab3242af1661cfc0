/* The table of people, and when it is to be read again.
 *
 * A visit is judged by a table that was read after it, or by an older one that knows its visitor. So a session that
 * began a second ago is found, and what is unknown once is not asked for again: the table is read at most once for all
 * visits that wait, however many strangers' cookies they bring, and needs no memory for strangers. One thread.
 */
#include "resolve/visitor.h"

#include <apr_time.h>

/* Events come nearly, but not quite, in the order of their times. */
#define BACK_US (INT64_C(3600) * 1000000)

/* How what the table says of one credential bears on a visit. */
static mm_visitor_answer_t judge(const mm_visitors_t *visitors, mm_visitor_t *visitor,
                                 const mm_credential_t *credential, int64_t time_us)
{
    const mm_person_t *person;

    if (credential->kind == MM_CREDENTIAL_MASTER) {
        *visitor = (mm_visitor_t){.user = NULL, .is_extractor = true};
        return MM_VISITOR_KNOWN;
    }
    person = visitors->people ? mm_people_find(visitors->people, credential) : NULL;
    if (person && mm_person_was_known(person, time_us / 1000)) {
        *visitor = (mm_visitor_t){.user = person->user, .is_extractor = person->is_extractor};
        return MM_VISITOR_KNOWN;
    }
    return visitors->read_us > time_us && visitors->from_us <= time_us ? MM_VISITOR_NOBODY : MM_VISITOR_ASK;
}

static bool is_old(const mm_visitors_t *visitors, int64_t now_us)
{
    return now_us - visitors->read_us > MM_VISITOR_AGE_US || now_us < visitors->read_us;
}

mm_visitor_answer_t mm_visitors_find(mm_visitors_t *visitors, mm_visitor_t *visitor, const mm_event_t *event,
                                     int64_t now_us)
{
    mm_credential_t credentials[MM_IDENTITY_CREDENTIALS_MAX];
    size_t n = mm_identity_read(credentials, event->identity);
    mm_visitor_answer_t answer = MM_VISITOR_NOBODY;
    bool failed = now_us < visitors->failed_until_us;

    *visitor = (mm_visitor_t){.user = NULL};
    for (size_t i = 0; i < n && answer == MM_VISITOR_NOBODY; i++) {
        answer = judge(visitors, visitor, &credentials[i], event->time_us);
    }
    if (answer == MM_VISITOR_KNOWN && visitor->user && !failed && is_old(visitors, now_us)) {
        return MM_VISITOR_ASK;
    }
    if (failed && (answer == MM_VISITOR_ASK || (answer == MM_VISITOR_NOBODY && n > 0))) {
        return MM_VISITOR_FAILED;
    }
    return answer;
}

int64_t mm_visitors_pause(const mm_visitors_t *visitors, int64_t now_us)
{
    int64_t pause_us = visitors->took_us * MM_VISITOR_SHARE, since_us = now_us - visitors->read_us;

    if (visitors->read_us == 0 || since_us < 0) {
        return 0;
    }
    pause_us = pause_us < MM_VISITOR_PAUSE_MIN_US ? MM_VISITOR_PAUSE_MIN_US : pause_us;
    pause_us = pause_us > MM_VISITOR_PAUSE_MAX_US ? MM_VISITOR_PAUSE_MAX_US : pause_us;
    return since_us < pause_us ? pause_us - since_us : 0;
}

static void tell(mm_visitors_t *visitors, const mm_err_t *why, int64_t now_us)
{
    int64_t times;

    if (mm_throttle_tell(&visitors->told, now_us, 1, &times)) {
        mm_log(visitors->log, MM_LOG_WARNING, "MM0215",
               "visitors who are signed in to Clowder may be counted as anonymous: %s", why->text);
    }
}

apr_status_t mm_visitors_read(mm_visitors_t *visitors, mm_store_t *store, int64_t earliest_us, int64_t now_us,
                              mm_err_t *err)
{
    apr_pool_t *pool = NULL;
    mm_people_t *people;
    mm_err_t why;
    apr_status_t rv;
    apr_time_t began = apr_time_now();

    apr_pool_create(&pool, visitors->pool);
    rv = mm_people_load(&people, store, (earliest_us - BACK_US) / 1000, pool, &why);
    if (rv == MM_STORE_AWAY) {
        apr_pool_destroy(pool);
        return mm_err_set(err, rv, "Reading who visited: %s", why.text);
    }
    if (visitors->people_pool) {
        apr_pool_destroy(visitors->people_pool);
    }
    visitors->people_pool = pool;
    visitors->people = people;
    visitors->from_us = earliest_us - BACK_US;
    visitors->read_us = now_us;
    visitors->took_us = apr_time_now() - began;
    visitors->failed_until_us = rv == APR_SUCCESS ? 0 : now_us + MM_VISITOR_FAILED_US;
    if (rv != APR_SUCCESS) {
        tell(visitors, &why, now_us);
    }
    return APR_SUCCESS;
}
