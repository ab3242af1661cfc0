/* The options of a rule that change or multiply its id. Pure functions; any thread.
 *
 * A visitor chooses the query, so a list is bounded, and an id that stands in it a thousand times is one use.
 */
#include "rules/match_ids.h"

#include <string.h>
#include <apr_hash.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include <apr_tables.h>
#include "base/hot.h"
#include "base/query.h"

static void lower(char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        text[i] = (char)apr_tolower(text[i]);
    }
}

static MM_HOT size_t single(const mm_bytes_t **ids, const mm_match_t *match, apr_pool_t *pool)
{
    if (match->spec->lower) {
        char *text = apr_pmemdup(pool, match->id.data, match->id.len);
        mm_bytes_t *id = apr_palloc(pool, sizeof(*id));

        lower(text, match->id.len);
        *id = (mm_bytes_t){text, match->id.len};
        *ids = id;
    }
    else {
        *ids = &match->id;
    }
    return 1;
}

static void add_once(apr_array_header_t *list, apr_hash_t *seen, char *id, size_t len)
{
    if (len == 0 || len > MM_EVENT_ID_MAX || memchr(id, '\0', len) || list->nelts >= MM_MATCH_IDS_MAX ||
        apr_hash_get(seen, id, (apr_ssize_t)len)) {
        return;
    }
    apr_hash_set(seen, id, (apr_ssize_t)len, id);
    APR_ARRAY_PUSH(list, mm_bytes_t) = (mm_bytes_t){id, len};
}

/* Commas part ids only behind the decoding: browsers write them as %2C, and no id of such a list can hold one. */
static void add_value(apr_array_header_t *list, apr_hash_t *seen, const mm_rule_spec_t *spec, const char *value,
                      size_t len)
{
    char *text = apr_palloc(list->pool, len + 1);

    len = mm_query_decode(text, value, len);
    if (spec->lower) {
        lower(text, len);
    }
    for (char *end = text + len; text < end;) {
        char *comma = memchr(text, ',', (size_t)(end - text));
        size_t id_len = (size_t)((comma ? comma : end) - text);

        add_once(list, seen, text, id_len);
        text += id_len + 1;
    }
}

MM_HOT size_t mm_match_ids(const mm_bytes_t **ids, const mm_match_t *match, mm_bytes_t query, apr_pool_t *pool)
{
    const char *value, *rest = query.data;
    size_t len, rest_len = query.len;

    if (!match->spec->query) {
        return single(ids, match, pool);
    }
    apr_array_header_t *list = apr_array_make(pool, 16, sizeof(mm_bytes_t));
    apr_hash_t *seen = apr_hash_make(pool);
    while (mm_query_next(&rest, &rest_len, match->spec->query, &value, &len)) {
        add_value(list, seen, match->spec, value, len);
    }
    *ids = (const mm_bytes_t *)list->elts;
    return (size_t)list->nelts;
}
