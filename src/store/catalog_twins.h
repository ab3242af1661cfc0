/* Documents of the application that have one id: which of them stands for the resource. For the files of the catalogue.
 */
#ifndef MM_CATALOG_TWINS_H
#define MM_CATALOG_TWINS_H

#include <stdbool.h>
#include <bson/bson.h>
#include <mongoc/mongoc.h>
#include "base/sha256.h"
#include "store/catalog.h"

typedef struct mm_twin {
    const char *id;
    char key[MM_SHA256_HEX + 1]; /* of its document */
    unsigned form;               /* MM_FORM_… of the document's _id, or 0 */
    bool is_first;               /* it stands for the resource */
} mm_twin_t;

/* Where the documents are, and what id one of them has: NULL for none. */
typedef struct mm_twins_query {
    mm_store_t *store;
    mongoc_collection_t *collection;
    const char *name; /* the collection's */
    const char *id_path;
    mm_forms_t *forms; /* NULL: nothing is known of them */
    const char *(*id_of)(const void *baton, const bson_t *doc, apr_pool_t *pool);
    const void *baton;
} mm_twins_query_t;

/* A document that has this id, which must live as long. */
void mm_twin_init(mm_twin_t *twin, const bson_t *doc, const char *id);

/* Sets is_first of n twins. Of all documents in the collection that have the same id it is one and always the same one,
 * whatever the other twins are; where a query for them would take too long, perhaps several. All memory is pool's. */
apr_status_t mm_twins_settle(const mm_twins_query_t *query, mm_twin_t *twins, size_t n, apr_pool_t *pool,
                             mm_err_t *err);

#endif
