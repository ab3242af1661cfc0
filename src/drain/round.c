/* Reading, within bounds: a round ends with the frame that makes it reach its maximum of events or the count its
 * maximum of deltas. A frame's events share one position and so must share one batch. One thread.
 */
#include "drain/round.h"

#include <inttypes.h>
#include <string.h>
#include "drain/drain.h"
#include "drain/wait.h"
#include "event/event.h"

void mm_round_init(mm_round_t *round, mm_spool_reader_t *reader, mm_count_t *count, const char *dir,
                   const mm_log_t *log)
{
    memset(round, 0, sizeof(*round));
    round->reader = reader;
    round->count = count;
    round->dir = dir;
    round->log = log;
    round->events_max = MM_DRAIN_EVENTS_MAX;
}

static void hold(mm_round_t *round)
{
    if (round->held++ == 0) {
        mm_err_set(&round->held_text, APR_EGENERAL,
                   "%s/%s and possibly others hold events that a newer version of this module wrote. They wait, and "
                   "what is behind them. Install that version, or move the segment out of the spool",
                   round->dir, mm_spool_reader_segment(round->reader));
    }
    mm_spool_reader_hold(round->reader);
}

/* n events of the frame in hand, or the end of it, could not be read. */
static void set_aside(mm_round_t *round, int64_t n)
{
    mm_err_t why;
    int64_t times;
    apr_status_t rv = mm_spool_reader_set_aside(round->reader, &why);

    if (!mm_throttle_tell(&round->unreadable, mm_wait_clock_us(), n, &times)) {
        return;
    }
    if (rv == APR_SUCCESS) {
        mm_log(round->log, MM_LOG_WARNING, "MM0209",
               "%" PRId64 " event(s) in the spool could not be read and are left out; the last are kept in "
               "%s/%s.corrupt",
               times, round->dir, mm_spool_reader_segment(round->reader));
    }
    else {
        mm_log(round->log, MM_LOG_WARNING, "MM0210",
               "%" PRId64 " event(s) in the spool could not be read and are left out; the last could not be kept: %s",
               times, why.text);
    }
}

/* Whether the frame in hand is of a later slice, for which other segments are not ready. */
static bool leave(mm_round_t *round, const uint8_t *payload, size_t len)
{
    int64_t time_us = mm_event_pack_time(payload, len);

    if (time_us <= round->until_us) {
        round->latest_us = time_us > round->latest_us ? time_us : round->latest_us;
        return false;
    }
    round->later_us = time_us < round->later_us ? time_us : round->later_us;
    mm_spool_reader_hold(round->reader);
    return true;
}

static mm_pack_into_t into(mm_round_t *round)
{
    return (mm_pack_into_t){round->count, round->resolve, &round->tally, round->policy, false};
}

static void take(mm_round_t *round, const uint8_t *payload, size_t len)
{
    const mm_pack_into_t counting = into(round);
    int64_t unreadable;

    if (mm_pack_is_newer(payload, len)) {
        hold(round);
        return;
    }
    if (leave(round, payload, len)) {
        return;
    }
    unreadable = mm_pack_count(&counting, payload, len);
    round->frames++;
    if (unreadable > 0) {
        set_aside(round, unreadable);
    }
}

static bool can_shrink(const mm_round_t *round)
{
    return round->frames > 1 && round->events_max > 1;
}

/* Counts what was collected of the round, when there is much of it or at the end. */
static apr_status_t resolve(mm_round_t *round, bool at_end, mm_err_t *err)
{
    const mm_pack_into_t counting = into(round);

    if (!round->resolve || !(at_end || mm_resolve_full(round->resolve))) {
        return APR_SUCCESS;
    }
    return mm_pack_finish(&counting, can_shrink(round) ? mm_count_room(round->count) : MM_RESOLVE_ONE, err);
}

static int64_t collected(const mm_round_t *round)
{
    return round->resolve ? mm_resolve_waiting(round->resolve) : 0;
}

/* Whether there is room for more in it. */
static bool has_room(const mm_round_t *round)
{
    return round->tally.events + collected(round) < round->events_max && !mm_count_full(round->count);
}

/* All other segments have been read, and are counted. */
static apr_status_t hold_unreadable(mm_round_t *round, const mm_err_t *why)
{
    if (round->held++ == 0) {
        mm_err_set(&round->held_text, APR_EGENERAL,
                   "%s. What is in this file waits, everything else is counted. Make it readable for httpd's User, or "
                   "move it out of the spool",
                   why->text);
    }
    return APR_EOF;
}

