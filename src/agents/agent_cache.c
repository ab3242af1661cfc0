/* A set-associative table, like a processor's cache: a key belongs to one set of eight, which is one line of memory.
 * The last used stands first in its set, and a new one takes the place of the last.
 *
 * Texts come from anybody. The key is SipHash under a secret that is made anew for each cache, so nobody can choose
 * texts that fall into one set, or that are taken for one another; that two do so by chance happens once in 10^14
 * looks. For the same reason the texts themselves need not be kept. One thread.
 */
#include "agents/agent_cache.h"

#include <string.h>
#include <sys/random.h>
#include <apr_siphash.h>

/* An entry is the key's upper 61 bits, and value + 1; 0 is an empty one. */
#define VALUE_MASK UINT64_C(7)

struct mm_agent_cache {
    unsigned char secret[APR_SIPHASH_KSIZE];
    uint64_t *entries;
};

mm_agent_cache_t *mm_agent_cache_create(apr_pool_t *pool)
{
    mm_agent_cache_t *cache = apr_pcalloc(pool, sizeof(*cache));
    size_t size = sizeof(uint64_t) * MM_AGENT_CACHE_SETS * MM_AGENT_CACHE_WAYS, line = 64;
    uintptr_t at;

    if (getrandom(cache->secret, sizeof(cache->secret), 0) != (ssize_t)sizeof(cache->secret)) {
        return NULL;
    }
    at = (uintptr_t)apr_pcalloc(pool, size + line);
    cache->entries = (uint64_t *)((at + line - 1) / line * line);
    return cache;
}

uint64_t mm_agent_cache_key(const mm_agent_cache_t *cache, const char *text, size_t len)
{
    return apr_siphash24(text, len, cache->secret);
}

static uint64_t *set_of(const mm_agent_cache_t *cache, uint64_t key)
{
    return cache->entries + key % MM_AGENT_CACHE_SETS * MM_AGENT_CACHE_WAYS;
}

/* Moves what stands before place i of the set one place on, and puts entry first. */
static void to_front(uint64_t *set, int i, uint64_t entry)
{
    memmove(set + 1, set, sizeof(*set) * (size_t)i);
    set[0] = entry;
}

int mm_agent_cache_get(mm_agent_cache_t *cache, uint64_t key)
{
    uint64_t *set = set_of(cache, key);

    /* The lowest bits of the key, which the entry has no room for, are those that chose the set. */
    for (int i = 0; i < MM_AGENT_CACHE_WAYS; i++) {
        if (set[i] != 0 && (set[i] & ~VALUE_MASK) == (key & ~VALUE_MASK)) {
            to_front(set, i, set[i]);
            return (int)(set[0] & VALUE_MASK) - 1;
        }
    }
    return -1;
}

void mm_agent_cache_put(mm_agent_cache_t *cache, uint64_t key, int value)
{
    uint64_t *set = set_of(cache, key);

    to_front(set, MM_AGENT_CACHE_WAYS - 1, (key & ~VALUE_MASK) | (uint64_t)(value + 1));
}
