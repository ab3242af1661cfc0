/* Clowder's own documents of who is signed in: people, their sessions, their keys. Only read.
 *
 *   social.users          _id, identityId {userId, providerId}
 *   social.authenticator  authenticatorId, identityId, lastUsed, expirationDate
 *   users.apikey          key, name, identityId
 *
 * None of them has an index on what a request brings, so the drainer reads them whole, a few fields of each
 * document; permissions look for one. Secrets pass through here and go no farther than to whoever is called; no error
 * repeats them.
 */
#ifndef MM_ACCOUNTS_H
#define MM_ACCOUNTS_H

#include <stdbool.h>
#include "store/store.h"

/* Documents of one collection that are read. With more, it is not what it should be. */
#define MM_ACCOUNTS_MAX 200000
/* Longer ones are nobody's. */
#define MM_ACCOUNTS_TEXT_MAX 1024
/* What the reading of one collection may take. */
#define MM_ACCOUNTS_TIME_US (INT64_C(20) * 1000000)

typedef enum mm_accounts_kind { MM_ACCOUNTS_USERS, MM_ACCOUNTS_SESSIONS, MM_ACCOUNTS_KEYS } mm_accounts_kind_t;

/* One document; text lives only during the call. */
typedef struct mm_account {
    const char *login, *provider; /* which of the users; never NULL, holds no zero byte */
    const char *user;             /* USERS: the id */
    const char *secret;           /* SESSIONS, KEYS; not empty */
    bool is_extractor;            /* KEYS: made by Clowder for its extractors, not by a person */
    int64_t used_ms, expires_ms;  /* SESSIONS */
} mm_account_t;

/* What was read. */
typedef struct mm_accounts_tally {
    int64_t read, odd; /* documents as they should be, and others, which are passed over */
    bool cut;          /* there were more than MM_ACCOUNTS_MAX, or they took longer than MM_ACCOUNTS_TIME_US */
} mm_accounts_tally_t;

/* Calls on_account for each document, in the order of the collection. Sessions that had ended at from_ms already are
 * left out. A collection that does not exist has no documents. MM_STORE_AWAY: the database does not answer. Any other
 * failure: it will not give this collection. */
typedef void (*mm_accounts_fn)(void *baton, const mm_account_t *account);
apr_status_t mm_accounts_read(mm_store_t *store, mm_accounts_kind_t kind, int64_t from_ms, mm_accounts_fn on_account,
                              void *baton, mm_accounts_tally_t *tally, mm_err_t *err);

/* Calls on_account for the document with this secret, for SESSIONS and KEYS; of several, for one. Not at all where
 * there is none, or an odd one. */
apr_status_t mm_accounts_find(mm_store_t *store, mm_accounts_kind_t kind, const char *secret, mm_accounts_fn on_account,
                              void *baton, mm_err_t *err);

/* The collection's name, for messages. */
const char *mm_accounts_collection(mm_accounts_kind_t kind);

#endif
