/* Entries in one array, chained from an array of heads, and in one list by the time of their last touch.
 *
 * What was touched since the last settle stands at the newer end of that list, so it is enough to know where the rest
 * begins: `settled`, the newest entry that is not fresh. Both arrays come from calloc, so places that were never used
 * cost no memory. One thread.
 */
#include "count/recent.h"

#include <stdlib.h>
#include <string.h>

struct mm_recent {
    mm_recent_entry_t *entries; /* [0] is never used */
    uint32_t *heads;
    uint32_t mask, max, n;
    uint32_t used; /* places that were ever used */
    uint32_t free; /* of those, the first that is free */
    uint32_t newest, oldest;
    uint32_t settled;
    int64_t forgotten;
};

static apr_status_t destroy(void *data)
{
    mm_recent_t *table = data;

    free(table->entries);
    free(table->heads);
    return APR_SUCCESS;
}

mm_recent_t *mm_recent_create(uint32_t max, apr_pool_t *pool)
{
    mm_recent_t *table = apr_pcalloc(pool, sizeof(*table));
    uint32_t heads = 16;

    while (heads < max && heads < UINT32_MAX / 2) {
        heads *= 2;
    }
    table->max = max;
    table->mask = heads - 1;
    table->entries = calloc((size_t)max + 1, sizeof(*table->entries));
    table->heads = calloc(heads, sizeof(*table->heads));
    if (!table->entries || !table->heads) {
        abort(); /* as a pool does */
    }
    apr_pool_cleanup_register(pool, table, destroy, apr_pool_cleanup_null);
    return table;
}

static uint32_t *head_of(const mm_recent_t *table, uint64_t key)
{
    return &table->heads[(uint32_t)key & table->mask];
}

static uint32_t find(const mm_recent_t *table, uint64_t key)
{
    uint32_t at = *head_of(table, key);

    while (at != 0 && table->entries[at].key != key) {
        at = table->entries[at].chained;
    }
    return at;
}

const mm_recent_entry_t *mm_recent_find(const mm_recent_t *table, uint64_t key)
{
    uint32_t at = find(table, key);

    return at != 0 ? &table->entries[at] : NULL;
}

static void unlink_by_time(mm_recent_t *table, uint32_t at)
{
    const mm_recent_entry_t *entry = &table->entries[at];

    if (table->settled == at) {
        table->settled = entry->older;
    }
    *(entry->newer ? &table->entries[entry->newer].older : &table->newest) = entry->older;
    *(entry->older ? &table->entries[entry->older].newer : &table->oldest) = entry->newer;
}

static void link_as_newest(mm_recent_t *table, uint32_t at)
{
    mm_recent_entry_t *entry = &table->entries[at];

    entry->newer = 0;
    entry->older = table->newest;
    *(table->newest ? &table->entries[table->newest].newer : &table->oldest) = at;
    table->newest = at;
}

static void forget_oldest(mm_recent_t *table)
{
    uint32_t at = table->oldest, *link = head_of(table, table->entries[at].key);

    unlink_by_time(table, at);
    while (*link != at) {
        link = &table->entries[*link].chained;
    }
    *link = table->entries[at].chained;
    table->entries[at].chained = table->free;
    table->free = at;
    table->n--;
}

static uint32_t make(mm_recent_t *table, uint64_t key)
{
    uint32_t at = table->free, *head = head_of(table, key);

    if (at != 0) {
        table->free = table->entries[at].chained;
    }
    else {
        at = ++table->used;
    }
    memset(&table->entries[at], 0, sizeof(table->entries[at]));
    table->entries[at].key = key;
    table->entries[at].chained = *head;
    *head = at;
    table->n++;
    return at;
}

mm_recent_entry_t *mm_recent_touch(mm_recent_t *table, uint64_t key, uint32_t now_s)
{
    uint32_t at = find(table, key);

    if (at != 0) {
        unlink_by_time(table, at);
    }
    else {
        if (table->n == table->max) {
            forget_oldest(table);
            table->forgotten++;
        }
        at = make(table, key);
    }
    link_as_newest(table, at);
    table->entries[at].touched_s = now_s;
    return &table->entries[at];
}

void mm_recent_expire(mm_recent_t *table, uint32_t before_s)
{
    while (table->oldest != 0 && table->entries[table->oldest].touched_s < before_s) {
        forget_oldest(table);
    }
}

void mm_recent_clear(mm_recent_t *table)
{
    while (table->oldest != 0) {
        forget_oldest(table);
    }
}

uint32_t mm_recent_latest(const mm_recent_t *table)
{
    return table->newest != 0 ? table->entries[table->newest].touched_s : 0;
}

uint32_t mm_recent_entries(const mm_recent_t *table)
{
    return table->n;
}

int64_t mm_recent_forgotten(const mm_recent_t *table)
{
    return table->forgotten;
}

void mm_recent_settle(mm_recent_t *table)
{
    table->settled = table->newest;
}

bool mm_recent_has_fresh(const mm_recent_t *table)
{
    return table->newest != table->settled;
}

void mm_recent_each(const mm_recent_t *table, bool fresh_only, void (*fn)(void *baton, const mm_recent_entry_t *entry),
                    void *baton)
{
    uint32_t at = fresh_only && table->settled ? table->entries[table->settled].newer : table->oldest;

    for (; at != 0; at = table->entries[at].newer) {
        fn(baton, &table->entries[at]);
    }
}
