/* What every unit test needs: a pool and a fresh directory per test, and a database of its own where one is needed.
 *
 * A header of static inline functions: each test is one executable of one file. Setup and teardown fit cmocka's
 * per-test and per-group hooks alike.
 */
#ifndef UNIT_H
#define UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <ftw.h>
#include <unistd.h>
#include <apr_general.h>
#include <apr_pools.h>
#include <apr_strings.h>

typedef struct unit {
    apr_pool_t *pool;
    char *dir; /* exists, empty */
} unit_t;

static inline int unit_setup(void **state)
{
    const char *tmp = getenv("TMPDIR");
    apr_pool_t *pool = NULL;
    unit_t *unit;

    if (apr_initialize() != APR_SUCCESS || apr_pool_create(&pool, NULL) != APR_SUCCESS) {
        return -1;
    }
    unit = apr_pcalloc(pool, sizeof(*unit));
    unit->pool = pool;
    unit->dir = apr_pstrcat(pool, tmp && *tmp ? tmp : "/tmp", "/mm-unit-XXXXXX", NULL);
    if (!mkdtemp(unit->dir)) {
        perror(unit->dir);
        apr_pool_destroy(pool);
        return -1;
    }
    *state = unit;
    return 0;
}

static inline int unit_remove_one(const char *path, const struct stat *info, int kind, struct FTW *ftw)
{
    (void)info;
    (void)kind;
    (void)ftw;
    return remove(path);
}

static inline int unit_teardown(void **state)
{
    unit_t *unit = *state;
    char *dir = strdup(unit->dir);
    int rc;

    /* The pool first: its cleanups may still write into the directory. */
    apr_pool_destroy(unit->pool);
    rc = dir ? nftw(dir, unit_remove_one, 16, FTW_DEPTH | FTW_PHYS) : -1;
    free(dir);
    apr_terminate();
    *state = NULL;
    return rc;
}

/* MONGODB_URI with its database replaced by one that no other process and no other call uses. Fails the test when the
 * variable is not set: a test of the database that passes without one would be a lie. */
static inline const char *unit_mongo_uri(apr_pool_t *pool)
{
    static unsigned calls;
    const char *uri = getenv("MONGODB_URI");
    const char *hosts, *path, *options;

    if (!uri || !*uri) {
        fail_msg("MONGODB_URI is not set; run this test through tests/unit/run");
        return NULL;
    }
    hosts = strstr(uri, "://");
    hosts = hosts ? hosts + 3 : uri;
    options = strchr(hosts, '?');
    path = strchr(hosts, '/');
    if (!path || (options && options < path)) {
        path = options ? options : hosts + strlen(hosts);
    }
    return apr_psprintf(pool, "%.*s/unit_%ld_%u%s", (int)(path - uri), uri, (long)getpid(), calls++,
                        options ? options : "");
}

#endif
