/* Who adds up depends on what is known of the requester's rights. Where they are the same for all resources, or for a
 * few whose ids are known beforehand, the database does: a row for each day comes out of it. Otherwise every document
 * of a day comes here, and is added where the gate has let its resource pass. A resource has many days, so verdicts are
 * remembered, as many as fit into KNOWN_MAX bytes: then all are forgotten and asked for again. In no case does a sum
 * hold anything of a resource that may not be seen, and memory is the same for any number of days and resources.
 *
 * A stream that was idle is read again from the beginning of the day of its last document on, and the sum goes on from
 * what it was before that day.
 */
#include "report/day_stream.h"

#include <string.h>
#include <apr_hash.h>
#include <apr_strings.h>
#include <apr_time.h>

#include "report/gate.h"
#include "report/out.h"

#define KNOWN_MAX  ((size_t)4 << 20)
#define KNOWN_COST 128 /* of one verdict, besides its id */
#define DAY_MS     INT64_C(86400000)

/* A row that is being added up. */
typedef struct sum {
    mm_use_t use;
    bool has_any; /* something was added */
} sum_t;

struct mm_day_stream {
    const mm_report_t *report;
    const char *type;
    mm_uses_query_t query;
    mm_uses_t *uses;
    apr_pool_t *cursor_pool, *batch_pool;
    mm_use_t *batch;
    size_t n, at;
    apr_pool_t *known_pool;
    apr_hash_t *known; /* id to granted or denied */
    size_t known_cost;
    bool ended;    /* there are no more batches */
    bool is_whole; /* nothing more will be added to the next row; without one, there is none */
    sum_t next;
    sum_t before;        /* as it was without what was added of the day open_day_ms */
    int64_t open_day_ms; /* MM_TIME_NONE: nothing was added yet */
    bool has_read;
    int64_t last_day_ms;   /* of the last document, seen or not */
    int64_t renewed_at_ms; /* the day from which the cursor was opened anew; MM_TIME_NONE: it was not */
    apr_time_t read_us;    /* when the cursor was last read */
    int64_t idle_us;
};

static const char granted[] = "granted", denied[] = "denied";

/* --- which rows of days there are ----------------------------------------------------------------------------------
 */

static int64_t floor_day(int64_t ms)
{
    int64_t within = ms % DAY_MS;

    return ms - (within < 0 ? within + DAY_MS : within);
}

/* When the day or the month began. Beyond what has a written form there are no months. */
static int64_t beginning(const mm_report_t *report, int64_t ms)
{
    int64_t day = floor_day(ms);
    char text[MM_TIME_TEXT];
    apr_time_exp_t parts;

    if (report->route->per == MM_PER_MONTH && mm_time_text(text, day, ' ') &&
        apr_time_exp_gmt(&parts, day * 1000) == APR_SUCCESS) {
        day -= (parts.tm_mday - 1) * DAY_MS;
    }
    return day;
}

static void add_up(mm_use_t *sum, const mm_use_t *use)
{
    sum->views = mm_uses_sum(sum->views, use->views);
    sum->downloads = mm_uses_sum(sum->downloads, use->downloads);
    sum->machine_views = mm_uses_sum(sum->machine_views, use->machine_views);
    sum->machine_downloads = mm_uses_sum(sum->machine_downloads, use->machine_downloads);
    sum->unique_views = mm_uses_sum(sum->unique_views, use->unique_views);
    sum->unique_downloads = mm_uses_sum(sum->unique_downloads, use->unique_downloads);
    sum->unique_investigations = mm_uses_sum(sum->unique_investigations, use->unique_investigations);
    sum->machine_unique_views = mm_uses_sum(sum->machine_unique_views, use->machine_unique_views);
    sum->machine_unique_downloads = mm_uses_sum(sum->machine_unique_downloads, use->machine_unique_downloads);
    sum->machine_unique_investigations =
        mm_uses_sum(sum->machine_unique_investigations, use->machine_unique_investigations);
}

/* --- which of them may be seen -------------------------------------------------------------------------------------
 */

static apr_status_t ask(const mm_report_t *report, const char *type, const char *const *ids, size_t n,
                        unsigned char *seen, apr_pool_t *pool, mm_err_t *err)
{
    mm_mention_t *mentions = apr_palloc(pool, (n + 1) * sizeof(*mentions));

    for (size_t i = 0; i < n; i++) {
        mentions[i] = (mm_mention_t){NULL, type, ids[i], &seen[i]};
    }
    return mm_gate_ask(&report->gate, mentions, n, pool, err);
}

