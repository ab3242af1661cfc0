/* What an application may know a visitor by, as an event carries it: the SHA-256 of a session's cookie or of a key,
 * never the value itself.
 *
 *   RESOLVER ":" then, in the order in which the application would try them, each
 *       "c" | 64 hexadecimal digits   a session's cookie
 *       "k" | 64 hexadecimal digits   a key
 *       "x"                           the application's own master key, recognised already
 */
#ifndef MM_IDENTITY_H
#define MM_IDENTITY_H

#include "base/sha256.h"
#include "event/event.h"

#define MM_IDENTITY_CLOWDER "clowder"
/* More than this are not looked at: a cookie, a header, and of a query the first few. */
#define MM_IDENTITY_CREDENTIALS_MAX 6

typedef enum mm_credential_kind {
    MM_CREDENTIAL_COOKIE = 'c',
    MM_CREDENTIAL_KEY = 'k',
    MM_CREDENTIAL_MASTER = 'x'
} mm_credential_kind_t;

typedef struct mm_credential {
    mm_credential_kind_t kind;
    char hash[MM_SHA256_HEX + 1]; /* empty for MASTER */
} mm_credential_t;

/* Writes the text of n credentials, at most the maximum, and returns its length; 0 for none. */
size_t mm_identity_write(char text[MM_EVENT_IDENTITY_MAX], const mm_credential_t *credentials, size_t n);

/* Reads it. Returns how many; 0 also for what is malformed or of a resolver that this program does not know. */
size_t mm_identity_read(mm_credential_t credentials[MM_IDENTITY_CREDENTIALS_MAX], mm_bytes_t text);

#endif
