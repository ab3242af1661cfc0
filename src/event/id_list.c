/* Ids joined by commas. Pure functions; any thread. */
#include "event/id_list.h"
#include "base/hot.h"

/* How many of the ids fit, and how long they are together. */
static MM_HOT size_t fitting(const mm_bytes_t *ids, size_t n, size_t *len)
{
    size_t taken = 1;

    *len = ids[0].len;
    while (taken < n && *len + 1 + ids[taken].len <= MM_EVENT_ID_MAX) {
        *len += 1 + ids[taken++].len;
    }
    return taken;
}

MM_HOT size_t mm_id_list_put(mm_event_t *event, const mm_bytes_t *ids, size_t n, apr_pool_t *pool)
{
    size_t len, taken = fitting(ids, n, &len);
    char *text;

    event->id = ids[0];
    event->flags &= (uint16_t)~MM_EVENT_LIST;
    if (taken == 1) {
        return 1;
    }
    text = apr_palloc(pool, len);
    event->flags |= MM_EVENT_LIST;
    event->id = (mm_bytes_t){text, len};
    for (size_t i = 0; i < taken; i++) {
        if (i > 0) {
            *text++ = ',';
        }
        memcpy(text, ids[i].data, ids[i].len);
        text += ids[i].len;
    }
    return taken;
}

bool mm_id_list_next(const mm_event_t *event, size_t *at, mm_bytes_t *id)
{
    while (*at < event->id.len) {
        const char *from = event->id.data + *at;
        size_t left = event->id.len - *at;
        const char *comma = event->flags & MM_EVENT_LIST ? memchr(from, ',', left) : NULL;

        *id = (mm_bytes_t){from, comma ? (size_t)(comma - from) : left};
        *at += id->len + 1;
        if (id->len > 0) {
            return true;
        }
    }
    return false;
}
