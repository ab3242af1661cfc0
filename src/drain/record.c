/* One table says which fields each kind of record has, of which type, and where they go; the reader walks a document
 * with it. What the table cannot say (limits that depend on each other) is checked afterwards, per kind.
 */
#include "drain/record.h"

#include <stdbool.h>
#include <string.h>
#include "base/text.h"

#define DAY_MS INT64_C(86400000)

typedef enum field_type {
    FIELD_INT32,
    FIELD_INT64, /* never negative */
    FIELD_COUNT, /* the same in BSON; may be negative, and 0 is left out where it is not required */
    FIELD_DATE,  /* never negative; absent is MM_TIME_NONE */
    FIELD_TEXT,  /* UTF-8 */
    FIELD_BYTES  /* UTF-8 or binary */
} field_type_t;

typedef struct field {
    const char *key;
    mm_record_kind_t kind;
    field_type_t type;
    bool required;
    size_t offset;
    size_t max; /* of a string, without its NUL */
} field_t;

#define AT(member)      offsetof(mm_record_t, member)
#define STR(member)     AT(member), sizeof(((mm_record_t *)0)->member) - 1
#define NUMBER(member)  AT(member), 0
#define IN_LOG(field)   offsetof(mm_record_t, ledger) + offsetof(mm_ledger_t, field)
#define IN_DELTA(field) offsetof(mm_record_t, delta) + offsetof(mm_delta_t, field), 0

static const field_t fields[] = {
    {"v", MM_RECORD_BATCH, FIELD_INT32, true, NUMBER(version)},
    {"spool", MM_RECORD_BATCH, FIELD_TEXT, true, STR(spool)},
    {"seq", MM_RECORD_BATCH, FIELD_INT64, true, NUMBER(seq)},
    {"nonce", MM_RECORD_BATCH, FIELD_TEXT, true, STR(nonce)},
    {"name", MM_RECORD_SEGMENT, FIELD_TEXT, true, STR(name)},
    {"to", MM_RECORD_SEGMENT, FIELD_INT64, true, NUMBER(to)},
    {"id", MM_RECORD_LOG, FIELD_TEXT, true, IN_LOG(id), MM_LEDGER_ID_LEN},
    {"name", MM_RECORD_LOG, FIELD_BYTES, true, IN_LOG(name), MM_LEDGER_NAME_MAX},
    {"head", MM_RECORD_LOG, FIELD_INT64, true, IN_LOG(head), 0},
    {"since", MM_RECORD_LOG, FIELD_INT64, false, IN_LOG(since_ms), 0},
    {"until", MM_RECORD_LOG, FIELD_INT64, false, IN_LOG(until_ms), 0},
    {"offset", MM_RECORD_LOG, FIELD_INT64, true, IN_LOG(offset), 0},
    {"lines", MM_RECORD_LOG, FIELD_INT64, true, IN_LOG(lines), 0},
    {"bad", MM_RECORD_LOG, FIELD_INT64, true, IN_LOG(bad), 0},
    {"uses", MM_RECORD_LOG, FIELD_INT64, true, IN_LOG(uses), 0},
    {"first", MM_RECORD_LOG, FIELD_DATE, false, IN_LOG(first_ms), 0},
    {"last", MM_RECORD_LOG, FIELD_DATE, false, IN_LOG(last_ms), 0},
    {"done", MM_RECORD_LOG, FIELD_INT32, true, NUMBER(done)},
    {"kind", MM_RECORD_DELTA, FIELD_INT32, true, NUMBER(delta_kind)},
    {"type", MM_RECORD_DELTA, FIELD_TEXT, true, STR(type)},
    {"id", MM_RECORD_DELTA, FIELD_BYTES, true, STR(id)},
    {"user", MM_RECORD_DELTA, FIELD_BYTES, false, STR(user)},
    {"day", MM_RECORD_DELTA, FIELD_DATE, false, IN_DELTA(day_ms)},
    {"views", MM_RECORD_DELTA, FIELD_COUNT, true, IN_DELTA(views)},
    {"downloads", MM_RECORD_DELTA, FIELD_COUNT, true, IN_DELTA(downloads)},
    {"machine_views", MM_RECORD_DELTA, FIELD_COUNT, true, IN_DELTA(machine_views)},
    {"machine_downloads", MM_RECORD_DELTA, FIELD_COUNT, true, IN_DELTA(machine_downloads)},
    {"unique_views", MM_RECORD_DELTA, FIELD_COUNT, false, IN_DELTA(unique_views)},
    {"unique_downloads", MM_RECORD_DELTA, FIELD_COUNT, false, IN_DELTA(unique_downloads)},
    {"unique_investigations", MM_RECORD_DELTA, FIELD_COUNT, false, IN_DELTA(unique_investigations)},
    {"machine_unique_views", MM_RECORD_DELTA, FIELD_COUNT, false, IN_DELTA(machine_unique_views)},
    {"machine_unique_downloads", MM_RECORD_DELTA, FIELD_COUNT, false, IN_DELTA(machine_unique_downloads)},
    {"machine_unique_investigations", MM_RECORD_DELTA, FIELD_COUNT, false, IN_DELTA(machine_unique_investigations)},
    {"last_viewed", MM_RECORD_DELTA, FIELD_DATE, false, IN_DELTA(last_viewed_ms)},
    {"last_downloaded", MM_RECORD_DELTA, FIELD_DATE, false, IN_DELTA(last_downloaded_ms)},
    {"first_seen", MM_RECORD_DELTA, FIELD_DATE, false, IN_DELTA(first_seen_ms)},
    {"generation", MM_RECORD_WINDOW, FIELD_INT64, true, NUMBER(generation)},
    {"to", MM_RECORD_WINDOW, FIELD_INT64, true, NUMBER(to)},
    {"segments", MM_RECORD_END, FIELD_INT64, true, NUMBER(segments)},
    {"deltas", MM_RECORD_END, FIELD_INT64, true, NUMBER(deltas)},
};
#define FIELDS (sizeof(fields) / sizeof(fields[0]))

