/* A table of fixed size; each key has one place, and whoever comes later takes it. So there is nothing to clean up, and
 * nobody can make it grow.
 */
#include "authz/answers.h"

#include <stdlib.h>
#include <string.h>

#include "apr_thread_mutex.h"

/* One for each value of a key's first three digits; 320 KiB. */
#define PLACES 4096

typedef struct place {
    char key[MM_SHA256_HEX];
    unsigned char answer;
    apr_time_t until; /* 0: empty */
} place_t;

struct mm_answers {
    apr_interval_time_t ttl;
    apr_thread_mutex_t *lock;
    place_t places[PLACES];
};

mm_answers_t *mm_answers_make(apr_interval_time_t ttl, apr_pool_t *pool)
{
    mm_answers_t *answers = apr_pcalloc(pool, sizeof(*answers));
    answers->ttl = ttl;
    return apr_thread_mutex_create(&answers->lock, APR_THREAD_MUTEX_DEFAULT, pool) == APR_SUCCESS ? answers : NULL;
}

static place_t *place_of(mm_answers_t *answers, const char *key)
{
    const char first[] = {key[0], key[1], key[2], '\0'};
    return &answers->places[strtoul(first, NULL, 16) % PLACES];
}

int mm_answers_get(mm_answers_t *answers, const char *key, apr_time_t now)
{
    const place_t *place = place_of(answers, key);
    int answer = -1;
    apr_thread_mutex_lock(answers->lock);
    /* A clock that was put back must not make an answer last. */
    if (place->until > now && place->until <= now + answers->ttl && memcmp(place->key, key, MM_SHA256_HEX) == 0) {
        answer = place->answer;
    }
    apr_thread_mutex_unlock(answers->lock);
    return answer;
}

void mm_answers_put(mm_answers_t *answers, const char *key, unsigned char answer, apr_time_t now)
{
    place_t *place = place_of(answers, key);
    apr_thread_mutex_lock(answers->lock);
    memcpy(place->key, key, MM_SHA256_HEX);
    place->answer = answer;
    place->until = now + answers->ttl;
    apr_thread_mutex_unlock(answers->lock);
}
