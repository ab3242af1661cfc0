/* XLSX with libxlsxwriter, in constant memory: a row goes into a file when the next one begins. Sheets, in this order:
 * Data (and Data 2, ... where there are more rows than a sheet holds), Charts, About.
 *
 * libxlsxwriter does not look at what becomes of its writes into these files, and would pack what a full disk left of
 * them into a workbook that no program opens. So the files' own error marks are looked at after each batch, and before
 * packing, that there is room for what it writes.
 */
#include "report/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <apr_strings.h>

#include "report/out.h"
#include "report/xlsx.h"

#define ROWS_MAX       INT64_C(1048575) /* and the header */
#define PIECES_BETWEEN "; "
#define SEND_BYTES     65536
/* What packing writes besides the rows: styles, drawings, relations. */
#define ROOM_FOR_PARTS (INT64_C(1) << 20)

typedef struct xlsx_writer {
    mm_writer_t writer;
    mm_sink_fn sink;
    void *baton;
    apr_pool_t *pool;
    const mm_temp_t *temp;
    int64_t rows_per_sheet;
    const mm_envelope_t *envelope;
    const char *dir, *path;
    lxw_workbook *workbook; /* NULL: closed */
    lxw_worksheet *sheet;
    lxw_format *bold, *date, *day;
    int sheets;
    lxw_row_t row;  /* of the sheet, the next one */
    int64_t rows;   /* of all sheets */
    int64_t filled; /* bytes in the files of the sheets before this one */
    mm_xlsx_chart_t *chart;
    mm_xlsx_text_t text;
} xlsx_writer_t;

static apr_status_t no_room(const xlsx_writer_t *self, mm_err_t *err)
{
    return mm_err_set(err, MM_WRITER_NO_ROOM,
                      "there is no room for the files of a spreadsheet in %s; MetricsReportTemp can name another place",
                      self->dir);
}

/* The workbook's end without packing. libxlsxwriter frees it, but leaves the files of its sheets open, and with them
 * what they hold of the disk. */
static apr_status_t forget(void *data)
{
    xlsx_writer_t *self = data;
    lxw_worksheet *sheet;

    if (self->workbook) {
        STAILQ_FOREACH(sheet, self->workbook->worksheets, list_pointers)
        {
            fclose(sheet->optimize_tmpfile);
        }
        lxw_workbook_free(self->workbook);
        self->workbook = NULL;
    }
    return APR_SUCCESS;
}

static apr_status_t begin_sheet(xlsx_writer_t *self, mm_err_t *err)
{
    const mm_envelope_t *envelope = self->envelope;
    const char *name = self->sheets == 0 ? "Data" : apr_psprintf(self->pool, "Data %d", self->sheets + 1);

    self->filled += self->sheet ? ftello(self->sheet->optimize_tmpfile) : 0;
    self->sheet = workbook_add_worksheet(self->workbook, name);
    if (!self->sheet) {
        return no_room(self, err);
    }
    self->sheets++;
    worksheet_freeze_panes(self->sheet, 1, 0);
    worksheet_repeat_rows(self->sheet, 0, 0);
    worksheet_set_landscape(self->sheet);
    worksheet_fit_to_pages(self->sheet, 1, 0);
    for (size_t i = 0; i < envelope->n_columns; i++) {
        const mm_column_t *column = &envelope->columns[i];
        worksheet_set_column(self->sheet, (lxw_col_t)i, (lxw_col_t)i, column->kind == MM_CELL_INT ? 12 : 20, NULL);
        worksheet_write_string(self->sheet, 0, (lxw_col_t)i, column->name, self->bold);
    }
    self->row = 1;
    return APR_SUCCESS;
}

static void end_sheet(xlsx_writer_t *self)
{
    if (self->envelope->n_columns > 0) {
        worksheet_autofilter(self->sheet, 0, 0, self->row > 1 ? self->row - 1 : 0,
                             (lxw_col_t)(self->envelope->n_columns - 1));
    }
}

