/* A bounded table that forgets first what was touched least recently.
 *
 * Keys are 64 bits that nobody can choose (count/window.h hashes under a secret), so they are spread already, and two
 * of them being alike is left to chance: one in 10^7 for a full table. Every operation takes constant time. One thread.
 */
#ifndef MM_RECENT_H
#define MM_RECENT_H

#include <stdbool.h>
#include <stdint.h>
#include <apr_pools.h>

/* 32 bytes. Entries are named by their place, from 1; 0 is none. */
typedef struct mm_recent_entry {
    uint64_t key;
    uint32_t touched_s;                /* the time that was given with the last touch */
    uint32_t older, newer;             /* in the order of touches */
    uint32_t chained;                  /* the next with the same hash, or the next free place */
    union {                            /* all zeros when it is made */
        struct {                       /* the clicks of one bucket of time */
            uint16_t earliest, latest; /* offsets, ms */
            uint8_t class_of_latest;
        } click;
        struct { /* the uses of one hour */
            uint32_t views, downloads;
        } uses;
    } of;
} mm_recent_entry_t;

typedef struct mm_recent mm_recent_t;

/* Of at most max entries: 36 to 40 bytes for each, which the kernel hands out as they are used. */
mm_recent_t *mm_recent_create(uint32_t max, apr_pool_t *pool);

/* NULL: there is none. It is not touched. */
const mm_recent_entry_t *mm_recent_find(const mm_recent_t *table, uint64_t key);

/* Finds it or makes it; a full table forgets its oldest for that. now_s must never be less than it was before. */
mm_recent_entry_t *mm_recent_touch(mm_recent_t *table, uint64_t key, uint32_t now_s);

/* Forgets what was last touched before that time. */
void mm_recent_expire(mm_recent_t *table, uint32_t before_s);

void mm_recent_clear(mm_recent_t *table);

/* The time of the last touch; 0: there is none. */
uint32_t mm_recent_latest(const mm_recent_t *table);

uint32_t mm_recent_entries(const mm_recent_t *table);

/* How many were forgotten because the table was full, since it was made. */
int64_t mm_recent_forgotten(const mm_recent_t *table);

/* From now on only what is touched is fresh. */
void mm_recent_settle(mm_recent_t *table);

bool mm_recent_has_fresh(const mm_recent_t *table);

/* Calls fn for each entry, the least recent first: touched in this order, another table would forget in the same. */
void mm_recent_each(const mm_recent_t *table, bool fresh_only, void (*fn)(void *baton, const mm_recent_entry_t *entry),
                    void *baton);

#endif
