/* Replies of the server, as far as we need them: which updates were refused, why, and by which index. Pure; trusts no
 * type and no length. */
#include "store/store_private.h"

#include <string.h>

bool mm_reply_array(const bson_t *reply, const char *key, bson_iter_t *elements)
{
    bson_iter_t iter;

    return bson_iter_init_find(&iter, reply, key) && BSON_ITER_HOLDS_ARRAY(&iter) && bson_iter_recurse(&iter, elements);
}

int64_t mm_reply_int(const bson_t *reply, const char *key)
{
    bson_iter_t iter;

    return bson_iter_init_find(&iter, reply, key) && BSON_ITER_HOLDS_NUMBER(&iter) ? bson_iter_as_int64(&iter) : 0;
}

/* "… collection: DB.COLLECTION index: NAME dup key: …", the name as DB.COLLECTION.$NAME in old servers. What is behind
 * the first "index: " may be the visitor's. */
static mm_duplicate_t duplicate_of_text(const char *text)
{
    static const char before[] = " index: ", id[] = "_id_";
    const char *name = strstr(text, before), *dollar;
    size_t len;

    if (!name) {
        return MM_DUPLICATE_UNTOLD;
    }
    name += strlen(before);
    len = strcspn(name, " ");
    dollar = memchr(name, '$', len);
    if (dollar) {
        len -= (size_t)(dollar + 1 - name);
        name = dollar + 1;
    }
    return len == strlen(id) && memcmp(name, id, len) == 0 ? MM_DUPLICATE_ID : MM_DUPLICATE_OTHER;
}

static mm_duplicate_t duplicate_of_key(const bson_iter_t *pattern)
{
    bson_iter_t key;

    if (!bson_iter_recurse(pattern, &key) || !bson_iter_next(&key)) {
        return MM_DUPLICATE_UNTOLD;
    }
    return BSON_ITER_IS_KEY(&key, "_id") && !bson_iter_next(&key) ? MM_DUPLICATE_ID : MM_DUPLICATE_OTHER;
}

bool mm_reply_next_error(bson_iter_t *elements, mm_write_error_t *found)
{
    bson_iter_t field;

    do {
        if (!bson_iter_next(elements)) {
            return false;
        }
    } while (!BSON_ITER_HOLDS_DOCUMENT(elements) || !bson_iter_recurse(elements, &field));
    *found = (mm_write_error_t){.index = -1, .text = "no reason given"};
    while (bson_iter_next(&field)) {
        if (BSON_ITER_IS_KEY(&field, "index") && BSON_ITER_HOLDS_NUMBER(&field)) {
            found->index = bson_iter_as_int64(&field);
        }
        else if (BSON_ITER_IS_KEY(&field, "code") && BSON_ITER_HOLDS_NUMBER(&field)) {
            found->code = (int32_t)bson_iter_as_int64(&field);
        }
        else if (BSON_ITER_IS_KEY(&field, "errmsg") && BSON_ITER_HOLDS_UTF8(&field)) {
            found->text = bson_iter_utf8(&field, NULL);
        }
        else if (BSON_ITER_IS_KEY(&field, "keyPattern") && BSON_ITER_HOLDS_DOCUMENT(&field)) {
            found->duplicate = duplicate_of_key(&field);
        }
    }
    if (found->duplicate == MM_DUPLICATE_UNTOLD) {
        found->duplicate = duplicate_of_text(found->text);
    }
    return true;
}
