/* One find over the application's collection. Whether a document is young enough is looked at here and not asked of the
 * server: a date that is none there must not leave its resource out. Of several documents with one id one counts
 * (catalog_twins.h); its age does, too.
 */
#include "store/catalog_walk.h"

#include <string.h>
#include <apr_strings.h>
#include "store/catalog_private.h"
#include "store/catalog_twins.h"
#include "store/store_private.h"

struct mm_catalog_walk {
    mm_store_t *store;
    const mm_catalog_walk_query_t *query;
    const mm_catalog_t *catalog; /* NULL: nothing is known of the type */
    mm_idset_t *asked;           /* NULL: all are */
    mm_forms_t *forms;           /* of the ids */
    mongoc_collection_t *collection;
    mongoc_cursor_t *cursor; /* NULL before the first batch */
    bool ended;
    apr_pool_t *scratch; /* of one document */
    const char *doing;   /* for errors */
};

static apr_status_t close_walk(void *data)
{
    mm_catalog_walk_t *walk = data;

    if (walk->cursor) {
        mongoc_cursor_destroy(walk->cursor);
    }
    mongoc_collection_destroy(walk->collection);
    return APR_SUCCESS;
}

apr_status_t mm_catalog_walk_open(mm_catalog_walk_t **walk, mm_store_t *store, const apr_array_header_t *catalogs,
                                  const mm_catalog_walk_query_t *query, apr_pool_t *pool, mm_err_t *err)
{
    mm_catalog_walk_t *opened = apr_pcalloc(pool, sizeof(*opened));
    apr_status_t status = apr_pool_create(&opened->scratch, pool);

    if (status != APR_SUCCESS) {
        return mm_err_set_os(err, status, "Reading the catalogue");
    }
    opened->store = store;
    opened->query = query;
    *walk = opened;
    for (int i = 0; i < catalogs->nelts && !opened->catalog; i++) {
        const mm_catalog_t *catalog = APR_ARRAY_IDX(catalogs, i, const mm_catalog_t *);
        opened->catalog = strcmp(catalog->type, query->type) == 0 ? catalog : NULL;
    }
    if (opened->catalog) {
        opened->asked = query->ids ? mm_idset_make(query->ids, query->n_ids, pool) : NULL;
        opened->doing = apr_psprintf(pool, "Reading the catalogue %s", opened->catalog->collection);
        opened->forms = mm_forms_make(pool);
        opened->collection = mm_store_collection(store, opened->catalog->collection);
        apr_pool_cleanup_register(pool, opened, close_walk, apr_pool_cleanup_null);
    }
    return APR_SUCCESS;
}

static void append_filter(bson_t *filter, const mm_catalog_walk_t *walk)
{
    bson_t condition, values;

    if (!walk->query->ids) {
        return;
    }
    BSON_APPEND_DOCUMENT_BEGIN(filter, walk->catalog->id_path, &condition);
    BSON_APPEND_ARRAY_BEGIN(&condition, "$in", &values);
    mm_value_append_candidates(&values, walk->query->ids, walk->query->n_ids);
    bson_append_array_end(&condition, &values);
    bson_append_document_end(filter, &condition);
}

static void append_opts(bson_t *opts, const mm_catalog_walk_t *walk, size_t max)
{
    const char *paths[] = {walk->catalog->id_path, "_id", walk->catalog->created_path};
    bson_t part;

    BSON_APPEND_DOCUMENT_BEGIN(opts, "projection", &part);
    mm_catalog_project(&part, paths, paths[2] ? 3 : 2);
    bson_append_document_end(opts, &part);
    BSON_APPEND_DOCUMENT_BEGIN(opts, "sort", &part);
    BSON_APPEND_INT32(&part, "_id", walk->query->backwards ? -1 : 1);
    bson_append_document_end(opts, &part);
    BSON_APPEND_INT32(opts, "batchSize", (int32_t)max);
}

