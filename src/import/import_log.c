/* One log: known by its beginning, read from where it is not counted yet, line by line into the count.
 *
 * Invariant: whatever is in the count of this log, the ledger that goes into the same batch stands behind it.
 */
#include "import/import_private.h"

#include <string.h>
#include <apr_strings.h>
#include <apr_time.h>
#include "drain/wait.h"
#include "import/fingerprint.h"

/* Lines between two looks at the clock and at whether to stop. */
#define LINES_PER_LOOK 4096
#define RETRY_US       INT64_C(1000000)
/* A log may well begin with a long download that began before the last line of the one before it. */
#define OVERLAP_US (INT64_C(3600) * 1000000)

void mm_import_note_log(mm_import_t *import, const mm_ledger_t *ledger)
{
    mm_ledger_t *last = import->n_logs > 0 ? &import->logs[import->n_logs - 1] : NULL;

    if (!last || strcmp(last->id, ledger->id) != 0) {
        last = &import->logs[import->n_logs++];
    }
    *last = *ledger;
}

static void note_time(mm_import_t *import, mm_ledger_t *ledger, int64_t time_us)
{
    mm_import_tally_t *tally = &import->tally;
    int64_t time_ms = time_us / 1000;

    if (ledger->first_ms == MM_TIME_NONE || time_ms < ledger->first_ms) {
        ledger->first_ms = time_ms;
    }
    if (time_ms > ledger->last_ms) { /* MM_TIME_NONE is less than any time */
        ledger->last_ms = time_ms;
    }
    if (import->first_us == 0 || time_us < import->first_us) {
        import->first_us = time_us;
    }
    if (tally->first_us == 0 || time_us < tally->first_us) {
        tally->first_us = time_us;
    }
    if (time_us > tally->last_us) {
        tally->last_us = time_us;
    }
}

void mm_import_note_verdicts(mm_import_t *import, mm_ledger_t *ledger, const mm_tally_t *counted)
{
    for (size_t i = 0; i < MM_VERDICTS; i++) {
        import->tally.verdicts[i] += counted->verdicts[i];
    }
    ledger->uses += counted->verdicts[MM_COUNTED];
    import->events += counted->events;
}

/* A dry run asks no database: there, what a key stands for counts as one thing. */
static void count_event(mm_import_t *import, mm_ledger_t *ledger, const mm_sifting_t *sifting, const mm_event_t *event)
{
    mm_tally_t counted = {.events = 0};
    const mm_pack_into_t into = {import->count, import->resolve, &counted, &import->options.policy, true};

    for (size_t i = 0; i < sifting->n_ids; i++) {
        mm_event_t one = *event;

        one.id = sifting->ids[i];
        if (!import->resolve) {
            one.via = mm_bytes_of(NULL);
        }
        mm_pack_take(&into, &one);
    }
    mm_import_note_verdicts(import, ledger, &counted);
    if (sifting->match.spec->query || sifting->match.spec->lower) {
        apr_pool_clear(import->ids_pool);
    }
}

static void count_line(mm_import_t *import, mm_ledger_t *ledger, const char *text, size_t len)
{
    mm_import_tally_t *tally = &import->tally;
    mm_sifting_t sifting;
    mm_event_t event;
    mm_sifted_t sifted = mm_sieve_line(&import->sieve, text, len, &sifting, &event);

    if (sifted == MM_SIFTED_EVENT && mm_passes_counted(&import->passes, ledger->offset, event.time_us / 1000)) {
        sifted = MM_SIFTED_KNOWN;
    }
    ledger->lines++;
    tally->lines++;
    tally->sifted[sifted]++;
    if (sifted == MM_SIFTED_BAD) {
        ledger->bad++;
        if (import->options.on_bad) {
            import->options.on_bad(import->options.baton, ledger->name, ledger->lines, sifting.wrong);
        }
        return;
    }
    note_time(import, ledger, sifting.line.time_us);
    if (sifted == MM_SIFTED_EVENT) {
        count_event(import, ledger, &sifting, &event);
    }
}

static apr_status_t flush_if_full(mm_import_t *import, mm_ledger_t *ledger, mm_err_t *err)
{
    bool collected = import->resolve && mm_resolve_full(import->resolve);
    apr_status_t rv = APR_SUCCESS;

    if (!collected && !mm_import_is_full(import)) {
        return APR_SUCCESS;
    }
    rv = mm_import_resolve(import, ledger, err);
    if (rv != APR_SUCCESS || !mm_import_is_full(import)) {
        return rv;
    }
    mm_import_note_log(import, ledger);
    return mm_import_flush(import, err);
}

