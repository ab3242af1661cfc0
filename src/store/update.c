/* One delta as one update: which document of which collection, under which condition, and what changes in it. */
#include "store/store_private.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "store/value.h"

/* The _id of a document of metrics_users: "TYPE:LENGTH:RESOURCE:USER", LENGTH being that of RESOURCE in bytes, so that
 * no two of them are alike whatever the ids hold. One string rather than {type, resource, user}: not every server that
 * speaks MongoDB's protocol finds a document by an embedded _id without reading the whole collection (measured: 1,000
 * upserts into 3,000 documents took 0.7 s by string and 17 s by document). */
static int print_user_id(char *buf, size_t size, const mm_delta_t *delta)
{
    return snprintf(buf, size, "%s:%zu:%s:%s", delta->type, strlen(delta->id), delta->id,
                    delta->user ? delta->user : "");
}

/* That of metrics_days has the day before it, so that a server's index is written at its end, where today is:
 * "YYYY-MM-DD:TYPE:LENGTH:RESOURCE:USER", without a user for the uses of all who are unknown. */
static int print_id(char *buf, size_t size, const mm_delta_t *delta)
{
    time_t day_s = (time_t)(delta->day_ms / 1000);
    struct tm day;
    char date[64];
    int len, rest;

    if (delta->kind == MM_DELTA_USER) {
        return print_user_id(buf, size, delta);
    }
    gmtime_r(&day_s, &day);
    len = snprintf(date, sizeof(date), "%04d-%02d-%02d:", day.tm_year + 1900, day.tm_mon + 1, day.tm_mday);
    rest = print_user_id(NULL, 0, delta);
    if (size > (size_t)(len + rest)) {
        memcpy(buf, date, (size_t)len);
        print_user_id(buf + len, size - (size_t)len, delta);
    }
    return len + rest;
}

const char *mm_update_id(const mm_delta_t *delta, apr_pool_t *pool)
{
    size_t size;
    char *id;

    if (delta->kind == MM_DELTA_RESOURCE) {
        return delta->id;
    }
    size = (size_t)print_id(NULL, 0, delta) + 1;
    id = apr_palloc(pool, size);
    print_id(id, size, delta);
    return id;
}

static bool is_storable(const char *text)
{
    return text && strlen(text) <= MM_STORE_TEXT_MAX;
}

const char *mm_update_collection(const mm_store_t *store, const mm_delta_t *delta, apr_pool_t *pool)
{
    const char *totals = mm_store_totals_name(store, delta->type, pool);

    if (!totals || !is_storable(delta->id)) {
        return NULL;
    }
    switch (delta->kind) {
    case MM_DELTA_RESOURCE:
        return totals;
    case MM_DELTA_USER:
        return is_storable(delta->user) ? mm_store_users_name(store, pool) : NULL;
    case MM_DELTA_DAY:
        return delta->day_ms < 0 || (delta->user && !is_storable(delta->user)) ? NULL : mm_store_days_name(store, pool);
    default:
        return NULL;
    }
}

static void append_id(bson_t *filter, const mm_delta_t *delta)
{
    size_t size = (size_t)print_id(NULL, 0, delta) + 1;
    char *id = bson_malloc(size);

    print_id(id, size, delta);
    mm_value_append_text(filter, "_id", id);
    bson_free(id);
}

static void build_filter(bson_t *filter, const mm_delta_t *delta, const char *seq_path, int64_t seq)
{
    bson_t fence, condition;

    if (delta->kind != MM_DELTA_RESOURCE) {
        append_id(filter, delta);
    }
    else {
        mm_value_append_text(filter, "_id", delta->id);
    }
    BSON_APPEND_DOCUMENT_BEGIN(filter, seq_path, &fence);
    BSON_APPEND_DOCUMENT_BEGIN(&fence, "$not", &condition);
    BSON_APPEND_INT64(&condition, "$gte", seq);
    bson_append_document_end(&fence, &condition);
    bson_append_document_end(filter, &fence);
}

static void append_time(bson_t *doc, const char *key, int64_t ms)
{
    if (ms != MM_TIME_NONE) {
        BSON_APPEND_DATE_TIME(doc, key, ms);
    }
}

/* What changes, and zeros of the first four where reports sort by them: a field that is missing comes behind one that
 * is 0. A $setOnInsert for these would cost the same bytes for each and 19 more for itself. */
static void append_counts(bson_t *doc, const mm_delta_t *delta)
{
    const struct {
        const char *key;
        int64_t count;
        bool always;
    } counts[] = {
        {"views", delta->views, true},
        {"downloads", delta->downloads, true},
        {"machine_views", delta->machine_views, true},
        {"machine_downloads", delta->machine_downloads, true},
        {"unique_views", delta->unique_views, false},
        {"unique_downloads", delta->unique_downloads, false},
        {"unique_investigations", delta->unique_investigations, false},
        {"machine_unique_views", delta->machine_unique_views, false},
        {"machine_unique_downloads", delta->machine_unique_downloads, false},
        {"machine_unique_investigations", delta->machine_unique_investigations, false},
    };

    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        if (counts[i].count != 0 || (counts[i].always && delta->kind != MM_DELTA_DAY)) {
            bson_append_int64(doc, counts[i].key, -1, counts[i].count);
        }
    }
}

static void append_names(bson_t *doc, const mm_delta_t *delta)
{
    mm_value_append_text(doc, "type", delta->type);
    mm_value_append_text(doc, "resource", delta->id);
    if (delta->kind == MM_DELTA_DAY) {
        BSON_APPEND_DATE_TIME(doc, "day", delta->day_ms);
    }
    if (delta->user != NULL) {
        mm_value_append_text(doc, "user", delta->user);
    }
}

static void build_update(bson_t *update, const mm_delta_t *delta, const char *seq_path, int64_t seq)
{
    bson_t part;

    BSON_APPEND_DOCUMENT_BEGIN(update, "$inc", &part);
    append_counts(&part, delta);
    bson_append_document_end(update, &part);
    if (delta->last_viewed_ms != MM_TIME_NONE || delta->last_downloaded_ms != MM_TIME_NONE) {
        BSON_APPEND_DOCUMENT_BEGIN(update, "$max", &part);
        append_time(&part, "last_viewed", delta->last_viewed_ms);
        append_time(&part, "last_downloaded", delta->last_downloaded_ms);
        bson_append_document_end(update, &part);
    }
    if (delta->first_seen_ms != MM_TIME_NONE) {
        BSON_APPEND_DOCUMENT_BEGIN(update, "$min", &part);
        append_time(&part, "first_seen", delta->first_seen_ms);
        bson_append_document_end(update, &part);
    }
    if (delta->kind != MM_DELTA_RESOURCE) {
        BSON_APPEND_DOCUMENT_BEGIN(update, "$setOnInsert", &part);
        append_names(&part, delta);
        bson_append_document_end(update, &part);
    }
    BSON_APPEND_DOCUMENT_BEGIN(update, "$set", &part);
    BSON_APPEND_INT64(&part, seq_path, seq);
    bson_append_document_end(update, &part);
}

void mm_update_build(bson_t *filter, bson_t *update, const mm_delta_t *delta, const char *seq_path, int64_t seq)
{
    build_filter(filter, delta, seq_path, seq);
    build_update(update, delta, seq_path, seq);
}
