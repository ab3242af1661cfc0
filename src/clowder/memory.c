/* A hash in a pool of its own, which is emptied at once: what a report asks for comes in order, so that what is old is
 * seldom asked for again.
 */
#include "clowder/memory.h"

#include <string.h>
#include <apr_hash.h>

typedef struct known {
    mm_oid_t id;
    unsigned value;
} known_t;

struct mm_clowder_memory {
    apr_pool_t *pool;
    apr_hash_t *hash; /* id -> known_t */
    unsigned max;
};

mm_clowder_memory_t *mm_clowder_memory_make(unsigned max, apr_pool_t *pool)
{
    mm_clowder_memory_t *memory = apr_palloc(pool, sizeof(*memory));

    memory->max = max;
    apr_pool_create(&memory->pool, pool);
    memory->hash = apr_hash_make(memory->pool);
    return memory;
}

bool mm_clowder_memory_get(const mm_clowder_memory_t *memory, const mm_oid_t *id, unsigned *value)
{
    const known_t *known = apr_hash_get(memory->hash, id->bytes, MM_OID_SIZE);

    if (known) {
        *value = known->value;
    }
    return known != NULL;
}

void mm_clowder_memory_put(mm_clowder_memory_t *memory, const mm_oid_t *id, unsigned value)
{
    known_t *known = apr_hash_get(memory->hash, id->bytes, MM_OID_SIZE);

    if (!known) {
        known = apr_palloc(memory->pool, sizeof(*known));
        known->id = *id;
        apr_hash_set(memory->hash, known->id.bytes, MM_OID_SIZE, known);
    }
    known->value = value;
}

void mm_clowder_memory_forget(mm_clowder_memory_t *memory)
{
    apr_pool_clear(memory->pool);
    memory->hash = apr_hash_make(memory->pool);
}

void mm_clowder_memory_bound(mm_clowder_memory_t *memory)
{
    if (apr_hash_count(memory->hash) > memory->max) {
        mm_clowder_memory_forget(memory);
    }
}
