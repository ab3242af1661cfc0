/* From the cells of a row to what COUNTER counts, and when to write it.
 *
 * An investigation is a use of any kind, a request is a download. Machine uses are a part of all; the rest is regular.
 * The top of the report tells whether there was any usage, so it is held back until the first dataset, or the end.
 */
#include "report/dsr_private.h"

#include <string.h>

#define DAY_MS INT64_C(86400000)

/* The columns that are read. */
typedef enum source {
    ID,
    TITLE,
    VIEWS,
    DOWNLOADS,
    MACHINE_VIEWS,
    MACHINE_DOWNLOADS,
    REQUESTS,
    INVESTIGATIONS,
    MACHINE_REQUESTS,
    MACHINE_INVESTIGATIONS,
    SOURCES
} source_t;

static const char *const source_names[SOURCES] = {"resource_id",
                                                  "resource_name",
                                                  "views",
                                                  "downloads",
                                                  "machine_views",
                                                  "machine_downloads",
                                                  "unique_downloads",
                                                  "unique_investigations",
                                                  "machine_unique_downloads",
                                                  "machine_unique_investigations"};

typedef struct dsr_writer {
    mm_writer_t writer;
    mm_dsr_form_t *form;
    mm_sushi_t *sushi;
    mm_dsr_report_t report;
    size_t columns[SOURCES]; /* where they are in a row */
    bool begun;              /* the top is written */
} dsr_writer_t;

void mm_dsr_route(mm_route_t *route, const mm_sushi_t *sushi, const char *type)
{
    static const mm_extra_t extras[] = {
        MM_EXTRA_MACHINE_VIEWS,         MM_EXTRA_MACHINE_DOWNLOADS,        MM_EXTRA_UNIQUE_DOWNLOADS,
        MM_EXTRA_UNIQUE_INVESTIGATIONS, MM_EXTRA_MACHINE_UNIQUE_DOWNLOADS, MM_EXTRA_MACHINE_UNIQUE_INVESTIGATIONS};

    *route = (mm_route_t){.endpoint = type ? MM_ENDPOINT_TOTALS : MM_ENDPOINT_TOTALS_ALL,
                          .type = type,
                          .id = sushi->n_dataset_ids == 1 ? sushi->dataset_ids[0] : NULL,
                          .ids = sushi->dataset_ids,
                          .n_ids = sushi->n_dataset_ids,
                          .limit = -1,
                          .sort = MM_SORT_RESOURCE,
                          .parents = MM_PARENTS_NONE,
                          .has_since = 1,
                          .since_ms = sushi->begin_ms,
                          .has_until = 1,
                          .until_ms = sushi->end_ms,
                          .n_extras = sizeof(extras) / sizeof(extras[0]),
                          .query = ""};
    memcpy(route->extras, extras, sizeof(extras));
}

static apr_status_t told(const dsr_writer_t *self, mm_err_t *err)
{
    apr_status_t rv = self->form->out->status;

    return rv == APR_SUCCESS ? rv : mm_err_set_os(err, rv, "the report could not be sent");
}

static apr_status_t begin(mm_writer_t *writer, const mm_envelope_t *envelope, mm_err_t *err)
{
    dsr_writer_t *self = (dsr_writer_t *)writer;
    const mm_sushi_t *sushi = self->sushi;

    for (size_t source = 0; source < SOURCES; source++) {
        size_t i = 0;

        while (i < envelope->n_columns && strcmp(envelope->columns[i].name, source_names[source]) != 0) {
            i++;
        }
        if (i == envelope->n_columns) {
            return mm_err_set(err, APR_EINVAL, "the report has no column %s", source_names[source]);
        }
        self->columns[source] = i;
    }
    if (!mm_time_text(self->report.begin, sushi->begin_ms, 'T') ||
        !mm_time_text(self->report.end, sushi->end_ms - DAY_MS, 'T') ||
        !mm_time_text(self->report.created, envelope->generated_ms, 'T')) {
        return mm_err_set(err, APR_EINVAL, "the report is about a time that has no written form");
    }
    return APR_SUCCESS;
}

/* --- a dataset -----------------------------------------------------------------------------------------------------
 */

static int64_t number(const dsr_writer_t *self, const mm_cell_t *cells, source_t source)
{
    return cells[self->columns[source]].number;
}