static apr_status_t read_slice(mm_round_t *round, mm_err_t *err)
{
    const uint8_t *payload;
    mm_err_t why;
    size_t len;
    apr_status_t rv = mm_spool_reader_begin(round->reader, err);

    round->held = 0;
    round->later_us = INT64_MAX;
    while (rv == APR_SUCCESS && has_room(round)) {
        rv = mm_spool_reader_next(round->reader, &payload, &len, &why);
        if (rv == APR_SUCCESS) {
            take(round, payload, len);
            rv = round->unresolved = resolve(round, false, err);
        }
        else if (rv != APR_EOF) {
            rv = hold_unreadable(round, &why);
        }
    }
    return rv;
}

/* No segment has more of this slice. */
static void next_slice(mm_round_t *round)
{
    int64_t from_us = round->later_us < INT64_MAX ? round->later_us : round->latest_us;

    round->until_us = from_us < INT64_MAX - MM_ROUND_SLICE_US ? from_us + MM_ROUND_SLICE_US : INT64_MAX;
}

static apr_status_t read_all(mm_round_t *round, mm_err_t *err)
{
    apr_status_t rv;
    bool again;

    do {
        rv = read_slice(round, err);
        round->more = rv == APR_SUCCESS || (rv == APR_EOF && round->later_us < INT64_MAX);
        if (rv != APR_SUCCESS) {
            next_slice(round);
        }
        again = rv == APR_EOF && round->more && round->frames == 0;
    } while (again);
    return rv;
}

/* The count, what it remembers of clicks, and the reader are as after the last batch. */
static void give_up(mm_round_t *round)
{
    mm_count_reset(round->count);
    if (round->window_log) {
        mm_window_log_back(round->window_log);
    }
    mm_spool_reader_back(round->reader);
}

/* Forgets the round: its frames are read again by the next. */
static void take_back(mm_round_t *round, int64_t until_us)
{
    give_up(round);
    round->frames = round->held = 0;
    round->tally = (mm_tally_t){.events = 0};
    round->until_us = until_us;
    round->more = false;
}

static void look_at_clock(const mm_round_t *round)
{
    if (!mm_window_set_clock(mm_count_window(round->count), apr_time_now())) {
        mm_log(round->log, MM_LOG_WARNING, "MM0232",
               "the clock of this host was put back by more than an hour, and the clicks that are remembered are of a "
               "time that has not come: they are forgotten. Clicks of the last half minute may count twice, and users "
               "of this hour as unique");
    }
}

/* The whole round; round->unresolved says whether it is to be taken back. */
static apr_status_t read_and_resolve(mm_round_t *round, mm_err_t *err)
{
    apr_status_t rv;

    round->frames = 0;
    round->tally = (mm_tally_t){.events = 0};
    round->unresolved = APR_SUCCESS;
    if (round->resolve) {
        mm_resolve_begin(round->resolve);
    }
    rv = read_all(round, err);
    if (round->unresolved == APR_SUCCESS) {
        round->unresolved = resolve(round, true, rv == APR_SUCCESS || rv == APR_EOF ? err : NULL);
    }
    return rv;
}

apr_status_t mm_round_read(mm_round_t *round, mm_err_t *err)
{
    int64_t until_us = round->until_us, forgotten;
    apr_status_t rv;

    do {
        round->until_us = until_us;
        look_at_clock(round);
        forgotten = mm_window_forgotten(mm_count_window(round->count));
        rv = read_and_resolve(round, err);
    } while (round->unresolved == MM_RESOLVE_TOO_MANY && mm_round_shrink(round));
    if (round->unresolved != APR_SUCCESS) {
        take_back(round, until_us);
        return round->unresolved;
    }
    round->tally.forgotten = mm_window_forgotten(mm_count_window(round->count)) - forgotten;
    return rv == APR_EOF ? APR_SUCCESS : rv;
}

bool mm_round_shrink(mm_round_t *round)
{
    int64_t tenth = (round->tally.events + collected(round)) / 10, half = round->events_max / 2;

    if (!can_shrink(round)) {
        return false;
    }
    /* A tenth of what was too much; and less than was asked for, or a round whose first frames hold one event and then
     * many would be the same again. */
    round->events_max = tenth < half ? tenth : half;
    round->events_max = round->events_max > 1 ? round->events_max : 1;
    give_up(round);
    return true;
}

void mm_round_grow(mm_round_t *round)
{
    round->events_max = round->events_max < MM_DRAIN_EVENTS_MAX / 2 ? round->events_max * 2 : MM_DRAIN_EVENTS_MAX;
}
