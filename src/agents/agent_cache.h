/* What was found out about a text, for the next time: a bounded memory from texts to small numbers. */
#ifndef MM_AGENT_CACHE_H
#define MM_AGENT_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <apr_pools.h>

/* 65,536 texts in 512 KiB. */
#define MM_AGENT_CACHE_SETS (8 * 1024)
#define MM_AGENT_CACHE_WAYS 8
#define MM_AGENT_CACHE_MAX  6 /* values are 0 to this */

typedef struct mm_agent_cache mm_agent_cache_t;

/* NULL where the system gives no random bytes: then there is no cache, and none must be used. */
mm_agent_cache_t *mm_agent_cache_create(apr_pool_t *pool);

/* The key of a text under this cache's secret. */
uint64_t mm_agent_cache_key(const mm_agent_cache_t *cache, const char *text, size_t len);

/* The value that was put for this key, or -1. */
int mm_agent_cache_get(mm_agent_cache_t *cache, uint64_t key);

void mm_agent_cache_put(mm_agent_cache_t *cache, uint64_t key, int value);

#endif
