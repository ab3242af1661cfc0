/* A field for each span, so that each can only grow, whatever comes late. The one without limits is "offset", which was
 * there before there were spans.
 */
#include "store/passes_doc.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <apr_lib.h>

#define KEY_MAX 64

/* "SINCE-UNTIL" */
static bool read_span(mm_pass_t *pass, const char *key)
{
    char *end;

    if (!apr_isdigit(key[0])) {
        return false;
    }
    pass->since_ms = strtoll(key, &end, 10);
    if (*end != '-' || !apr_isdigit(end[1])) {
        return false;
    }
    pass->until_ms = strtoll(end + 1, &end, 10);
    return !*end;
}

static int64_t offset_of(const bson_iter_t *iter)
{
    return BSON_ITER_HOLDS_NUMBER(iter) ? bson_iter_as_int64(iter) : 0;
}

bool mm_passes_read(mm_passes_t *passes, const bson_t *doc)
{
    mm_pass_t pass = {.to = 0};
    bson_iter_t iter, child;
    bool ok = true;

    if (bson_iter_init_find(&iter, doc, "offset") && (pass.to = offset_of(&iter)) > 0) {
        ok = mm_passes_add(passes, &pass);
    }
    if (!bson_iter_init_find(&iter, doc, "passes") || !BSON_ITER_HOLDS_DOCUMENT(&iter) ||
        !bson_iter_recurse(&iter, &child)) {
        return ok;
    }
    while (ok && bson_iter_next(&child)) {
        pass.to = offset_of(&child);
        ok = pass.to <= 0 || !read_span(&pass, bson_iter_key(&child)) || mm_passes_add(passes, &pass);
    }
    return ok;
}

void mm_passes_append(bson_t *max, const mm_passes_t *passes)
{
    for (size_t i = 0; i < passes->n; i++) {
        const mm_pass_t *pass = &passes->pass[i];
        char key[KEY_MAX] = "offset";

        if (pass->since_ms != 0 || pass->until_ms != 0) {
            snprintf(key, sizeof(key), "passes.%" PRId64 "-%" PRId64, pass->since_ms, pass->until_ms);
        }
        BSON_APPEND_INT64(max, key, pass->to);
    }
}
