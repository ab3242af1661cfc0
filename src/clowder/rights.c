/* From ids to verdicts, a batch at a time: a few queries for all of its ids, then verdict.c for each.
 *
 * What is asked again and again (the spaces of datasets, the datasets of files, parents, people) is remembered for the
 * length of the report, each kind up to REMEMBERED_MAX; then it is forgotten as a whole, between two batches, so that
 * what a batch has read is there when it decides.
 */
#include "clowder/rights_private.h"

#include <stdlib.h>
#include <string.h>

#define REMEMBERED_MAX 20000

/* What is remembered of a verdict. */
enum { HIDDEN, SHOWN };

static const mm_clowder_asked_t kinds[] = {{"datasets", MM_CLOWDER_DATASETS, MM_CLOWDER_VIEW_DATASET},
                                           {"collections", MM_CLOWDER_COLLECTIONS, MM_CLOWDER_VIEW_COLLECTION},
                                           {"files", MM_CLOWDER_FILES, MM_CLOWDER_VIEW_FILE},
                                           {"spaces", MM_CLOWDER_SPACES, MM_CLOWDER_VIEW_SPACE}};
_Static_assert(sizeof(kinds) / sizeof(kinds[0]) == MM_CLOWDER_KINDS, "each has a memory");

mm_clowder_rights_t *mm_clowder_rights_make(mm_store_t *store, const mm_clowder_rules_t *rules, mm_clowder_rank_t rank,
                                            const mm_clowder_user_t *user, apr_pool_t *pool)
{
    mm_clowder_rights_t *rights = apr_pcalloc(pool, sizeof(*rights));

    *rights = (mm_clowder_rights_t){.store = store, .rules = rules, .rank = rank, .user = user};
    rights->roles = apr_hash_make(pool);
    for (size_t i = 0; user && i < user->n_roles; i++) {
        const mm_clowder_role_t *role = &user->roles[i];

        if (!apr_hash_get(rights->roles, role->space.bytes, MM_OID_SIZE)) {
            apr_hash_set(rights->roles, role->space.bytes, MM_OID_SIZE, role);
        }
    }
    for (size_t i = 0; i < MM_CLOWDER_KINDS; i++) {
        rights->verdicts[i] = mm_clowder_memory_make(REMEMBERED_MAX, pool);
    }
    rights->people = mm_clowder_memory_make(REMEMBERED_MAX, pool);
    rights->public_spaces = mm_clowder_memory_make(REMEMBERED_MAX, pool);
    rights->datasets = mm_clowder_memory_make(REMEMBERED_MAX, pool);
    rights->whole = mm_clowder_whole_make(rights, MM_CLOWDER_WHOLE_MAX, pool);
    return rights;
}

/* --- documents become facts -----------------------------------------------------------------------------------------
 */

bool mm_clowder_has_role_in(const mm_clowder_rights_t *rights, const mm_oid_t *space, unsigned permission)
{
    const mm_clowder_role_t *role = apr_hash_get(rights->roles, space->bytes, MM_OID_SIZE);

    return role && (role->permissions & permission);
}

void mm_clowder_learn(const mm_clowder_batch_t *batch, mm_clowder_facts_t *facts, const mm_clowder_doc_t *doc,
                      unsigned permission)
{
    const mm_clowder_rights_t *rights = batch->rights;

    *facts = (mm_clowder_facts_t){
        .exists = true, .trashed = doc->trashed, .is_public = doc->is_public, .is_default = doc->is_default};
    facts->owned = rights->user && doc->has_author && mm_oid_compare(&doc->author, &rights->user->id) == 0;
    for (size_t i = 0; i < doc->n_spaces; i++) {
        mm_clowder_membership_t *membership = apr_array_push(batch->memberships);

        *membership = (mm_clowder_membership_t){facts, doc->spaces[i]};
        facts->has_role = facts->has_role || mm_clowder_has_role_in(rights, &doc->spaces[i], permission);
    }
}

static void on_space(void *baton, const mm_clowder_doc_t *space)
{
    mm_clowder_memory_put(baton, &space->id, space->is_public);
}

/* Reads the spaces that are not known yet, and tells whoever is in a public one. */
apr_status_t mm_clowder_look_at_spaces(const mm_clowder_batch_t *batch, mm_err_t *err)
{
    mm_clowder_memory_t *known = batch->rights->public_spaces;
    const mm_clowder_membership_t *all = (const mm_clowder_membership_t *)batch->memberships->elts;
    size_t n = (size_t)batch->memberships->nelts, unknown = 0;
    mm_oid_t *ask = apr_palloc(batch->scratch, (n + 1) * sizeof(*ask));
    unsigned value;

    for (size_t i = 0; i < n; i++) {
        if (!mm_clowder_memory_get(known, &all[i].space, &value)) {
            mm_clowder_memory_put(known, &all[i].space, 0); /* until it is found; it need not exist */
            ask[unknown++] = all[i].space;
        }
    }
    apr_status_t rv = mm_clowder_read(batch->rights->store, MM_CLOWDER_SPACES, ask, unknown, on_space, known, err);
    for (size_t i = 0; i < n && rv == APR_SUCCESS; i++) {
        if (mm_clowder_memory_get(known, &all[i].space, &value) && value) {
            all[i].facts->in_public_space = true;
        }
    }
    return rv;
}

