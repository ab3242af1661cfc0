/* The ids of one look-up, found again by what a document answers with.
 *
 * We ask for an id in all the forms it may be stored in; the answer comes in one of them and is turned back into text.
 * The text of an ObjectId is lower case, so an id of 24 hex digits in upper case is kept under both.
 */
#include "store/catalog_private.h"

#include <string.h>
#include <apr_hash.h>
#include <apr_lib.h>
#include <apr_strings.h>

typedef struct position {
    size_t at;
    struct position *next;
} position_t;

struct mm_idset {
    apr_hash_t *positions; /* text -> position_t */
    apr_pool_t *pool;
};

static void add(mm_idset_t *set, const char *text, size_t at)
{
    position_t *position = apr_palloc(set->pool, sizeof(*position));

    position->at = at;
    position->next = apr_hash_get(set->positions, text, APR_HASH_KEY_STRING);
    apr_hash_set(set->positions, text, APR_HASH_KEY_STRING, position);
}

mm_idset_t *mm_idset_make(const char *const *ids, size_t n, apr_pool_t *pool)
{
    mm_idset_t *set = apr_palloc(pool, sizeof(*set));
    size_t i;

    set->positions = apr_hash_make(pool);
    set->pool = pool;
    for (i = 0; i < n; i++) {
        add(set, ids[i], i);
        if (bson_oid_is_valid(ids[i], strlen(ids[i]))) {
            char *lower = apr_pstrdup(pool, ids[i]);
            char *c;

            for (c = lower; *c; c++) {
                *c = (char)apr_tolower(*c);
            }
            if (strcmp(lower, ids[i]) != 0) {
                add(set, lower, i);
            }
        }
    }
    return set;
}

void mm_idset_find(const mm_idset_t *set, const char *text, void (*fn)(void *baton, size_t at), void *baton)
{
    const position_t *position;

    for (position = apr_hash_get(set->positions, text, APR_HASH_KEY_STRING); position; position = position->next) {
        fn(baton, position->at);
    }
}
