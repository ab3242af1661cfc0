/* What the files of rights share. Not for other rooms. */
#ifndef MM_CLOWDER_RIGHTS_PRIVATE_H
#define MM_CLOWDER_RIGHTS_PRIVATE_H

#include <apr_hash.h>
#include <apr_tables.h>
#include "clowder/memory.h"
#include "clowder/rights.h"
#include "clowder/whole.h"

#define MM_CLOWDER_KINDS 4

/* What can be asked about. */
typedef struct mm_clowder_asked {
    const char *type;
    mm_clowder_kind_t kind;
    unsigned permission;
} mm_clowder_asked_t;

struct mm_clowder_rights {
    mm_store_t *store;
    const mm_clowder_rules_t *rules;
    mm_clowder_rank_t rank;
    const mm_clowder_user_t *user;
    apr_hash_t *roles;                               /* space -> its role */
    mm_clowder_memory_t *verdicts[MM_CLOWDER_KINDS]; /* of resources */
    mm_clowder_memory_t *people;                     /* verdicts */
    mm_clowder_memory_t *public_spaces;              /* 1: its status is PUBLIC */
    mm_clowder_memory_t *datasets;                   /* of files: facts, packed */
    mm_clowder_whole_t *whole;                       /* of files, once a report has asked for many */
};

/* One question. */
typedef struct mm_clowder_batch {
    mm_clowder_rights_t *rights;
    const mm_clowder_asked_t *kind;
    const mm_oid_t *ids; /* in order, each once */
    size_t n;
    mm_clowder_facts_t *facts;
    apr_array_header_t *memberships; /* of mm_clowder_membership_t: what is in which space, where that matters */
    apr_pool_t *scratch;
} mm_clowder_batch_t;

typedef struct mm_clowder_membership {
    mm_clowder_facts_t *facts;
    mm_oid_t space;
} mm_clowder_membership_t;

/* rights.c: whether the requester has a role there with this permission. */
bool mm_clowder_has_role_in(const mm_clowder_rights_t *rights, const mm_oid_t *space, unsigned permission);
/* rights.c: what a document says becomes facts about a resource; that it is in a public space comes with
 * mm_clowder_look_at_spaces, once all of a batch are known. */
void mm_clowder_learn(const mm_clowder_batch_t *batch, mm_clowder_facts_t *facts, const mm_clowder_doc_t *doc,
                      unsigned permission);
apr_status_t mm_clowder_look_at_spaces(const mm_clowder_batch_t *batch, mm_err_t *err);
/* For mm_clowder_read; baton is the batch. */
void mm_clowder_on_resource(void *baton, const mm_clowder_doc_t *doc);

/* rights_files.c: seen[i] of each file of the batch. */
apr_status_t mm_clowder_judge_files(mm_clowder_batch_t *batch, unsigned char *seen, mm_err_t *err);

#endif
