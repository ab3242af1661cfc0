/* See value.h. Documents come from other applications and may hold anything: nothing here trusts a type, a length or a
 * depth. Recursion goes as deep as the path has names, not as deep as the document.
 */
#include "store/value.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <apr_strings.h>
#include "base/text.h"
#include "store/store_private.h"

_Static_assert(MM_VALUE_ID_SIZE == MM_STORE_TEXT_MAX + 1, "an id that can be written can be read");

/* Doubles beyond this do not tell one integer from the next. */
#define DOUBLE_INT_MAX 9007199254740992.0

void mm_value_append_text(bson_t *doc, const char *key, const char *text)
{
    size_t len = strlen(text);

    if (mm_text_is_utf8(text, len)) {
        bson_append_utf8(doc, key, -1, text, (int)len);
    }
    else {
        bson_append_binary(doc, key, -1, BSON_SUBTYPE_BINARY, (const uint8_t *)text, (uint32_t)len);
    }
}

static bool is_canonical_int(const char *text, int64_t *number)
{
    char printed[32], *end;

    if (*text != '-' && (*text < '0' || *text > '9')) {
        return false;
    }
    errno = 0;
    *number = strtoll(text, &end, 10);
    if (errno || *end || end == text) {
        return false;
    }
    snprintf(printed, sizeof(printed), "%" PRId64, *number);
    return strcmp(printed, text) == 0;
}

static bool is_utf8(const char *id)
{
    return mm_text_is_utf8(id, strlen(id));
}

static bool is_object_id(const char *id)
{
    return bson_oid_is_valid(id, strlen(id));
}

unsigned mm_value_forms(const char *const *ids, size_t n)
{
    unsigned forms = 0;
    int64_t number;

    for (size_t i = 0; i < n; i++) {
        forms |= is_utf8(ids[i]) ? MM_FORM_STRING : 0;
        forms |= is_object_id(ids[i]) ? MM_FORM_OBJECT_ID : 0;
        forms |= is_canonical_int(ids[i], &number) ? MM_FORM_NUMBER : 0;
    }
    return forms;
}

static void append_oid(bson_t *array, const char *key, const char *id)
{
    bson_oid_t oid;

    bson_oid_init_from_string(&oid, id);
    BSON_APPEND_OID(array, key, &oid);
}

size_t mm_value_append_forms(bson_t *array, const char *const *ids, size_t n, unsigned forms)
{
    uint32_t next = 0;
    const char *key;
    char buf[16];
    int64_t number;

    for (size_t i = 0; i < n; i++) {
        if (forms & MM_FORM_STRING || !is_utf8(ids[i])) {
            bson_uint32_to_string(next++, &key, buf, sizeof(buf));
            mm_value_append_text(array, key, ids[i]);
        }
    }
    for (size_t i = 0; i < n && forms & MM_FORM_OBJECT_ID; i++) {
        if (is_object_id(ids[i])) {
            bson_uint32_to_string(next++, &key, buf, sizeof(buf));
            append_oid(array, key, ids[i]);
        }
    }
    for (size_t i = 0; i < n && forms & MM_FORM_NUMBER; i++) {
        if (is_canonical_int(ids[i], &number)) {
            bson_uint32_to_string(next++, &key, buf, sizeof(buf));
            BSON_APPEND_INT64(array, key, number);
        }
    }
    return next;
}

void mm_value_append_candidates(bson_t *array, const char *const *ids, size_t n)
{
    mm_value_append_forms(array, ids, n, MM_FORMS_ALL);
}

static bool copy_text(char *buf, const void *data, size_t len)
{
    if (len > MM_STORE_TEXT_MAX || (len && memchr(data, 0, len))) {
        return false;
    }
    if (len) {
        memcpy(buf, data, len);
    }
    buf[len] = 0;
    return true;
}

static bool int_of_double(double value, int64_t *number)
{
    if (!(value >= -DOUBLE_INT_MAX && value <= DOUBLE_INT_MAX) || value != trunc(value)) {
        return false;
    }
    *number = (int64_t)value;
    return true;
}

/* Any of BSON's integers. */
static bool int_of(const bson_iter_t *value, int64_t *number)
{
    switch (bson_iter_type(value)) {
    case BSON_TYPE_INT32:
        *number = bson_iter_int32(value);
        return true;
    case BSON_TYPE_INT64:
        *number = bson_iter_int64(value);
        return true;
    case BSON_TYPE_DOUBLE:
        return int_of_double(bson_iter_double(value), number);
    default:
        return false;
    }
}

static bool scalar_id(const bson_iter_t *value, char *buf)
{
    const char *text;
    const uint8_t *data;
    uint32_t len;
    bson_subtype_t subtype;
    int64_t number;

    switch (bson_iter_type(value)) {
    case BSON_TYPE_UTF8:
        text = bson_iter_utf8(value, &len);
        return copy_text(buf, text, len);
    case BSON_TYPE_BINARY:
        bson_iter_binary(value, &subtype, &len, &data);
        return subtype == BSON_SUBTYPE_BINARY && copy_text(buf, data, len);
    case BSON_TYPE_OID:
        bson_oid_to_string(bson_iter_oid(value), buf);
        return true;
    default:
        if (!int_of(value, &number)) {
            return false;
        }
        snprintf(buf, MM_VALUE_ID_SIZE, "%" PRId64, number);
        return true;
    }
}

