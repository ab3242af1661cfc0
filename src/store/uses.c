/* Counters out: a cursor in the report's order, a batch at a time.
 *
 * A report of a whole type has no filter on purpose: with none, the index on (views, downloads, _id) gives the order
 * without a sort in memory and without a hint. Documents in which nobody viewed or downloaded anything are few (what
 * was only seen by somebody else's tools) and are passed over here. How the query is built is in uses_query.c.
 */
#include "store/uses.h"

#include <stddef.h>
#include <string.h>
#include <apr_strings.h>
#include "store/store_private.h"
#include "store/uses_private.h"
#include "store/value.h"

struct mm_uses {
    mm_store_t *store;
    const mm_uses_query_t *query;
    mongoc_collection_t *collection;
    mongoc_cursor_t *cursor; /* NULL before the first batch */
    const char *doing;       /* for errors */
    bool ended;
};

static apr_status_t close_uses(void *data)
{
    mm_uses_t *uses = data;

    if (uses->cursor) {
        mongoc_cursor_destroy(uses->cursor);
    }
    mongoc_collection_destroy(uses->collection);
    return APR_SUCCESS;
}

apr_status_t mm_uses_open(mm_uses_t **uses, mm_store_t *store, const mm_uses_query_t *query, apr_pool_t *pool,
                          mm_err_t *err)
{
    const char *name = mm_store_totals_name(store, query->type, pool);
    mm_uses_t *opened;

    if (!name) {
        return mm_err_set(err, APR_EINVAL, "\"%s\" cannot name a type of resources", query->type ? query->type : "");
    }
    if (mm_uses_has_period(query)) {
        name = mm_store_days_name(store, pool);
    }
    else if (query->per_user) {
        name = mm_store_users_name(store, pool);
    }
    opened = apr_pcalloc(pool, sizeof(*opened));
    opened->store = store;
    opened->query = query;
    opened->doing = apr_psprintf(pool, "Reading %s", name);
    opened->collection = mm_store_collection(store, name);
    apr_pool_cleanup_register(pool, opened, close_uses, apr_pool_cleanup_null);
    *uses = opened;
    return APR_SUCCESS;
}

static int64_t time_of(const bson_iter_t *value)
{
    return BSON_ITER_HOLDS_DATE_TIME(value) ? bson_iter_date_time(value) : MM_TIME_NONE;
}

/* Of a period, what is added up is cut before and after. Sums are doubles, so that no number of documents is too much
 * for the server's arithmetic. */
static int64_t count_of(const bson_iter_t *value, const mm_uses_query_t *query)
{
    const bool is_sum = mm_uses_is_summed(query);
    int64_t count = mm_value_count(value);

    if (!mm_uses_has_period(query)) {
        return count;
    }
    if (BSON_ITER_HOLDS_DOUBLE(value)) {
        double number = bson_iter_double(value);

        count = number >= (double)MM_USES_MAX ? MM_USES_MAX : is_sum && number > 0 ? (int64_t)number : count;
    }
    return count < MM_USES_MAX ? count : MM_USES_MAX;
}

/* Where the fields of a document go. */
static const struct {
    const char *name;
    size_t offset;
} counters[] = {{"views", offsetof(mm_use_t, views)},
                {"downloads", offsetof(mm_use_t, downloads)},
                {"machine_views", offsetof(mm_use_t, machine_views)},
                {"machine_downloads", offsetof(mm_use_t, machine_downloads)},
                {"unique_views", offsetof(mm_use_t, unique_views)},
                {"unique_downloads", offsetof(mm_use_t, unique_downloads)},
                {"unique_investigations", offsetof(mm_use_t, unique_investigations)},
                {"machine_unique_views", offsetof(mm_use_t, machine_unique_views)},
                {"machine_unique_downloads", offsetof(mm_use_t, machine_unique_downloads)},
                {"machine_unique_investigations", offsetof(mm_use_t, machine_unique_investigations)}};
#define N_COUNTERS (sizeof(counters) / sizeof(counters[0]))

