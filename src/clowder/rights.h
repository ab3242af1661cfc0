/* One requester of one report: who it is to Clowder, and what that may see. */
#ifndef MM_CLOWDER_RIGHTS_H
#define MM_CLOWDER_RIGHTS_H

#include "clowder/verdict.h"

typedef struct mm_clowder_rights mm_clowder_rights_t;

/* For a requester, whose user is NULL where rank is MM_CLOWDER_ANONYMOUS. All memory is pool's, and bounded, however
 * much is asked. The store is used by the calls below. rules and user must live as long. */
mm_clowder_rights_t *mm_clowder_rights_make(mm_store_t *store, const mm_clowder_rules_t *rules, mm_clowder_rank_t rank,
                                            const mm_clowder_user_t *user, apr_pool_t *pool);

/* Sets verdicts[i] to 1 where ids[i] may be seen, and leaves the others alone. A type that Clowder does not have, and
 * an id that cannot be one of Clowder's, are seen by nobody. */
apr_status_t mm_clowder_rights_resources(mm_clowder_rights_t *rights, const char *type, const char *const *ids,
                                         size_t n, unsigned char *verdicts, apr_pool_t *scratch, mm_err_t *err);
apr_status_t mm_clowder_rights_people(mm_clowder_rights_t *rights, const char *const *users, size_t n,
                                      unsigned char *verdicts, apr_pool_t *scratch, mm_err_t *err);

#endif
