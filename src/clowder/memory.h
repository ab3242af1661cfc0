/* A number for each of many ids, up to a bound. One thread. */
#ifndef MM_CLOWDER_MEMORY_H
#define MM_CLOWDER_MEMORY_H

#include <stdbool.h>
#include "store/clowder.h"

typedef struct mm_clowder_memory mm_clowder_memory_t;

mm_clowder_memory_t *mm_clowder_memory_make(unsigned max, apr_pool_t *pool);
/* False where nothing is known. */
bool mm_clowder_memory_get(const mm_clowder_memory_t *memory, const mm_oid_t *id, unsigned *value);
void mm_clowder_memory_put(mm_clowder_memory_t *memory, const mm_oid_t *id, unsigned value);
void mm_clowder_memory_forget(mm_clowder_memory_t *memory);
/* Forgets everything where there is more than max. Nothing else forgets: between two calls it can grow beyond. */
void mm_clowder_memory_bound(mm_clowder_memory_t *memory);

#endif
