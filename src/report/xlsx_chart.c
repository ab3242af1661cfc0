/* Charts are drawn from a small table beside them, not from the data: the rows are written and gone when it is known
 * what the others come to, and a name that is missing there is an id here.
 */
#include "report/xlsx.h"

#include <string.h>
#include <apr_strings.h>

#include "report/out.h"

#define NO_COLUMN  ((size_t)-1)
#define CHART_COL  5
#define CHART_ROWS 24
#define LAST_SIZE  8192 /* a type and an id; what is longer is no id of ours */

static size_t column(const mm_envelope_t *envelope, const char *name)
{
    for (size_t i = 0; i < envelope->n_columns; i++) {
        if (strcmp(envelope->columns[i].name, name) == 0) {
            return i;
        }
    }
    return NO_COLUMN;
}

/* Days and months stand in a column of that name; what has names and counts is a ranking. */
mm_xlsx_chart_t *mm_xlsx_chart_begin(const mm_envelope_t *envelope, apr_pool_t *pool)
{
    mm_xlsx_chart_t *chart = apr_pcalloc(pool, sizeof(*chart));
    size_t day = column(envelope, "day"), month = column(envelope, "month");

    chart->is_over_time = day != NO_COLUMN || month != NO_COLUMN;
    chart->label = day != NO_COLUMN ? day : month != NO_COLUMN ? month : column(envelope, "resource_id");
    chart->name = chart->is_over_time ? NO_COLUMN : column(envelope, "resource_name");
    chart->views = column(envelope, "views");
    chart->downloads = column(envelope, "downloads");
    if (chart->label == NO_COLUMN || chart->views == NO_COLUMN || chart->downloads == NO_COLUMN ||
        column(envelope, "user_id") != NO_COLUMN) {
        return NULL;
    }
    chart->kind = envelope->columns[chart->label].kind;
    chart->type = column(envelope, "resource_type");
    chart->last = apr_pcalloc(pool, LAST_SIZE);
    chart->points = apr_pcalloc(pool, (chart->is_over_time ? MM_XLSX_POINTS : MM_XLSX_RANKED) * sizeof(*chart->points));
    return chart;
}

static double count_of(const mm_cell_t *cell)
{
    return cell->number == MM_CELL_NONE ? 0 : (double)cell->number;
}

/* Cut at a character's border. */
static void set_label(struct mm_xlsx_point *point, const char *text, mm_xlsx_text_t *buffer)
{
    size_t len;

    mm_xlsx_text_reset(buffer);
    mm_xlsx_text_add(buffer, text);
    len = buffer->len;
    if (len > MM_XLSX_LABEL) {
        for (len = MM_XLSX_LABEL; len > 0 && ((unsigned char)buffer->text[len] & 0xC0) == 0x80; len--) {
        }
    }
    memcpy(point->label, buffer->text, len);
    point->label[len] = '\0';
}

static bool is_another_row_of_the_same(mm_xlsx_chart_t *chart, const mm_cell_t *cells)
{
    const char *type = chart->type != NO_COLUMN ? cells[chart->type].text : "", *id = cells[chart->label].text;
    size_t type_len = type ? strlen(type) + 1 : 0, id_len = id ? strlen(id) + 1 : 0;

    if (!type || !id || type_len + id_len > LAST_SIZE) {
        return false;
    }
    if (memcmp(chart->last, type, type_len) == 0 && memcmp(chart->last + type_len, id, id_len) == 0) {
        return true;
    }
    memcpy(chart->last, type, type_len);
    memcpy(chart->last + type_len, id, id_len);
    return false;
}

static double together(const double *counts)
{
    return counts[0] + counts[1];
}

static void add_to_rest(mm_xlsx_chart_t *chart, const double *counts)
{
    chart->rest[0] += counts[0];
    chart->rest[1] += counts[1];
}

/* The place of a resource with these counts, behind those that have as many; NULL: among the others. */
static struct mm_xlsx_point *make_place(mm_xlsx_chart_t *chart, const double *counts)
{
    size_t at = chart->n;

    while (at > 0 && together(chart->points[at - 1].counts) < together(counts)) {
        at--;
    }
    if (at == MM_XLSX_RANKED) {
        add_to_rest(chart, counts);
        return NULL;
    }
    if (chart->n == MM_XLSX_RANKED) {
        add_to_rest(chart, chart->points[--chart->n].counts);
    }
    memmove(&chart->points[at + 1], &chart->points[at], (chart->n - at) * sizeof(*chart->points));
    chart->n++;
    return &chart->points[at];
}

/* The point of a day or month: of the site, each has a row for each type, one behind the other. */
static struct mm_xlsx_point *point_in_time(mm_xlsx_chart_t *chart, const char *name)
{
    if (chart->n > 0 && strcmp(chart->points[chart->n - 1].label, name) == 0) {
        return &chart->points[chart->n - 1];
    }
    return chart->n < MM_XLSX_POINTS ? &chart->points[chart->n++] : NULL;
}

static void add_to_point(struct mm_xlsx_point *point, const char *name, const double *counts, mm_xlsx_text_t *buffer)
{
    set_label(point, name, buffer);
    point->counts[0] += counts[0];
    point->counts[1] += counts[1];
}

