/* The columns of a report, and the cells of a row. Part of the room report; others use report.h. */
#ifndef MM_COLUMNS_H
#define MM_COLUMNS_H

#include "report/page.h"
#include "report/writer.h"
#include "route/route.h"

/* The day or month, the type, the resource and the user with their names, four counters and times, three of a parent,
 * the extras, and parents of all levels. */
#define MM_COLUMNS_FIXED (14 + MM_EXTRAS)
#define MM_COLUMNS_MAX   (MM_COLUMNS_FIXED + MM_ROUTE_ANCESTORS_MAX)

typedef struct mm_columns {
    mm_column_t columns[MM_COLUMNS_MAX];
    unsigned char sources[MM_COLUMNS_MAX]; /* of columns.c */
    size_t n;
    size_t parents_at; /* the first of the three columns of parents, if there are any */
} mm_columns_t;

void mm_columns_choose(mm_columns_t *columns, const mm_route_t *route);

/* Fills the cells of a row of the page, but for those of parents. */
void mm_columns_fill(const mm_columns_t *columns, const mm_route_t *route, const mm_page_t *page, size_t row,
                     mm_cell_t *cells);

/* Fills the three cells of n parents; pieces has room for 3 times n. */
void mm_columns_fill_parents(const mm_columns_t *columns, const mm_parent_t *parents, size_t n, const char **pieces,
                             mm_cell_t *cells);

#endif
