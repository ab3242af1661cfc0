/* Pages in, rows out.
 *
 * At any time the run holds one page that is ready to be written, the first one since mm_report_begin; it is written
 * only when all of it may be. From then on pages are fetched by twos, so that the second one's look-ups take no time of
 * their own; a report of one page never gets there. The next ones replace them in the same pool, so memory stays that
 * of two pages whatever the number of rows. A cursor is open on one type at a time and lives in a pool of its own,
 * which is what closes it.
 */
#include "report/report.h"

#include "report/ancestors.h"
#include "report/columns.h"
#include "report/page.h"

struct mm_report_run {
    const mm_report_t *report;
    const char *const *types; /* those of this report */
    size_t n_types;
    size_t type; /* the one whose turn it is */
    apr_pool_t *pool;
    apr_pool_t *type_pool;
    mm_rows_t *rows; /* NULL: not opened yet */
    mm_days_t *days; /* NULL: the rows are no days */
    apr_pool_t *page_pool;
    mm_page_t pages[MM_PAGES_MAX];
    size_t page, n_pages;      /* the one that is ready, of those that were fetched */
    mm_second_t *second;       /* NULL before the first page was written */
    mm_ancestors_t *ancestors; /* NULL: no such columns */
    mm_window_t window;
    mm_columns_t columns;
    mm_envelope_t envelope;
};

static void close_type(mm_report_run_t *run)
{
    apr_pool_clear(run->type_pool);
    run->rows = NULL;
}

static bool is_ended(const mm_report_run_t *run)
{
    return run->type == run->n_types;
}

static mm_page_t *ready_page(mm_report_run_t *run)
{
    return &run->pages[run->page];
}

static void tell_troubles(const mm_report_run_t *run, const mm_page_t *page)
{
    const mm_watch_t *watch = &run->report->watch;

    for (int trouble = 0; trouble < MM_TROUBLES && watch->tell; trouble++) {
        const char *id = NULL;
        int64_t n = 0;

        for (size_t i = 0; i < page->n; i++) {
            if (page->rows[i].entry.troubles & 1u << trouble) {
                id = page->rows[i].use->id;
                n++;
            }
        }
        if (n > 0) {
            watch->tell(watch->baton, (mm_trouble_t)trouble, n, page->type, id);
        }
    }
}

static void tell_cut(const mm_report_run_t *run, const mm_page_t *page)
{
    const mm_watch_t *watch = &run->report->watch;
    const mm_route_t *route = run->report->route;
    const bool is_summed = route->has_since || route->has_until || run->days;
    const char *type = NULL;
    int64_t n = 0;

    for (size_t i = 0; i < page->n && is_summed; i++) {
        const mm_page_row_t *row = &page->rows[i];

        if (mm_uses_is_cut(row->use)) {
            type = row->type ? row->type : page->type;
            n++;
        }
    }
    if (n > 0 && watch->tell_cut) {
        watch->tell_cut(watch->baton, n, type);
    }
}

static apr_status_t next_days(mm_report_run_t *run, mm_err_t *err)
{
    apr_status_t rv = mm_page_fetch_days(ready_page(run), run->days, &run->window, run->page_pool, err);

    if (rv == APR_SUCCESS) {
        tell_cut(run, ready_page(run));
    }
    if (rv == APR_SUCCESS && ready_page(run)->ended) {
        run->type = run->n_types;
    }
    return rv;
}

static void forget_pages(mm_report_run_t *run)
{
    apr_pool_clear(run->page_pool);
    if (run->second) {
        mm_second_clear(run->second);
    }
    run->pages[0].n = 0;
    run->page = 0;
    run->n_pages = 1;
}