static void add_time(mm_xlsx_chart_t *chart, const mm_cell_t *cell, const double *counts, mm_xlsx_text_t *buffer)
{
    char time[MM_TIME_TEXT + 1] = "";
    const char *name = cell->text;

    if (chart->kind == MM_CELL_TIME || chart->kind == MM_CELL_DAY) {
        mm_time_text(time, cell->number, ' ');
        time[MM_DAY_TEXT] = '\0';
        name = time;
    }
    struct mm_xlsx_point *point = name ? point_in_time(chart, name) : NULL;
    if (point) {
        add_to_point(point, name, counts, buffer);
    }
}

void mm_xlsx_chart_row(mm_xlsx_chart_t *chart, const mm_cell_t *cells, mm_xlsx_text_t *text)
{
    const double counts[2] = {count_of(&cells[chart->views]), count_of(&cells[chart->downloads])};
    const char *name = chart->name != NO_COLUMN ? cells[chart->name].text : NULL;

    if (chart->is_over_time) {
        add_time(chart, &cells[chart->label], counts, text);
        return;
    }
    struct mm_xlsx_point *point = is_another_row_of_the_same(chart, cells) ? NULL : make_place(chart, counts);
    if (point) {
        *point = (struct mm_xlsx_point){0};
        add_to_point(point, name && *name ? name : cells[chart->label].text, counts, text);
    }
}

static bool write_table(const mm_xlsx_chart_t *chart, lxw_worksheet *sheet, lxw_format *bold)
{
    static const char *const titles[] = {"", "views", "downloads", "together"};
    lxw_row_t row = 1;
    bool more = !chart->is_over_time && together(chart->rest) > 0;
    lxw_error failed = LXW_NO_ERROR;

    for (lxw_col_t i = 1; i < 4; i++) {
        failed |= worksheet_write_string(sheet, 0, i, titles[i], bold);
    }
    for (size_t i = 0; i < chart->n + more; i++, row++) {
        const double *counts = i < chart->n ? chart->points[i].counts : chart->rest;
        failed |= worksheet_write_string(sheet, row, 0, i < chart->n ? chart->points[i].label : "(all others)", NULL);
        failed |= worksheet_write_number(sheet, row, 1, counts[0], NULL);
        failed |= worksheet_write_number(sheet, row, 2, counts[1], NULL);
        failed |= worksheet_write_number(sheet, row, 3, together(counts), NULL);
    }
    return failed == LXW_NO_ERROR;
}

/* Views beside downloads. */
static bool add_bars(const mm_xlsx_chart_t *chart, lxw_workbook *workbook, lxw_worksheet *sheet)
{
    lxw_chart *bars = workbook_add_chart(workbook, chart->is_over_time ? LXW_CHART_COLUMN : LXW_CHART_BAR);
    lxw_chart_options size = {.x_scale = 2, .y_scale = 1.6};
    lxw_row_t last = (lxw_row_t)chart->n;

    if (!bars) {
        return false;
    }
    for (lxw_col_t i = 1; i <= 2; i++) {
        lxw_chart_series *series = chart_add_series(bars, NULL, NULL);
        if (!series) {
            return false;
        }
        chart_series_set_categories(series, "Charts", 1, 0, last, 0);
        chart_series_set_values(series, "Charts", 1, i, last, i);
        chart_series_set_name_range(series, "Charts", 0, i);
    }
    chart_title_set_name(bars, chart->is_over_time ? "Views and downloads over time" : "The most used");
    if (!chart->is_over_time) {
        chart_axis_set_reverse(bars->y_axis); /* the first on top */
    }
    return worksheet_insert_chart_opt(sheet, 1, CHART_COL, bars, &size) == LXW_NO_ERROR;
}

/* What part of everything each of the first has. */
static bool add_pie(const mm_xlsx_chart_t *chart, lxw_workbook *workbook, lxw_worksheet *sheet)
{
    lxw_chart *pie = workbook_add_chart(workbook, LXW_CHART_PIE);
    lxw_chart_options size = {.x_scale = 2, .y_scale = 1.6};
    lxw_row_t last = (lxw_row_t)(chart->n + (together(chart->rest) > 0));
    lxw_chart_series *series = pie ? chart_add_series(pie, NULL, NULL) : NULL;

    if (!series) {
        return false;
    }
    chart_series_set_categories(series, "Charts", 1, 0, last, 0);
    chart_series_set_values(series, "Charts", 1, 3, last, 3);
    chart_title_set_name(pie, "Shares of all views and downloads");
    return worksheet_insert_chart_opt(sheet, CHART_ROWS + 2, CHART_COL, pie, &size) == LXW_NO_ERROR;
}

bool mm_xlsx_chart_end(const mm_xlsx_chart_t *chart, lxw_workbook *workbook, lxw_format *bold)
{
    if (!chart || chart->n == 0) {
        return true;
    }
    lxw_worksheet *sheet = workbook_add_worksheet(workbook, "Charts");
    if (!sheet) {
        return false;
    }
    worksheet_set_column(sheet, 0, 0, 40, NULL);
    worksheet_set_landscape(sheet);
    worksheet_fit_to_pages(sheet, 1, 0);
    return write_table(chart, sheet, bold) && add_bars(chart, workbook, sheet) &&
           (chart->is_over_time || add_pie(chart, workbook, sheet));
}
