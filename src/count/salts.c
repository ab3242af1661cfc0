/* A short array, looked through from its beginning: the days in use are few, and a use asks for the same one or two
 * again and again. One thread.
 */
#include "count/salts.h"

#include <string.h>
#include <sys/random.h>

#define DAY_S 86400

static mm_salt_t *find(mm_salts_t *salts, int64_t day)
{
    for (size_t i = 0; i < MM_SALTS_MAX; i++) {
        if (salts->salts[i].used && salts->salts[i].day == day) {
            return &salts->salts[i];
        }
    }
    return NULL;
}

/* A place that is free, or that of the one that was touched least recently, but for the day of now. */
static mm_salt_t *place(mm_salts_t *salts, uint32_t now_s)
{
    mm_salt_t *oldest = NULL;

    for (size_t i = 0; i < MM_SALTS_MAX; i++) {
        if (!salts->salts[i].used) {
            return &salts->salts[i];
        }
        if (salts->salts[i].day != now_s / DAY_S && (!oldest || salts->salts[i].turn < oldest->turn)) {
            oldest = &salts->salts[i];
        }
    }
    salts->forgotten++;
    salts->dropped = true;
    return oldest;
}

static void touch(mm_salts_t *salts, mm_salt_t *salt, uint32_t now_s)
{
    salt->touched_s = now_s;
    salt->turn = ++salts->turns;
    salt->fresh = true;
}

const mm_salt_t *mm_salts_of(mm_salts_t *salts, int64_t day, uint32_t now_s)
{
    mm_salt_t *salt = find(salts, day);
    uint8_t key[MM_SALT_LEN];

    if (salt == NULL) {
        if (getrandom(key, sizeof(key), 0) != (ssize_t)sizeof(key)) {
            return NULL;
        }
        salt = place(salts, now_s);
        *salt = (mm_salt_t){.day = day, .used = true};
        memcpy(salt->key, key, sizeof(key));
    }
    touch(salts, salt, now_s);
    return salt;
}

void mm_salts_restore(mm_salts_t *salts, int64_t day, uint32_t touched_s, const uint8_t *key)
{
    mm_salt_t *salt = find(salts, day);

    if (salt == NULL) {
        salt = place(salts, touched_s);
        *salt = (mm_salt_t){.day = day, .used = true};
    }
    memcpy(salt->key, key, MM_SALT_LEN);
    touch(salts, salt, touched_s);
}

void mm_salts_expire(mm_salts_t *salts, uint32_t before_s)
{
    for (size_t i = 0; i < MM_SALTS_MAX; i++) {
        if (salts->salts[i].used && salts->salts[i].touched_s < before_s) {
            memset(&salts->salts[i], 0, sizeof(salts->salts[i]));
            salts->dropped = true;
        }
    }
}

void mm_salts_settle(mm_salts_t *salts, bool clean)
{
    for (size_t i = 0; i < MM_SALTS_MAX; i++) {
        salts->salts[i].fresh = false;
    }
    salts->dropped = salts->dropped && !clean;
}

void mm_salts_clear(mm_salts_t *salts)
{
    int64_t forgotten = salts->forgotten;

    memset(salts, 0, sizeof(*salts));
    salts->forgotten = forgotten;
}
