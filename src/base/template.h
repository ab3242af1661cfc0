/* A path of a URL with values filled into it. Pure; any thread. */
#ifndef MM_TEMPLATE_H
#define MM_TEMPLATE_H

#include <stddef.h>
#include <apr_pools.h>

typedef struct mm_filling {
    const char *name;  /* {name} in the template */
    const char *value; /* any bytes; NULL: there is none */
} mm_filling_t;

/* The template with each {name} replaced by its value, percent-encoded byte by byte, all but letters, digits and -._~.
 * What is in braces and no name stays, encoded too. NULL where a value is missing or would change what the path means,
 * however it is encoded: one with a segment that is empty, "." or "..". */
const char *mm_template_fill(const char *template, const mm_filling_t *fillings, size_t n, apr_pool_t *pool);

#endif
