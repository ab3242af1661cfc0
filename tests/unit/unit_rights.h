/* For the tests of who may see what in a Clowder: short ids, and a requester. */
#ifndef UNIT_RIGHTS_H
#define UNIT_RIGHTS_H

#include "unit_store.h"
#include "clowder/rights_private.h"

/* The id whose last digits are these two; in JSON, as it is written in a document. */
#define ID(two)  "5c00000000000000000000" two
#define OID(two) "{'$oid':'" ID(two) "'}"

#define ME    "01"
#define OTHER "02"

static inline mm_oid_t unit_oid(const char *text)
{
    mm_oid_t oid;

    assert_true(mm_oid_parse(&oid, text));
    return oid;
}

/* A member with a role in the space 5a that may view this. */
static inline mm_clowder_rights_t *unit_rights(mm_store_t *store, mm_clowder_rules_t rules, mm_clowder_rank_t rank,
                                               unsigned permissions)
{
    mm_clowder_user_t *user = apr_pcalloc(store->pool, sizeof(*user));
    mm_clowder_role_t *roles = apr_pcalloc(store->pool, 2 * sizeof(*roles));

    roles[0] = (mm_clowder_role_t){unit_oid(ID("5a")), permissions};
    roles[1] = (mm_clowder_role_t){unit_oid(ID("5a")), ~permissions}; /* comes too late */
    *user = (mm_clowder_user_t){.id = unit_oid(ID(ME)), .status = MM_CLOWDER_ACTIVE, .roles = roles, .n_roles = 2};
    return mm_clowder_rights_make(store, apr_pmemdup(store->pool, &rules, sizeof(rules)), rank,
                                  rank == MM_CLOWDER_ANONYMOUS ? NULL : user, store->pool);
}

/* The answers as + and -. */
static inline const char *unit_sees(mm_clowder_rights_t *rights, const char *type, const char *const *ids, size_t n)
{
    apr_pool_t *pool = rights->store->pool;
    unsigned char *verdicts = apr_pcalloc(pool, n + 1);
    char *text = apr_pcalloc(pool, n + 1);
    mm_err_t err;
    apr_status_t rv = strcmp(type, "users") == 0
                          ? mm_clowder_rights_people(rights, ids, n, verdicts, pool, &err)
                          : mm_clowder_rights_resources(rights, type, ids, n, verdicts, pool, &err);

    if (rv != APR_SUCCESS) {
        fail_msg("%s", err.text);
    }
    for (size_t i = 0; i < n; i++) {
        assert_true(verdicts[i] <= 1);
        text[i] = verdicts[i] ? '+' : '-';
    }
    return text;
}
#define SEES(rights, type, ids) unit_sees(rights, type, ids, sizeof(ids) / sizeof((ids)[0]))

/* A space that is public (5b), one that is not (5a), and one of mine (5c). */
static inline void unit_spaces(mm_store_t *store)
{
    unit_insert(store, "spaces.projects", "{'_id':" OID("5a") ",'status':'PRIVATE','creator':" OID(OTHER) "}");
    unit_insert(store, "spaces.projects", "{'_id':" OID("5b") ",'status':'PUBLIC','creator':" OID(OTHER) "}");
    unit_insert(store, "spaces.projects", "{'_id':" OID("5c") ",'creator':" OID(ME) "}");
}

#endif
