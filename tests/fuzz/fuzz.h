/* What fuzz targets share: a condition that must hold whatever came in, and a pool that outlives all inputs. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <apr_general.h>
#include <apr_pools.h>

#define HOLDS(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            abort();                                                                                                   \
        }                                                                                                              \
    } while (0)

static inline apr_pool_t **fuzz_root(void)
{
    static apr_pool_t *root;

    return &root;
}

/* What a pool points to looks like a leak to LeakSanitizer, which does not look into pools. */
static inline void fuzz_end(void)
{
    apr_pool_destroy(*fuzz_root());
    apr_terminate();
}

/* Made at the first call. */
static inline apr_pool_t *fuzz_pool(void)
{
    apr_pool_t **root = fuzz_root();

    if (*root == NULL) {
        HOLDS(apr_initialize() == APR_SUCCESS && apr_pool_create(root, NULL) == APR_SUCCESS && atexit(fuzz_end) == 0);
    }
    return *root;
}

/* For one input; destroyed by the caller. */
static inline apr_pool_t *fuzz_subpool(void)
{
    apr_pool_t *pool = NULL;

    HOLDS(apr_pool_create(&pool, fuzz_pool()) == APR_SUCCESS);
    return pool;
}

#endif