static mongoc_cursor_t *start(const mm_catalog_walk_t *walk, size_t max)
{
    bson_t filter = BSON_INITIALIZER, opts = BSON_INITIALIZER;

    append_filter(&filter, walk);
    append_opts(&opts, walk, max);
    mongoc_cursor_t *cursor = mongoc_collection_find_with_opts(walk->collection, &filter, &opts, NULL);
    bson_destroy(&opts);
    bson_destroy(&filter);
    return cursor;
}

typedef struct taking {
    const mm_catalog_walk_t *walk;
    const char *id; /* NULL: none yet */
    bool is_asked;
    apr_pool_t *pool;
} taking_t;

static void mark_asked(void *baton, size_t at)
{
    (void)at;
    ((taking_t *)baton)->is_asked = true;
}

static bool take_id(void *baton, const bson_iter_t *value)
{
    taking_t *taking = baton;
    char id[MM_VALUE_ID_SIZE];

    /* A document within it is no value that a look-up of the id would find. */
    if (BSON_ITER_HOLDS_DOCUMENT(value) || !mm_value_id(value, id)) {
        return true;
    }
    taking->is_asked = !taking->walk->asked;
    if (taking->walk->asked) {
        mm_idset_find(taking->walk->asked, id, mark_asked, taking);
    }
    taking->id = taking->is_asked ? apr_pstrdup(taking->pool, id) : NULL;
    return !taking->id;
}

static const char *id_of(const void *baton, const bson_t *doc, apr_pool_t *pool)
{
    taking_t taking = {baton, NULL, false, pool};

    mm_value_walk(doc, taking.walk->catalog->id_path, take_id, &taking);
    return taking.id;
}

static bool is_old_enough(const mm_catalog_walk_t *walk, const bson_t *doc)
{
    const int64_t before = walk->query->created_before_ms;
    mm_entry_t entry = mm_catalog_nothing;

    if (before == MM_TIME_NONE) {
        return true;
    }
    apr_pool_clear(walk->scratch);
    mm_catalog_read_fields(&entry, doc, walk->catalog, MM_CATALOG_CREATED, walk->scratch);
    return entry.created_ms == MM_TIME_NONE || entry.created_ms < before;
}

/* Up to max documents, *n of which are of resources that are wanted. */
static apr_status_t read_batch(mm_catalog_walk_t *walk, mm_twin_t *twins, size_t max, size_t *n, apr_pool_t *pool,
                               mm_err_t *err)
{
    bson_error_t error = {0};
    const bson_t *doc;

    for (size_t looked = 0; looked < max && !walk->ended; looked++) {
        if (mongoc_cursor_next(walk->cursor, &doc)) {
            const char *id = is_old_enough(walk, doc) ? id_of(walk, doc, pool) : NULL;
            if (id) {
                mm_twin_init(&twins[(*n)++], doc, id);
            }
        }
        else if (mongoc_cursor_error(walk->cursor, &error)) {
            return mm_store_fail(err, &error, walk->doing);
        }
        else {
            walk->ended = true;
        }
    }
    return APR_SUCCESS;
}

apr_status_t mm_catalog_walk_next(mm_catalog_walk_t *walk, const char **ids, size_t max, size_t *n, bool *ended,
                                  apr_pool_t *pool, mm_err_t *err)
{
    mm_twin_t *twins = apr_palloc(pool, max * sizeof(*twins));
    apr_status_t status = APR_SUCCESS;
    size_t n_twins = 0;

    *n = 0;
    walk->ended |= !walk->catalog;
    if (!walk->ended) {
        const mm_catalog_t *catalog = walk->catalog;
        const mm_twins_query_t query = {
            walk->store, walk->collection, catalog->collection, catalog->id_path, walk->forms, id_of, walk};

        walk->cursor = walk->cursor ? walk->cursor : start(walk, max);
        status = read_batch(walk, twins, max, &n_twins, pool, err);
        status = status == APR_SUCCESS ? mm_twins_settle(&query, twins, n_twins, pool, err) : status;
    }
    for (size_t i = 0; i < n_twins && status == APR_SUCCESS; i++) {
        if (twins[i].is_first) {
            ids[(*n)++] = twins[i].id;
        }
    }
    *ended = walk->ended;
    return status;
}
