/* A report: rows from the store, filtered by who may see what, with names and parents from the catalogue, written by a
 * writer. Constant memory: MM_REPORT_BATCH rows at a time, whatever the number of rows.
 *
 * limit and offset count resources that the requester may see, in the order of the report; with parents=rows one of
 * them can be several lines. A parent that may not be seen is left out as if it did not exist.
 */
#ifndef MM_REPORT_H
#define MM_REPORT_H

#include <stdbool.h>
#include <apr_tables.h>
#include "base/err.h"
#include "report/writer.h"
#include "route/route.h"
#include "store/catalog.h"
#include "store/store.h"

#define MM_REPORT_BATCH 500

/* Who may see which resources, and which people: asked once per batch and type, for rows and for their parents, users
 * and owners. Sets verdicts[i] to 1 where ids[i] may be seen; the array comes in as all 0. An error ends the report. */
typedef struct mm_gate {
    apr_status_t (*see_resources)(void *baton, const char *type, const char *const *ids, size_t n,
                                  unsigned char *verdicts, mm_err_t *err);
    /* Whether users[i] may be named with the resource ids[i], which may be seen itself. */
    apr_status_t (*see_users)(void *baton, const char *type, const char *const *ids, const char *const *users, size_t n,
                              unsigned char *verdicts, mm_err_t *err);
    /* Before the rows of a type are read: no others than these n resources will be let pass. *ids stays NULL where
     * nothing is known of it. Rows are asked about all the same. May be NULL. */
    apr_status_t (*narrow)(void *baton, const char *type, const char *const **ids, size_t *n, apr_pool_t *pool,
                           mm_err_t *err);
    void *baton;
    /* Whether all resources of this type would be let pass, whichever they are. May be NULL: that is not known. */
    bool (*sees_all)(void *baton, const char *type);
} mm_gate_t;

/* Told of rows that have an empty or cut cell because of what the catalogue's documents hold: n of a batch, one of
 * which is this resource. May be left out. */
typedef struct mm_watch {
    void (*tell)(void *baton, mm_trouble_t trouble, int64_t n, const char *type, const char *id);
    void *baton;
    /* The same of n rows with numbers that are cut (MM_USES_MAX), one of which is of this type. */
    void (*tell_cut)(void *baton, int64_t n, const char *type);
} mm_watch_t;

typedef struct mm_report {
    const mm_route_t *route;
    mm_store_t *store;                  /* totals */
    mm_store_t *catalog_store;          /* may be the same */
    const apr_array_header_t *catalogs; /* of mm_catalog_t * */
    mm_forms_t *forms;                  /* of the catalogue store, for this report alone; may be NULL */
    const apr_array_header_t *people;   /* the same, of the type MM_CATALOG_PEOPLE; NULL: nobody's name is known */
    /* A further connection to the catalogue, for look-ups beside others; in pool. May be NULL. */
    apr_status_t (*open_second)(void *baton, mm_store_t **store, apr_pool_t *pool, mm_err_t *err);
    void *second_baton;
    const char *const *types; /* configured, in order */
    size_t n_types;
    mm_gate_t gate;
    mm_watch_t watch;
    mm_writer_t *writer; /* not used before mm_report_write */
    int64_t now_ms;
} mm_report_t;

/* One report under way; one thread. */
typedef struct mm_report_run mm_report_run_t;

/* Makes the first batch of rows ready, all the way: rows, permissions, names, parents. So a database that is away, a
 * catalogue that is, or a gate that fails is known before anything is sent; nothing is written. The report and what it
 * points to must live as long as the run. pool is the report's; batches live in sub-pools of it. */
apr_status_t mm_report_begin(mm_report_run_t **run, const mm_report_t *report, apr_pool_t *pool, mm_err_t *err);

/* Writes the whole report, its beginning and end even where there are no rows. Once per run. On an error, whether of
 * the store, the gate or the writer, nothing more is written: what has been is a beginning of the report, at any byte.
 */
apr_status_t mm_report_write(mm_report_run_t *run, mm_err_t *err);

#endif