static void remember(mm_day_stream_t *stream, const char *id, bool may_be_seen)
{
    size_t cost = strlen(id) + KNOWN_COST;

    if (stream->known_cost + cost > KNOWN_MAX) {
        apr_pool_clear(stream->known_pool);
        stream->known = apr_hash_make(stream->known_pool);
        stream->known_cost = 0;
    }
    if (!apr_hash_get(stream->known, id, APR_HASH_KEY_STRING)) {
        apr_hash_set(stream->known, apr_pstrdup(stream->known_pool, id), APR_HASH_KEY_STRING,
                     may_be_seen ? granted : denied);
        stream->known_cost += cost;
    }
}

/* Leaves those of the batch whose resources may be seen. */
static apr_status_t keep_visible(const mm_report_t *report, mm_day_stream_t *stream, mm_err_t *err)
{
    apr_pool_t *pool = stream->batch_pool;
    const char **ids = apr_palloc(pool, stream->n * sizeof(*ids));
    size_t *of = apr_palloc(pool, stream->n * sizeof(*of));
    unsigned char *seen = apr_pcalloc(pool, stream->n), *asked = apr_pcalloc(pool, stream->n);
    size_t n = 0, kept = 0;

    for (size_t i = 0; i < stream->n; i++) {
        const char *verdict = apr_hash_get(stream->known, stream->batch[i].id, APR_HASH_KEY_STRING);

        seen[i] = verdict == granted;
        if (!verdict) {
            of[n] = i;
            ids[n++] = stream->batch[i].id;
        }
    }
    apr_status_t rv = ask(report, stream->type, ids, n, asked, pool, err);
    for (size_t i = 0; i < n && rv == APR_SUCCESS; i++) {
        seen[of[i]] = asked[i];
        remember(stream, ids[i], asked[i]);
    }
    for (size_t i = 0; i < stream->n && rv == APR_SUCCESS; i++) {
        if (seen[i]) {
            stream->batch[kept++] = stream->batch[i];
        }
    }
    stream->n = kept;
    return rv;
}

/* Those of the ids known beforehand that may be seen: of them alone the database adds up. */
static apr_status_t keep_ids(const mm_report_t *report, mm_day_stream_t *stream, const char *const *ids, size_t n,
                             apr_pool_t *pool, mm_err_t *err)
{
    unsigned char *seen = apr_pcalloc(pool, n + 1);
    const char **kept = apr_palloc(pool, (n + 1) * sizeof(*kept));
    apr_status_t rv = ask(report, stream->type, ids, n, seen, pool, err);

    stream->query.ids = kept;
    for (size_t i = 0; i < n && rv == APR_SUCCESS; i++) {
        if (seen[i]) {
            kept[stream->query.n_ids++] = ids[i];
        }
    }
    return rv;
}

/* --- a stream ------------------------------------------------------------------------------------------------------
 */

/* Who narrows a report means no others, even where they would let all pass: as in every other report. */
static apr_status_t know_rights(const mm_report_t *report, mm_day_stream_t *stream, apr_pool_t *pool, mm_err_t *err)
{
    const mm_gate_t *gate = &report->gate;
    const char *const *ids = report->route->id ? &report->route->id : NULL;
    size_t n = ids ? 1 : 0;
    apr_status_t rv = APR_SUCCESS;

    if (!ids && gate->narrow) {
        rv = gate->narrow(gate->baton, stream->type, &ids, &n, pool, err);
    }
    stream->query.by_day = MM_BY_DAY_SUMMED;
    if (rv == APR_SUCCESS && ids) {
        return keep_ids(report, stream, ids, n, pool, err);
    }
    if (!gate->sees_all || !gate->sees_all(gate->baton, stream->type)) {
        stream->query.by_day = MM_BY_DAY_EACH;
    }
    return rv;
}

static void make_query(mm_day_stream_t *stream, const mm_route_t *route)
{
    stream->query = (mm_uses_query_t){.type = stream->type,
                                      .backwards = mm_route_is_backwards(route),
                                      .agents = (mm_agents_t)route->agent,
                                      .has_since = route->has_since,
                                      .has_until = route->has_until,
                                      .since_ms = route->since_ms,
                                      .until_ms = route->until_ms};
    for (size_t i = 0; i < route->n_extras; i++) {
        stream->query.uniques |= route->extras[i] >= MM_EXTRA_UNIQUE_VIEWS;
    }
}

/* Closes the cursor there is, and reads from there on. */
static apr_status_t open_cursor(mm_day_stream_t *stream, mm_err_t *err)
{
    apr_pool_clear(stream->cursor_pool);
    return mm_uses_open(&stream->uses, stream->report->store, &stream->query, stream->cursor_pool, err);
}

/* Each day once at most: who is slow with the documents of one day would else begin with them for ever. */
static bool was_idle(const mm_day_stream_t *stream)
{
    return stream->has_read && apr_time_now() - stream->read_us >= stream->idle_us &&
           stream->renewed_at_ms != stream->last_day_ms;
}