static apr_status_t fetch(mm_report_run_t *run, mm_err_t *err)
{
    const char *type = run->types[run->type];
    apr_status_t rv = APR_SUCCESS;

    if (!run->rows) {
        rv = mm_rows_open(&run->rows, run->report, type, run->type_pool, err);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    return run->second ? mm_page_fetch_two(run->pages, &run->n_pages, run->report, run->second, type, run->rows,
                                           &run->window, run->page_pool, err)
                       : mm_page_fetch(run->pages, run->report, type, run->rows, &run->window, run->page_pool, err);
}

/* What is done to a page when its turn comes: the graph of ancestors is that of one page at a time. */
static apr_status_t finish_page(mm_report_run_t *run, mm_err_t *err)
{
    apr_status_t rv =
        run->ancestors ? mm_ancestors_fill(run->ancestors, ready_page(run), run->page_pool, err) : APR_SUCCESS;

    if (rv == APR_SUCCESS) {
        tell_troubles(run, ready_page(run));
        tell_cut(run, ready_page(run));
    }
    return rv;
}

/* Makes the next page that had something in the store ready; is_ended when there is none. */
static apr_status_t next_page(mm_report_run_t *run, mm_err_t *err)
{
    if (run->page + 1 < run->n_pages) {
        run->page++;
        return finish_page(run, err);
    }
    forget_pages(run);
    if (run->days) {
        return next_days(run, err);
    }
    for (; !is_ended(run); run->type++, close_type(run)) {
        apr_status_t rv = fetch(run, err);

        if (rv != APR_SUCCESS || !ready_page(run)->ended) {
            return rv == APR_SUCCESS ? finish_page(run, err) : rv;
        }
    }
    return APR_SUCCESS;
}

/* Whether nothing comes behind the page that is ready. */
static bool is_last(const mm_report_run_t *run)
{
    return run->window.left == 0 && run->page + 1 >= run->n_pages;
}

static void fill_envelope(mm_report_run_t *run)
{
    const mm_route_t *route = run->report->route;

    run->envelope = (mm_envelope_t){.generated_ms = run->report->now_ms,
                                    .since_ms = route->has_since ? route->since_ms : MM_TIME_NONE,
                                    .until_ms = route->has_until ? route->until_ms : MM_TIME_NONE,
                                    .limit = route->limit,
                                    .offset = route->offset,
                                    .given = route->given,
                                    .columns = run->columns.columns};
    mm_columns_choose(&run->columns, route);
    run->envelope.n_columns = run->columns.n;
}

apr_status_t mm_report_begin(mm_report_run_t **run, const mm_report_t *report, apr_pool_t *pool, mm_err_t *err)
{
    const mm_route_t *route = report->route;
    mm_report_run_t *begun = apr_pcalloc(pool, sizeof(*begun));
    apr_status_t rv;

    begun->report = report;
    begun->pool = pool;
    begun->types = route->type ? &route->type : report->types;
    begun->n_types = route->type ? 1 : report->n_types;
    begun->window.skip = route->offset;
    begun->window.left = route->limit;
    if ((rv = apr_pool_create(&begun->type_pool, pool)) != APR_SUCCESS ||
        (rv = apr_pool_create(&begun->page_pool, pool)) != APR_SUCCESS) {
        return mm_err_set_os(err, rv, "the report gets no memory");
    }
    if (route->n_ancestors > 0 && (rv = mm_ancestors_make(&begun->ancestors, report, pool)) != APR_SUCCESS) {
        return mm_err_set_os(err, rv, "the report gets no memory");
    }
    fill_envelope(begun);
    if (mm_route_is_by_day(route)) {
        rv = mm_days_open(&begun->days, report, begun->types, begun->n_types, begun->type_pool, err);
    }
    rv = rv != APR_SUCCESS ? rv : next_page(begun, err);
    if (rv == APR_SUCCESS) {
        *run = begun;
    }
    return rv;
}

static apr_status_t write_row(mm_report_run_t *run, size_t row, const char **pieces, mm_err_t *err)
{
    mm_writer_t *writer = run->report->writer;
    const mm_entry_t *entry = &ready_page(run)->rows[row].entry;
    mm_parents_style_t style = run->days ? MM_PARENTS_NONE : run->report->route->parents;
    bool one_each = style == MM_PARENTS_ROWS && entry->n_parents > 1;
    mm_cell_t cells[MM_COLUMNS_MAX];
    apr_status_t rv = APR_SUCCESS;

    mm_columns_fill(&run->columns, run->report->route, ready_page(run), row, cells);
    for (size_t i = 0; i < (one_each ? entry->n_parents : 1) && rv == APR_SUCCESS; i++) {
        if (style != MM_PARENTS_NONE) {
            mm_columns_fill_parents(&run->columns, one_each ? &entry->parents[i] : entry->parents,
                                    one_each ? 1 : entry->n_parents, pieces, cells);
        }
        rv = writer->ops->row(writer, cells, err);
    }
    return rv;
}

/* Hands the page to the sink as a whole: where few rows may be seen, the requester still sees that it goes on. */
static apr_status_t write_page(mm_report_run_t *run, mm_err_t *err)
{
    mm_writer_t *writer = run->report->writer;
    const char **pieces = apr_palloc(run->page_pool, (3 * ready_page(run)->most_parents + 1) * sizeof(*pieces));
    apr_status_t rv = APR_SUCCESS;

    for (size_t row = 0; row < ready_page(run)->n && rv == APR_SUCCESS; row++) {
        rv = write_row(run, row, pieces, err);
    }
    return rv == APR_SUCCESS ? writer->ops->flush(writer, err) : rv;
}

apr_status_t mm_report_write(mm_report_run_t *run, mm_err_t *err)
{
    mm_writer_t *writer = run->report->writer;
    apr_status_t rv = writer->ops->begin(writer, &run->envelope, err);

    while (rv == APR_SUCCESS && !is_ended(run)) {
        rv = write_page(run, err);
        if (rv != APR_SUCCESS || is_last(run)) {
            break;
        }
        run->second = run->second ? run->second : mm_second_make(run->report, run->pool);
        rv = next_page(run, err);
    }
    close_type(run);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    const mm_tail_t tail = {
        run->window.left == 0 && run->envelope.limit > 0 ? run->envelope.offset + run->envelope.limit : -1};
    return writer->ops->end(writer, &tail, err);
}
