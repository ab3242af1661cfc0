/* What an upsert makes of nothing, made here, so that it can be inserted.
 *
 * It goes by the update itself (update.c), so the two cannot drift apart: on a document that is not there $inc, $max,
 * $min, $set and $setOnInsert all set. The one path with a dot is that of the fence, seq.SPOOL.
 */
#include "store/store_private.h"

#include <string.h>

static void append_field(bson_t *doc, const bson_iter_t *field)
{
    const char *key = bson_iter_key(field), *dot = strchr(key, '.');
    bson_t inner;
    char outer[16];

    if (!dot || (size_t)(dot - key) >= sizeof(outer)) {
        bson_append_iter(doc, key, -1, field);
        return;
    }
    memcpy(outer, key, (size_t)(dot - key));
    outer[dot - key] = '\0';
    BSON_APPEND_DOCUMENT_BEGIN(doc, outer, &inner);
    bson_append_iter(&inner, dot + 1, -1, field);
    bson_append_document_end(doc, &inner);
}

void mm_insert_build(bson_t *doc, const bson_t *filter, const bson_t *update)
{
    bson_iter_t iter, field;

    if (bson_iter_init_find(&iter, filter, "_id")) {
        bson_append_iter(doc, "_id", -1, &iter);
    }
    bson_iter_init(&iter, update);
    while (bson_iter_next(&iter)) {
        if (BSON_ITER_HOLDS_DOCUMENT(&iter) && bson_iter_recurse(&iter, &field)) {
            while (bson_iter_next(&field)) {
                append_field(doc, &field);
            }
        }
    }
}
