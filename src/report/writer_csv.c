/* CSV, or the same with tabs for commas: a line of names, a line for each row, nothing about the report as a whole and
 * no mark for the end. */
#include "report/writer.h"

#include <apr_pools.h>

#include "report/csv.h"

#define PIECES_BETWEEN "; "

typedef struct csv_writer {
    mm_writer_t writer;
    const mm_column_t *columns;
    size_t n_columns;
    int bom;
    mm_csv_t csv;
} csv_writer_t;

static apr_status_t told(apr_status_t rv, mm_err_t *err)
{
    return rv == APR_SUCCESS ? rv : mm_err_set_os(err, rv, "the report could not be sent");
}

static apr_status_t begin(mm_writer_t *writer, const mm_envelope_t *envelope, mm_err_t *err)
{
    csv_writer_t *self = (csv_writer_t *)writer;

    self->columns = envelope->columns;
    self->n_columns = envelope->n_columns;
    if (self->bom) {
        mm_csv_bom(&self->csv);
    }
    for (size_t i = 0; i < self->n_columns; i++) {
        mm_csv_text(&self->csv, self->columns[i].name);
    }
    mm_csv_end_row(&self->csv);
    return told(self->csv.out.status, err);
}

static void write_int(mm_csv_t *csv, int64_t number)
{
    if (number == MM_CELL_NONE) {
        mm_csv_text(csv, NULL);
    }
    else {
        mm_csv_int(csv, number);
    }
}

static apr_status_t row(mm_writer_t *writer, const mm_cell_t *cells, mm_err_t *err)
{
    csv_writer_t *self = (csv_writer_t *)writer;

    for (size_t i = 0; i < self->n_columns; i++) {
        switch (self->columns[i].kind) {
        case MM_CELL_TEXT:
            mm_csv_text(&self->csv, cells[i].text);
            break;
        case MM_CELL_INT:
            write_int(&self->csv, cells[i].number);
            break;
        case MM_CELL_TIME:
            mm_csv_time(&self->csv, cells[i].number);
            break;
        case MM_CELL_DAY:
            mm_csv_day(&self->csv, cells[i].number);
            break;
        case MM_CELL_TEXTS:
            mm_csv_join(&self->csv, cells[i].pieces.texts, cells[i].pieces.n, PIECES_BETWEEN);
            break;
        }
    }
    mm_csv_end_row(&self->csv);
    return told(self->csv.out.status, err);
}

static apr_status_t flush(mm_writer_t *writer, mm_err_t *err)
{
    return told(mm_csv_flush(&((csv_writer_t *)writer)->csv), err);
}

static apr_status_t end(mm_writer_t *writer, const mm_tail_t *tail, mm_err_t *err)
{
    (void)tail;
    return flush(writer, err);
}

mm_writer_t *mm_writer_csv(mm_sink_fn sink, void *baton, char separator, int raw, int bom, apr_pool_t *pool)
{
    static const mm_writer_ops_t ops = {begin, row, flush, end};
    csv_writer_t *self = apr_pcalloc(pool, sizeof(*self));

    self->writer.ops = &ops;
    self->bom = bom;
    mm_csv_init(&self->csv, sink, baton, separator, raw);
    return &self->writer;
}