static const struct {
    const char *name;
    mm_record_kind_t kind;
} kinds[] = {
    {"batch", MM_RECORD_BATCH}, {"segment", MM_RECORD_SEGMENT}, {"log", MM_RECORD_LOG},
    {"delta", MM_RECORD_DELTA}, {"window", MM_RECORD_WINDOW},   {"end", MM_RECORD_END},
};

/* --- writing --- */

static void begin(bson_t *doc, mm_record_kind_t kind)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (kinds[i].kind == kind) {
            BSON_APPEND_UTF8(doc, "k", kinds[i].name);
        }
    }
}

void mm_record_append_bytes(bson_t *doc, const char *key, const char *text)
{
    size_t len = strlen(text);

    if (mm_text_is_utf8(text, len)) {
        bson_append_utf8(doc, key, -1, text, (int)len);
    }
    else {
        bson_append_binary(doc, key, -1, BSON_SUBTYPE_BINARY, (const uint8_t *)text, (uint32_t)len);
    }
}

static void append_date(bson_t *doc, const char *key, int64_t time_ms)
{
    if (time_ms != MM_TIME_NONE) {
        BSON_APPEND_DATE_TIME(doc, key, time_ms);
    }
}

void mm_record_batch(bson_t *doc, const char *spool_id, int64_t seq, const char *nonce)
{
    begin(doc, MM_RECORD_BATCH);
    BSON_APPEND_INT32(doc, "v", MM_RECORD_VERSION);
    BSON_APPEND_UTF8(doc, "spool", spool_id);
    BSON_APPEND_INT64(doc, "seq", seq);
    BSON_APPEND_UTF8(doc, "nonce", nonce);
}

void mm_record_segment(bson_t *doc, const char *name, int64_t to)
{
    begin(doc, MM_RECORD_SEGMENT);
    BSON_APPEND_UTF8(doc, "name", name);
    BSON_APPEND_INT64(doc, "to", to);
}

void mm_record_log(bson_t *doc, const mm_ledger_t *ledger)
{
    begin(doc, MM_RECORD_LOG);
    BSON_APPEND_UTF8(doc, "id", ledger->id);
    mm_record_append_bytes(doc, "name", ledger->name);
    BSON_APPEND_INT64(doc, "head", ledger->head);
    BSON_APPEND_INT64(doc, "since", ledger->since_ms);
    BSON_APPEND_INT64(doc, "until", ledger->until_ms);
    BSON_APPEND_INT64(doc, "offset", ledger->offset);
    BSON_APPEND_INT64(doc, "lines", ledger->lines);
    BSON_APPEND_INT64(doc, "bad", ledger->bad);
    BSON_APPEND_INT64(doc, "uses", ledger->uses);
    append_date(doc, "first", ledger->first_ms);
    append_date(doc, "last", ledger->last_ms);
    BSON_APPEND_INT32(doc, "done", ledger->done ? 1 : 0);
}

