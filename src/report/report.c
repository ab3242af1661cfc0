/* Pages in, lines out.
 *
 * At any time the run holds one page that is ready to be written, the first one since mm_report_begin; it is written
 * only when all of it may be. The next page replaces it in the same pool, so memory stays that of one page whatever the
 * number of rows. A cursor is open on one type at a time and lives in a pool of its own, which is what closes it.
 */
#include "report/report.h"

#include "report/page.h"

#define PIECES_BETWEEN "; "

struct mm_report_run {
    const mm_report_t *report;
    const char *const *types; /* those of this report */
    size_t n_types;
    size_t type; /* the one whose turn it is */
    apr_pool_t *type_pool;
    mm_totals_t *cursor; /* NULL: not opened yet */
    apr_pool_t *page_pool;
    mm_page_t page;
    mm_window_t window;
    mm_csv_t csv;
};

static void close_cursor(mm_report_run_t *run)
{
    apr_pool_clear(run->type_pool);
    run->cursor = NULL;
}

/* Makes the next page with rows from the store ready; page.fetched is 0 when all types are through. */
static apr_status_t next_page(mm_report_run_t *run, mm_err_t *err)
{
    apr_pool_clear(run->page_pool);
    run->page.fetched = run->page.n = 0;
    for (; run->type < run->n_types; run->type++, close_cursor(run)) {
        const char *type = run->types[run->type];
        apr_status_t rv = APR_SUCCESS;

        if (!run->cursor) {
            rv = mm_totals_open(&run->cursor, run->report->store, type, run->type_pool, err);
        }
        if (rv == APR_SUCCESS) {
            rv = mm_page_fetch(&run->page, run->report, type, run->cursor, &run->window, run->page_pool, err);
        }
        if (rv != APR_SUCCESS || run->page.fetched > 0) {
            return rv;
        }
    }
    return APR_SUCCESS;
}

apr_status_t mm_report_begin(mm_report_run_t **run, const mm_report_t *report, apr_pool_t *pool, mm_err_t *err)
{
    const mm_route_t *route = report->route;
    mm_report_run_t *begun = apr_pcalloc(pool, sizeof(*begun));
    apr_status_t rv;

    begun->report = report;
    begun->types = route->endpoint == MM_ENDPOINT_TOTALS_ALL ? report->types : &route->type;
    begun->n_types = route->endpoint == MM_ENDPOINT_TOTALS_ALL ? report->n_types : 1;
    begun->window.skip = route->offset;
    begun->window.left = route->limit;
    if ((rv = apr_pool_create(&begun->type_pool, pool)) != APR_SUCCESS ||
        (rv = apr_pool_create(&begun->page_pool, pool)) != APR_SUCCESS) {
        return mm_err_set_os(err, rv, "the report gets no memory");
    }
    mm_csv_init(&begun->csv, report->sink, report->sink_baton, route->raw);
    rv = next_page(begun, err);
    if (rv == APR_SUCCESS) {
        *run = begun;
    }
    return rv;
}

static void write_header(mm_report_run_t *run)
{
    static const char *const totals[] = {"resource_id", "resource_name", "views",
                                         "downloads",   "last_viewed",   "last_downloaded"};
    static const char *const parents[] = {"parent_type", "parent_id", "parent_name"};
    const mm_route_t *route = run->report->route;

    if (route->bom) {
        mm_csv_bom(&run->csv);
    }
    if (route->endpoint == MM_ENDPOINT_TOTALS_ALL) {
        mm_csv_text(&run->csv, "resource_type");
    }
    for (size_t i = 0; i < sizeof(totals) / sizeof(totals[0]); i++) {
        mm_csv_text(&run->csv, totals[i]);
    }
    for (size_t i = 0; route->parents != MM_PARENTS_NONE && i < sizeof(parents) / sizeof(parents[0]); i++) {
        mm_csv_text(&run->csv, parents[i]);
    }
    mm_csv_end_row(&run->csv);
}

static void write_totals(mm_report_run_t *run, const mm_totals_row_t *totals, const char *name)
{
    mm_csv_t *csv = &run->csv;

    if (run->report->route->endpoint == MM_ENDPOINT_TOTALS_ALL) {
        mm_csv_text(csv, run->page.type);
    }
    mm_csv_text(csv, totals->id);
    mm_csv_text(csv, name);
    mm_csv_int(csv, totals->views);
    mm_csv_int(csv, totals->downloads);
    mm_csv_time(csv, totals->last_viewed_ms);
    mm_csv_time(csv, totals->last_downloaded_ms);
}

/* The three cells of parents, n of them joined; pieces has room for n. */
static void write_parents(mm_csv_t *csv, const mm_parent_t *parents, size_t n, const char **pieces)
{
    for (size_t i = 0; i < n; i++) {
        pieces[i] = parents[i].type;
    }
    mm_csv_join(csv, pieces, n, PIECES_BETWEEN);
    for (size_t i = 0; i < n; i++) {
        pieces[i] = parents[i].id;
    }
    mm_csv_join(csv, pieces, n, PIECES_BETWEEN);
    for (size_t i = 0; i < n; i++) {
        pieces[i] = parents[i].name;
    }
    mm_csv_join(csv, pieces, n, PIECES_BETWEEN);
}

static void write_resource(mm_report_run_t *run, size_t row, const char **pieces)
{
    const mm_entry_t *entry = &run->page.entries[row];
    mm_parents_style_t style = run->report->route->parents;
    bool one_each = style == MM_PARENTS_ROWS && entry->n_parents > 1;
    size_t lines = one_each ? entry->n_parents : 1;

    for (size_t i = 0; i < lines; i++) {
        write_totals(run, run->page.totals[row], entry->name);
        if (one_each) {
            write_parents(&run->csv, &entry->parents[i], 1, pieces);
        }
        else if (style != MM_PARENTS_NONE) {
            write_parents(&run->csv, entry->parents, entry->n_parents, pieces);
        }
        mm_csv_end_row(&run->csv);
    }
}

/* Hands the page to the sink as a whole: where few rows may be seen, the requester still sees that it goes on. */
static apr_status_t write_page(mm_report_run_t *run)
{
    const char **pieces = apr_palloc(run->page_pool, (run->page.most_parents + 1) * sizeof(*pieces));

    for (size_t row = 0; row < run->page.n && run->csv.status == APR_SUCCESS; row++) {
        write_resource(run, row, pieces);
    }
    return mm_csv_flush(&run->csv);
}

apr_status_t mm_report_write(mm_report_run_t *run, mm_err_t *err)
{
    apr_status_t rv = APR_SUCCESS;

    write_header(run);
    while (rv == APR_SUCCESS && run->csv.status == APR_SUCCESS && run->page.fetched > 0) {
        if (write_page(run) != APR_SUCCESS || run->window.left == 0) {
            break;
        }
        rv = next_page(run, err);
    }
    close_cursor(run);
    if (rv == APR_SUCCESS) {
        rv = mm_csv_flush(&run->csv);
        if (rv != APR_SUCCESS) {
            mm_err_set_os(err, rv, "the report could not be sent");
        }
    }
    return rv;
}
