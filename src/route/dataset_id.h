/* How COUNTER's reports name a dataset: a kind and a value, made of the id that the repository has for it. Part of the
 * room route.
 */
#ifndef MM_DATASET_ID_H
#define MM_DATASET_ID_H

#include <stddef.h>
#include <apr_pools.h>

/* A DOI, a URI, or else the repository's own id. */
typedef enum mm_dataset_id_kind { MM_DATASET_DOI, MM_DATASET_OTHER, MM_DATASET_URI } mm_dataset_id_kind_t;

/* What the kind is called in JSON: doi, proprietary, uri. */
const char *mm_dataset_id_kind_name(mm_dataset_id_kind_t kind);

/* The value by which a report names the resource with this id: a part of id. */
const char *mm_dataset_id_value(const char *id, mm_dataset_id_kind_t *kind);

/* The ids of all resources that text may mean: text is one of them, or the value that a report names one by, or that
 * value with the name of its kind and a colon before it. Each once, text first; *ids is pool's. */
size_t mm_dataset_id_meant(const char *const **ids, const char *text, apr_pool_t *pool);

#endif