static apr_status_t begin(mm_writer_t *writer, const mm_envelope_t *envelope, mm_err_t *err)
{
    xlsx_writer_t *self = (xlsx_writer_t *)writer;
    lxw_doc_properties properties = {.title = "Usage report", .created = (time_t)(envelope->generated_ms / 1000)};
    apr_status_t rv = mm_temp_make(&self->dir, self->temp, self->pool, err);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    lxw_workbook_options options = {.constant_memory = LXW_TRUE, .tmpdir = apr_pstrdup(self->pool, self->dir)};
    self->envelope = envelope;
    self->path = apr_pstrcat(self->pool, self->dir, "/report.xlsx", NULL);
    self->workbook = workbook_new_opt(self->path, &options);
    if (!self->workbook) {
        return no_room(self, err);
    }
    apr_pool_cleanup_register(self->pool, self, forget, apr_pool_cleanup_null);
    workbook_set_properties(self->workbook, &properties);
    self->bold = workbook_add_format(self->workbook);
    self->date = workbook_add_format(self->workbook);
    self->day = workbook_add_format(self->workbook);
    if (!self->bold || !self->date || !self->day) {
        return no_room(self, err);
    }
    format_set_bold(self->bold);
    format_set_num_format(self->date, "yyyy-mm-dd hh:mm:ss");
    format_set_num_format(self->day, "yyyy-mm-dd");
    mm_xlsx_text_init(&self->text, self->pool);
    self->chart = mm_xlsx_chart_begin(envelope, self->pool);
    return begin_sheet(self, err);
}

static void write_text(xlsx_writer_t *self, lxw_col_t col)
{
    if (self->text.len > 0) {
        worksheet_write_string(self->sheet, self->row, col, self->text.text, NULL);
    }
}

/* The first len characters of its text, where a spreadsheet has no such time. */
static void write_time(xlsx_writer_t *self, lxw_col_t col, int64_t ms, size_t len, lxw_format *format)
{
    char text[MM_TIME_TEXT + 1] = "";
    double date;

    if (mm_xlsx_date(&date, ms)) {
        worksheet_write_number(self->sheet, self->row, col, date, format);
    }
    else if (mm_time_text(text, ms, ' ')) {
        text[len] = '\0';
        worksheet_write_string(self->sheet, self->row, col, text, NULL);
    }
}

static void write_cell(xlsx_writer_t *self, lxw_col_t col, const mm_cell_t *cell)
{
    mm_xlsx_text_reset(&self->text);
    switch (self->envelope->columns[col].kind) {
    case MM_CELL_TEXT:
        mm_xlsx_text_add(&self->text, cell->text);
        write_text(self, col);
        break;
    case MM_CELL_INT:
        if (cell->number != MM_CELL_NONE) {
            worksheet_write_number(self->sheet, self->row, col, (double)cell->number, NULL);
        }
        break;
    case MM_CELL_TIME:
        write_time(self, col, cell->number, MM_TIME_TEXT, self->date);
        break;
    case MM_CELL_DAY:
        write_time(self, col, cell->number, MM_DAY_TEXT, self->day);
        break;
    case MM_CELL_TEXTS:
        for (size_t i = 0; i < cell->pieces.n; i++) {
            mm_xlsx_text_add(&self->text, i > 0 ? PIECES_BETWEEN : "");
            mm_xlsx_text_add(&self->text, cell->pieces.texts[i]);
        }
        write_text(self, col);
        break;
    }
}

static apr_status_t row(mm_writer_t *writer, const mm_cell_t *cells, mm_err_t *err)
{
    xlsx_writer_t *self = (xlsx_writer_t *)writer;

    if (self->row > self->rows_per_sheet) {
        end_sheet(self);
        apr_status_t rv = begin_sheet(self, err);
        if (rv != APR_SUCCESS) {
            return rv;
        }
    }
    for (size_t i = 0; i < self->envelope->n_columns; i++) {
        write_cell(self, (lxw_col_t)i, &cells[i]);
    }
    if (self->chart) {
        mm_xlsx_chart_row(self->chart, cells, &self->text);
    }
    self->row++;
    self->rows++;
    return APR_SUCCESS;
}