/* The table knows which there are. */
static void append_counts(bson_t *doc, const mm_delta_t *delta)
{
    for (size_t i = 0; i < FIELDS; i++) {
        int64_t count;

        if (fields[i].type != FIELD_COUNT) {
            continue;
        }
        memcpy(&count, (const char *)delta + (fields[i].offset - offsetof(mm_record_t, delta)), sizeof(count));
        if (fields[i].required || count != 0) {
            BSON_APPEND_INT64(doc, fields[i].key, count);
        }
    }
}

void mm_record_delta(bson_t *doc, const mm_delta_t *delta)
{
    begin(doc, MM_RECORD_DELTA);
    BSON_APPEND_INT32(doc, "kind", (int32_t)delta->kind);
    BSON_APPEND_UTF8(doc, "type", delta->type);
    mm_record_append_bytes(doc, "id", delta->id);
    if (delta->user != NULL) {
        mm_record_append_bytes(doc, "user", delta->user);
    }
    append_date(doc, "day", delta->kind == MM_DELTA_DAY ? delta->day_ms : MM_TIME_NONE);
    append_counts(doc, delta);
    append_date(doc, "last_viewed", delta->last_viewed_ms);
    append_date(doc, "last_downloaded", delta->last_downloaded_ms);
    append_date(doc, "first_seen", delta->first_seen_ms);
}

void mm_record_window(bson_t *doc, int64_t generation, int64_t to)
{
    begin(doc, MM_RECORD_WINDOW);
    BSON_APPEND_INT64(doc, "generation", generation);
    BSON_APPEND_INT64(doc, "to", to);
}

void mm_record_end(bson_t *doc, int64_t segments, int64_t deltas)
{
    begin(doc, MM_RECORD_END);
    BSON_APPEND_INT64(doc, "segments", segments);
    BSON_APPEND_INT64(doc, "deltas", deltas);
}

/* --- reading --- */

static apr_status_t read_kind(mm_record_t *record, bson_iter_t *iter, mm_err_t *err)
{
    const char *name;

    if (!bson_iter_next(iter) || strcmp(bson_iter_key(iter), "k") != 0 || !BSON_ITER_HOLDS_UTF8(iter)) {
        return mm_err_set(err, APR_EINVAL, "the record does not begin with its kind");
    }
    name = bson_iter_utf8(iter, NULL);
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strcmp(kinds[i].name, name) == 0) {
            record->kind = kinds[i].kind;
            return APR_SUCCESS;
        }
    }
    return mm_err_set(err, APR_EINVAL, "the record's kind is unknown");
}

static bool read_string(char *to, size_t max, const bson_iter_t *iter, bool binary_too)
{
    const char *data;
    uint32_t len;

    if (BSON_ITER_HOLDS_UTF8(iter)) {
        data = bson_iter_utf8(iter, &len);
    }
    else if (binary_too && BSON_ITER_HOLDS_BINARY(iter)) {
        bson_subtype_t subtype;
        const uint8_t *binary;

        bson_iter_binary(iter, &subtype, &len, &binary);
        if (subtype != BSON_SUBTYPE_BINARY) {
            return false;
        }
        data = (const char *)binary;
    }
    else {
        return false;
    }
    if (len == 0 || len > max || memchr(data, '\0', len) != NULL) {
        return false;
    }
    memcpy(to, data, len);
    to[len] = '\0';
    return true;
}

static bool read_field(mm_record_t *record, const field_t *field, const bson_iter_t *iter)
{
    char *at = (char *)record + field->offset;
    int64_t number;

    switch (field->type) {
    case FIELD_INT32:
        if (!BSON_ITER_HOLDS_INT32(iter)) {
            return false;
        }
        *(int32_t *)at = bson_iter_int32(iter);
        return true;
    case FIELD_INT64:
    case FIELD_COUNT:
    case FIELD_DATE:
        if (field->type != FIELD_DATE ? !BSON_ITER_HOLDS_INT64(iter) : !BSON_ITER_HOLDS_DATE_TIME(iter)) {
            return false;
        }
        number = field->type != FIELD_DATE ? bson_iter_int64(iter) : bson_iter_date_time(iter);
        *(int64_t *)at = number;
        return number >= 0 || field->type == FIELD_COUNT;
    case FIELD_TEXT:
    case FIELD_BYTES:
        return read_string(at, field->max, iter, field->type == FIELD_BYTES);
    }
    return false;
}

/* Whatever else a newer version has put into it: its version is the second field. */
static bool is_newer(const mm_record_t *record, bson_iter_t iter)
{
    return record->kind == MM_RECORD_BATCH && bson_iter_next(&iter) && strcmp(bson_iter_key(&iter), "v") == 0 &&
           BSON_ITER_HOLDS_INT32(&iter) && bson_iter_int32(&iter) > MM_RECORD_VERSION;
}

