/* Pages in, rows out.
 *
 * At any time the run holds one page that is ready to be written, the first one since mm_report_begin; it is written
 * only when all of it may be. The next page replaces it in the same pool, so memory stays that of one page whatever the
 * number of rows. A cursor is open on one type at a time and lives in a pool of its own, which is what closes it.
 */
#include "report/report.h"

#include <string.h>

#include "report/page.h"

/* Of totals of all types with parents. */
#define COLUMNS_MAX 10

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
    mm_column_t columns[COLUMNS_MAX];
    mm_envelope_t envelope;
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

static void add_columns(mm_report_run_t *run, const mm_column_t *columns, size_t n)
{
    memcpy(run->columns + run->envelope.n_columns, columns, n * sizeof(*columns));
    run->envelope.n_columns += n;
}

static void choose_columns(mm_report_run_t *run)
{
    static const mm_column_t type = {"resource_type", MM_CELL_TEXT, NULL, NULL};
    static const mm_column_t totals[] = {
        {"resource_id", MM_CELL_TEXT, NULL, NULL}, {"resource_name", MM_CELL_TEXT, NULL, NULL},
        {"views", MM_CELL_INT, NULL, NULL},        {"downloads", MM_CELL_INT, NULL, NULL},
        {"last_viewed", MM_CELL_TIME, NULL, NULL}, {"last_downloaded", MM_CELL_TIME, NULL, NULL}};
    static const mm_column_t parents[] = {{"parent_type", MM_CELL_TEXTS, "parents", "type"},
                                          {"parent_id", MM_CELL_TEXTS, "parents", "id"},
                                          {"parent_name", MM_CELL_TEXTS, "parents", "name"}};
    const mm_route_t *route = run->report->route;

    if (route->endpoint == MM_ENDPOINT_TOTALS_ALL) {
        add_columns(run, &type, 1);
    }
    add_columns(run, totals, sizeof(totals) / sizeof(totals[0]));
    if (route->parents != MM_PARENTS_NONE) {
        add_columns(run, parents, sizeof(parents) / sizeof(parents[0]));
    }
}

static void fill_envelope(mm_report_run_t *run)
{
    const mm_route_t *route = run->report->route;

    run->envelope = (mm_envelope_t){.generated_ms = run->report->now_ms,
                                    .since_ms = MM_TIME_NONE,
                                    .until_ms = MM_TIME_NONE,
                                    .limit = route->limit,
                                    .offset = route->offset,
                                    .given = route->given,
                                    .columns = run->columns};
    choose_columns(run);
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
    fill_envelope(begun);
    rv = next_page(begun, err);
    if (rv == APR_SUCCESS) {
        *run = begun;
    }
    return rv;
}

/* Fills the cells of what belongs to a row whatever its parents; returns the next one. */
static mm_cell_t *fill_totals(const mm_report_run_t *run, size_t row, mm_cell_t *cell)
{
    const mm_totals_row_t *totals = run->page.totals[row];

    if (run->report->route->endpoint == MM_ENDPOINT_TOTALS_ALL) {
        cell++->text = run->page.type;
    }
    cell++->text = totals->id;
    cell++->text = run->page.entries[row].name;
    cell++->number = totals->views;
    cell++->number = totals->downloads;
    cell++->number = totals->last_viewed_ms;
    cell++->number = totals->last_downloaded_ms;
    return cell;
}

/* The three cells of parents, n of them; pieces has room for 3 times n. */
static void fill_parents(mm_cell_t *cells, const mm_parent_t *parents, size_t n, const char **pieces)
{
    for (size_t i = 0; i < n; i++) {
        pieces[i] = parents[i].type;
        pieces[n + i] = parents[i].id;
        pieces[2 * n + i] = parents[i].name;
    }
    for (size_t i = 0; i < 3; i++) {
        cells[i].pieces.texts = pieces + i * n;
        cells[i].pieces.n = n;
    }
}

static apr_status_t write_resource(mm_report_run_t *run, size_t row, const char **pieces, mm_err_t *err)
{
    mm_writer_t *writer = run->report->writer;
    const mm_entry_t *entry = &run->page.entries[row];
    mm_parents_style_t style = run->report->route->parents;
    bool one_each = style == MM_PARENTS_ROWS && entry->n_parents > 1;
    mm_cell_t cells[COLUMNS_MAX], *behind = fill_totals(run, row, cells);
    apr_status_t rv = APR_SUCCESS;

    for (size_t i = 0; i < (one_each ? entry->n_parents : 1) && rv == APR_SUCCESS; i++) {
        if (style != MM_PARENTS_NONE) {
            fill_parents(behind, one_each ? &entry->parents[i] : entry->parents, one_each ? 1 : entry->n_parents,
                         pieces);
        }
        rv = writer->ops->row(writer, cells, err);
    }
    return rv;
}

/* Hands the page to the sink as a whole: where few rows may be seen, the requester still sees that it goes on. */
static apr_status_t write_page(mm_report_run_t *run, mm_err_t *err)
{
    mm_writer_t *writer = run->report->writer;
    const char **pieces = apr_palloc(run->page_pool, (3 * run->page.most_parents + 1) * sizeof(*pieces));
    apr_status_t rv = APR_SUCCESS;

    for (size_t row = 0; row < run->page.n && rv == APR_SUCCESS; row++) {
        rv = write_resource(run, row, pieces, err);
    }
    return rv == APR_SUCCESS ? writer->ops->flush(writer, err) : rv;
}

apr_status_t mm_report_write(mm_report_run_t *run, mm_err_t *err)
{
    mm_writer_t *writer = run->report->writer;
    apr_status_t rv = writer->ops->begin(writer, &run->envelope, err);

    while (rv == APR_SUCCESS && run->page.fetched > 0) {
        rv = write_page(run, err);
        if (rv != APR_SUCCESS || run->window.left == 0) {
            break;
        }
        rv = next_page(run, err);
    }
    close_cursor(run);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    const mm_tail_t tail = {
        run->window.left == 0 && run->envelope.limit > 0 ? run->envelope.offset + run->envelope.limit : -1};
    return writer->ops->end(writer, &tail, err);
}
