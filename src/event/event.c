/* The fact and its byte form: checking, writing, reading. Pure functions; any thread.
 *
 * Invariant: what mm_event_check accepts, mm_event_encode writes and mm_event_decode gives back unchanged; what
 * mm_event_decode accepts, mm_event_check accepts. One table (strings) says which strings there are, their tags on disk
 * and their limits, so that the three cannot disagree.
 */
#include "event/event.h"

#include <string.h>

#include "base/hot.h"
#include "base/text.h"

/* Who does not know lists must not take one for an id, so it has a version of its own. */
#define VERSION      1
#define VERSION_LIST MM_EVENT_VERSION_NEWEST
#define HEADER       32

/* On disk for ever: never reuse a tag. */
enum { TAG_TYPE = 1, TAG_ID, TAG_USER, TAG_SESSION, TAG_ADDRESS, TAG_AGENT, TAG_CLASS, TAG_VIA, TAG_IDENTITY };

typedef struct field {
    uint8_t tag;
    uint16_t max;
    size_t at; /* of the mm_bytes_t in mm_event_t */
    const char *name;
} field_t;

/* In the order of their tags, from 1 and without a gap: field_by_tag goes by that. */
static const field_t strings[] = {
    {TAG_TYPE, MM_EVENT_TYPE_MAX, offsetof(mm_event_t, type), "type"},
    {TAG_ID, MM_EVENT_ID_MAX, offsetof(mm_event_t, id), "id"},
    {TAG_USER, MM_EVENT_USER_MAX, offsetof(mm_event_t, user), "user"},
    {TAG_SESSION, MM_EVENT_SESSION_MAX, offsetof(mm_event_t, session), "session"},
    {TAG_ADDRESS, MM_EVENT_ADDRESS_MAX, offsetof(mm_event_t, address), "address"},
    {TAG_AGENT, MM_EVENT_AGENT_MAX, offsetof(mm_event_t, agent), "agent"},
    {TAG_CLASS, MM_EVENT_CLASS_MAX, offsetof(mm_event_t, class_mark), "class"},
    {TAG_VIA, MM_EVENT_VIA_MAX, offsetof(mm_event_t, via), "via"},
    {TAG_IDENTITY, MM_EVENT_IDENTITY_MAX, offsetof(mm_event_t, identity), "identity"},
};

#define N_STRINGS (sizeof(strings) / sizeof(strings[0]))

_Static_assert(HEADER + 3 * N_STRINGS + MM_EVENT_TYPE_MAX + MM_EVENT_ID_MAX + MM_EVENT_USER_MAX + MM_EVENT_SESSION_MAX +
                       MM_EVENT_ADDRESS_MAX + MM_EVENT_AGENT_MAX + MM_EVENT_CLASS_MAX + MM_EVENT_VIA_MAX +
                       MM_EVENT_IDENTITY_MAX <=
                   MM_EVENT_ENCODED_MAX,
               "the longest event must fit MM_EVENT_ENCODED_MAX");
_Static_assert(MM_EVENT_ENCODED_MAX <= UINT16_MAX, "a pack counts the length of an event in 16 bits");

static MM_HOT const mm_bytes_t *string_of(const mm_event_t *event, const field_t *field)
{
    return (const mm_bytes_t *)(const void *)((const char *)event + field->at);
}

static mm_bytes_t *string_in(mm_event_t *event, const field_t *field)
{
    return (mm_bytes_t *)(void *)((char *)event + field->at);
}

static const field_t *field_by_tag(uint8_t tag)
{
    return tag >= TAG_TYPE && tag <= N_STRINGS ? &strings[tag - TAG_TYPE] : NULL;
}

/* --- checking ----------------------------------------------------------------------------------------------------- */

static bool is_class_mark(const mm_bytes_t *mark)
{
    size_t i;

    for (i = 0; i < mark->len; i++) {
        char c = mark->data[i];

        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-')) {
            return false;
        }
    }
    return true;
}