static apr_status_t look_around(mm_import_t *import, mm_err_t *err)
{
    import->sieve.now_us = apr_time_now();
    if (import->options.on_progress) {
        import->options.on_progress(import->options.baton, import);
    }
    return import->options.stop && *import->options.stop ? mm_err_set(err, APR_EINTR, "told to stop") : APR_SUCCESS;
}

static apr_status_t read_lines(mm_import_t *import, mm_ledger_t *ledger, mm_err_t *err)
{
    const char *line;
    size_t len;
    apr_status_t rv = APR_SUCCESS;

    while (rv == APR_SUCCESS && (rv = mm_logfile_next(import->file, &line, &len, err)) == APR_SUCCESS) {
        int64_t before = ledger->offset;

        count_line(import, ledger, line, len);
        ledger->offset = mm_logfile_offset(import->file);
        import->tally.bytes += ledger->offset - before;
        mm_import_note_place(import, ledger);
        rv = flush_if_full(import, ledger, err);
        if (rv == APR_SUCCESS && import->tally.lines % LINES_PER_LOOK == 0) {
            rv = look_around(import, err);
        }
    }
    return rv == APR_EOF ? APR_SUCCESS : rv;
}

/* Makes the log ours, and finds out where an earlier import stopped in it. */
static apr_status_t ask_ledger(mm_import_t *import, mm_ledger_t *ledger, const mm_fingerprint_t *print, mm_err_t *err)
{
    mm_connection_t *connection = &import->connection;
    apr_status_t rv = mm_connection_ready(connection, err);

    if (rv == APR_SUCCESS) {
        rv = mm_ledger_claim(connection->store, print->id, import->spool_id, import->options.take_over, err);
    }
    if (rv == APR_SUCCESS) {
        rv = mm_ledger_find(connection->store, print->ids, print->n, ledger, &import->passes, err);
    }
    if (rv == APR_SUCCESS && ledger->head > 0 && strcmp(ledger->id, print->id) != 0) {
        apr_cpystrn(ledger->id, print->id, sizeof(ledger->id));
        ledger->head = (int64_t)print->len;
        rv = mm_ledger_adopt(connection->store, ledger, &import->passes, err);
    }
    return rv == MM_LEDGER_TAKEN ? rv : mm_connection_used(connection, rv);
}

/* The same, with patience. */
static apr_status_t open_ledger(mm_import_t *import, mm_ledger_t *ledger, const mm_fingerprint_t *print, mm_err_t *err)
{
    const mm_wait_t wait = {.stop = import->options.stop};
    int64_t since_us = mm_wait_clock_us();
    apr_status_t rv;

    while ((rv = ask_ledger(import, ledger, print, err)) != APR_SUCCESS && rv != MM_LEDGER_TAKEN &&
           mm_wait_clock_us() - since_us < import->options.patience_us && !mm_wait_over(&wait)) {
        mm_wait(&wait, RETRY_US);
    }
    return rv;
}

/* The same log may come twice in one run, by two names or packed. What the first has counted of it must be in the
 * ledger before that is asked. */
static apr_status_t settle_seen(mm_import_t *import, const mm_fingerprint_t *print, mm_err_t *err)
{
    apr_status_t rv = APR_SUCCESS;
    bool seen = false;

    for (size_t i = 0; i < print->n; i++) {
        seen = seen || apr_hash_get(import->seen, print->ids[i], MM_LEDGER_ID_LEN);
    }
    if (seen) {
        rv = mm_import_flush(import, err);
        rv = rv == APR_SUCCESS ? mm_courier_join(&import->courier, err) : rv;
    }
    if (!apr_hash_get(import->seen, print->id, MM_LEDGER_ID_LEN)) {
        apr_hash_set(import->seen, apr_pstrdup(import->pool, print->id), MM_LEDGER_ID_LEN, import);
    }
    return rv;
}

/* Where this pass begins: where an earlier one of its span stopped; at the beginning, if others went further, so that
 * lines can be numbered. There must be room for what it will leave behind. */
static apr_status_t begin_pass(mm_import_t *import, mm_ledger_t *ledger, mm_err_t *err)
{
    int64_t to = mm_passes_to(&import->passes, import->since_ms, import->until_ms);
    const mm_pass_t whole = {INT64_MAX, import->since_ms, import->until_ms};
    mm_passes_t then = import->passes;

    ledger->since_ms = import->since_ms;
    ledger->until_ms = import->until_ms;
    if (to < ledger->offset) {
        ledger->offset = ledger->lines = ledger->bad = 0;
    }
    if (mm_passes_add(&then, &whole) && then.n <= MM_PASSES_MAX) {
        return APR_SUCCESS;
    }
    (void)mm_ledger_release(import->connection.store, ledger->id, import->spool_id, NULL);
    return mm_err_set(
        err, APR_EINVAL,
        "it was imported for %d spans of time already, and there is no room for another. Import it once with "
        "a --since and an --until that contain them, or with neither: that takes their place",
        MM_PASSES_MAX);
}

