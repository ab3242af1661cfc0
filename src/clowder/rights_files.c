/* Files are seen by way of the datasets that they are in, directly or in a folder; they do not say so themselves.
 * Datasets are remembered: the files of one stand together where a report is in the order of ids, and are used
 * together. A report on very many files reads what holds files whole, see whole.h.
 *
 * A file's own document says but whose it is, so that it is asked for last, where nothing else shows the file.
 */
#include "clowder/rights_private.h"

#include <stdlib.h>

/* A file is in a dataset. In the order in which Clowder looks at them: those of folders first, by id; then those that
 * it is directly in. These come as the database has them, which is by age; the id says the same and is always there. */
typedef struct place {
    size_t file;
    bool directly;
    mm_oid_t dataset;
} place_t;

typedef struct places {
    mm_clowder_batch_t *batch;
    apr_array_header_t *list; /* of place_t */
    apr_array_header_t *met;  /* of dataset_t: read in this batch */
} places_t;

typedef struct dataset {
    mm_oid_t id;
    mm_clowder_facts_t facts;
} dataset_t;

static int by_place(const void *left, const void *right)
{
    const place_t *a = left, *b = right;

    if (a->file != b->file) {
        return a->file < b->file ? -1 : 1;
    }
    return a->directly != b->directly ? (int)a->directly - (int)b->directly : mm_oid_compare(&a->dataset, &b->dataset);
}

static void add_place(const places_t *places, size_t file, bool directly, const mm_oid_t *dataset)
{
    place_t *place = apr_array_push(places->list);

    *place = (place_t){file, directly, *dataset};
}

static void on_folder(void *baton, size_t file, const mm_clowder_doc_t *of_folder)
{
    add_place(baton, file, false, &of_folder->id);
}

/* Bits of what is remembered of a dataset. */
enum { EXISTS = 1, OWNED = 2, TRASHED = 4, PUBLIC = 8, DEFAULT = 16, IN_PUBLIC_SPACE = 32, HAS_ROLE = 64 };

static unsigned pack(const mm_clowder_facts_t *facts)
{
    return (facts->exists ? EXISTS : 0u) | (facts->owned ? OWNED : 0u) | (facts->trashed ? TRASHED : 0u) |
           (facts->is_public ? PUBLIC : 0u) | (facts->is_default ? DEFAULT : 0u) |
           (facts->in_public_space ? IN_PUBLIC_SPACE : 0u) | (facts->has_role ? HAS_ROLE : 0u);
}

static mm_clowder_facts_t unpack(unsigned bits)
{
    return (mm_clowder_facts_t){.exists = bits & EXISTS,
                                .owned = bits & OWNED,
                                .trashed = bits & TRASHED,
                                .is_public = bits & PUBLIC,
                                .is_default = bits & DEFAULT,
                                .in_public_space = bits & IN_PUBLIC_SPACE,
                                .has_role = bits & HAS_ROLE};
}

static void on_dataset(void *baton, const mm_clowder_doc_t *doc)
{
    const places_t *places = baton;
    unsigned bits;

    if (mm_clowder_memory_get(places->batch->rights->datasets, &doc->id, &bits) && bits) {
        return;
    }
    mm_clowder_memory_put(places->batch->rights->datasets, &doc->id, EXISTS); /* once is enough */
    dataset_t *dataset = apr_palloc(places->batch->scratch, sizeof(*dataset));
    dataset->id = doc->id;
    APR_ARRAY_PUSH(places->met, dataset_t *) = dataset;
    mm_clowder_learn(places->batch, &dataset->facts, doc, MM_CLOWDER_VIEW_FILE);
}

static void on_holder(void *baton, size_t file, const mm_clowder_doc_t *doc)
{
    add_place(baton, file, true, &doc->id);
    on_dataset(baton, doc);
}

/* Reads the datasets of folders that are not known yet. */
static apr_status_t read_folders_datasets(places_t *places, mm_err_t *err)
{
    mm_clowder_memory_t *known = places->batch->rights->datasets;
    const place_t *all = (const place_t *)places->list->elts;
    size_t n = (size_t)places->list->nelts, unknown = 0;
    mm_oid_t *ask = apr_palloc(places->batch->scratch, (n + 1) * sizeof(*ask));
    unsigned bits;

    for (size_t i = 0; i < n; i++) {
        if (!mm_clowder_memory_get(known, &all[i].dataset, &bits)) {
            mm_clowder_memory_put(known, &all[i].dataset, 0); /* until it is found; it need not exist */
            ask[unknown++] = all[i].dataset;
        }
    }
    return mm_clowder_read(places->batch->rights->store, MM_CLOWDER_DATASETS, ask, unknown, on_dataset, places, err);
}

static apr_status_t find_places(places_t *places, mm_err_t *err)
{
    const mm_clowder_batch_t *batch = places->batch;
    mm_store_t *store = batch->rights->store;
    apr_status_t rv = mm_clowder_holders(store, batch->ids, batch->n, on_holder, places, err);

    if (rv == APR_SUCCESS) {
        rv = mm_clowder_folders(store, batch->ids, batch->n, on_folder, places, err);
    }
    if (rv == APR_SUCCESS) {
        rv = read_folders_datasets(places, err);
    }
    if (rv == APR_SUCCESS) {
        rv = mm_clowder_look_at_spaces(batch, err);
    }
    for (int i = 0; i < places->met->nelts && rv == APR_SUCCESS; i++) {
        const dataset_t *dataset = APR_ARRAY_IDX(places->met, i, const dataset_t *);

        mm_clowder_memory_put(batch->rights->datasets, &dataset->id, pack(&dataset->facts));
    }
    if (rv != APR_SUCCESS) {
        mm_clowder_memory_forget(batch->rights->datasets); /* it holds what was not read to its end */
        mm_clowder_memory_forget(batch->rights->public_spaces);
    }
    return rv;
}

