/* Two memories: of how much was refused lately, and of what is refused right now for no known reason. One thread. */
#include "drain/refusals.h"

#include <string.h>

/* More than one in ten is too many. */
#define SHARE 10
/* Calls further back than some 200 documents count half. */
#define WINDOW 200

typedef struct tally {
    size_t applied, rejected, fresh, retry, retry_one; /* fresh: rejected, and not known for it */
} tally_t;

/* FNV-1a. */
static uint64_t mix(uint64_t sum, const char *text)
{
    for (; text != NULL && *text; text++) {
        sum = (sum ^ (unsigned char)*text) * UINT64_C(1099511628211);
    }
    return (sum ^ 0xff) * UINT64_C(1099511628211); /* a byte that ends no UTF-8 text, between two of them */
}

static uint64_t sum_of(const mm_delta_t *delta)
{
    return mix(mix(mix(UINT64_C(14695981039346656037), delta->type), delta->id), delta->user);
}

static bool is_known(const mm_refusals_t *refusals, const mm_delta_t *delta)
{
    size_t n = refusals->n_known < MM_REFUSALS_KNOWN ? refusals->n_known : MM_REFUSALS_KNOWN;
    uint64_t sum = sum_of(delta);

    for (size_t i = 0; i < n; i++) {
        if (refusals->known[i] == sum) {
            return true;
        }
    }
    return false;
}

static tally_t count(const mm_refusals_t *refusals, const mm_refusals_call_t *call)
{
    tally_t tally = {0};

    for (size_t i = 0; i < call->n; i++) {
        switch (call->outcomes[i]) {
        case MM_APPLIED:
            tally.applied++;
            break;
        case MM_REJECTED:
            tally.rejected++;
            tally.fresh += !is_known(refusals, &call->deltas[i]);
            break;
        case MM_RETRY:
            tally.retry++;
            break;
        case MM_RETRY_ONE:
            tally.retry_one++;
            break;
        case MM_UNSTORABLE:
            break;
        }
    }
    return tally;
}

void mm_refusals_begin(mm_refusals_t *refusals)
{
    refusals->n_stuck = 0;
    refusals->stuck_at_us = 0;
}

bool mm_refusals_systemic(const mm_refusals_t *refusals, const mm_refusals_call_t *call, size_t *many, size_t *of)
{
    tally_t tally = count(refusals, call);
    size_t heard = tally.applied + tally.rejected + tally.retry + tally.retry_one;
    int64_t seen = refusals->seen + (int64_t)heard, refused = refusals->refused + (int64_t)tally.fresh;

    *many = tally.rejected;
    *of = heard;
    if (tally.rejected == 0) {
        return false;
    }
    if (heard >= MM_REFUSALS_SAMPLE) {
        return tally.rejected * SHARE > heard;
    }
    /* Few: what came before belongs to the picture. */
    if (tally.fresh > 0 && seen >= MM_REFUSALS_SAMPLE && refused * SHARE > seen) {
        *many = (size_t)refused;
        *of = (size_t)seen;
        return true;
    }
    return tally.fresh > 0 && tally.rejected == heard && refusals->barren + 1 >= MM_REFUSALS_BARREN;
}

void mm_refusals_done(mm_refusals_t *refusals, const mm_refusals_call_t *call)
{
    tally_t tally = count(refusals, call);

    refusals->seen += (int64_t)(tally.applied + tally.rejected);
    refusals->refused += (int64_t)tally.fresh;
    while (refusals->seen > WINDOW) {
        refusals->seen /= 2;
        refusals->refused /= 2;
    }
    if (tally.applied > 0) {
        refusals->barren = 0;
    }
    else if (tally.fresh > 0) {
        refusals->barren++;
    }
    for (size_t i = 0; i < call->n; i++) {
        if (call->outcomes[i] == MM_REJECTED && !is_known(refusals, &call->deltas[i])) {
            refusals->known[refusals->n_known++ % MM_REFUSALS_KNOWN] = sum_of(&call->deltas[i]);
        }
    }
}

/* --- what is stuck --- */

static int64_t *stuck_find(mm_refusals_t *refusals, int64_t place)
{
    for (size_t i = 0; i < refusals->n_stuck; i++) {
        if (refusals->stuck[i].place == place) {
            return &refusals->stuck[i].us;
        }
    }
    return NULL;
}

/* Forgets those of this call that are not stuck any more. One of which nothing was heard may still be. */
static void stuck_sweep(mm_refusals_t *refusals, const mm_refusals_call_t *call)
{
    size_t kept = 0;

    for (size_t i = 0; i < refusals->n_stuck; i++) {
        int64_t at = refusals->stuck[i].place - call->place;

        if (at < 0 || at >= (int64_t)call->n || call->outcomes[at] == MM_RETRY_ONE || call->outcomes[at] == MM_RETRY) {
            refusals->stuck[kept++] = refusals->stuck[i];
        }
    }
    refusals->n_stuck = kept;
}

/* Whether the server is well and only these few documents are not: it has taken others of this call, or of this batch
 * before; or there are no others that could tell. */
static bool is_about_few(const mm_refusals_call_t *call, const tally_t *tally)
{
    if (tally->retry > 0 || (call->n >= MM_REFUSALS_SAMPLE && tally->retry_one * SHARE > call->n)) {
        return false;
    }
    return tally->applied > 0 || call->place > 0 || call->n <= 2;
}

size_t mm_refusals_give_up(mm_refusals_t *refusals, const mm_refusals_call_t *call, int64_t now_us, int64_t max_us)
{
    tally_t tally = count(refusals, call);
    int64_t since_us = refusals->stuck_at_us > 0 ? now_us - refusals->stuck_at_us : 0;
    size_t given_up = 0;

    stuck_sweep(refusals, call);
    refusals->stuck_at_us = 0; /* time in which the server is away, or refuses more, does not count */
    if (tally.retry_one == 0 || !is_about_few(call, &tally)) {
        return 0;
    }
    refusals->stuck_at_us = now_us;
    for (size_t i = 0; i < call->n; i++) {
        int64_t *us;

        if (call->outcomes[i] != MM_RETRY_ONE) {
            continue;
        }
        us = stuck_find(refusals, call->place + (int64_t)i);
        if (us == NULL) {
            if (refusals->n_stuck < MM_REFUSALS_STUCK) {
                refusals->stuck[refusals->n_stuck].place = call->place + (int64_t)i;
                refusals->stuck[refusals->n_stuck++].us = 0;
            }
            continue;
        }
        *us += since_us;
        if (*us >= max_us) {
            call->outcomes[i] = MM_REJECTED;
            given_up++;
        }
    }
    return given_up;
}