static apr_status_t renew(mm_day_stream_t *stream, mm_err_t *err)
{
    const int64_t day_ms = stream->last_day_ms;

    if (stream->open_day_ms == day_ms) {
        stream->next = stream->before;
    }
    if (stream->query.backwards) {
        stream->query.has_until = true;
        stream->query.until_ms = day_ms + 1;
    }
    else {
        stream->query.has_since = true;
        stream->query.since_ms = day_ms;
    }
    stream->renewed_at_ms = day_ms;
    return open_cursor(stream, err);
}

/* The next batch, of which what may not be seen is gone. */
static apr_status_t read_batch(mm_day_stream_t *stream, mm_err_t *err)
{
    apr_status_t rv = was_idle(stream) ? renew(stream, err) : APR_SUCCESS;

    apr_pool_clear(stream->batch_pool);
    stream->at = stream->n = 0;
    stream->batch = apr_palloc(stream->batch_pool, MM_REPORT_BATCH * sizeof(*stream->batch));
    rv = rv != APR_SUCCESS
             ? rv
             : mm_uses_next(stream->uses, stream->batch, MM_REPORT_BATCH, &stream->n, stream->batch_pool, err);
    stream->read_us = apr_time_now();
    stream->ended = stream->n == 0;
    if (rv == APR_SUCCESS && !stream->ended) {
        stream->has_read = true;
        stream->last_day_ms = stream->batch[stream->n - 1].day_ms;
    }
    if (rv == APR_SUCCESS && !stream->ended && stream->query.by_day == MM_BY_DAY_EACH) {
        rv = keep_visible(stream->report, stream, err);
    }
    return rv;
}

static void add(mm_day_stream_t *stream, const mm_use_t *use, int64_t begins)
{
    if (use->day_ms != stream->open_day_ms) {
        stream->before = stream->next;
        stream->open_day_ms = use->day_ms;
    }
    if (!stream->next.has_any) {
        stream->next.use =
            (mm_use_t){.day_ms = begins, .last_viewed_ms = MM_TIME_NONE, .last_downloaded_ms = MM_TIME_NONE};
        stream->next.has_any = true;
    }
    add_up(&stream->next.use, use);
}

/* Adds up what of the batch belongs to the next row. */
static void add_batch(mm_day_stream_t *stream)
{
    for (; stream->at < stream->n && !stream->is_whole; stream->at++) {
        const mm_use_t *use = &stream->batch[stream->at];
        int64_t begins = beginning(stream->report, use->day_ms);

        if (stream->next.has_any && begins != stream->next.use.day_ms) {
            stream->is_whole = true;
            return;
        }
        add(stream, use, begins);
    }
    stream->is_whole = stream->is_whole || (stream->ended && stream->at == stream->n);
}

apr_status_t mm_day_stream_advance(mm_day_stream_t *stream, bool *may_read, bool *whole, mm_err_t *err)
{
    apr_status_t rv = APR_SUCCESS;

    add_batch(stream);
    if (!stream->is_whole && *may_read) {
        *may_read = false;
        rv = read_batch(stream, err);
        if (rv == APR_SUCCESS) {
            add_batch(stream);
        }
    }
    *whole = stream->is_whole;
    return rv;
}

const mm_use_t *mm_day_stream_row(const mm_day_stream_t *stream)
{
    return stream->next.has_any ? &stream->next.use : NULL;
}

const char *mm_day_stream_type(const mm_day_stream_t *stream)
{
    return stream->type;
}

void mm_day_stream_take(mm_day_stream_t *stream)
{
    stream->next.has_any = stream->is_whole = false;
}

apr_status_t mm_day_stream_open(mm_day_stream_t **stream, const mm_report_t *report, const char *type, int64_t idle_us,
                                apr_pool_t *pool, mm_err_t *err)
{
    mm_day_stream_t *opened = apr_pcalloc(pool, sizeof(*opened));
    apr_status_t rv = apr_pool_create(&opened->batch_pool, pool);

    rv = rv == APR_SUCCESS ? apr_pool_create(&opened->known_pool, pool) : rv;
    rv = rv == APR_SUCCESS ? apr_pool_create(&opened->cursor_pool, pool) : rv;
    if (rv != APR_SUCCESS) {
        return mm_err_set_os(err, rv, "the report gets no memory");
    }
    opened->report = report;
    opened->type = type;
    opened->idle_us = idle_us;
    opened->open_day_ms = opened->renewed_at_ms = MM_TIME_NONE;
    opened->known = apr_hash_make(opened->known_pool);
    make_query(opened, report->route);
    rv = know_rights(report, opened, pool, err);
    opened->ended = opened->query.ids && opened->query.n_ids == 0;
    if (rv == APR_SUCCESS && !opened->ended) {
        rv = open_cursor(opened, err);
    }
    *stream = opened;
    return rv;
}