void mm_clowder_on_resource(void *baton, const mm_clowder_doc_t *doc)
{
    const mm_clowder_batch_t *batch = baton;
    const mm_oid_t *found = bsearch(&doc->id, batch->ids, batch->n, sizeof(*found), mm_oid_compare);

    if (found) {
        mm_clowder_learn(batch, &batch->facts[found - batch->ids], doc, batch->kind->permission);
    }
}

static void on_space_itself(const mm_clowder_batch_t *batch)
{
    for (size_t i = 0; i < batch->n; i++) {
        batch->facts[i].has_role = mm_clowder_has_role_in(batch->rights, &batch->ids[i], batch->kind->permission);
    }
}

/* To nobody in particular a space is shown for a public dataset in it, too. Asked one by one: there are few. */
static apr_status_t look_into_spaces(const mm_clowder_batch_t *batch, mm_err_t *err)
{
    const mm_clowder_rights_t *rights = batch->rights;
    apr_status_t rv = APR_SUCCESS;

    for (size_t i = 0; i < batch->n && rv == APR_SUCCESS; i++) {
        mm_clowder_facts_t *facts = &batch->facts[i];

        if (rights->rank == MM_CLOWDER_ANONYMOUS && !rights->rules->strict && facts->exists && !facts->is_public) {
            rv = mm_clowder_has_public_dataset(rights->store, &batch->ids[i], &facts->has_public_dataset, err);
        }
    }
    return rv;
}

/* --- a batch --------------------------------------------------------------------------------------------------------
 */

typedef bool (*sees_fn)(const mm_clowder_rules_t *rules, mm_clowder_rank_t rank, const mm_clowder_facts_t *facts);

static apr_status_t judge_batch(mm_clowder_batch_t *batch, unsigned char *seen, mm_err_t *err)
{
    static const sees_fn sees[] = {[MM_CLOWDER_DATASETS] = mm_clowder_sees_dataset,
                                   [MM_CLOWDER_COLLECTIONS] = mm_clowder_sees_collection,
                                   [MM_CLOWDER_FILES] = NULL,
                                   [MM_CLOWDER_SPACES] = mm_clowder_sees_space};
    const mm_clowder_rights_t *rights = batch->rights;
    mm_clowder_kind_t kind = batch->kind->kind;

    if (kind == MM_CLOWDER_FILES) {
        return mm_clowder_judge_files(batch, seen, err);
    }
    apr_status_t rv = mm_clowder_read(rights->store, kind, batch->ids, batch->n, mm_clowder_on_resource, batch, err);
    if (rv == APR_SUCCESS && kind == MM_CLOWDER_SPACES) {
        on_space_itself(batch);
        rv = look_into_spaces(batch, err);
    }
    if (rv == APR_SUCCESS) {
        rv = mm_clowder_look_at_spaces(batch, err);
    }
    for (size_t i = 0; i < batch->n && rv == APR_SUCCESS; i++) {
        seen[i] = sees[kind](rights->rules, rights->rank, &batch->facts[i]);
    }
    if (rv != APR_SUCCESS) {
        mm_clowder_memory_forget(rights->public_spaces);
    }
    return rv;
}

/* What is asked: verdicts that are remembered are given at once; ids become the others, in order, each once. */
static size_t unanswered(mm_clowder_memory_t *known, const char *const *texts, size_t n, unsigned char *verdicts,
                         mm_oid_t *ids)
{
    size_t left = 0, once = 0;
    unsigned value;

    for (size_t i = 0; i < n; i++) {
        mm_oid_t *id = &ids[left];

        if (!mm_oid_parse(id, texts[i])) {
            continue;
        }
        if (!mm_clowder_memory_get(known, id, &value)) {
            left++;
        }
        else if (value == SHOWN) {
            verdicts[i] = 1;
        }
    }
    qsort(ids, left, sizeof(*ids), mm_oid_compare);
    for (size_t i = 0; i < left; i++) {
        if (once == 0 || mm_oid_compare(&ids[once - 1], &ids[i]) != 0) {
            ids[once++] = ids[i];
        }
    }
    return once;
}

static void answer(const mm_oid_t *ids, const unsigned char *seen, size_t n_ids, const char *const *texts, size_t n,
                   unsigned char *verdicts)
{
    mm_oid_t id;

    for (size_t i = 0; i < n; i++) {
        const mm_oid_t *found =
            mm_oid_parse(&id, texts[i]) ? bsearch(&id, ids, n_ids, sizeof(id), mm_oid_compare) : NULL;

        if (found && seen[found - ids]) {
            verdicts[i] = 1;
        }
    }
}

