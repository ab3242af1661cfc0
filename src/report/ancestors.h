/* Parents at all levels: the columns parent_TYPE and parent_TYPE_ids. Part of the room report; others use report.h.
 *
 * From the direct parents of a page's rows the way goes up by the catalogue's rules, a level at a time. A parent that
 * may not be seen is left out, and so is what is reached only through it. Whatever documents hold, cycles, ids of
 * nothing, thousands of levels, the way ends: within MM_ANCESTORS_LEVELS, with at most MM_CATALOG_PARENTS_MAX parents
 * for a row, in some seconds; what is left out then is told as MM_TROUBLE_WORK.
 */
#ifndef MM_ANCESTORS_H
#define MM_ANCESTORS_H

#include "report/page.h"

#define MM_ANCESTORS_LEVELS 100

/* Remembers what it read, in a few MiB, for as long as pool lives: many rows have the same parents. */
typedef struct mm_ancestors mm_ancestors_t;

apr_status_t mm_ancestors_make(mm_ancestors_t **ancestors, const mm_report_t *report, apr_pool_t *pool);

/* Sets the cells of the page's rows, whose direct parents are those that may be seen. Cells are pool's. Each parent
 * stands there once, ordered by id; a resource that is its own ancestor is left out and told as MM_TROUBLE_CYCLE. */
apr_status_t mm_ancestors_fill(mm_ancestors_t *ancestors, mm_page_t *page, apr_pool_t *pool, mm_err_t *err);

#endif
