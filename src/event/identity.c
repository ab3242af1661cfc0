/* Writing and reading a visitor's credentials. Pure functions; any thread. */
#include "event/identity.h"

#include <string.h>

static const char head[] = MM_IDENTITY_CLOWDER ":";
#define HEAD (sizeof(head) - 1)

_Static_assert(HEAD + MM_IDENTITY_CREDENTIALS_MAX * (1 + MM_SHA256_HEX) <= MM_EVENT_IDENTITY_MAX,
               "as many credentials as may be have room");

size_t mm_identity_write(char text[MM_EVENT_IDENTITY_MAX], const mm_credential_t *credentials, size_t n)
{
    char *to = text + HEAD;

    memcpy(text, head, HEAD);
    for (size_t i = 0; i < n && i < MM_IDENTITY_CREDENTIALS_MAX; i++) {
        size_t len = credentials[i].kind == MM_CREDENTIAL_MASTER ? 0 : MM_SHA256_HEX;

        *to++ = (char)credentials[i].kind;
        memcpy(to, credentials[i].hash, len);
        to += len;
    }
    return n > 0 ? (size_t)(to - text) : 0;
}

static bool is_hash(const char *text)
{
    for (size_t i = 0; i < MM_SHA256_HEX; i++) {
        if (!((text[i] >= '0' && text[i] <= '9') || (text[i] >= 'a' && text[i] <= 'f'))) {
            return false;
        }
    }
    return true;
}

/* One of them; how many bytes it took, or 0. */
static size_t read_one(mm_credential_t *credential, const char *from, size_t len)
{
    credential->hash[0] = '\0';
    if (*from == MM_CREDENTIAL_MASTER) {
        credential->kind = MM_CREDENTIAL_MASTER;
        return 1;
    }
    if ((*from != MM_CREDENTIAL_COOKIE && *from != MM_CREDENTIAL_KEY) || len < 1 + MM_SHA256_HEX ||
        !is_hash(from + 1)) {
        return 0;
    }
    credential->kind = *from == MM_CREDENTIAL_COOKIE ? MM_CREDENTIAL_COOKIE : MM_CREDENTIAL_KEY;
    memcpy(credential->hash, from + 1, MM_SHA256_HEX);
    credential->hash[MM_SHA256_HEX] = '\0';
    return 1 + MM_SHA256_HEX;
}

size_t mm_identity_read(mm_credential_t credentials[MM_IDENTITY_CREDENTIALS_MAX], mm_bytes_t text)
{
    size_t n = 0, took;

    if (text.len < HEAD || memcmp(text.data, head, HEAD) != 0) {
        return 0;
    }
    for (size_t at = HEAD; at < text.len; at += took) {
        took = n < MM_IDENTITY_CREDENTIALS_MAX ? read_one(&credentials[n], text.data + at, text.len - at) : 0;
        if (took == 0) {
            return 0;
        }
        n++;
    }
    return n;
}
