/* MetricsCatalog's words, and the documents it reads: first byte even, words; odd, PATH NUL BSON. */
#include "fuzz.h"

#include <apr_strings.h>
#include "base/text.h"
#include "count/count.h"
#include "store/catalog.h"
#include "store/catalog_private.h"
#include "store/store_private.h"
#include "store/value.h"

static void check_path(const char *path)
{
    HOLDS(path && *path && path[0] != '$' && path[0] != '.' && path[strlen(path) - 1] != '.');
    HOLDS(strlen(path) <= MM_CATALOG_PATH_MAX && !strstr(path, "..") && !strstr(path, ".$"));
    HOLDS(mm_text_is_utf8(path, strlen(path)));
}

static const char *with_field(apr_pool_t *pool, const char *words, const char *name, const char *path)
{
    if (!path) {
        return words;
    }
    check_path(path);
    return apr_pstrcat(pool, words, " ", name, "=", path, NULL);
}

/* What was understood, said again. */
static const char *render(const mm_catalog_t *catalog, apr_pool_t *pool)
{
    const char *words = catalog->collection;
    int i;

    HOLDS(*words && !strchr(words, '$'));
    words = with_field(pool, words, "id", catalog->id_path);
    words = with_field(pool, words, "name", catalog->name_path);
    words = with_field(pool, words, "owner", catalog->owner_path);
    words = with_field(pool, words, "created", catalog->created_path);
    words = with_field(pool, words, "size", catalog->size_path);
    words = with_field(pool, words, "status", catalog->status_path);
    words = with_field(pool, words, "location", catalog->location_path);
    HOLDS(catalog->parents->nelts <= MM_CATALOG_RULES_MAX);
    for (i = 0; i < catalog->parents->nelts; i++) {
        const mm_parent_rule_t *rule = &APR_ARRAY_IDX(catalog->parents, i, mm_parent_rule_t);

        HOLDS(mm_text_is_type_name(rule->type, strlen(rule->type)));
        check_path(rule->path);
        if (rule->collection) {
            check_path(rule->parent_path);
            words = apr_pstrcat(pool, words, " parents=", rule->type, ":", rule->collection, ":", rule->path, ":",
                                rule->parent_path, NULL);
        }
        else {
            words = apr_pstrcat(pool, words, " parents=", rule->type, ":", rule->path, NULL);
        }
    }
    return words;
}

static void try_words(const uint8_t *data, size_t size, apr_pool_t *pool)
{
    mm_catalog_t *catalog = NULL, *again = NULL;
    mm_err_t err = {0};
    const char *words;

    if (mm_catalog_parse(&catalog, "datasets", apr_pstrmemdup(pool, (const char *)data, size), pool, &err) !=
        APR_SUCCESS) {
        HOLDS(!catalog && err.status != APR_SUCCESS && err.text[0]);
        return;
    }
    words = render(catalog, pool);
    HOLDS(mm_catalog_parse(&again, "datasets", words, pool, &err) == APR_SUCCESS);
    HOLDS(strcmp(render(again, pool), words) == 0);
}

typedef struct baton {
    apr_pool_t *pool;
    size_t calls;
} baton_t;

/* An id that was read is asked for in a form that reads as the same id. */
static void check_candidates(const char *id)
{
    bson_t array = BSON_INITIALIZER;
    bson_iter_t iter;
    bool found = false;

    mm_value_append_candidates(&array, &id, 1);
    HOLDS(bson_validate(&array, BSON_VALIDATE_UTF8, NULL) && bson_iter_init(&iter, &array));
    while (bson_iter_next(&iter)) {
        char buf[MM_VALUE_ID_SIZE];

        HOLDS(mm_value_id(&iter, buf));
        found = found || strcmp(buf, id) == 0;
    }
    HOLDS(found);
    bson_destroy(&array);
}

/* What a key leads to goes into an event, and that to the count. */
static void try_count(const char *id)
{
    static mm_count_t *count; /* making one takes longer than all the rest */
    const mm_event_t event = {.action = MM_ACTION_VIEW,
                              .method = MM_METHOD_GET,
                              .status = 200,
                              .range_start = MM_RANGE_NONE,
                              .type = mm_bytes_of("files"),
                              .id = mm_bytes_of(id),
                              .agent = mm_bytes_of("Mozilla")};
    bool fits = event.id.len > 0 && event.id.len <= MM_EVENT_ID_MAX;

    if (!count) {
        count = mm_count_create(&(mm_policy_t){.double_click_ms = 0}, fuzz_pool());
    }
    mm_count_reset(count);
    HOLDS(mm_count_add(count, &event) == (fits ? MM_COUNTED : MM_IGNORED_KEY));
    HOLDS((mm_count_deltas(count) > 0) == fits);
}

static bool on_value(void *arg, const bson_iter_t *value)
{
    baton_t *baton = arg;
    char id[MM_VALUE_ID_SIZE];
    const char *shown = mm_value_show(value, MM_CATALOG_NAME_MAX, baton->pool);

    HOLDS(!shown || strlen(shown) <= MM_CATALOG_NAME_MAX);
    HOLDS(mm_value_count(value) >= 0);
    if (mm_value_id(value, id)) {
        HOLDS(strlen(id) <= MM_STORE_TEXT_MAX);
        check_candidates(id);
        if (baton->calls < 8) {
            try_count(id);
        }
    }
    return ++baton->calls < 1000;
}

static void try_document(const uint8_t *data, size_t size, apr_pool_t *pool)
{
    const uint8_t *zero = memchr(data, 0, size);
    baton_t baton = {pool, 0};
    bson_t doc;

    if (zero && bson_init_static(&doc, zero + 1, size - (size_t)(zero + 1 - data))) {
        mm_value_walk(&doc, (const char *)data, on_value, &baton);
        HOLDS(baton.calls <= 1000);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool;

    if (size == 0) {
        return 0;
    }
    pool = fuzz_subpool();
    if (data[0] % 2) {
        try_document(data + 1, size - 1, pool);
    }
    else {
        try_words(data + 1, size - 1, pool);
    }
    apr_pool_destroy(pool);
    return 0;
}