/* What all files of a server are known of already needs no second memory. */
static void remember(const mm_clowder_batch_t *batch, const unsigned char *seen)
{
    mm_clowder_memory_t *known = batch->rights->verdicts[batch->kind - kinds];

    if (batch->kind->kind == MM_CLOWDER_FILES && mm_clowder_whole_is_known(batch->rights->whole)) {
        return;
    }
    for (size_t i = 0; i < batch->n; i++) {
        mm_clowder_memory_put(known, &batch->ids[i], seen[i] ? SHOWN : HIDDEN);
    }
}

static void show_all(const char *const *texts, size_t n, unsigned char *verdicts)
{
    mm_oid_t id;

    for (size_t i = 0; i < n; i++) {
        verdicts[i] = mm_oid_parse(&id, texts[i]) ? 1 : verdicts[i];
    }
}

static const mm_clowder_asked_t *kind_of(const char *type)
{
    for (size_t i = 0; i < MM_CLOWDER_KINDS; i++) {
        if (strcmp(kinds[i].type, type) == 0) {
            return &kinds[i];
        }
    }
    return NULL;
}

apr_status_t mm_clowder_rights_resources(mm_clowder_rights_t *rights, const char *type, const char *const *ids,
                                         size_t n, unsigned char *verdicts, apr_pool_t *scratch, mm_err_t *err)
{
    const mm_clowder_asked_t *kind = kind_of(type);
    mm_oid_t *ask = apr_palloc(scratch, (n + 1) * sizeof(*ask));
    unsigned char *seen = apr_pcalloc(scratch, n + 1);

    if (!kind) {
        return APR_SUCCESS;
    }
    if (!mm_clowder_needs_facts(rights->rules, rights->rank)) {
        show_all(ids, n, verdicts);
        return APR_SUCCESS;
    }
    mm_clowder_memory_t *known = rights->verdicts[kind - kinds];
    mm_clowder_memory_t *bounded[] = {known, rights->public_spaces, rights->datasets};
    for (size_t i = 0; i < sizeof(bounded) / sizeof(bounded[0]); i++) {
        mm_clowder_memory_bound(bounded[i]);
    }
    mm_clowder_batch_t batch = {.rights = rights, .kind = kind, .ids = ask, .scratch = scratch};
    batch.n = unanswered(known, ids, n, verdicts, ask);
    batch.facts = apr_pcalloc(scratch, (batch.n + 1) * sizeof(*batch.facts));
    batch.memberships = apr_array_make(scratch, 64, sizeof(mm_clowder_membership_t));
    apr_status_t rv = batch.n ? judge_batch(&batch, seen, err) : APR_SUCCESS;
    if (rv == APR_SUCCESS) {
        answer(ask, seen, batch.n, ids, n, verdicts);
        remember(&batch, seen);
    }
    return rv;
}

/* --- people ---------------------------------------------------------------------------------------------------------
 */

static void on_person(void *baton, const mm_oid_t *id, unsigned permissions)
{
    const mm_clowder_batch_t *batch = baton;
    const mm_oid_t *found = bsearch(id, batch->ids, batch->n, sizeof(*found), mm_oid_compare);

    if (found) {
        mm_clowder_facts_t *facts = &batch->facts[found - batch->ids];

        facts->exists = true;
        facts->has_role = permissions & MM_CLOWDER_VIEW_USER;
        facts->owned = batch->rights->user && mm_oid_compare(id, &batch->rights->user->id) == 0;
    }
}

apr_status_t mm_clowder_rights_people(mm_clowder_rights_t *rights, const char *const *users, size_t n,
                                      unsigned char *verdicts, apr_pool_t *scratch, mm_err_t *err)
{
    mm_oid_t *ask = apr_palloc(scratch, (n + 1) * sizeof(*ask));
    mm_clowder_batch_t batch = {.rights = rights, .ids = ask, .scratch = scratch};
    unsigned char *seen = apr_pcalloc(scratch, n + 1);

    mm_clowder_memory_bound(rights->people);
    batch.n = unanswered(rights->people, users, n, verdicts, ask);
    batch.facts = apr_pcalloc(scratch, (batch.n + 1) * sizeof(*batch.facts));
    apr_status_t rv = mm_clowder_read_people(rights->store, ask, batch.n, on_person, &batch, err);
    for (size_t i = 0; i < batch.n && rv == APR_SUCCESS; i++) {
        seen[i] = mm_clowder_sees_person(rights->rules, rights->rank, &batch.facts[i]);
        mm_clowder_memory_put(rights->people, &ask[i], seen[i] ? SHOWN : HIDDEN);
    }
    if (rv == APR_SUCCESS) {
        answer(ask, seen, batch.n, users, n, verdicts);
    }
    return rv;
}