static apr_status_t read_fields(mm_record_t *record, bson_iter_t *iter, mm_err_t *err)
{
    bool seen[FIELDS] = {false};
    size_t i;

    while (bson_iter_next(iter)) {
        for (i = 0; i < FIELDS; i++) {
            if (fields[i].kind == record->kind && strcmp(fields[i].key, bson_iter_key(iter)) == 0) {
                break;
            }
        }
        if (i == FIELDS) {
            return mm_err_set(err, APR_EINVAL, "the record has a field it must not have");
        }
        if (seen[i] || !read_field(record, &fields[i], iter)) {
            return mm_err_set(err, APR_EINVAL, "the record's field %s is malformed", fields[i].key);
        }
        seen[i] = true;
    }
    for (i = 0; i < FIELDS; i++) {
        if (fields[i].kind == record->kind && fields[i].required && !seen[i]) {
            return mm_err_set(err, APR_EINVAL, "the record lacks its field %s", fields[i].key);
        }
    }
    return APR_SUCCESS;
}

static bool is_hex(const char *text, size_t len)
{
    return strlen(text) == len && strspn(text, "0123456789abcdef") == len;
}

static bool batch_holds(const mm_record_t *record)
{
    return record->version >= 1 && record->version <= MM_RECORD_VERSION && is_hex(record->spool, MM_SPOOL_ID_LEN) &&
           record->seq > 0 && is_hex(record->nonce, MM_RECORD_NONCE_LEN);
}

static bool delta_holds(mm_record_t *record)
{
    mm_delta_t *delta = &record->delta;

    delta->kind = (mm_delta_kind_t)record->delta_kind;
    delta->type = record->type;
    delta->id = record->id;
    delta->user = record->user[0] != '\0' ? record->user : NULL;
    if (!mm_text_is_type_name(record->type, strlen(record->type))) {
        return false;
    }
    if (record->delta_kind == MM_DELTA_DAY) {
        return delta->day_ms != MM_TIME_NONE && delta->day_ms % DAY_MS == 0 && delta->first_seen_ms == MM_TIME_NONE &&
               delta->last_viewed_ms == MM_TIME_NONE && delta->last_downloaded_ms == MM_TIME_NONE;
    }
    return (record->delta_kind == MM_DELTA_RESOURCE || record->delta_kind == MM_DELTA_USER) &&
           (record->delta_kind == MM_DELTA_USER) == (delta->user != NULL) && delta->day_ms == MM_TIME_NONE &&
           delta->first_seen_ms != MM_TIME_NONE &&
           (delta->last_viewed_ms != MM_TIME_NONE || delta->last_downloaded_ms != MM_TIME_NONE);
}

apr_status_t mm_record_decode(mm_record_t *record, const uint8_t *data, size_t len, mm_err_t *err)
{
    bson_t doc;
    bson_iter_t iter;
    apr_status_t rv;
    bool holds = true;

    memset(record, 0, sizeof(*record));
    record->ledger.first_ms = record->ledger.last_ms = MM_TIME_NONE;
    record->delta.last_viewed_ms = record->delta.last_downloaded_ms = MM_TIME_NONE;
    record->delta.first_seen_ms = record->delta.day_ms = MM_TIME_NONE;
    if (len > MM_RECORD_MAX || !bson_init_static(&doc, data, len) || !bson_validate(&doc, BSON_VALIDATE_UTF8, NULL) ||
        !bson_iter_init(&iter, &doc)) {
        return mm_err_set(err, APR_EINVAL, "the record is no BSON document");
    }
    rv = read_kind(record, &iter, err);
    if (rv == APR_SUCCESS && is_newer(record, iter)) {
        return mm_err_set(err, APR_EGENERAL, "a newer version of this module wrote it");
    }
    if (rv == APR_SUCCESS) {
        rv = read_fields(record, &iter, err);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (record->kind == MM_RECORD_BATCH) {
        holds = batch_holds(record);
    }
    else if (record->kind == MM_RECORD_DELTA) {
        holds = delta_holds(record);
    }
    else if (record->kind == MM_RECORD_LOG) {
        record->ledger.done = record->done != 0;
        holds = is_hex(record->ledger.id, MM_LEDGER_ID_LEN) && record->ledger.head > 0;
    }
    else if (record->kind == MM_RECORD_WINDOW) {
        holds = record->generation > 0;
    }
    else if (record->kind == MM_RECORD_SEGMENT) {
        holds = strchr(record->name, '/') == NULL;
    }
    return holds ? APR_SUCCESS : mm_err_set(err, APR_EINVAL, "the record's fields contradict each other");
}