static void judge_files(const places_t *places, unsigned char *seen)
{
    const mm_clowder_batch_t *batch = places->batch;
    const mm_clowder_rights_t *rights = batch->rights;
    place_t *all = (place_t *)places->list->elts;
    size_t n = (size_t)places->list->nelts, at = 0;
    mm_clowder_facts_t *datasets = apr_palloc(batch->scratch, (n + 1) * sizeof(*datasets));
    unsigned bits;

    qsort(all, n, sizeof(*all), by_place);
    for (size_t file = 0; file < batch->n; file++) {
        size_t found = 0;

        for (; at < n && all[at].file == file; at++) {
            if (mm_clowder_memory_get(rights->datasets, &all[at].dataset, &bits) && (bits & EXISTS)) {
                datasets[found++] = unpack(bits);
            }
        }
        seen[file] = mm_clowder_sees_file(rights->rules, rights->rank, &batch->facts[file], datasets, found);
    }
}

static apr_status_t read_own(mm_clowder_batch_t *batch, const mm_oid_t *ids, size_t n, mm_err_t *err)
{
    return mm_clowder_read(batch->rights->store, MM_CLOWDER_FILES, ids, n, mm_clowder_on_resource, batch, err);
}

/* Those that are not seen so far. */
static size_t list_unseen(const mm_clowder_batch_t *batch, const unsigned char *seen, mm_oid_t *ids)
{
    size_t n = 0;

    for (size_t i = 0; i < batch->n; i++) {
        if (!seen[i]) {
            ids[n++] = batch->ids[i];
        }
    }
    return n;
}

static apr_status_t look_up(mm_clowder_batch_t *batch, unsigned char *seen, mm_err_t *err)
{
    places_t places = {batch, apr_array_make(batch->scratch, 64, sizeof(place_t)),
                       apr_array_make(batch->scratch, 64, sizeof(dataset_t *))};
    const mm_clowder_rights_t *rights = batch->rights;
    apr_status_t rv = APR_SUCCESS;

    if (rights->rules->strict) { /* what is gone is not seen, whatever holds it */
        rv = read_own(batch, batch->ids, batch->n, err);
    }
    if (rv == APR_SUCCESS) {
        rv = find_places(&places, err);
    }
    if (rv == APR_SUCCESS) {
        judge_files(&places, seen);
    }
    if (rv == APR_SUCCESS && rights->user && !rights->rules->strict) {
        mm_oid_t *unseen = apr_palloc(batch->scratch, (batch->n + 1) * sizeof(*unseen));

        rv = read_own(batch, unseen, list_unseen(batch, seen, unseen), err);
        if (rv == APR_SUCCESS) {
            judge_files(&places, seen);
        }
    }
    return rv;
}

/* The same for some of the files, those that are marked as seen; the others are not. */
static apr_status_t look_up_some(const mm_clowder_batch_t *batch, unsigned char *seen, mm_err_t *err)
{
    mm_oid_t *ids = apr_palloc(batch->scratch, (batch->n + 1) * sizeof(*ids));
    unsigned char *answers = apr_pcalloc(batch->scratch, batch->n + 1);
    mm_clowder_batch_t some = *batch;

    some.ids = ids;
    some.n = 0;
    for (size_t i = 0; i < batch->n; i++) {
        if (seen[i]) {
            ids[some.n++] = batch->ids[i];
        }
    }
    apr_status_t rv = some.n ? look_up(&some, answers, err) : APR_SUCCESS;
    for (size_t i = 0, at = 0; i < batch->n; i++) {
        seen[i] = seen[i] && answers[at++];
    }
    return rv;
}

/* To a member who has it all in the set, but for what the files' own documents say where that matters still. */
static apr_status_t judge_by_set(mm_clowder_batch_t *batch, unsigned char *seen, mm_err_t *err)
{
    const mm_clowder_facts_t open_dataset = {.exists = true, .is_public = true};
    const mm_clowder_rights_t *rights = batch->rights;
    const bool knows_owned = mm_clowder_whole_knows_owned(rights->whole);
    mm_oid_t *ask = apr_palloc(batch->scratch, (batch->n + 1) * sizeof(*ask));
    size_t n = 0;

    for (size_t i = 0; i < batch->n; i++) {
        if (seen[i] ? rights->rules->strict : !knows_owned) {
            ask[n++] = batch->ids[i];
        }
    }
    apr_status_t rv = read_own(batch, ask, n, err);
    for (size_t i = 0; i < batch->n && rv == APR_SUCCESS; i++) {
        seen[i] = mm_clowder_sees_file(rights->rules, rights->rank, &batch->facts[i], &open_dataset, seen[i] ? 1 : 0);
    }
    return rv;
}

apr_status_t mm_clowder_judge_files(mm_clowder_batch_t *batch, unsigned char *seen, mm_err_t *err)
{
    mm_clowder_whole_t *whole = batch->rights->whole;

    if (!mm_clowder_whole_read(whole)) {
        const int64_t began = mm_clowder_whole_clock_us();
        apr_status_t rv = look_up(batch, seen, err);

        mm_clowder_whole_earn(whole, mm_clowder_whole_clock_us() - began);
        return rv;
    }
    for (size_t i = 0; i < batch->n; i++) {
        seen[i] = mm_clowder_whole_has(whole, &batch->ids[i]);
    }
    return batch->rights->rank == MM_CLOWDER_ANONYMOUS ? look_up_some(batch, seen, err)
                                                       : judge_by_set(batch, seen, err);
}
