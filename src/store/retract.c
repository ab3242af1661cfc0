/* Uses that are taken back from somebody who was forgotten meanwhile.
 *
 * A click that comes late, or behind another one, may take back a use that an earlier batch has counted. As a rule that
 * batch made the document. If it is not there any more (metricsctl forget-user, or by hand), an upsert would make it
 * again, with -1 in it: the person would be back. So what is taken back is left out then; and of a day, to whose
 * document of nobody the person's uses were added, it is taken from there, so that all sums stay right.
 *
 * That document may have taken this very batch for nobody's own uses, so it has another number for this:
 * seq.SPOOL-back. (Of two who were forgotten within the same half minute, with the same thing and in the same batch,
 * only the first is taken back there.) While anybody is forgotten no batch is applied (pause.h), so nothing changes
 * between the look and the deed.
 */
#include "store/store_private.h"

#include <string.h>
#include <apr_strings.h>

#define COUNTS 10

static void list_counts(mm_delta_t *delta, int64_t *counts[COUNTS])
{
    int64_t *const all[COUNTS] = {&delta->views,
                                  &delta->downloads,
                                  &delta->machine_views,
                                  &delta->machine_downloads,
                                  &delta->unique_views,
                                  &delta->unique_downloads,
                                  &delta->unique_investigations,
                                  &delta->machine_unique_views,
                                  &delta->machine_unique_downloads,
                                  &delta->machine_unique_investigations};

    memcpy(counts, all, sizeof(all));
}

static bool takes_back(const mm_delta_t *delta)
{
    mm_delta_t copy = *delta;
    int64_t *counts[COUNTS];
    bool any = false;

    list_counts(&copy, counts);
    for (size_t i = 0; i < COUNTS; i++) {
        any = any || *counts[i] < 0;
    }
    return any;
}

/* Leaves in *delta what it adds, and in *back, which is the same before, what it takes back. Whether it adds anything.
 */
static bool split(mm_delta_t *delta, mm_delta_t *back)
{
    int64_t *adds[COUNTS], *takes[COUNTS];
    bool any = false;

    list_counts(delta, adds);
    list_counts(back, takes);
    for (size_t i = 0; i < COUNTS; i++) {
        any = any || *adds[i] > 0;
        *(*adds[i] < 0 ? adds[i] : takes[i]) = 0;
    }
    return any;
}

/* From the day's document of nobody, if that is there. */
static bool take_from_nobody(const mm_retract_t *what, mm_delta_t back, bson_error_t *error)
{
    bson_t filter = BSON_INITIALIZER, update = BSON_INITIALIZER, opts = BSON_INITIALIZER;
    bool ok;

    back.user = NULL;
    mm_update_build(&filter, &update, &back, apr_pstrcat(what->pool, what->seq_path, "-back", NULL), what->seq);
    mm_store_append_concern(what->store, &opts);
    ok = mongoc_collection_update_one(what->collection, &filter, &update, &opts, NULL, error);
    bson_destroy(&opts);
    bson_destroy(&update);
    bson_destroy(&filter);
    return ok;
}

/* One whose document is not there. */
static bool lessen(const mm_retract_t *what, mm_delta_t *delta, mm_outcome_t *outcome, bson_error_t *error)
{
    mm_delta_t back = *delta;
    bool adds = split(delta, &back);

    if (back.kind == MM_DELTA_DAY && back.user != NULL && !take_from_nobody(what, back, error)) {
        return false;
    }
    if (!adds) {
        *outcome = MM_APPLIED;
    }
    return true;
}

static size_t select_negative(const mm_delta_t *deltas, const size_t *at, size_t n, size_t *negative)
{
    size_t found = 0;

    for (size_t i = 0; i < n; i++) {
        if (takes_back(&deltas[at[i]])) {
            negative[found++] = at[i];
        }
    }
    return found;
}

bool mm_retract(const mm_retract_t *what, mm_delta_t *deltas, mm_outcome_t *outcomes, size_t *at, size_t *n,
                bson_error_t *error)
{
    size_t *negative = apr_palloc(what->pool, sizeof(*negative) * *n), kept = 0;
    size_t found = select_negative(deltas, at, *n, negative);
    int64_t *seqs = apr_palloc(what->pool, sizeof(*seqs) * *n);

    if (found > 0 && !mm_fence_read(what->store, what->collection, deltas, negative, found, what->seq_path, seqs,
                                    what->pool, error)) {
        return false;
    }
    for (size_t i = 0; i < found; i++) {
        if (seqs[i] == MM_FENCE_ABSENT && !lessen(what, &deltas[negative[i]], &outcomes[negative[i]], error)) {
            return false;
        }
    }
    for (size_t i = 0; i < *n; i++) {
        if (outcomes[at[i]] != MM_APPLIED) {
            at[kept++] = at[i];
        }
    }
    *n = kept;
    return true;
}
