/* What a visitor may send to be somebody, or to have used something: a Cookie header, a query, and credentials as the
 * spool holds them. Nothing points outside of what came in, lists are bounded and hold nothing twice, and what is read
 * as credentials is what would be written.
 */

#include "fuzz.h"

#include "base/query.h"
#include "event/id_list.h"
#include "event/identity.h"
#include "rules/match_ids.h"

static void try_cookie(const char *text, size_t len)
{
    const char *value;
    size_t value_len;

    if (mm_cookie_find(text, "id", &value, &value_len)) {
        HOLDS(value_len > 0 && value > text && value + value_len <= text + strlen(text));
        HOLDS(strstr(text, "id=") != NULL);
    }
    (void)len;
}

/* The same ids come out of the events that they travel in. */
static void try_events(const mm_bytes_t *ids, size_t n, apr_pool_t *pool)
{
    for (size_t i = 0; i < n;) {
        mm_event_t event = {.flags = 0};
        mm_bytes_t id;
        size_t end = i + mm_id_list_put(&event, ids + i, n - i, pool);

        HOLDS(end > i && end <= n && event.id.len <= MM_EVENT_ID_MAX);
        for (size_t at = 0; mm_id_list_next(&event, &at, &id); i++) {
            HOLDS(i < end && id.len == ids[i].len && memcmp(id.data, ids[i].data, id.len) == 0);
        }
        HOLDS(i == end);
    }
}

static void try_list(const char *text, size_t len, apr_pool_t *pool)
{
    static const mm_rule_spec_t spec = {.type = "files", .query = "f", .lower = true};
    const mm_match_t match = {.type = "files", .spec = &spec};
    const mm_bytes_t *ids;
    size_t n = mm_match_ids(&ids, &match, (mm_bytes_t){text, len}, pool);

    HOLDS(n <= MM_MATCH_IDS_MAX);
    try_events(ids, n, pool);
    for (size_t i = 0; i < n; i++) {
        HOLDS(ids[i].len > 0 && ids[i].len <= MM_EVENT_ID_MAX && !memchr(ids[i].data, ',', ids[i].len));
        HOLDS(!memchr(ids[i].data, '\0', ids[i].len));
        for (size_t k = 0; k < i && n < 50; k++) {
            HOLDS(ids[k].len != ids[i].len || memcmp(ids[k].data, ids[i].data, ids[i].len) != 0);
        }
    }
}

static void try_identity(const char *text, size_t len)
{
    mm_credential_t credentials[MM_IDENTITY_CREDENTIALS_MAX];
    char again[MM_EVENT_IDENTITY_MAX];
    size_t n = mm_identity_read(credentials, (mm_bytes_t){text, len});

    HOLDS(n <= MM_IDENTITY_CREDENTIALS_MAX);
    if (n > 0) {
        HOLDS(mm_identity_write(again, credentials, n) == len && memcmp(again, text, len) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = NULL;

    /* Copies of exactly this size, so that a byte read behind them is noticed. */
    char *bytes = malloc(size ? size : 1), *text = malloc(size + 1);
    HOLDS(bytes && text);
    memcpy(bytes, data, size);
    memcpy(text, data, size);
    text[size] = '\0';
    pool = fuzz_subpool();
    try_cookie(text, size);
    try_list(bytes, size, pool);
    try_identity(bytes, size);
    apr_pool_destroy(pool);
    free(bytes);
    free(text);
    return 0;
}
