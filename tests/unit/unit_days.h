/* For the tests of days: uses on days around the end of January 2026, and all rows of a report as one text. */
#ifndef UNIT_DAYS_H
#define UNIT_DAYS_H

#include "unit_report.h"

#include "report/day_stream.h"
#include "report/days.h"

#define DAY INT64_C(86400000)
/* 2026-01-31 */
#define LAST_OF_JANUARY INT64_C(1769817600000)

static inline void use_on(fixture_t *fixture, int64_t day_ms, const char *type, const char *id, const char *user,
                          int64_t views, int64_t downloads)
{
    fixture->deltas[fixture->n_deltas++] = (mm_delta_t){.kind = MM_DELTA_DAY,
                                                        .type = type,
                                                        .id = id,
                                                        .user = user,
                                                        .day_ms = day_ms,
                                                        .views = views,
                                                        .downloads = downloads,
                                                        .machine_views = views > 2 ? 1 : 0,
                                                        .unique_views = views > 1 ? 1 : 0,
                                                        .last_viewed_ms = MM_TIME_NONE,
                                                        .last_downloaded_ms = MM_TIME_NONE,
                                                        .first_seen_ms = MM_TIME_NONE};
}

static inline fixture_t *filled(unit_t *unit)
{
    fixture_t *fixture = fixture_make(unit);

    use_on(fixture, LAST_OF_JANUARY - DAY, "datasets", "d1", NULL, 1, 0);
    use_on(fixture, LAST_OF_JANUARY, "datasets", "d1", NULL, 4, 1);
    use_on(fixture, LAST_OF_JANUARY, "datasets", "d1", "ann", 3, 0);
    use_on(fixture, LAST_OF_JANUARY, "datasets", "d2", "ann", 10, 0);
    use_on(fixture, LAST_OF_JANUARY, "files", "d1", NULL, 0, 7);
    use_on(fixture, LAST_OF_JANUARY + DAY, "datasets", "d2", NULL, 20, 0);
    use_on(fixture, LAST_OF_JANUARY + 5 * DAY, "files", "f1", NULL, 2, 0);
    fixture_store(fixture);
    fixture->route.endpoint = MM_ENDPOINT_DAYS_ALL;
    fixture->route.type = NULL;
    return fixture;
}

/* "+DAY type views/downloads; …", days counted from the last of January, or months. Cursors that were not read for
 * idle_us are opened anew. */
static inline const char *all_with(fixture_t *fixture, int64_t idle_us)
{
    const char *text = "";
    mm_days_t *days = NULL;
    mm_day_t *rows;
    size_t n;
    bool ended;
    mm_err_t err = {0};

    fixture_forget(fixture);
    if (mm_days_open_idle(&days, &fixture->report, fixture->route.type ? &fixture->route.type : fixture->report.types,
                          fixture->route.type ? 1 : 3, idle_us, fixture->pool, &err) != APR_SUCCESS) {
        return err.text[0] ? apr_pstrdup(fixture->pool, err.text) : "?";
    }
    do {
        assert_int_equal(mm_days_next(days, &rows, &n, &ended, fixture->pool, &err), APR_SUCCESS);
        assert_in_range(n, 0, ended ? 0 : MM_REPORT_BATCH);
        for (size_t i = 0; i < n; i++) {
            const char *when =
                rows[i].month ? rows[i].month
                              : apr_psprintf(fixture->pool, "%+d", (int)((rows[i].use.day_ms - LAST_OF_JANUARY) / DAY));
            text = apr_psprintf(fixture->pool, "%s%s %.1s %ld/%ld; ", text, when, rows[i].type, (long)rows[i].use.views,
                                (long)rows[i].use.downloads);
        }
    } while (!ended);
    return text;
}

static inline const char *all(fixture_t *fixture)
{
    return all_with(fixture, MM_DAY_STREAM_IDLE_US);
}

/* More resources than a batch holds, on several days, a third of them hidden. */
static inline fixture_t *many(unit_t *unit)
{
    fixture_t *fixture = fixture_make(unit);
    mongoc_collection_t *collection;
    bson_error_t error;
    const int n = 1800;
    bson_t **docs = apr_palloc(fixture->pool, (size_t)n * sizeof(*docs));
    const char **denied = apr_pcalloc(fixture->pool, 201 * sizeof(*denied));

    for (int i = 0; i < n; i++) {
        docs[i] = BCON_NEW("type", "datasets", "resource", BCON_UTF8(apr_psprintf(fixture->pool, "d%d", i % 600)),
                           "day", BCON_DATE_TIME(LAST_OF_JANUARY + i / 600 * DAY), "views", BCON_INT64(1));
    }
    for (int i = 0; i < 200; i++) {
        denied[i] = apr_psprintf(fixture->pool, "datasets:d%d", 3 * i);
    }
    collection = mm_store_collection(fixture->report.store, mm_store_days_name(fixture->report.store, fixture->pool));
    assert_true(mongoc_collection_insert_many(collection, (const bson_t **)docs, (size_t)n, NULL, NULL, &error));
    for (int i = 0; i < n; i++) {
        bson_destroy(docs[i]);
    }
    mongoc_collection_destroy(collection);
    fixture->route.endpoint = MM_ENDPOINT_DAYS;
    fixture->route.type = "datasets";
    fixture->denied = denied;
    return fixture;
}

#endif
