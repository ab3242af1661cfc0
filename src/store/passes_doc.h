/* The passes through a log as its document in metrics_meta keeps them (store/ledger.h). */
#ifndef MM_PASSES_DOC_H
#define MM_PASSES_DOC_H

#include <mongoc/mongoc.h>
#include "store/passes.h"

/* Adds those that the document tells of. False: there are more than there is room for. */
bool mm_passes_read(mm_passes_t *passes, const bson_t *doc);

/* Into a $max. */
void mm_passes_append(bson_t *max, const mm_passes_t *passes);

#endif
