/* SHA-1, as it is at hand in apr-util: nobody gains anything by two logs that are taken for one. Pure. */
#include "import/fingerprint.h"

#include <stdio.h>
#include <string.h>
#include <apr_sha1.h>

_Static_assert(MM_LEDGER_ID_LEN == 2 * APR_SHA1_DIGESTSIZE, "an id is the hash in hexadecimal digits");

/* Of what the context has seen so far; it can go on. */
static const char *id_of(const apr_sha1_ctx_t *context, apr_pool_t *pool)
{
    apr_sha1_ctx_t copy = *context;
    unsigned char digest[APR_SHA1_DIGESTSIZE];
    char *id = apr_palloc(pool, MM_LEDGER_ID_LEN + 1);

    apr_sha1_final(digest, &copy);
    for (size_t i = 0; i < sizeof(digest); i++) {
        snprintf(id + 2 * i, 3, "%02x", digest[i]);
    }
    return id;
}

mm_fingerprint_t mm_fingerprint(const char *head, size_t len, apr_pool_t *pool)
{
    const char **ids = apr_palloc(pool, (len + 1) * sizeof(*ids));
    const char *at = head, *end = head + len;
    apr_sha1_ctx_t context;
    size_t n = 0;

    apr_sha1_init(&context);
    while (at < end) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        const char *next = stop ? stop + 1 : end;

        apr_sha1_update_binary(&context, (const unsigned char *)at, (unsigned int)(next - at));
        ids[n++] = id_of(&context, pool);
        at = next;
    }
    return (mm_fingerprint_t){.id = ids[n - 1], .ids = ids, .n = n, .len = len};
}
