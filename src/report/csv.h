/* CSV as the contract says: RFC 4180, CRLF, UTF-8. A cell is quoted where it must be. A cell that a spreadsheet would
 * run as a formula (first character = + - @, tab or CR) gets a leading ' unless raw, and so
 * does what would be one in a spreadsheet that splits lines elsewhere (= + - @ behind a semicolon or a line's end
 * within a cell); numbers that we write ourselves do not go that way. Bytes that are not UTF-8 are written as %XX, so
 * that the file stays UTF-8 and the cell can be pasted into a URL. Texts are NUL-terminated; NULL is an empty cell.
 */
#ifndef MM_CSV_H
#define MM_CSV_H

#include <stdint.h>
#include "report/out.h"

typedef struct mm_csv {
    char separator; /* of cells */
    int raw;
    size_t cells;     /* of the row under way */
    int row_is_blank; /* no byte of the row's cells has been written */
    int split;        /* what was written last may end a cell for some reader */
    mm_out_t out;
} mm_csv_t;

/* separator is a comma, or a tab for what spreadsheets call tab-delimited text. */
void mm_csv_init(mm_csv_t *csv, mm_sink_fn sink, void *baton, char separator, int raw);

/* A byte order mark, for old spreadsheets that take a CSV without one for Latin-1. Only before the first cell. */
void mm_csv_bom(mm_csv_t *csv);

void mm_csv_text(mm_csv_t *csv, const char *text); /* one cell */
void mm_csv_int(mm_csv_t *csv, int64_t number);    /* one cell */

/* One cell: YYYY-MM-DD HH:MM:SS in UTC, a part of a second cut off towards the past; empty for MM_TIME_NONE and outside
 * the years 0000 to 9999. */
void mm_csv_time(mm_csv_t *csv, int64_t ms);
/* The same as YYYY-MM-DD. */
void mm_csv_day(mm_csv_t *csv, int64_t ms);

/* One cell of several pieces: "a; b; c". The guard against formulas looks at the whole. */
void mm_csv_join(mm_csv_t *csv, const char *const *pieces, size_t n, const char *separator);

/* Ends the line. A row whose only cell is empty is written as "" since readers skip lines that are empty. */
void mm_csv_end_row(mm_csv_t *csv);

/* Hands what is buffered to the sink and returns the first failure, if any. */
apr_status_t mm_csv_flush(mm_csv_t *csv);

#endif
