/* The bare loop that bench/reports.py measures reports against: read_cursor URI COLLECTION [FIELD…] reads every
 * document of a collection with libmongoc and prints how many there were, the seconds to the first one, and to
 * the last one. With FIELDs only
 * these are asked for; "sorted" in front of them asks for the order of totals. Nothing is done with the documents but
 * to walk over their fields.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <mongoc/mongoc.h>

#define BATCH 500 /* as the module's */

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void add_options(bson_t *options, char **fields, int n, bool sorted)
{
    bson_t part;

    BSON_APPEND_INT32(options, "batchSize", BATCH);
    if (sorted) {
        BSON_APPEND_DOCUMENT_BEGIN(options, "sort", &part);
        BSON_APPEND_INT32(&part, "views", -1);
        BSON_APPEND_INT32(&part, "downloads", -1);
        BSON_APPEND_INT32(&part, "_id", 1);
        bson_append_document_end(options, &part);
    }
    BSON_APPEND_DOCUMENT_BEGIN(options, "projection", &part);
    for (int i = 0; i < n; i++) {
        BSON_APPEND_INT32(&part, fields[i], 1);
    }
    bson_append_document_end(options, &part);
}

int main(int argc, char **argv)
{
    bson_t filter = BSON_INITIALIZER, options = BSON_INITIALIZER;
    const bson_t *document;
    bson_error_t error;
    bson_iter_t iter;
    long documents = 0, fields = 0;
    bool sorted = argc > 3 && strcmp(argv[3], "sorted") == 0;

    if (argc < 3) {
        fprintf(stderr, "read_cursor URI COLLECTION [sorted] [FIELD...]\n");
        return 2;
    }
    mongoc_init();
    mongoc_uri_t *uri = mongoc_uri_new(argv[1]);
    mongoc_client_t *client = uri ? mongoc_client_new_from_uri(uri) : NULL;
    if (!client) {
        fprintf(stderr, "%s is no URI\n", argv[1]);
        return 2;
    }
    mongoc_collection_t *collection = mongoc_client_get_collection(client, mongoc_uri_get_database(uri), argv[2]);
    add_options(&options, argv + 3 + sorted, argc - 3 - sorted, sorted);
    double first = 0, began = now();
    mongoc_cursor_t *cursor = mongoc_collection_find_with_opts(collection, &filter, &options, NULL);
    while (mongoc_cursor_next(cursor, &document)) {
        first = documents++ == 0 ? now() - began : first;
        for (bson_iter_init(&iter, document); bson_iter_next(&iter);) {
            fields++;
        }
    }
    if (mongoc_cursor_error(cursor, &error)) {
        fprintf(stderr, "%s\n", error.message);
        return 1;
    }
    printf("%ld %.6f %.6f\n", documents, first, now() - began);
    return fields > 0 ? 0 : 1;
}
