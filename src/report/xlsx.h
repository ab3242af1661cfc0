/* What a workbook holds besides its rows. Part of the room report; others use writer.h. */
#ifndef MM_XLSX_H
#define MM_XLSX_H

#include <stdbool.h>
#include <xlsxwriter.h>
#include "report/writer.h"

/* How long a text in a cell may be, in UTF-16 units: the format's limit. */
#define MM_XLSX_TEXT_MAX 32767

/* A text as a cell can hold it: UTF-8, no code point that XML excludes, cut at the limit. Bytes that are no UTF-8, and
 * U+FFFE and U+FFFF, are %XX. Starts empty after init and after each reset. */
typedef struct mm_xlsx_text {
    char *text;
    size_t len, units;
} mm_xlsx_text_t;

void mm_xlsx_text_init(mm_xlsx_text_t *cell, apr_pool_t *pool);
void mm_xlsx_text_reset(mm_xlsx_text_t *cell);
void mm_xlsx_text_add(mm_xlsx_text_t *cell, const char *text);

/* Days since 1899-12-30, as a spreadsheet counts them; false where it cannot (before March 1900, after 9999). */
bool mm_xlsx_date(double *date, int64_t ms);

/* What the charts show: of resources the most used, whatever the rows are ordered by, and what the others come to; of
 * days or months the first, each of all types together. */
#define MM_XLSX_RANKED 20
#define MM_XLSX_POINTS 1200
#define MM_XLSX_LABEL  60 /* bytes, for a legend */

typedef struct mm_xlsx_chart {
    int is_over_time;    /* the rows are days or months */
    mm_cell_kind_t kind; /* of label */
    size_t label, name;  /* columns; name only of a ranking: shown in place of label where there is one */
    size_t type;         /* the column of types, if there is one */
    size_t views, downloads;
    size_t n;       /* points */
    double rest[2]; /* views and downloads of all other rows */
    struct mm_xlsx_point {
        char label[MM_XLSX_LABEL + 1];
        double counts[2]; /* views, downloads; exact as far as spreadsheets are */
    } * points;
    char *last; /* type and id of the row before: with parents=rows a resource has several */
} mm_xlsx_chart_t;

/* NULL: this report is none that a chart says anything about. */
mm_xlsx_chart_t *mm_xlsx_chart_begin(const mm_envelope_t *envelope, apr_pool_t *pool);
void mm_xlsx_chart_row(mm_xlsx_chart_t *chart, const mm_cell_t *cells, mm_xlsx_text_t *text);

/* The sheet "Charts"; nothing without points. False: there is no memory, or no room for its file. */
bool mm_xlsx_chart_end(const mm_xlsx_chart_t *chart, lxw_workbook *workbook, lxw_format *bold);

/* The sheet "About". */
bool mm_xlsx_about(lxw_workbook *workbook, const mm_envelope_t *envelope, int64_t rows, lxw_format *bold,
                   mm_xlsx_text_t *text);

#endif
