/* Reads a pack as src/event writes it: u16 length | event, repeated, where an event begins with its version. Pure
 * functions but for the count; one thread per count.
 */
#include "drain/pack.h"

#include "event/id_list.h"

bool mm_pack_is_newer(const uint8_t *data, size_t len)
{
    while (len > 2) {
        size_t event_len = data[0] | (size_t)data[1] << 8;

        if (event_len > len - 2) {
            return false; /* damaged, in whichever version */
        }
        if (event_len > 0 && data[2] > MM_EVENT_VERSION_NEWEST) {
            return true;
        }
        data += 2 + event_len;
        len -= 2 + event_len;
    }
    return false;
}

static void add_verdict(mm_tally_t *tally, mm_verdict_t verdict)
{
    tally->verdicts[verdict]++;
    tally->events++;
}

/* One event is one verdict, also where it stands for many uses: counted, if one of them is. */
static void count_use(const mm_pack_into_t *into, const mm_event_t *use, mm_verdict_t *verdict)
{
    mm_verdict_t one = mm_count_add(into->count, use);

    *verdict = *verdict == MM_IGNORED_KEY || one == MM_COUNTED ? one : *verdict;
}

static void count_uses(void *baton, const mm_event_t *event, const char *const *ids, size_t n)
{
    const mm_pack_into_t *into = baton;
    mm_verdict_t verdict = mm_count_judge(into->count, event);
    mm_event_t use = *event;

    if (verdict != MM_COUNTED) {
        add_verdict(into->tally, verdict);
        return;
    }
    verdict = MM_IGNORED_KEY;
    for (size_t i = 0; i < n; i++) {
        use.id = mm_bytes_of(ids[i]);
        count_use(into, &use, &verdict);
    }
    add_verdict(into->tally, verdict);
}

static void count_event(const mm_pack_into_t *into, const mm_event_t *event)
{
    mm_verdict_t verdict = MM_IGNORED_KEY;
    mm_event_t use = *event;

    use.flags &= (uint16_t)~MM_EVENT_LIST;
    for (size_t at = 0; mm_id_list_next(event, &at, &use.id);) {
        count_use(into, &use, &verdict);
    }
    add_verdict(into->tally, verdict);
}

/* Whether it is no use whatever its key leads to and whoever its visitor is, who may be an extractor. */
static bool is_refused(const mm_pack_into_t *into, const mm_event_t *event, mm_verdict_t *verdict)
{
    *verdict = mm_count_judge(into->count, event);
    return *verdict != MM_COUNTED && (*verdict != MM_IGNORED_ROBOT || event->identity.len == 0);
}

void mm_pack_take(const mm_pack_into_t *into, mm_event_t *event)
{
    mm_verdict_t verdict;

    if (into->policy && mm_policy_is_nobody(into->policy, event->user)) {
        event->user = mm_bytes_of(NULL);
    }
    if (!into->resolve && event->via.len > 0) {
        add_verdict(into->tally, MM_IGNORED_KEY);
    }
    else if (event->via.len > 0 && is_refused(into, event, &verdict)) {
        add_verdict(into->tally, verdict);
    }
    else if (into->resolve && into->in_order && mm_resolve_waiting(into->resolve) > 0) {
        mm_resolve_collect(into->resolve, event);
    }
    else if (!into->resolve || mm_resolve_take(into->resolve, event)) {
        count_event(into, event);
    }
}

int64_t mm_pack_count(const mm_pack_into_t *into, const uint8_t *data, size_t len)
{
    mm_event_t event;
    int64_t unreadable = 0;

    for (;;) {
        apr_status_t rv = mm_event_unpack(&event, &data, &len, NULL);

        if (rv == APR_EOF) {
            return unreadable;
        }
        if (rv == APR_SUCCESS) {
            mm_pack_take(into, &event);
            continue;
        }
        unreadable++;
        into->tally->unreadable++;
        if (rv != APR_EGENERAL) {
            return unreadable; /* so is the rest of the pack */
        }
    }
}

apr_status_t mm_pack_finish(const mm_pack_into_t *into, int64_t room, mm_err_t *err)
{
    mm_pack_into_t baton = *into;

    return into->resolve ? mm_resolve_finish(into->resolve, room, count_uses, &baton, err) : APR_SUCCESS;
}

apr_status_t mm_pack_finish_first(const mm_pack_into_t *into, int64_t n, int64_t room, mm_err_t *err)
{
    mm_pack_into_t baton = *into;

    return mm_resolve_finish_first(into->resolve, n, room, count_uses, &baton, err);
}
