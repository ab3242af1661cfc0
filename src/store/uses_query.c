/* Which documents, and in which order: what is asked of the server.
 *
 * A find, which an index serves; or, where the order goes by numbers that no document holds (the views of regular
 * agents are a difference), an aggregation that computes and sorts them. Its sort goes to the server's disk when it is
 * large, so that no number of documents makes it fail. A period is an aggregation, too: its days are added up.
 */
#include "store/uses_private.h"

#include <stdio.h>

#include "store/value.h"

/* A batch of a cursor is held in memory on both sides; a row is some 150 bytes. */
#define BATCH_MAX 5000

/* Names of computed fields; ours never hold a leading underscore but in _id. */
#define COMPUTED_VIEWS     "_views"
#define COMPUTED_DOWNLOADS "_downloads"

/* Those before the mark are read always, those behind it where uniques are wanted. */
static const char *const counters[] = {"views",
                                       "downloads",
                                       "machine_views",
                                       "machine_downloads",
                                       "unique_views",
                                       "unique_downloads",
                                       "unique_investigations",
                                       "machine_unique_views",
                                       "machine_unique_downloads",
                                       "machine_unique_investigations"};
#define ALL_COUNTERS   (sizeof(counters) / sizeof(counters[0]))
#define USUAL_COUNTERS (ALL_COUNTERS - 6)

static size_t n_counters(const mm_uses_query_t *query)
{
    return query->uniques ? ALL_COUNTERS : USUAL_COUNTERS;
}

/* What a row is made of; days have no times. */
static void append_fields(bson_t *fields, const mm_uses_query_t *query)
{
    for (size_t i = 0; i < n_counters(query); i++) {
        BSON_APPEND_INT32(fields, counters[i], 1);
    }
    if (!mm_uses_has_period(query)) {
        BSON_APPEND_INT32(fields, "last_viewed", 1);
        BSON_APPEND_INT32(fields, "last_downloaded", 1);
    }
}

/* --- which ---------------------------------------------------------------------------------------------------------
 */

static void append_ids(bson_t *filter, const char *field, const mm_uses_query_t *query)
{
    bson_t condition, values;

    if (query->n_ids == 1) {
        mm_value_append_text(filter, field, query->ids[0]);
        return;
    }
    BSON_APPEND_DOCUMENT_BEGIN(filter, field, &condition);
    BSON_APPEND_ARRAY_BEGIN(&condition, "$in", &values);
    for (size_t i = 0; i < query->n_ids; i++) {
        const char *key;
        char buf[16];

        bson_uint32_to_string((uint32_t)i, &key, buf, sizeof(buf));
        mm_value_append_text(&values, key, query->ids[i]);
    }
    bson_append_array_end(&condition, &values);
    bson_append_document_end(filter, &condition);
}

/* Not "less than", which a document without the field would not meet. */
static void append_before(bson_t *filter, const char *field, int64_t ms)
{
    bson_t condition, bound;

    BSON_APPEND_DOCUMENT_BEGIN(filter, field, &condition);
    BSON_APPEND_DOCUMENT_BEGIN(&condition, "$not", &bound);
    BSON_APPEND_DATE_TIME(&bound, "$gte", ms);
    bson_append_document_end(&condition, &bound);
    bson_append_document_end(filter, &condition);
}

static void append_days(bson_t *filter, const mm_uses_query_t *query)
{
    bson_t bounds;

    if (!query->has_since && !query->has_until) {
        return;
    }
    BSON_APPEND_DOCUMENT_BEGIN(filter, "day", &bounds);
    if (query->has_since) {
        BSON_APPEND_DATE_TIME(&bounds, "$gte", query->since_ms);
    }
    if (query->has_until) {
        BSON_APPEND_DATE_TIME(&bounds, "$lt", query->until_ms);
    }
    bson_append_document_end(filter, &bounds);
}

/* A day has a document for all who are nobody; a report of users is not about them. */
static void append_user(bson_t *filter, const mm_uses_query_t *query)
{
    bson_t condition;

    if (query->user) {
        mm_value_append_text(filter, "user", query->user);
    }
    else if (mm_uses_has_period(query)) {
        BSON_APPEND_DOCUMENT_BEGIN(filter, "user", &condition);
        BSON_APPEND_BOOL(&condition, "$exists", true);
        bson_append_document_end(filter, &condition);
    }
}

static void append_filter(bson_t *filter, const mm_uses_query_t *query)
{
    bool of_types = query->per_user || mm_uses_has_period(query); /* a collection with documents of all types */

    if (mm_uses_has_period(query)) {
        append_days(filter, query);
    }
    if (of_types) {
        mm_value_append_text(filter, "type", query->type);
    }
    if (query->ids) {
        append_ids(filter, of_types ? "resource" : "_id", query);
    }
    if (query->per_user) {
        append_user(filter, query);
    }
    if (query->unused_since) {
        append_before(filter, "last_viewed", query->unused_since_ms);
        append_before(filter, "last_downloaded", query->unused_since_ms);
    }
}

