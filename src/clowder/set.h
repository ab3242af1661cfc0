/* Very many ids, in 12 bytes each: added, put in order once, then looked up. One thread. */
#ifndef MM_CLOWDER_SET_H
#define MM_CLOWDER_SET_H

#include <stdbool.h>
#include "store/clowder.h"

typedef struct mm_clowder_set mm_clowder_set_t;

/* Of no more than max ids; one that is added twice counts twice. All memory is pool's, and grows with what is in it. */
mm_clowder_set_t *mm_clowder_set_make(size_t max, apr_pool_t *pool);
/* False where it is full. */
bool mm_clowder_set_add(mm_clowder_set_t *set, const mm_oid_t *id);
/* Behind the last that is added. */
void mm_clowder_set_order(mm_clowder_set_t *set);
bool mm_clowder_set_has(const mm_clowder_set_t *set, const mm_oid_t *id);

#endif