static apr_status_t check_numbers(const mm_event_t *event, mm_err_t *err)
{
    if (event->action != MM_ACTION_VIEW && event->action != MM_ACTION_DOWNLOAD) {
        return mm_err_set(err, APR_EINVAL, "action %d is neither view nor download", (int)event->action);
    }
    if (event->source < MM_SOURCE_REQUEST || event->source > MM_SOURCE_IMPORT) {
        return mm_err_set(err, APR_EINVAL, "source %d does not exist", (int)event->source);
    }
    if (event->method < MM_METHOD_GET || event->method > MM_METHOD_OTHER) {
        return mm_err_set(err, APR_EINVAL, "method %d does not exist", (int)event->method);
    }
    if (event->time_us < 0) {
        return mm_err_set(err, APR_EINVAL, "the time is before 1970");
    }
    if (event->range_start < MM_RANGE_UNKNOWN) {
        return mm_err_set(err, APR_EINVAL, "the range begins before byte 0");
    }
    if (event->bytes_out < 0) {
        return mm_err_set(err, APR_EINVAL, "the number of bytes sent is negative");
    }
    return APR_SUCCESS;
}

apr_status_t mm_event_check(const mm_event_t *event, mm_err_t *err)
{
    apr_status_t status = check_numbers(event, err);
    size_t i;

    for (i = 0; status == APR_SUCCESS && i < N_STRINGS; i++) {
        const mm_bytes_t *string = string_of(event, &strings[i]);

        if (string->len > strings[i].max) {
            status = mm_err_set(err, APR_EINVAL, "%s is %zu bytes long; %u is the limit", strings[i].name, string->len,
                                (unsigned)strings[i].max);
        }
        else if (string->len > 0 && memchr(string->data, '\0', string->len) != NULL) {
            status = mm_err_set(err, APR_EINVAL, "%s holds a zero byte", strings[i].name);
        }
    }
    if (status != APR_SUCCESS) {
        return status;
    }
    if (!mm_text_is_type_name(event->type.data, event->type.len)) {
        return mm_err_set(err, APR_EINVAL, "type is not a name of 1 to %d of a-z, 0-9 and _ that begins with a letter",
                          MM_EVENT_TYPE_MAX);
    }
    if (event->id.len == 0) {
        return mm_err_set(err, APR_EINVAL, "id is empty");
    }
    if (!is_class_mark(&event->class_mark)) {
        return mm_err_set(err, APR_EINVAL, "class holds something other than a-z, 0-9, _ and -");
    }
    return APR_SUCCESS;
}

/* --- the byte form ------------------------------------------------------------------------------------------------ */

/* These are written out, as compilers make one store or load of each. */
static uint8_t *put_u8(uint8_t *to, unsigned value)
{
    to[0] = (uint8_t)value;
    return to + 1;
}

static uint8_t *put_u16(uint8_t *to, unsigned value)
{
    to[0] = (uint8_t)value;
    to[1] = (uint8_t)(value >> 8);
    return to + 2;
}

static uint8_t *put_i64(uint8_t *to, int64_t number)
{
    uint64_t value = (uint64_t)number;

    to[0] = (uint8_t)value;
    to[1] = (uint8_t)(value >> 8);
    to[2] = (uint8_t)(value >> 16);
    to[3] = (uint8_t)(value >> 24);
    to[4] = (uint8_t)(value >> 32);
    to[5] = (uint8_t)(value >> 40);
    to[6] = (uint8_t)(value >> 48);
    to[7] = (uint8_t)(value >> 56);
    return to + 8;
}

static uint16_t get_u16(const uint8_t *from)
{
    return (uint16_t)(from[0] | from[1] << 8);
}

static int64_t get_i64(const uint8_t *from)
{
    return (int64_t)((uint64_t)from[0] | (uint64_t)from[1] << 8 | (uint64_t)from[2] << 16 | (uint64_t)from[3] << 24 |
                     (uint64_t)from[4] << 32 | (uint64_t)from[5] << 40 | (uint64_t)from[6] << 48 |
                     (uint64_t)from[7] << 56);
}

MM_HOT size_t mm_event_encode(const mm_event_t *event, uint8_t *buf)
{
    uint8_t *to = buf;
    size_t i;

    to = put_u8(to, event->flags & MM_EVENT_LIST ? VERSION_LIST : VERSION);
    to = put_u8(to, event->action);
    to = put_u8(to, event->source);
    to = put_u8(to, event->method);
    to = put_u16(to, event->status);
    to = put_u16(to, event->flags);
    to = put_i64(to, event->time_us);
    to = put_i64(to, event->range_start);
    to = put_i64(to, event->bytes_out);
    for (i = 0; i < N_STRINGS; i++) {
        const mm_bytes_t *string = string_of(event, &strings[i]);

        if (string->len > 0) {
            to = put_u8(to, strings[i].tag);
            to = put_u16(to, (unsigned)string->len);
            memcpy(to, string->data, string->len);
            to += string->len;
        }
    }
    return (size_t)(to - buf);
}

