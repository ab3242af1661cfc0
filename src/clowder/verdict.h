/* Who may see what, as Clowder 1 decides it: functions of what is known of the requester and of one resource. No
 * database, no httpd.
 *
 * What is asked for is a permission of Clowder's to view (ViewDataset, ViewCollection, ViewFile, ViewSpace, ViewUser);
 * all of these are among those that Clowder calls READONLY.
 */
#ifndef MM_CLOWDER_VERDICT_H
#define MM_CLOWDER_VERDICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "store/clowder.h"

/* Which of Clowder's rules about people is meant. */
typedef enum mm_clowder_people {
    MM_CLOWDER_PEOPLE_PAGE, /* whose profile page may be looked at */
    MM_CLOWDER_PEOPLE_API,  /* whom /api/users/ID shows (ViewUser) */
    MM_CLOWDER_PEOPLE_SELF, /* oneself */
    MM_CLOWDER_PEOPLE_NONE
} mm_clowder_people_t;

typedef struct mm_clowder_rules {
    bool is_public; /* Clowder's permissions=public */
    bool strict;    /* without what Clowder itself lets slip; never more than without strict */
    mm_clowder_people_t people;
} mm_clowder_rules_t;

typedef enum mm_clowder_rank {
    MM_CLOWDER_ANONYMOUS,
    MM_CLOWDER_MEMBER, /* somebody whom Clowder knows, and who has passed the gate */
    MM_CLOWDER_SUPER   /* a server admin who asked for it */
} mm_clowder_rank_t;

/* What is known of one resource. Of what does not exist, nothing. */
typedef struct mm_clowder_facts {
    bool exists;
    bool owned;              /* by the requester */
    bool trashed;            /* datasets, collections */
    bool is_public;          /* its own status: datasets, spaces */
    bool is_default;         /* datasets: as their spaces are */
    bool in_public_space;    /* datasets, collections */
    bool has_role;           /* the requester has a role with the permission in the space, or in one of its spaces */
    bool has_public_dataset; /* spaces */
} mm_clowder_facts_t;

/* Whether a user may do anything at all: has accepted the terms of service (terms_ms, of tos_ms), and was activated. */
bool mm_clowder_gate(mm_clowder_status_t status, int64_t terms_ms, int64_t tos_ms);

/* Whether the answers below depend on what is known of the resource. */
bool mm_clowder_needs_facts(const mm_clowder_rules_t *rules, mm_clowder_rank_t rank);

bool mm_clowder_sees_dataset(const mm_clowder_rules_t *rules, mm_clowder_rank_t rank,
                             const mm_clowder_facts_t *dataset);
bool mm_clowder_sees_collection(const mm_clowder_rules_t *rules, mm_clowder_rank_t rank,
                                const mm_clowder_facts_t *collection);
bool mm_clowder_sees_space(const mm_clowder_rules_t *rules, mm_clowder_rank_t rank, const mm_clowder_facts_t *space);
/* datasets: those that the file is in and that exist, those of folders first; their has_role is of ViewFile. */
bool mm_clowder_sees_file(const mm_clowder_rules_t *rules, mm_clowder_rank_t rank, const mm_clowder_facts_t *file,
                          const mm_clowder_facts_t *datasets, size_t n);
/* owned: it is the requester; has_role: the person has, in whichever space, a role with ViewUser. */
bool mm_clowder_sees_person(const mm_clowder_rules_t *rules, mm_clowder_rank_t rank, const mm_clowder_facts_t *person);

#endif
