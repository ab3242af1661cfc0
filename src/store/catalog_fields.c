/* What a resource's own document says of it: its name, and more where a report asks for it. Whatever is not as
 * configured is nothing.
 */
#include "store/catalog_private.h"

#include <string.h>
#include <apr_strings.h>

const mm_entry_t mm_catalog_nothing = {
    .name = "", .owner = "", .status = "", .location = "", .created_ms = MM_TIME_NONE, .size = MM_CATALOG_NO_SIZE};

typedef struct shown {
    const char *text;
    apr_pool_t *pool;
    int left; /* values to be looked at */
    unsigned *troubles;
} shown_t;

void mm_catalog_must(bool is_of_its_type, const bson_iter_t *value, unsigned *troubles)
{
    if (!is_of_its_type && !BSON_ITER_HOLDS_NULL(value)) {
        *troubles |= 1u << MM_TROUBLE_TYPE;
    }
}

static bool is_long(const bson_iter_t *value)
{
    uint32_t len = 0;

    return BSON_ITER_HOLDS_UTF8(value) && bson_iter_utf8(value, &len) && len > MM_CATALOG_NAME_MAX;
}

static bool take_first(void *baton, const bson_iter_t *value)
{
    shown_t *shown = baton;
    const char *text = mm_value_show(value, MM_CATALOG_NAME_MAX, shown->pool);

    mm_catalog_must(text != NULL, value, shown->troubles);
    if (text && *text) {
        shown->text = text;
        *shown->troubles |= is_long(value) ? 1u << MM_TROUBLE_LONG : 0;
    }
    return !*shown->text && --shown->left > 0;
}

const char *mm_catalog_text(const bson_t *doc, const char *path, unsigned *troubles, apr_pool_t *pool)
{
    shown_t shown = {"", pool, MM_CATALOG_NAMES_MAX, troubles};

    if (path) {
        mm_value_walk(doc, path, take_first, &shown);
    }
    return shown.text;
}

static bool take_first_id(void *baton, const bson_iter_t *value)
{
    shown_t *shown = baton;
    char id[MM_VALUE_ID_SIZE];
    bool is_id = mm_value_id(value, id);

    mm_catalog_must(is_id, value, shown->troubles);
    if (is_id) {
        shown->text = apr_pstrdup(shown->pool, id);
    }
    return !*shown->text && --shown->left > 0;
}

static const char *id_in(const bson_t *doc, const char *path, unsigned *troubles, apr_pool_t *pool)
{
    shown_t shown = {"", pool, MM_CATALOG_NAMES_MAX, troubles};

    if (path) {
        mm_value_walk(doc, path, take_first_id, &shown);
    }
    return shown.text;
}

static bool take_time(void *baton, const bson_iter_t *value)
{
    mm_entry_t *entry = baton;

    if (BSON_ITER_HOLDS_DATE_TIME(value)) {
        entry->created_ms = bson_iter_date_time(value);
    }
    mm_catalog_must(BSON_ITER_HOLDS_DATE_TIME(value), value, &entry->troubles);
    return false;
}

static bool take_size(void *baton, const bson_iter_t *value)
{
    bool is_number = BSON_ITER_HOLDS_INT32(value) || BSON_ITER_HOLDS_INT64(value) || BSON_ITER_HOLDS_DOUBLE(value);
    mm_entry_t *entry = baton;

    if (is_number) {
        entry->size = mm_value_count(value);
    }
    mm_catalog_must(is_number, value, &entry->troubles);
    return false;
}

void mm_catalog_want_fields(mm_catalog_query_t *query, const mm_catalog_t *catalog, unsigned wants)
{
    mm_catalog_want(query, catalog->name_path);
    mm_catalog_want(query, wants & MM_CATALOG_OWNER ? catalog->owner_path : NULL);
    mm_catalog_want(query, wants & MM_CATALOG_CREATED ? catalog->created_path : NULL);
    mm_catalog_want(query, wants & MM_CATALOG_SIZE ? catalog->size_path : NULL);
    mm_catalog_want(query, wants & MM_CATALOG_STATUS ? catalog->status_path : NULL);
    mm_catalog_want(query, wants & MM_CATALOG_LOCATION ? catalog->location_path : NULL);
}

void mm_catalog_read_fields(mm_entry_t *entry, const bson_t *doc, const mm_catalog_t *catalog, unsigned wants,
                            apr_pool_t *pool)
{
    entry->name = mm_catalog_text(doc, catalog->name_path, &entry->troubles, pool);
    if (wants & MM_CATALOG_OWNER) {
        entry->owner = id_in(doc, catalog->owner_path, &entry->troubles, pool);
    }
    if (wants & MM_CATALOG_STATUS) {
        entry->status = mm_catalog_text(doc, catalog->status_path, &entry->troubles, pool);
    }
    if (wants & MM_CATALOG_LOCATION) {
        entry->location = mm_catalog_text(doc, catalog->location_path, &entry->troubles, pool);
    }
    if (wants & MM_CATALOG_CREATED && catalog->created_path) {
        mm_value_walk(doc, catalog->created_path, take_time, entry);
    }
    if (wants & MM_CATALOG_SIZE && catalog->size_path) {
        mm_value_walk(doc, catalog->size_path, take_size, entry);
    }
}

static const char *either(const char *text, const char *other)
{
    return *text ? text : other;
}

/* Rights may hang on whose something is: where an id has several documents, and not all name the same owner, it has
 * none.
 */
static const char *owner_of_all(const mm_entry_t *entry, const char *owner)
{
    bool is_first = entry->troubles & 1u << MM_TROUBLE_MISSING;

    return is_first || strcmp(entry->owner, owner) == 0 ? owner : "";
}

void mm_catalog_fill(mm_entry_t *entry, const mm_entry_t *from)
{
    entry->name = either(entry->name, from->name);
    entry->owner = owner_of_all(entry, from->owner);
    entry->status = either(entry->status, from->status);
    entry->location = either(entry->location, from->location);
    entry->created_ms = entry->created_ms != MM_TIME_NONE ? entry->created_ms : from->created_ms;
    entry->size = entry->size != MM_CATALOG_NO_SIZE ? entry->size : from->size;
    entry->troubles |= from->troubles;
}
