/* A report: rows from the store, filtered by who may see what, with names and parents from the catalogue, written to a
 * sink. Constant memory: MM_REPORT_BATCH rows at a time, whatever the number of rows.
 */
#ifndef MM_REPORT_H
#define MM_REPORT_H

#include <apr_tables.h>
#include "base/err.h"
#include "report/csv.h"
#include "route/route.h"
#include "store/catalog.h"
#include "store/store.h"

#define MM_REPORT_BATCH 500

/* Who may see which resources: asked once per batch and type, for rows and for their parents. Sets verdicts[i] to 1
 * where ids[i] may be seen; the array comes in as all 0. An error ends the report. */
typedef struct mm_gate {
    apr_status_t (*see_resources)(void *baton, const char *type, const char *const *ids, size_t n,
                                  unsigned char *verdicts, mm_err_t *err);
    void *baton;
} mm_gate_t;

typedef struct mm_report {
    const mm_route_t *route;
    mm_store_t *store;                  /* totals */
    mm_store_t *catalog_store;          /* may be the same */
    const apr_array_header_t *catalogs; /* of mm_catalog_t * */
    const char *const *types;           /* configured, in order */
    size_t n_types;
    mm_gate_t gate;
    mm_sink_fn sink;
    void *sink_baton;
} mm_report_t;

/* Fetches the first batch of rows, so that a database that is away is known before anything is sent; writes nothing.
 * Then mm_report_write writes the whole report. pool is the report's; batches live in sub-pools of it. */
typedef struct mm_report_run mm_report_run_t;
apr_status_t mm_report_begin(mm_report_run_t **run, const mm_report_t *report, apr_pool_t *pool, mm_err_t *err);
apr_status_t mm_report_write(mm_report_run_t *run, mm_err_t *err);

#endif
