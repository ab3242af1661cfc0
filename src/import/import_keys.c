/* What a key stands for may be thousands of things, for each of many users. So that one batch does not hold all of what
 * was collected, everything behind a collected event is collected, too, in the order of the lines, and is counted piece
 * by piece: a piece that would be too much is halved, and where the count is full behind one the batch ends with the
 * line that the piece ended with. Only one event may be larger than a batch, by MM_KEYS_IDS_MAX things.
 */
#include "import/import_private.h"

#include "drain/wait.h"

#define RETRY_US INT64_C(1000000)

void mm_import_note_place(mm_import_t *import, const mm_ledger_t *ledger)
{
    const mm_import_place_t none = {.offset = -1};
    int64_t n = import->resolve ? mm_resolve_waiting(import->resolve) : 0;

    if (n == 0 || import->places->nelts == n) {
        return;
    }
    while (import->places->nelts < n) {
        APR_ARRAY_PUSH(import->places, mm_import_place_t) = none;
    }
    APR_ARRAY_IDX(import->places, n - 1, mm_import_place_t) =
        (mm_import_place_t){ledger->offset, ledger->lines, ledger->bad, ledger->first_ms, ledger->last_ms};
}

/* One piece; the rest stays collected. */
static apr_status_t count_piece(mm_import_t *import, mm_ledger_t *ledger, int64_t n)
{
    mm_tally_t counted = {.events = 0};
    const mm_pack_into_t into = {import->count, import->resolve, &counted, &import->options.policy, true};
    int64_t room = n > 1 ? mm_count_room_at(import->count, import->options.deltas_max) : MM_RESOLVE_ONE;
    apr_status_t rv = mm_pack_finish_first(&into, n, room, &import->unresolved);

    if (rv == APR_SUCCESS) {
        mm_import_note_verdicts(import, ledger, &counted);
    }
    return rv;
}

/* A batch that ends with that line; what is collected is of later ones. */
static apr_status_t flush_at(mm_import_t *import, const mm_ledger_t *ledger, const mm_import_place_t *place,
                             mm_err_t *err)
{
    mm_ledger_t then = *ledger;

    then.offset = place->offset;
    then.lines = place->lines;
    then.bad = place->bad;
    then.first_ms = place->first_ms;
    then.last_ms = place->last_ms;
    mm_import_note_log(import, &then);
    return mm_import_flush(import, err);
}

static apr_status_t failed(mm_import_t *import, apr_status_t rv, mm_err_t *err)
{
    import->unresolved.status = rv;
    return mm_err_set(err, rv, "%s", import->unresolved.text);
}

apr_status_t mm_import_resolve(mm_import_t *import, mm_ledger_t *ledger, mm_err_t *err)
{
    int64_t since_us = mm_wait_clock_us(), all = import->resolve ? mm_resolve_waiting(import->resolve) : 0, piece = all;

    for (int64_t done = 0; done < all;) {
        const mm_import_place_t *place;
        int64_t n = piece < all - done ? piece : all - done;
        apr_status_t rv = count_piece(import, ledger, n);

        if (rv == MM_RESOLVE_TOO_MANY) {
            piece = n / 2;
            continue;
        }
        if (rv == MM_STORE_AWAY && mm_wait_clock_us() - since_us < import->options.patience_us &&
            !mm_wait_over(&import->wait)) {
            mm_wait(&import->wait, RETRY_US);
            continue;
        }
        if (rv != APR_SUCCESS) {
            return failed(import, rv, err);
        }
        done += n;
        piece = 2 * n;
        import->unresolved.status = APR_SUCCESS;
        place = &APR_ARRAY_IDX(import->places, done - 1, mm_import_place_t);
        if (done < all && place->offset >= 0 && mm_import_is_full(import)) {
            rv = flush_at(import, ledger, place, err);
            if (rv != APR_SUCCESS) {
                return failed(import, mm_err_set(&import->unresolved, rv, "%s", err->text), err);
            }
        }
    }
    if (import->places) {
        import->places->nelts = 0;
    }
    return APR_SUCCESS;
}