/* Views and downloads. Both are as big as a document says, and nothing is written of a sum below 0. */
static int64_t both(const dsr_writer_t *self, const mm_cell_t *cells, source_t views, source_t downloads)
{
    int64_t sum;

    return __builtin_add_overflow(number(self, cells, views), number(self, cells, downloads), &sum) ? INT64_MAX : sum;
}

static int64_t rest(int64_t all, int64_t machine)
{
    return all > machine ? all - machine : 0;
}

/* False: nothing is left. */
static bool count(const dsr_writer_t *self, const mm_cell_t *cells, mm_dsr_item_t *item)
{
    const mm_sushi_t *sushi = self->sushi;
    const int64_t machine[MM_SUSHI_N_METRICS] = {
        both(self, cells, MACHINE_VIEWS, MACHINE_DOWNLOADS), number(self, cells, MACHINE_DOWNLOADS),
        number(self, cells, MACHINE_INVESTIGATIONS), number(self, cells, MACHINE_REQUESTS)};
    const int64_t all[MM_SUSHI_N_METRICS] = {both(self, cells, VIEWS, DOWNLOADS), number(self, cells, DOWNLOADS),
                                             number(self, cells, INVESTIGATIONS), number(self, cells, REQUESTS)};
    bool any = false;

    for (size_t i = 0; i < MM_SUSHI_N_METRICS; i++) {
        bool wanted = sushi->metrics & 1u << i;

        item->counts[0][i] = wanted && sushi->methods & MM_SUSHI_REGULAR ? rest(all[i], machine[i]) : 0;
        item->counts[1][i] = wanted && sushi->methods & MM_SUSHI_MACHINE ? machine[i] : 0;
        any |= item->counts[0][i] > 0 || item->counts[1][i] > 0;
    }
    return any;
}

static void write_head(dsr_writer_t *self)
{
    if (!self->begun) {
        self->begun = true;
        self->form->head(self->form, &self->report);
    }
}

static apr_status_t row(mm_writer_t *writer, const mm_cell_t *cells, mm_err_t *err)
{
    dsr_writer_t *self = (dsr_writer_t *)writer;
    const char *title = cells[self->columns[TITLE]].text;
    mm_dsr_item_t item = {.title = title ? title : ""};

    if (!count(self, cells, &item)) {
        return APR_SUCCESS;
    }
    item.id = mm_dataset_id_value(cells[self->columns[ID]].text, &item.id_kind);
    write_head(self);
    self->form->item(self->form, &self->report, &item);
    return told(self, err);
}

static apr_status_t flush(mm_writer_t *writer, mm_err_t *err)
{
    dsr_writer_t *self = (dsr_writer_t *)writer;

    mm_out_flush(self->form->out);
    return told(self, err);
}

static bool has_exception(const mm_sushi_t *sushi, mm_sushi_code_t code)
{
    for (int i = 0; i < sushi->exceptions->nelts; i++) {
        if (APR_ARRAY_IDX(sushi->exceptions, i, mm_sushi_exception_t).code == (int)code) {
            return true;
        }
    }
    return false;
}

static apr_status_t end(mm_writer_t *writer, const mm_tail_t *tail, mm_err_t *err)
{
    dsr_writer_t *self = (dsr_writer_t *)writer;

    (void)tail;
    if (!self->begun && !has_exception(self->sushi, MM_SUSHI_NOT_READY)) {
        mm_sushi_add(self->sushi->exceptions, MM_SUSHI_NO_USAGE,
                     "Nothing that you may see and that meets the filters was used.");
    }
    write_head(self);
    self->form->tail(self->form);
    return flush(writer, err);
}

mm_writer_t *mm_dsr_writer(const mm_dsr_names_t *names, mm_sushi_t *sushi, mm_format_t format, mm_sink_fn sink,
                           void *baton, apr_pool_t *pool)
{
    static const mm_writer_ops_t ops = {begin, row, flush, end};
    dsr_writer_t *self = apr_pcalloc(pool, sizeof(*self));

    self->writer.ops = &ops;
    self->form = format == MM_FORMAT_TSV ? mm_dsr_tsv(sink, baton, pool) : mm_dsr_json(sink, baton, pool);
    self->sushi = sushi;
    self->report.names = names;
    self->report.sushi = sushi;
    return &self->writer;
}