/* --- in which order ------------------------------------------------------------------------------------------------
 */

static bool is_computed(const mm_uses_query_t *query)
{
    return query->agents != MM_AGENTS_ALL && (query->order == MM_ORDER_VIEWS || query->order == MM_ORDER_DOWNLOADS);
}

static void append_sort(bson_t *sort, const mm_uses_query_t *query)
{
    const int32_t up = query->backwards ? -1 : 1;

    if (query->by_day != MM_BY_DAY_NOT) {
        BSON_APPEND_INT32(sort, query->by_day == MM_BY_DAY_SUMMED ? "_id" : "day", up);
        return;
    }
    const char *views = is_computed(query) ? COMPUTED_VIEWS : "views";
    const char *downloads = is_computed(query) ? COMPUTED_DOWNLOADS : "downloads";

    switch (query->order) {
    case MM_ORDER_VIEWS:
        BSON_APPEND_INT32(sort, views, -up);
        BSON_APPEND_INT32(sort, downloads, -up);
        break;
    case MM_ORDER_DOWNLOADS:
        BSON_APPEND_INT32(sort, downloads, -up);
        break;
    case MM_ORDER_LAST_VIEWED:
        BSON_APPEND_INT32(sort, "last_viewed", -up);
        break;
    case MM_ORDER_LAST_DOWNLOADED:
        BSON_APPEND_INT32(sort, "last_downloaded", -up);
        break;
    case MM_ORDER_USER:
        BSON_APPEND_INT32(sort, "user", up);
        BSON_APPEND_INT32(sort, "type", up); /* the same in all rows; with it this is the order of an index */
        break;
    case MM_ORDER_RESOURCE:
        break;
    }
    BSON_APPEND_INT32(sort, query->per_user ? "resource" : "_id", up);
    if (query->per_user && query->order != MM_ORDER_USER) {
        BSON_APPEND_INT32(sort, "user", up);
    }
}

/* A counter as a double, 0 where it is none and cut where it is too much: one odd document must not end the report, nor
 * take anything away from what others add. */
static void append_number(bson_t *parent, const char *key, const char *path)
{
    bson_t outer, terms, inner, limits, first, convert;

    BSON_APPEND_DOCUMENT_BEGIN(parent, key, &outer);
    BSON_APPEND_ARRAY_BEGIN(&outer, "$max", &terms);
    BSON_APPEND_DOUBLE(&terms, "0", 0);
    BSON_APPEND_DOCUMENT_BEGIN(&terms, "1", &inner);
    BSON_APPEND_ARRAY_BEGIN(&inner, "$min", &limits);
    BSON_APPEND_DOUBLE(&limits, "0", (double)MM_USES_MAX);
    BSON_APPEND_DOCUMENT_BEGIN(&limits, "1", &first);
    BSON_APPEND_DOCUMENT_BEGIN(&first, "$convert", &convert);
    BSON_APPEND_UTF8(&convert, "input", path);
    BSON_APPEND_UTF8(&convert, "to", "double");
    BSON_APPEND_DOUBLE(&convert, "onError", 0);
    BSON_APPEND_DOUBLE(&convert, "onNull", 0);
    bson_append_document_end(&first, &convert);
    bson_append_document_end(&limits, &first);
    bson_append_array_end(&inner, &limits);
    bson_append_document_end(&terms, &inner);
    bson_append_array_end(&outer, &terms);
    bson_append_document_end(parent, &outer);
}

static void append_computed(bson_t *fields, const char *key, const char *all, const char *machine, mm_agents_t agents)
{
    bson_t outer, terms;

    if (agents != MM_AGENTS_REGULAR) {
        append_number(fields, key, agents == MM_AGENTS_MACHINE ? machine : all);
        return;
    }
    BSON_APPEND_DOCUMENT_BEGIN(fields, key, &outer);
    BSON_APPEND_ARRAY_BEGIN(&outer, "$subtract", &terms);
    append_number(&terms, "0", all);
    append_number(&terms, "1", machine);
    bson_append_array_end(&outer, &terms);
    bson_append_document_end(fields, &outer);
}

/* --- the two forms -------------------------------------------------------------------------------------------------
 */

static void append_projection(bson_t *projection, const mm_uses_query_t *query)
{
    append_fields(projection, query);
    if (query->by_day == MM_BY_DAY_EACH) {
        BSON_APPEND_INT32(projection, "resource", 1);
        BSON_APPEND_INT32(projection, "day", 1);
        BSON_APPEND_INT32(projection, "_id", 0);
    }
    if (query->per_user) {
        BSON_APPEND_INT32(projection, "resource", 1);
        BSON_APPEND_INT32(projection, "user", 1);
        BSON_APPEND_INT32(projection, "_id", 0);
    }
}

