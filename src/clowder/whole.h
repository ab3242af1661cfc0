/* Which files can be seen at all, read once for a report on very many of them, instead of what holds each. */
#ifndef MM_CLOWDER_WHOLE_H
#define MM_CLOWDER_WHOLE_H

#include <stdbool.h>
#include "store/clowder.h"

typedef struct mm_clowder_whole mm_clowder_whole_t;
struct mm_clowder_rights;

/* So many files that can be seen are remembered, in 12 bytes each: 12 MiB. */
#define MM_CLOWDER_WHOLE_MAX ((size_t)1024 * 1024)

/* For rights with all but this. Where there are more than max files it is given up. Its memory is pool's. */
mm_clowder_whole_t *mm_clowder_whole_make(const struct mm_clowder_rights *rights, size_t max, apr_pool_t *pool);

/* Reads on, for no longer than look-ups have taken so far and for a moment at most. True once all is known. */
bool mm_clowder_whole_read(mm_clowder_whole_t *whole);
/* So long did a look-up take that would not have been needed. */
void mm_clowder_whole_earn(mm_clowder_whole_t *whole, int64_t us);
int64_t mm_clowder_whole_clock_us(void);

/* The following once all is known. Whether there is a dataset that, alone, would show the file to the requester, or the
 * file is the requester's own. */
bool mm_clowder_whole_has(const mm_clowder_whole_t *whole, const mm_oid_t *file);
bool mm_clowder_whole_is_known(const mm_clowder_whole_t *whole);
/* Whether it has what the requester owns. */
bool mm_clowder_whole_knows_owned(const mm_clowder_whole_t *whole);

#endif
