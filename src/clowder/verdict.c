/* One function for each kind of thing, one line for each line of the table in docs/permissions-clowder.md. What strict
 * adds stands before Clowder's own rules and can only refuse; where it changes one of them, the condition is narrower.
 */
#include "clowder/verdict.h"

bool mm_clowder_gate(mm_clowder_status_t status, int64_t terms_ms, int64_t tos_ms)
{
    /* ReadOnly is enough: nothing but viewing is asked for. */
    return terms_ms > tos_ms && status != MM_CLOWDER_INACTIVE;
}

bool mm_clowder_needs_facts(const mm_clowder_rules_t *rules, mm_clowder_rank_t rank)
{
    return rank != MM_CLOWDER_SUPER && (rules->strict || !rules->is_public);
}

static bool is_open(const mm_clowder_facts_t *dataset)
{
    return dataset->is_public || (dataset->is_default && dataset->in_public_space);
}

/* What strict refuses of datasets and collections: what is gone, and what is in the trash of somebody else. */
static bool is_refused(const mm_clowder_rules_t *rules, const mm_clowder_facts_t *facts)
{
    return rules->strict && (!facts->exists || (facts->trashed && !facts->owned));
}

/* Of datasets and collections, on a private server. */
static bool is_shown(mm_clowder_rank_t rank, const mm_clowder_facts_t *facts, bool open)
{
    if (!facts->exists) {
        return false;
    }
    if (rank == MM_CLOWDER_ANONYMOUS) {
        return open; /* Clowder does not look at the trash here */
    }
    return facts->owned || (!facts->trashed && (open || facts->has_role));
}

bool mm_clowder_sees_dataset(const mm_clowder_rules_t *rules, mm_clowder_rank_t rank, const mm_clowder_facts_t *dataset)
{
    if (rank == MM_CLOWDER_SUPER) {
        return true;
    }
    return !is_refused(rules, dataset) && (rules->is_public || is_shown(rank, dataset, is_open(dataset)));
}

bool mm_clowder_sees_collection(const mm_clowder_rules_t *rules, mm_clowder_rank_t rank,
                                const mm_clowder_facts_t *collection)
{
    if (rank == MM_CLOWDER_SUPER) {
        return true;
    }
    return !is_refused(rules, collection) &&
           (rules->is_public || is_shown(rank, collection, collection->in_public_space));
}

bool mm_clowder_sees_space(const mm_clowder_rules_t *rules, mm_clowder_rank_t rank, const mm_clowder_facts_t *space)
{
    if (rank == MM_CLOWDER_SUPER) {
        return true;
    }
    if (rules->strict && !space->exists) {
        return false;
    }
    if (rules->is_public || space->is_public) {
        return true;
    }
    if (rank == MM_CLOWDER_ANONYMOUS) {
        return space->exists && space->has_public_dataset && !rules->strict;
    }
    return space->exists && (space->owned || space->has_role);
}

static bool are_all_trashed(const mm_clowder_facts_t *datasets, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!datasets[i].trashed) {
            return false;
        }
    }
    return n > 0;
}

/* Clowder looks at the first dataset alone, which may be open where another one is not. */
static bool is_file_shown_to_all(const mm_clowder_rules_t *rules, const mm_clowder_facts_t *datasets, size_t n)
{
    size_t looked_at = rules->strict ? n : 1;

    for (size_t i = 0; i < looked_at && i < n; i++) {
        if (!is_open(&datasets[i]) || (rules->strict && datasets[i].trashed)) {
            return false;
        }
    }
    return n > 0;
}

static bool is_file_shown_to_member(const mm_clowder_rules_t *rules, const mm_clowder_facts_t *datasets, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if ((is_open(&datasets[i]) || datasets[i].has_role) && !(rules->strict && datasets[i].trashed)) {
            return true;
        }
    }
    return false;
}

bool mm_clowder_sees_file(const mm_clowder_rules_t *rules, mm_clowder_rank_t rank, const mm_clowder_facts_t *file,
                          const mm_clowder_facts_t *datasets, size_t n)
{
    if (rank == MM_CLOWDER_SUPER) {
        return true;
    }
    if (rules->strict && (!file->exists || (are_all_trashed(datasets, n) && !file->owned))) {
        return false;
    }
    if (rules->is_public) {
        return true;
    }
    return rank == MM_CLOWDER_ANONYMOUS ? is_file_shown_to_all(rules, datasets, n)
                                        : file->owned || is_file_shown_to_member(rules, datasets, n);
}

static bool has_page_for(mm_clowder_rank_t rank)
{
    return rank != MM_CLOWDER_ANONYMOUS;
}

/* Clowder asks what the other one may do, not what the requester may. */
static bool has_entry_for(const mm_clowder_rules_t *rules, mm_clowder_rank_t rank, const mm_clowder_facts_t *person)
{
    return rules->is_public || (rank != MM_CLOWDER_ANONYMOUS && (person->owned || person->has_role));
}

bool mm_clowder_sees_person(const mm_clowder_rules_t *rules, mm_clowder_rank_t rank, const mm_clowder_facts_t *person)
{
    switch (rules->people) {
    case MM_CLOWDER_PEOPLE_PAGE:
        return rank == MM_CLOWDER_SUPER ||
               (person->exists && has_page_for(rank) && (!rules->strict || has_entry_for(rules, rank, person)));
    case MM_CLOWDER_PEOPLE_API:
        return rank == MM_CLOWDER_SUPER ||
               (person->exists && has_entry_for(rules, rank, person) && (!rules->strict || has_page_for(rank)));
    case MM_CLOWDER_PEOPLE_SELF:
        return person->exists && person->owned;
    case MM_CLOWDER_PEOPLE_NONE:
        break;
    }
    return false;
}
