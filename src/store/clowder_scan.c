/* A collection of Clowder's from its beginning to its end, with a few fields each, and no more at a time than somebody
 * asks for.
 *
 * The server may give up early on what it has to search for: without an index on the author, whoever asks waits for all
 * files to be read. What has no filter comes at once, so that it has as long as any other question.
 */
#include "store/clowder.h"

#include "store/catalog_private.h"
#include "store/clowder_private.h"
#include "store/store_private.h"

/* Documents of one round trip; with some hundred files each this is a megabyte. */
#define BATCH_SIZE 200
/* What a search may take. */
#define SEARCH_MS 1000

struct mm_clowder_scan {
    mm_clowder_part_t part;
    mongoc_collection_t *collection;
    mongoc_cursor_t *cursor;
    bool has_failed;
    const bson_t *last; /* the document that came last; the cursor's */
    mm_oid_t spaces[MM_CLOWDER_SPACES_MAX];
};

static const struct {
    const char *collection;
    mm_clowder_kind_t kind;
    const char *paths[6];
    size_t n_paths;
} parts[] = {
    [MM_CLOWDER_PUBLIC_SPACES] = {"spaces.projects", MM_CLOWDER_SPACES, {"_id", "status"}, 2},
    [MM_CLOWDER_ALL_DATASETS] = {"datasets", MM_CLOWDER_DATASETS, {"_id", "spaces", "status", "trash", "files"}, 5},
    [MM_CLOWDER_ALL_FOLDERS] = {"folders", MM_CLOWDER_DATASETS, {"parentDatasetId", "files"}, 2},
    [MM_CLOWDER_FILES_OF] = {"uploads", MM_CLOWDER_FILES, {"_id", "author._id"}, 2},
};

static apr_status_t close_scan(void *data)
{
    mm_clowder_scan_t *scan = data;

    mongoc_cursor_destroy(scan->cursor);
    mongoc_collection_destroy(scan->collection);
    return APR_SUCCESS;
}

static void append_filter(bson_t *filter, mm_clowder_part_t part, const mm_oid_t *author)
{
    if (part == MM_CLOWDER_PUBLIC_SPACES) {
        BSON_APPEND_UTF8(filter, "status", "PUBLIC");
    }
    else if (part == MM_CLOWDER_FILES_OF) {
        mm_clowder_append_in(filter, "author._id", author, 1);
    }
}

mm_clowder_scan_t *mm_clowder_scan_make(mm_store_t *store, mm_clowder_part_t part, const mm_oid_t *author,
                                        apr_pool_t *pool)
{
    mm_clowder_scan_t *scan = apr_pcalloc(pool, sizeof(*scan));
    bson_t filter = BSON_INITIALIZER, opts = BSON_INITIALIZER, projection;

    append_filter(&filter, part, author);
    BSON_APPEND_DOCUMENT_BEGIN(&opts, "projection", &projection);
    mm_catalog_project(&projection, parts[part].paths, parts[part].n_paths);
    bson_append_document_end(&opts, &projection);
    BSON_APPEND_INT32(&opts, "batchSize", BATCH_SIZE);
    BSON_APPEND_INT64(&opts, "maxTimeMS", bson_empty(&filter) ? store->patience_ms : SEARCH_MS);
    scan->part = part;
    scan->collection = mm_store_collection(store, parts[part].collection);
    scan->cursor = mongoc_collection_find_with_opts(scan->collection, &filter, &opts, NULL);
    apr_pool_cleanup_register(pool, scan, close_scan, apr_pool_cleanup_null);
    bson_destroy(&opts);
    bson_destroy(&filter);
    return scan;
}

static bool parse(mm_clowder_scan_t *scan, mm_clowder_doc_t *doc, const bson_t *bson)
{
    if (scan->part == MM_CLOWDER_ALL_FOLDERS) {
        *doc = (mm_clowder_doc_t){.n_spaces = 0};
        return mm_clowder_oid_at(bson, "parentDatasetId", &doc->id);
    }
    return mm_clowder_parse(doc, parts[scan->part].kind, scan->spaces, bson);
}

bool mm_clowder_scan_next(mm_clowder_scan_t *scan, mm_clowder_doc_t *doc)
{
    const bson_t *bson;
    bson_error_t error;

    while (mongoc_cursor_next(scan->cursor, &bson)) {
        if (parse(scan, doc, bson)) {
            scan->last = bson;
            return true;
        }
    }
    scan->last = NULL;
    scan->has_failed = mongoc_cursor_error(scan->cursor, &error);
    return false;
}

bool mm_clowder_scan_has_failed(const mm_clowder_scan_t *scan)
{
    return scan->has_failed;
}

bool mm_clowder_scan_files(const mm_clowder_scan_t *scan, mm_clowder_file_fn fn, void *baton)
{
    return !scan->last || mm_clowder_each_file(scan->last, fn, baton);
}
