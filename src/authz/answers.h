/* What was answered lately: a small table that forgets. Any thread. Keys are of mm_sha256_hex. */
#ifndef MM_AUTHZ_ANSWERS_H
#define MM_AUTHZ_ANSWERS_H

#include "apr_pools.h"
#include "apr_time.h"
#include "base/sha256.h"

typedef struct mm_answers mm_answers_t;

/* To be made before httpd forks: each child has a table of its own. Answers are good for ttl. NULL: no memory. */
mm_answers_t *mm_answers_make(apr_interval_time_t ttl, apr_pool_t *pool);
/* The answer from 0 to 255 that was kept for a key, or -1. */
int mm_answers_get(mm_answers_t *answers, const char *key, apr_time_t now);
void mm_answers_put(mm_answers_t *answers, const char *key, unsigned char answer, apr_time_t now);

#endif