static mongoc_cursor_t *find(mongoc_collection_t *collection, const mm_uses_query_t *query, int32_t batch)
{
    bson_t filter = BSON_INITIALIZER, opts = BSON_INITIALIZER, part;
    mongoc_cursor_t *cursor;

    append_filter(&filter, query);
    BSON_APPEND_DOCUMENT_BEGIN(&opts, "sort", &part);
    append_sort(&part, query);
    bson_append_document_end(&opts, &part);
    BSON_APPEND_DOCUMENT_BEGIN(&opts, "projection", &part);
    append_projection(&part, query);
    bson_append_document_end(&opts, &part);
    BSON_APPEND_INT32(&opts, "batchSize", batch);
    cursor = mongoc_collection_find_with_opts(collection, &filter, &opts, NULL);
    bson_destroy(&opts);
    bson_destroy(&filter);
    return cursor;
}

/* The days of a resource, or of a resource and a user, are one row: its counters added up. Documents of the period come
 * out of it as those of the other collections are. */
static void append_group(bson_t *group, const mm_uses_query_t *query)
{
    bson_t part;

    if (query->per_user) {
        BSON_APPEND_DOCUMENT_BEGIN(group, "_id", &part);
        BSON_APPEND_UTF8(&part, "resource", "$resource");
        BSON_APPEND_UTF8(&part, "user", "$user");
        bson_append_document_end(group, &part);
    }
    else {
        BSON_APPEND_UTF8(group, "_id", query->by_day == MM_BY_DAY_SUMMED ? "$day" : "$resource");
    }
    for (size_t i = 0; i < n_counters(query); i++) {
        char path[64];

        snprintf(path, sizeof(path), "$%s", counters[i]);
        BSON_APPEND_DOCUMENT_BEGIN(group, counters[i], &part);
        append_number(&part, "$sum", path);
        bson_append_document_end(group, &part);
    }
}

static void append_shape(bson_t *shape, const mm_uses_query_t *query)
{
    append_fields(shape, query);
    if (query->per_user && mm_uses_has_period(query)) {
        BSON_APPEND_UTF8(shape, "resource", "$_id.resource");
        BSON_APPEND_UTF8(shape, "user", "$_id.user");
    }
    else if (query->per_user) {
        BSON_APPEND_INT32(shape, "resource", 1);
        BSON_APPEND_INT32(shape, "user", 1);
    }
    append_computed(shape, COMPUTED_VIEWS, "$views", "$machine_views", query->agents);
    append_computed(shape, COMPUTED_DOWNLOADS, "$downloads", "$machine_downloads", query->agents);
}

static void append_stage(bson_t *stages, uint32_t *n, const char *name,
                         void (*fill)(bson_t *doc, const mm_uses_query_t *query), const mm_uses_query_t *query)
{
    const char *key;
    char buf[16];
    bson_t stage, part;

    bson_uint32_to_string((*n)++, &key, buf, sizeof(buf));
    BSON_APPEND_DOCUMENT_BEGIN(stages, key, &stage);
    BSON_APPEND_DOCUMENT_BEGIN(&stage, name, &part);
    fill(&part, query);
    bson_append_document_end(&stage, &part);
    bson_append_document_end(stages, &stage);
}

static void append_stages(bson_t *pipeline, const mm_uses_query_t *query)
{
    bson_t stages;
    uint32_t n = 0;

    BSON_APPEND_ARRAY_BEGIN(pipeline, "pipeline", &stages);
    append_stage(&stages, &n, "$match", append_filter, query);
    if (mm_uses_has_period(query)) {
        append_stage(&stages, &n, "$group", append_group, query);
    }
    append_stage(&stages, &n, "$project", append_shape, query);
    append_stage(&stages, &n, "$sort", append_sort, query);
    bson_append_array_end(pipeline, &stages);
}

static mongoc_cursor_t *aggregate(const mm_store_t *store, mongoc_collection_t *collection,
                                  const mm_uses_query_t *query, int32_t batch)
{
    bson_t pipeline = BSON_INITIALIZER, opts = BSON_INITIALIZER;
    mongoc_cursor_t *cursor;

    append_stages(&pipeline, query);
    BSON_APPEND_BOOL(&opts, "allowDiskUse", true);
    BSON_APPEND_INT64(&opts, "maxTimeMS", store->patience_ms * MM_STORE_SORT_PATIENCE);
    BSON_APPEND_INT32(&opts, "batchSize", batch);
    cursor = mongoc_collection_aggregate(collection, MONGOC_QUERY_NONE, &pipeline, &opts, NULL);
    bson_destroy(&opts);
    bson_destroy(&pipeline);
    return cursor;
}

mongoc_cursor_t *mm_uses_start(const mm_store_t *store, mongoc_collection_t *collection, const mm_uses_query_t *query,
                               size_t max)
{
    int32_t batch = (int32_t)(max < BATCH_MAX ? max : BATCH_MAX);

    bool adds_up = query->by_day == MM_BY_DAY_NOT ? is_computed(query) || mm_uses_has_period(query)
                                                  : query->by_day == MM_BY_DAY_SUMMED;

    return adds_up ? aggregate(store, collection, query, batch) : find(collection, query, batch);
}
