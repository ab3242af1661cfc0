/* The fact that flows: one visit, as it happened.
 *
 * An event says what was seen and decides nothing: whether it was a robot, a double-click, a failed transfer or a
 * download that counts is for src/count, which treats live traffic, POSTed events and imported logs alike.
 *
 * Byte form of one event (all integers little-endian):
 *   u8 version (1; 2 for MM_EVENT_LIST) | u8 action | u8 source | u8 method | u16 status | u16 flags
 *   i64 time_us | i64 range_start | i64 bytes_out
 *   then fields, each u8 tag | u16 length | bytes, in any order, each at most once; an unknown tag is skipped.
 * Several events travel as one unit ("pack"): u16 length | event, repeated. The spool keeps or loses a pack as a whole.
 */
#ifndef MM_EVENT_H
#define MM_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "base/err.h"

/* Limits in bytes. An id, a user or a session that is longer is refused, never cut: a cut id would count for a
 * stranger. */
#define MM_EVENT_TYPE_MAX     32
#define MM_EVENT_ID_MAX       1024
#define MM_EVENT_USER_MAX     256
#define MM_EVENT_SESSION_MAX  256
#define MM_EVENT_ADDRESS_MAX  64  /* IPv6 text with zone is 45 + zone */
#define MM_EVENT_AGENT_MAX    512 /* longer ones are cut by the caller: only patterns are looked for in it */
#define MM_EVENT_CLASS_MAX    32
#define MM_EVENT_VIA_MAX      192
#define MM_EVENT_IDENTITY_MAX 400 /* event/identity.h */
/* Header and tags included; nothing that mm_event_encode writes is longer. */
#define MM_EVENT_ENCODED_MAX 3072

/* The first byte of an event that this program writes is at most this. */
#define MM_EVENT_VERSION_NEWEST 2

typedef enum mm_action { MM_ACTION_VIEW = 1, MM_ACTION_DOWNLOAD = 2 } mm_action_t;

typedef enum mm_source { MM_SOURCE_REQUEST = 1, MM_SOURCE_POST = 2, MM_SOURCE_IMPORT = 3 } mm_source_t;

typedef enum mm_method { MM_METHOD_GET = 1, MM_METHOD_HEAD = 2, MM_METHOD_POST = 3, MM_METHOD_OTHER = 4 } mm_method_t;

enum {
    MM_EVENT_ABORTED = 1 << 0, /* the connection was found broken when the request ended */
    MM_EVENT_HTTP2 = 1 << 1,   /* on HTTP/2, where ABORTED alone proves nothing */
    MM_EVENT_LIST = 1 << 2     /* id is a list of ids, or of keys (id_list.h) */
};

/* range_start when the request asked for no range, or for one that cannot be told (a suffix). */
#define MM_RANGE_NONE    (-1)
#define MM_RANGE_UNKNOWN (-2)

/* Bytes that need no terminating zero. Absent is len 0. */
typedef struct mm_bytes {
    const char *data;
    size_t len;
} mm_bytes_t;

/* text as bytes; absent for NULL. */
static inline mm_bytes_t mm_bytes_of(const char *text)
{
    mm_bytes_t bytes = {text, text ? strlen(text) : 0};
    return bytes;
}

typedef struct mm_event {
    mm_action_t action;
    mm_source_t source;
    mm_method_t method;
    uint16_t status;       /* HTTP status of the answer */
    uint16_t flags;        /* MM_EVENT_… */
    int64_t time_us;       /* when the request began, microseconds since 1970 UTC; never negative */
    int64_t range_start;   /* first byte asked for, or MM_RANGE_… */
    int64_t bytes_out;     /* bytes that httpd produced for the body, headers included; not what arrived */
    mm_bytes_t type;       /* datasets, …: mm_text_is_type_name */
    mm_bytes_t id;         /* of the resource: any bytes but NUL */
    mm_bytes_t user;       /* as authenticated; absent for an anonymous visit */
    mm_bytes_t session;    /* cookie or the like, if known */
    mm_bytes_t address;    /* of the client, as text */
    mm_bytes_t agent;      /* User-Agent */
    mm_bytes_t class_mark; /* set by the administrator's rules (MetricsAgent), e.g. "robot", "machine", "extractor" */
    mm_bytes_t via;        /* id is a key of documents that hold the ids; which, as COLLECTION:KEYPATH:IDPATH */
    mm_bytes_t identity;   /* what the application may know the visitor by, as hashes (event/identity.h) */
} mm_event_t;

/* Whether every field is within its limits and holds no NUL; says in err which is not. */
apr_status_t mm_event_check(const mm_event_t *event, mm_err_t *err);

/* Writes the byte form into buf (at least MM_EVENT_ENCODED_MAX bytes) and returns its length. The event must have
 * passed mm_event_check. */
size_t mm_event_encode(const mm_event_t *event, uint8_t *buf);

/* Reads the byte form. Strings point into buf. Anything malformed or beyond a limit is APR_EINVAL and a sentence. */
apr_status_t mm_event_decode(mm_event_t *event, const uint8_t *buf, size_t len, mm_err_t *err);

/* What mm_event_pack will write for this event, in bytes: at most MM_EVENT_ENCODED_MAX + 2. */
size_t mm_event_packed_size(const mm_event_t *event);

/* Appends one event to a pack at buf (mm_event_packed_size bytes free) and returns how many bytes it took. */
size_t mm_event_pack(const mm_event_t *event, uint8_t *buf);

/* When the first event of a pack happened, in microseconds since 1970, without a look at the rest; 0 for what is no
 * pack. */
int64_t mm_event_pack_time(const uint8_t *data, size_t len);

/* Takes the next encoded event from a pack: *data and *len advance. APR_EOF at the end, APR_EINVAL where it is
 * malformed (the rest of the pack is then unreadable); a single undecodable event is APR_EGENERAL and the next call
 * goes on behind it. */
apr_status_t mm_event_unpack(mm_event_t *event, const uint8_t **data, size_t *len, mm_err_t *err);

const char *mm_action_name(mm_action_t action); /* "view", "download" */
bool mm_action_parse(mm_action_t *action, const char *text, size_t len);

#endif