static apr_status_t begin_ledger(mm_import_t *import, mm_ledger_t *ledger, const char *head, size_t len, mm_err_t *err)
{
    mm_fingerprint_t print = mm_fingerprint(head, len, import->log_pool);
    apr_status_t rv = APR_SUCCESS;

    *ledger = (mm_ledger_t){.head = 0};
    import->passes.n = 0;
    if (!mm_import_is_dry(import)) {
        rv = settle_seen(import, &print, err);
        rv = rv == APR_SUCCESS ? open_ledger(import, ledger, &print, err) : rv;
    }
    if (ledger->head == 0) {
        ledger->first_ms = ledger->last_ms = MM_TIME_NONE;
    }
    apr_cpystrn(ledger->id, print.id, sizeof(ledger->id));
    apr_cpystrn(ledger->name, mm_logfile_name(import->file), sizeof(ledger->name));
    ledger->head = (int64_t)len;
    return rv == APR_SUCCESS ? begin_pass(import, ledger, err) : rv;
}

/* What was read of it is in the count, so the ledger goes along whatever it was that ended the reading. */
static apr_status_t end_ledger(mm_import_t *import, mm_ledger_t *ledger, bool read, mm_err_t *err)
{
    apr_status_t rv;

    if (mm_import_is_dry(import)) {
        return APR_SUCCESS;
    }
    rv = mm_import_resolve(import, ledger, err);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (!read) {
        return mm_ledger_release(import->connection.store, ledger->id, import->spool_id, err);
    }
    ledger->done = true;
    mm_import_note_log(import, ledger);
    return import->n_logs == MM_IMPORT_LOGS_MAX ? mm_import_flush(import, err) : APR_SUCCESS;
}

static apr_status_t read_log(mm_import_t *import, mm_ledger_t *ledger, mm_import_end_t *end, mm_err_t *err)
{
    int64_t from = ledger->offset;
    apr_status_t rv = mm_logfile_skip(import->file, from, err), end_rv;

    import->tally.known_bytes += mm_logfile_offset(import->file);
    if (rv == APR_SUCCESS) {
        rv = read_lines(import, ledger, err);
    }
    else if (rv == APR_EOF) {
        rv = APR_SUCCESS;
    }
    if (rv == APR_EINTR) { /* what is in the count has no ledger */
        return mm_err_set(&import->unresolved, rv, "told to stop");
    }
    if (import->unresolved.status != APR_SUCCESS) {
        return rv;
    }
    *end = ledger->offset > from ? MM_IMPORT_READ : MM_IMPORT_KNOWN;
    end_rv = end_ledger(import, ledger, *end == MM_IMPORT_READ, rv == APR_SUCCESS ? err : NULL);
    return rv == APR_SUCCESS ? end_rv : rv;
}

apr_status_t mm_import_log(mm_import_t *import, mm_logfile_t *file, mm_import_end_t *end, mm_err_t *err)
{
    const int64_t before_us = import->tally.last_us;
    mm_ledger_t ledger;
    const char *head;
    size_t len;
    apr_status_t rv;

    if (import->unresolved.status != APR_SUCCESS) { /* what is in the count has no ledger, and must not get another's */
        return mm_err_set(err, import->unresolved.status, "%s", import->unresolved.text);
    }
    apr_pool_clear(import->log_pool);
    *end = MM_IMPORT_EMPTY;
    import->file = file;
    import->first_us = 0;
    rv = mm_logfile_head(file, &head, &len, err);
    if (rv == APR_SUCCESS && len == 0) {
        rv = mm_logfile_next(file, &head, &len, err); /* damaged, or there is nothing */
        rv = rv == APR_EOF ? APR_SUCCESS : rv;
    }
    else if (rv == APR_SUCCESS) {
        rv = mm_import_choose_format(import, err);
        if (rv == APR_SUCCESS) {
            rv = mm_logfile_head(file, &head, &len, err); /* it may have moved */
        }
        if (rv == APR_SUCCESS) {
            rv = begin_ledger(import, &ledger, head, len, err);
        }
        if (rv == APR_SUCCESS) {
            rv = read_log(import, &ledger, end, err);
        }
        import->tally.overlapping += import->first_us > 0 && before_us - import->first_us >= OVERLAP_US;
    }
    import->file = NULL;
    return rv;
}
