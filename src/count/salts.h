/* The secrets under which visitors are hashed: a random one for each day, made when it is needed and thrown away when
 * no event has asked for it for as long as the window remembers anything. What was hashed under it then leads back to
 * nobody. One thread.
 */
#ifndef MM_SALTS_H
#define MM_SALTS_H

#include <stdbool.h>
#include <stdint.h>

#define MM_SALT_LEN 16
/* Days that can be in use at once: live traffic needs two; an import that mixes months at random needs one for each
 * day. One too many makes the one that was used least recently be forgotten, never that of the day of now. */
#define MM_SALTS_MAX 64

typedef struct mm_salt {
    int64_t day; /* since 1970, UTC */
    uint32_t touched_s;
    bool used;
    bool fresh;    /* touched since the last settle */
    uint64_t turn; /* of its last touch */
    uint8_t key[MM_SALT_LEN];
} mm_salt_t;

/* All zeros holds none. */
typedef struct mm_salts {
    mm_salt_t salts[MM_SALTS_MAX];
    uint64_t turns;
    int64_t forgotten; /* because there were too many */
    bool dropped;      /* one was thrown away that may be written down still */
} mm_salts_t;

/* The secret of that day, from the kernel's random numbers if there is none. NULL: there are no random numbers. */
const mm_salt_t *mm_salts_of(mm_salts_t *salts, int64_t day, uint32_t now_s);

/* Puts one back that was written down. */
void mm_salts_restore(mm_salts_t *salts, int64_t day, uint32_t touched_s, const uint8_t *key);

/* Throws away what was last touched before that time. */
void mm_salts_expire(mm_salts_t *salts, uint32_t before_s);

/* All of it is written down; clean: and nothing else is. */
void mm_salts_settle(mm_salts_t *salts, bool clean);

void mm_salts_clear(mm_salts_t *salts);

#endif