static void read_field(mm_use_t *row, const bson_iter_t *field, const mm_uses_query_t *query)
{
    for (size_t i = 0; i < N_COUNTERS; i++) {
        if (BSON_ITER_IS_KEY(field, counters[i].name)) {
            *(int64_t *)((char *)row + counters[i].offset) = count_of(field, query);
            return;
        }
    }
    if (BSON_ITER_IS_KEY(field, "last_viewed")) {
        row->last_viewed_ms = time_of(field);
    }
    else if (BSON_ITER_IS_KEY(field, "last_downloaded")) {
        row->last_downloaded_ms = time_of(field);
    }
}

bool mm_uses_is_cut(const mm_use_t *row)
{
    for (size_t i = 0; i < N_COUNTERS; i++) {
        if (*(const int64_t *)((const char *)row + counters[i].offset) >= MM_USES_MAX) {
            return true;
        }
    }
    return false;
}

int64_t mm_uses_sum(int64_t a, int64_t b)
{
    int64_t sum;

    return __builtin_add_overflow(a, b, &sum) || sum > MM_USES_MAX ? MM_USES_MAX : sum;
}

static bool text_of(const bson_t *doc, const char *key, const char **text, apr_pool_t *pool)
{
    char buf[MM_VALUE_ID_SIZE];
    bson_iter_t iter;

    if (!bson_iter_init_find(&iter, doc, key) || BSON_ITER_HOLDS_DOCUMENT(&iter) || !mm_value_id(&iter, buf)) {
        return false;
    }
    *text = apr_pstrdup(pool, buf);
    return true;
}

bool mm_uses_is_used(const mm_use_t *row, mm_agents_t agents)
{
    switch (agents) {
    case MM_AGENTS_MACHINE:
        return row->machine_views > 0 || row->machine_downloads > 0;
    case MM_AGENTS_REGULAR:
        return row->views > row->machine_views || row->downloads > row->machine_downloads;
    default:
        return row->views > 0 || row->downloads > 0;
    }
}

static bool day_of(const mm_uses_query_t *query, const bson_t *doc, mm_use_t *row)
{
    bson_iter_t iter;

    if (!bson_iter_init_find(&iter, doc, query->by_day == MM_BY_DAY_SUMMED ? "_id" : "day") ||
        !BSON_ITER_HOLDS_DATE_TIME(&iter)) {
        return false;
    }
    row->day_ms = bson_iter_date_time(&iter);
    return true;
}

/* False for a document that is no row: without views and downloads, or with an id that has no text form. */
static bool read_row(const mm_uses_query_t *query, const bson_t *doc, mm_use_t *row, apr_pool_t *pool)
{
    bson_iter_t iter;

    *row = (mm_use_t){.last_viewed_ms = MM_TIME_NONE, .last_downloaded_ms = MM_TIME_NONE};
    if (!bson_iter_init(&iter, doc)) {
        return false;
    }
    while (bson_iter_next(&iter)) {
        read_field(row, &iter, query);
    }
    if (!mm_uses_is_used(row, query->agents)) {
        return false;
    }
    if (query->by_day != MM_BY_DAY_NOT) {
        return day_of(query, doc, row) &&
               (query->by_day == MM_BY_DAY_SUMMED || text_of(doc, "resource", &row->id, pool));
    }
    return text_of(doc, query->per_user ? "resource" : "_id", &row->id, pool) &&
           (!query->per_user || text_of(doc, "user", &row->user, pool));
}

apr_status_t mm_uses_next(mm_uses_t *uses, mm_use_t *rows, size_t max, size_t *n, apr_pool_t *pool, mm_err_t *err)
{
    bson_error_t error = {0};
    const bson_t *doc;
    size_t got = 0;

    if (max == 0) {
        return mm_err_set(err, APR_EINVAL, "%s: a batch holds at least one row", uses->doing);
    }
    if (!uses->cursor) {
        uses->cursor = mm_uses_start(uses->store, uses->collection, uses->query, max);
    }
    while (got < max && !uses->ended) {
        if (mongoc_cursor_next(uses->cursor, &doc)) {
            got += read_row(uses->query, doc, &rows[got], pool);
        }
        else if (mongoc_cursor_error(uses->cursor, &error)) {
            return mm_store_fail(err, &error, uses->doing);
        }
        else {
            uses->ended = true;
        }
    }
    *n = got;
    return APR_SUCCESS;
}
