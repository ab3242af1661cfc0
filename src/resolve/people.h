/* Who is behind a session's cookie or a key, as the application's database had it at one moment. */
#ifndef MM_PEOPLE_H
#define MM_PEOPLE_H

#include "event/identity.h"
#include "store/store.h"

/* Clowder ends a session that was not used for so long. A visit renews it, and the one that comes too late removes it,
 * so this matters only where Clowder never saw the visit. */
#define MM_PEOPLE_IDLE_MS (INT64_C(30) * 60 * 1000)

typedef struct mm_people mm_people_t;

typedef struct mm_person {
    const char *user;  /* the id; lives as long as the people */
    bool is_extractor; /* the key is Clowder's own, for a program that works for this user */
    bool is_session;
    int64_t used_ms, expires_ms;
} mm_person_t;

/* Reads them. Sessions that had ended at from_ms already are left out. MM_STORE_AWAY: the database does not answer;
 * there are none then. Any other failure says what is wrong with the collections; *people then has what could be read.
 * All memory is pool's: some 150 bytes for each session, key and user, of which there are at most MM_ACCOUNTS_MAX each
 * (and as much again while they are read). */
apr_status_t mm_people_load(mm_people_t **people, mm_store_t *store, int64_t from_ms, apr_pool_t *pool, mm_err_t *err);

/* NULL: nobody. */
const mm_person_t *mm_people_find(const mm_people_t *people, const mm_credential_t *credential);

/* Whether the application took this for the person at time_ms. */
bool mm_person_was_known(const mm_person_t *person, int64_t time_ms);

#endif