/* Whether there still is room. */
static apr_status_t look_at_room(const xlsx_writer_t *self, mm_err_t *err)
{
    int64_t max = self->temp->max > 0 ? self->temp->max : MM_TEMP_MAX;
    lxw_worksheet *sheet;

    STAILQ_FOREACH(sheet, self->workbook->worksheets, list_pointers)
    {
        if (fflush(sheet->optimize_tmpfile) != 0 || ferror(sheet->optimize_tmpfile)) {
            return no_room(self, err);
        }
    }
    if (self->filled + ftello(self->sheet->optimize_tmpfile) > max) {
        return mm_err_set(err, MM_WRITER_TOO_LARGE,
                          "a spreadsheet of this report needs more than %ld MiB of temporary files, as many as "
                          "MetricsReportTemp allows",
                          (long)(max >> 20));
    }
    return APR_SUCCESS;
}

/* Nothing can be sent yet; that somebody waits for it, and that there is room, is looked at. */
static apr_status_t flush(mm_writer_t *writer, mm_err_t *err)
{
    const xlsx_writer_t *self = (const xlsx_writer_t *)writer;
    apr_status_t rv = self->sink(self->baton, "", 0);

    return rv == APR_SUCCESS ? look_at_room(self, err) : mm_err_set_os(err, rv, "nobody waits for the report");
}

/* Packs the workbook and frees it. Where packing fails, libxlsxwriter leaves open what it had not come to: a duplicate
 * of each file tells afterwards whether its number still is that file. */
static lxw_error pack(xlsx_writer_t *self)
{
    apr_array_header_t *files = apr_array_make(self->pool, 4, sizeof(int[2]));
    struct stat ours, now;
    lxw_worksheet *sheet;

    STAILQ_FOREACH(sheet, self->workbook->worksheets, list_pointers)
    {
        int *pair = apr_array_push(files);
        pair[0] = fileno(sheet->optimize_tmpfile);
        pair[1] = fcntl(pair[0], F_DUPFD_CLOEXEC, 0);
    }
    lxw_error failed = workbook_close(self->workbook);
    self->workbook = NULL;
    for (int i = 0; i < files->nelts; i++) {
        const int *pair = (const int *)(void *)files->elts + (size_t)i * 2;
        if (fstat(pair[1], &ours) == 0 && fstat(pair[0], &now) == 0 && ours.st_dev == now.st_dev &&
            ours.st_ino == now.st_ino) {
            close(pair[0]);
        }
        close(pair[1]);
    }
    return failed;
}

static apr_status_t send_file(xlsx_writer_t *self, mm_err_t *err)
{
    char *buffer = apr_palloc(self->pool, SEND_BYTES);
    int fd = open(self->path, O_RDONLY | O_CLOEXEC);
    apr_status_t rv = fd < 0 ? errno : APR_SUCCESS;
    ssize_t got = 0;

    while (rv == APR_SUCCESS && (got = read(fd, buffer, SEND_BYTES)) > 0) {
        rv = self->sink(self->baton, buffer, (size_t)got);
    }
    rv = rv == APR_SUCCESS && got < 0 ? errno : rv;
    if (fd >= 0) {
        close(fd);
    }
    return rv == APR_SUCCESS ? rv : mm_err_set_os(err, rv, "the report could not be sent");
}

static apr_status_t end(mm_writer_t *writer, const mm_tail_t *tail, mm_err_t *err)
{
    xlsx_writer_t *self = (xlsx_writer_t *)writer;

    (void)tail;
    end_sheet(self);
    if (!mm_xlsx_chart_end(self->chart, self->workbook, self->bold) ||
        !mm_xlsx_about(self->workbook, self->envelope, self->rows, self->bold, &self->text)) {
        return no_room(self, err);
    }
    apr_status_t rv = flush(writer, err);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (mm_temp_room(self->dir) < self->filled + ftello(self->sheet->optimize_tmpfile) + ROOM_FOR_PARTS) {
        return no_room(self, err);
    }
    return pack(self) == LXW_NO_ERROR ? send_file(self, err) : no_room(self, err);
}

mm_writer_t *mm_writer_xlsx(mm_sink_fn sink, void *baton, const mm_temp_t *temp, int64_t rows_per_sheet,
                            apr_pool_t *pool)
{
    static const mm_writer_ops_t ops = {begin, row, flush, end};
    xlsx_writer_t *self = apr_pcalloc(pool, sizeof(*self));

    self->writer.ops = &ops;
    self->sink = sink;
    self->baton = baton;
    self->temp = temp;
    self->rows_per_sheet = rows_per_sheet > 0 ? rows_per_sheet : ROWS_MAX;
    self->pool = pool;
    return &self->writer;
}
