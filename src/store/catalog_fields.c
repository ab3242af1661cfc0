/* What a resource's own document says of it: its name, and more where a report asks for it. Whatever is not as
 * configured is nothing.
 */
#include "store/catalog_private.h"

#include <apr_strings.h>

const mm_entry_t mm_catalog_nothing = {
    .name = "", .owner = "", .status = "", .location = "", .created_ms = MM_TIME_NONE, .size = MM_CATALOG_NO_SIZE};

typedef struct shown {
    const char *text;
    apr_pool_t *pool;
    int left; /* values to be looked at */
} shown_t;

static bool take_first(void *baton, const bson_iter_t *value)
{
    shown_t *shown = baton;
    const char *text = mm_value_show(value, MM_CATALOG_NAME_MAX, shown->pool);

    if (text && *text) {
        shown->text = text;
    }
    return !*shown->text && --shown->left > 0;
}

const char *mm_catalog_text(const bson_t *doc, const char *path, apr_pool_t *pool)
{
    shown_t shown = {"", pool, MM_CATALOG_NAMES_MAX};

    if (path) {
        mm_value_walk(doc, path, take_first, &shown);
    }
    return shown.text;
}

static bool take_first_id(void *baton, const bson_iter_t *value)
{
    shown_t *shown = baton;
    char id[MM_VALUE_ID_SIZE];

    if (mm_value_id(value, id)) {
        shown->text = apr_pstrdup(shown->pool, id);
    }
    return !*shown->text && --shown->left > 0;
}

static const char *id_in(const bson_t *doc, const char *path, apr_pool_t *pool)
{
    shown_t shown = {"", pool, MM_CATALOG_NAMES_MAX};

    if (path) {
        mm_value_walk(doc, path, take_first_id, &shown);
    }
    return shown.text;
}

static bool take_time(void *baton, const bson_iter_t *value)
{
    if (BSON_ITER_HOLDS_DATE_TIME(value)) {
        *(int64_t *)baton = bson_iter_date_time(value);
    }
    return false;
}

static bool take_size(void *baton, const bson_iter_t *value)
{
    if (BSON_ITER_HOLDS_INT32(value) || BSON_ITER_HOLDS_INT64(value) || BSON_ITER_HOLDS_DOUBLE(value)) {
        *(int64_t *)baton = mm_value_count(value);
    }
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
    entry->name = mm_catalog_text(doc, catalog->name_path, pool);
    if (wants & MM_CATALOG_OWNER) {
        entry->owner = id_in(doc, catalog->owner_path, pool);
    }
    if (wants & MM_CATALOG_STATUS) {
        entry->status = mm_catalog_text(doc, catalog->status_path, pool);
    }
    if (wants & MM_CATALOG_LOCATION) {
        entry->location = mm_catalog_text(doc, catalog->location_path, pool);
    }
    if (wants & MM_CATALOG_CREATED && catalog->created_path) {
        mm_value_walk(doc, catalog->created_path, take_time, &entry->created_ms);
    }
    if (wants & MM_CATALOG_SIZE && catalog->size_path) {
        mm_value_walk(doc, catalog->size_path, take_size, &entry->size);
    }
}

static const char *either(const char *text, const char *other)
{
    return *text ? text : other;
}

void mm_catalog_fill(mm_entry_t *entry, const mm_entry_t *from)
{
    entry->name = either(entry->name, from->name);
    entry->owner = either(entry->owner, from->owner);
    entry->status = either(entry->status, from->status);
    entry->location = either(entry->location, from->location);
    entry->created_ms = entry->created_ms != MM_TIME_NONE ? entry->created_ms : from->created_ms;
    entry->size = entry->size != MM_CATALOG_NO_SIZE ? entry->size : from->size;
}