bool mm_value_id(const bson_iter_t *value, char buf[MM_VALUE_ID_SIZE])
{
    bson_iter_t child;

    if (!BSON_ITER_HOLDS_DOCUMENT(value)) {
        return scalar_id(value, buf);
    }
    if (!bson_iter_recurse(value, &child)) {
        return false;
    }
    while (bson_iter_next(&child)) {
        const char *key = bson_iter_key(&child);

        if (strcmp(key, "_id") == 0 || strcmp(key, "$id") == 0) {
            return scalar_id(&child, buf);
        }
    }
    return false;
}

/* At most max bytes, without half a character at the end; in bytes that are no UTF-8 there is no border to find. */
static const char *cut_text(const char *text, size_t len, size_t max, apr_pool_t *pool)
{
    size_t cut = strnlen(text, len);

    if (cut > max) {
        size_t back = 0;

        while (back < 3 && back < max && ((unsigned char)text[max - back] & 0xC0) == 0x80) {
            back++;
        }
        cut = ((unsigned char)text[max - back] & 0xC0) == 0x80 ? max : max - back;
    }
    return cut > 0 ? apr_pstrmemdup(pool, text, cut) : ""; /* a document may hold a million of them */
}

static const char *show_time(int64_t ms, apr_pool_t *pool)
{
    time_t seconds = (time_t)(ms / 1000 - (ms % 1000 < 0));
    char text[32];
    struct tm tm;

    if (!gmtime_r(&seconds, &tm) || tm.tm_year < -1900 || tm.tm_year > 9999 - 1900 ||
        !strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm)) {
        return NULL;
    }
    return apr_pstrdup(pool, text);
}

static const char *show_decimal(const bson_iter_t *value, apr_pool_t *pool)
{
    char text[BSON_DECIMAL128_STRING];
    bson_decimal128_t decimal;

    if (!bson_iter_decimal128(value, &decimal)) {
        return NULL;
    }
    bson_decimal128_to_string(&decimal, text);
    return apr_pstrdup(pool, text);
}

const char *mm_value_show(const bson_iter_t *value, size_t max, apr_pool_t *pool)
{
    const char *text;
    uint32_t len;
    int64_t number;
    char oid[25];

    switch (bson_iter_type(value)) {
    case BSON_TYPE_UTF8:
        text = bson_iter_utf8(value, &len);
        return cut_text(text, len, max, pool);
    case BSON_TYPE_SYMBOL:
        text = bson_iter_symbol(value, &len);
        return cut_text(text, len, max, pool);
    case BSON_TYPE_OID:
        bson_oid_to_string(bson_iter_oid(value), oid);
        return apr_pstrdup(pool, oid);
    case BSON_TYPE_BOOL:
        return bson_iter_bool(value) ? "true" : "false";
    case BSON_TYPE_DATE_TIME:
        return show_time(bson_iter_date_time(value), pool);
    case BSON_TYPE_DECIMAL128:
        return show_decimal(value, pool);
    default:
        if (int_of(value, &number)) {
            return apr_psprintf(pool, "%" PRId64, number);
        }
        /* bson_iter_double is 0 for what is no number */
        return BSON_ITER_HOLDS_DOUBLE(value) && isfinite(bson_iter_double(value))
                   ? apr_psprintf(pool, "%.15g", bson_iter_double(value))
                   : NULL;
    }
}

const char *mm_value_show_field(const bson_t *doc, const char *key, apr_pool_t *pool)
{
    bson_iter_t iter;
    const char *text = bson_iter_init_find(&iter, doc, key) ? mm_value_show(&iter, MM_VALUE_FIELD_MAX, pool) : NULL;

    return text && *text ? text : "?";
}

int64_t mm_value_count(const bson_iter_t *value)
{
    int64_t number;

    return int_of(value, &number) && number > 0 ? number : 0;
}

static bool walk_fields(bson_iter_t *fields, const char *path, mm_value_fn fn, void *baton);

/* Behind the path's last name: the value, or an array's elements (but not those of arrays within it). */
static bool walk_end(const bson_iter_t *value, mm_value_fn fn, void *baton)
{
    bson_iter_t element;

    if (!BSON_ITER_HOLDS_ARRAY(value)) {
        return fn(baton, value);
    }
    if (!bson_iter_recurse(value, &element)) {
        return true;
    }
    while (bson_iter_next(&element)) {
        if (!fn(baton, &element)) {
            return false;
        }
    }
    return true;
}

static bool walk_value(const bson_iter_t *value, const char *rest, mm_value_fn fn, void *baton)
{
    bson_iter_t child, fields;

    if (!rest) {
        return walk_end(value, fn, baton);
    }
    if (BSON_ITER_HOLDS_DOCUMENT(value)) {
        return !bson_iter_recurse(value, &child) || walk_fields(&child, rest, fn, baton);
    }
    if (!BSON_ITER_HOLDS_ARRAY(value) || !bson_iter_recurse(value, &child)) {
        return true;
    }
    while (bson_iter_next(&child)) {
        if (BSON_ITER_HOLDS_DOCUMENT(&child) && bson_iter_recurse(&child, &fields) &&
            !walk_fields(&fields, rest, fn, baton)) {
            return false;
        }
    }
    return true;
}

static bool walk_fields(bson_iter_t *fields, const char *path, mm_value_fn fn, void *baton)
{
    size_t len = strcspn(path, ".");

    while (bson_iter_next(fields)) {
        const char *key = bson_iter_key(fields);

        if (strncmp(key, path, len) == 0 && !key[len]) {
            return walk_value(fields, path[len] ? path + len + 1 : NULL, fn, baton);
        }
    }
    return true;
}

void mm_value_walk(const bson_t *doc, const char *path, mm_value_fn fn, void *baton)
{
    bson_iter_t fields;

    if (bson_iter_init(&fields, doc)) {
        walk_fields(&fields, path, fn, baton);
    }
}
