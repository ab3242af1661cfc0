/* How a report is written: columns once, then rows of cells, then the end. What the rows are is the business of
 * report.c; how they look, that of the writers behind this: one for each format.
 *
 * A cell's kind is its column's. All that cells point to must live until the call returns, no longer. Once a call has
 * failed, the writer must not be called again: what it has written is a beginning of the report, at any byte, and no
 * reader takes it for a whole one where its format has a mark for the end.
 */
#ifndef MM_WRITER_H
#define MM_WRITER_H

#include <stdint.h>
#include <apr_pools.h>
#include "base/err.h"
#include "count/delta.h"
#include "report/sink.h"
#include "report/temp.h"
#include "route/route.h"

typedef enum mm_cell_kind {
    MM_CELL_TEXT,  /* text; NULL or "": there is none */
    MM_CELL_INT,   /* number; MM_CELL_NONE: there is none */
    MM_CELL_TIME,  /* number: milliseconds since 1970 UTC; MM_TIME_NONE: there is none */
    MM_CELL_TEXTS, /* pieces: any number of texts, 0 too */
    MM_CELL_DAY    /* number, as of a time: the day that it lies in */
} mm_cell_kind_t;

#define MM_CELL_NONE MM_TIME_NONE

typedef union mm_cell {
    const char *text; /* any bytes but NUL; what is not UTF-8 is shown as %XX */
    int64_t number;
    struct {
        const char *const *texts;
        size_t n;
    } pieces;
} mm_cell_t;

/* Columns of kind MM_CELL_TEXTS that stand side by side with the same group tell of the same things: the first pieces
 * of all of them are one thing, the second ones another. Their cells in a row have the same number of pieces. */
typedef struct mm_column {
    const char *name; /* a to z, 0 to 9 and _ */
    mm_cell_kind_t kind;
    const char *group;  /* "parents"; NULL: none */
    const char *member; /* in a group, what the column is called there: "id" of parent_id */
} mm_column_t;

/* What can be said of a report as a whole before its first row. */
typedef struct mm_envelope {
    int64_t generated_ms;            /* when */
    int64_t since_ms, until_ms;      /* the period, until exclusive; MM_TIME_NONE: no bound */
    int64_t limit, offset;           /* limit -1: none */
    const apr_array_header_t *given; /* of mm_given_t: the parameters; NULL: none */
    const mm_column_t *columns;
    size_t n_columns;
} mm_envelope_t;

/* What is known behind the last row. */
typedef struct mm_tail {
    int64_t next_offset; /* where the next page begins; -1: limit cut nothing off */
} mm_tail_t;

typedef struct mm_writer mm_writer_t;

typedef struct mm_writer_ops {
    /* The envelope lives until end. */
    apr_status_t (*begin)(mm_writer_t *writer, const mm_envelope_t *envelope, mm_err_t *err);
    /* As many cells as there are columns. */
    apr_status_t (*row)(mm_writer_t *writer, const mm_cell_t *cells, mm_err_t *err);
    /* Hands what is held back to the sink, as far as the format allows: called after each batch of rows. */
    apr_status_t (*flush)(mm_writer_t *writer, mm_err_t *err);
    apr_status_t (*end)(mm_writer_t *writer, const mm_tail_t *tail, mm_err_t *err);
} mm_writer_ops_t;

/* The first member of every writer. */
struct mm_writer {
    const mm_writer_ops_t *ops;
};

/* separator: a comma or a tab. raw: no guard against formulas. bom: a byte order mark first. */
mm_writer_t *mm_writer_csv(mm_sink_fn sink, void *baton, char separator, int raw, int bom, apr_pool_t *pool);

/* One document, or with lines a document for each row and nothing else. */
mm_writer_t *mm_writer_json(mm_sink_fn sink, void *baton, int lines, apr_pool_t *pool);

/* A workbook. It is built in files, in a directory of temp, and only when the last row is in it do its first bytes go
 * to the sink: the format allows nothing else, its directory holds what must be known of all parts. rows_per_sheet is 0
 * for what the format allows. Fails with MM_WRITER_TOO_LARGE beyond temp's limit, with MM_WRITER_NO_ROOM where the disk
 * is full. */
mm_writer_t *mm_writer_xlsx(mm_sink_fn sink, void *baton, const mm_temp_t *temp, int64_t rows_per_sheet,
                            apr_pool_t *pool);
#define MM_WRITER_TOO_LARGE (APR_OS_START_USERERR + 110)
#define MM_WRITER_NO_ROOM   (APR_OS_START_USERERR + 111)

/* The writer of a format, with what else the route says of the form. */
mm_writer_t *mm_writer_make(const mm_route_t *route, mm_format_t format, const mm_temp_t *temp, mm_sink_fn sink,
                            void *baton, apr_pool_t *pool);

#endif