/* An empty field is the same as an absent one, but still may not come twice: seen has a bit for each tag. */
static apr_status_t decode_strings(mm_event_t *event, const uint8_t *buf, size_t len, mm_err_t *err)
{
    uint32_t seen = 0;

    while (len > 0) {
        const field_t *field;
        size_t field_len;

        if (len < 3 || (field_len = get_u16(buf + 1)) > len - 3) {
            return mm_err_set(err, APR_EINVAL, "an event ends in the middle of a field");
        }
        field = field_by_tag(buf[0]);
        if (field != NULL) {
            mm_bytes_t *string = string_in(event, field);

            if (seen & UINT32_C(1) << field->tag) {
                return mm_err_set(err, APR_EINVAL, "an event has two fields %s", field->name);
            }
            seen |= UINT32_C(1) << field->tag;
            string->data = field_len > 0 ? (const char *)buf + 3 : NULL;
            string->len = field_len;
        }
        buf += 3 + field_len;
        len -= 3 + field_len;
    }
    return APR_SUCCESS;
}

apr_status_t mm_event_decode(mm_event_t *event, const uint8_t *buf, size_t len, mm_err_t *err)
{
    mm_event_t e = {0};
    apr_status_t status;

    if (len < HEADER) {
        return mm_err_set(err, APR_EINVAL, "an event of %zu bytes is shorter than its header", len);
    }
    if (buf[0] != VERSION && buf[0] != VERSION_LIST) {
        return mm_err_set(err, APR_EINVAL, "an event has version %d, which this program does not know", buf[0]);
    }
    e.action = (mm_action_t)buf[1];
    e.source = (mm_source_t)buf[2];
    e.method = (mm_method_t)buf[3];
    e.status = get_u16(buf + 4);
    e.flags = get_u16(buf + 6);
    if ((buf[0] == VERSION_LIST) != ((e.flags & MM_EVENT_LIST) != 0)) {
        return mm_err_set(err, APR_EINVAL, "an event has version %d and flags %d, which do not go together", buf[0],
                          e.flags);
    }
    e.time_us = get_i64(buf + 8);
    e.range_start = get_i64(buf + 16);
    e.bytes_out = get_i64(buf + 24);
    status = decode_strings(&e, buf + HEADER, len - HEADER, err);
    if (status == APR_SUCCESS) {
        status = mm_event_check(&e, err);
    }
    if (status == APR_SUCCESS) {
        *event = e;
    }
    return status;
}

MM_HOT size_t mm_event_packed_size(const mm_event_t *event)
{
    size_t size = 2 + HEADER;

    for (size_t i = 0; i < N_STRINGS; i++) {
        size_t len = string_of(event, &strings[i])->len;
        size += len > 0 ? 3 + len : 0;
    }
    return size;
}

MM_HOT size_t mm_event_pack(const mm_event_t *event, uint8_t *buf)
{
    size_t len = mm_event_encode(event, buf + 2);

    put_u16(buf, (unsigned)len);
    return len + 2;
}

int64_t mm_event_pack_time(const uint8_t *data, size_t len)
{
    return len < 2 + HEADER ? 0 : get_i64(data + 2 + 8);
}

apr_status_t mm_event_unpack(mm_event_t *event, const uint8_t **data, size_t *len, mm_err_t *err)
{
    const uint8_t *from = *data;
    size_t event_len;

    if (*len == 0) {
        return APR_EOF;
    }
    if (*len < 2 || (event_len = get_u16(from)) > *len - 2) {
        return mm_err_set(err, APR_EINVAL, "a pack of events ends in the middle of one");
    }
    *data += 2 + event_len;
    *len -= 2 + event_len;
    if (mm_event_decode(event, from + 2, event_len, err) != APR_SUCCESS) {
        if (err != NULL) {
            err->status = APR_EGENERAL;
        }
        return APR_EGENERAL;
    }
    return APR_SUCCESS;
}

/* --- names -------------------------------------------------------------------------------------------------------- */

const char *mm_action_name(mm_action_t action)
{
    return action == MM_ACTION_DOWNLOAD ? "download" : "view";
}

bool mm_action_parse(mm_action_t *action, const char *text, size_t len)
{
    if (len == 4 && memcmp(text, "view", 4) == 0) {
        *action = MM_ACTION_VIEW;
        return true;
    }
    if (len == 8 && memcmp(text, "download", 8) == 0) {
        *action = MM_ACTION_DOWNLOAD;
        return true;
    }
    return false;
}
