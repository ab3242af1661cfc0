/* The connection to the application's database that a request has, for its permissions and for its rows alike. */
#include "authz/catalog.h"

#include "config/config.h"

#define KEY "mod_metrics: the catalogue's connection"

apr_status_t mm_authz_catalog(mm_store_t **store, request_rec *r, mm_err_t *err)
{
    const mm_config_t *config = mm_config_get(r->server);
    const char *uri = config->catalog_uri ? config->catalog_uri : config->mongo_uri;
    void *known = NULL;
    apr_pool_userdata_get(&known, KEY, r->pool);
    if (known) {
        *store = known;
        return APR_SUCCESS;
    }
    if (!uri) {
        return mm_err_set(err, APR_ENOTIMPL, "No database is configured: MetricsMongoURI is missing.");
    }
    apr_status_t rv = mm_store_open(store, uri, config->prefix, r->pool, err);
    if (rv == APR_SUCCESS) {
        apr_pool_userdata_setn(*store, KEY, NULL, r->pool);
    }
    return rv;
}
