/* The application's documents, for providers that decide by them. */
#ifndef MM_AUTHZ_CATALOG_H
#define MM_AUTHZ_CATALOG_H

#include "httpd.h"
#include "base/err.h"
#include "store/store.h"

/* The connection to the catalogue's database (MetricsCatalogURI, else MetricsMongoURI) of this request: opened when it
 * is first asked for, shared with the report, closed with r->pool. Nothing is sent before it is used. A provider whose
 * close() needs it must ask for it in open(): what was opened later is closed earlier. */
apr_status_t mm_authz_catalog(mm_store_t **store, request_rec *r, mm_err_t *err);

#endif
