/* A batch of the catalogue's ids, and the uses of just these: what has none is a row. Nothing is remembered from one
 * batch to the next, so memory stays that of one, whatever the number of resources.
 *
 * Uses and the catalogue are read one after the other. What is used for the first time meanwhile is left out: it has a
 * use when its turn comes.
 */
#include "report/unused.h"

#include <string.h>
#include <apr_hash.h>

#include "store/catalog_walk.h"

struct mm_unused {
    const mm_report_t *report;
    mm_catalog_walk_query_t query;
    mm_catalog_walk_t *walk;
};

apr_status_t mm_unused_open(mm_unused_t **unused, const mm_report_t *report, const mm_uses_query_t *query,
                            apr_pool_t *pool, mm_err_t *err)
{
    mm_unused_t *opened = apr_pcalloc(pool, sizeof(*opened));

    opened->report = report;
    opened->query = (mm_catalog_walk_query_t){
        .type = query->type,
        .ids = query->ids,
        .n_ids = query->n_ids,
        .created_before_ms = query->unused_since ? query->unused_since_ms : MM_TIME_NONE,
        .backwards = query->backwards,
    };
    *unused = opened;
    return mm_catalog_walk_open(&opened->walk, report->catalog_store, report->catalogs, &opened->query, pool, err);
}

/* Which of the ids anybody used, whoever that was. */
static apr_status_t find_used(apr_hash_t **used, const mm_unused_t *unused, const char *const *ids, size_t n,
                              apr_pool_t *pool, mm_err_t *err)
{
    mm_uses_query_t *query = apr_pcalloc(pool, sizeof(*query));
    mm_use_t *found = apr_palloc(pool, MM_REPORT_BATCH * sizeof(*found));
    size_t got = 0;
    mm_uses_t *uses;

    *used = apr_hash_make(pool);
    *query = (mm_uses_query_t){.type = unused->query.type, .ids = ids, .n_ids = n, .order = MM_ORDER_RESOURCE};
    apr_status_t rv = mm_uses_open(&uses, unused->report->store, query, pool, err);
    do {
        rv = rv == APR_SUCCESS ? mm_uses_next(uses, found, MM_REPORT_BATCH, &got, pool, err) : rv;
        for (size_t i = 0; rv == APR_SUCCESS && i < got; i++) {
            apr_hash_set(*used, found[i].id, APR_HASH_KEY_STRING, found[i].id);
        }
    } while (rv == APR_SUCCESS && got > 0);
    return rv;
}

apr_status_t mm_unused_next(mm_unused_t *unused, mm_use_t *rows, size_t *n, bool *ended, apr_pool_t *pool,
                            mm_err_t *err)
{
    const char **ids = apr_palloc(pool, MM_REPORT_BATCH * sizeof(*ids));
    apr_hash_t *used = NULL;
    size_t known = 0;

    *n = 0;
    apr_status_t rv = mm_catalog_walk_next(unused->walk, ids, MM_REPORT_BATCH, &known, ended, pool, err);
    if (rv == APR_SUCCESS && known > 0) {
        rv = find_used(&used, unused, ids, known, pool, err);
    }
    for (size_t i = 0; i < known && rv == APR_SUCCESS; i++) {
        if (!apr_hash_get(used, ids[i], APR_HASH_KEY_STRING)) {
            rows[(*n)++] = (mm_use_t){.id = ids[i], .last_viewed_ms = MM_TIME_NONE, .last_downloaded_ms = MM_TIME_NONE};
        }
    }
    return rv;
}
