/* For the tests of src/store: a store on a database of its own, and the documents in it as JSON. */
#ifndef UNIT_STORE_H
#define UNIT_STORE_H

#include "unit.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include "store/store_private.h"

#define SPOOL "0123456789abcdef01234567"

static inline int unit_store_group(void **state)
{
    (void)state;
    mm_store_init();
    return 0;
}

static inline mm_store_t *unit_store_at(const char *uri, apr_pool_t *pool)
{
    mm_store_t *store = NULL;
    mm_err_t err = {0};

    if (mm_store_open(&store, uri, MM_STORE_PREFIX_DEFAULT, pool, &err) != APR_SUCCESS) {
        fail_msg("%s", err.text);
    }
    return store;
}

static inline mm_store_t *unit_store(apr_pool_t *pool)
{
    return unit_store_at(unit_mongo_uri(pool), pool);
}

/* Inserts a document given as JSON with ' for ". */
static inline void unit_insert(mm_store_t *store, const char *collection, const char *json)
{
    mongoc_collection_t *coll = mm_store_collection(store, collection);
    char *text = strdup(json), *c;
    bson_error_t error = {0};
    bson_t *doc;

    for (c = text; *c; c++) {
        *c = *c == '\'' ? '"' : *c;
    }
    doc = bson_new_from_json((const uint8_t *)text, -1, &error);
    if (!doc || !mongoc_collection_insert_one(coll, doc, NULL, NULL, &error)) {
        fail_msg("%s: %s", json, error.message);
    }
    bson_destroy(doc);
    free(text);
    mongoc_collection_destroy(coll);
}

static inline void unit_insert_doc(mm_store_t *store, const char *collection, const bson_t *doc)
{
    mongoc_collection_t *coll = mm_store_collection(store, collection);
    bson_error_t error = {0};

    if (!mongoc_collection_insert_one(coll, doc, NULL, NULL, &error)) {
        fail_msg("%s", error.message);
    }
    mongoc_collection_destroy(coll);
}

static inline bool unit_command(mm_store_t *store, const bson_t *command, bson_error_t *error)
{
    mongoc_database_t *database = mongoc_client_get_database(store->client, store->database);
    bool ok = mongoc_database_write_command_with_opts(database, command, NULL, NULL, error);

    mongoc_database_destroy(database);
    return ok;
}

static inline int64_t unit_count(mm_store_t *store, const char *collection)
{
    mongoc_collection_t *coll = mm_store_collection(store, collection);
    bson_t filter = BSON_INITIALIZER;
    bson_error_t error = {0};
    int64_t n = mongoc_collection_count_documents(coll, &filter, NULL, NULL, NULL, &error);

    mongoc_collection_destroy(coll);
    return n;
}

/* The one document that the filter finds, as relaxed JSON with ' for "; "" when there is none. */
static inline const char *unit_find_bson(mm_store_t *store, const char *collection, const bson_t *filter,
                                         apr_pool_t *pool)
{
    mongoc_collection_t *coll = mm_store_collection(store, collection);
    mongoc_cursor_t *cursor = mongoc_collection_find_with_opts(coll, filter, NULL, NULL);
    const bson_t *doc;
    char *json, *c, *found = (char *)"";

    if (mongoc_cursor_next(cursor, &doc)) {
        json = bson_as_canonical_extended_json(doc, NULL);
        found = apr_pstrdup(pool, json);
        bson_free(json);
        for (c = found; *c; c++) {
            *c = *c == '"' ? '\'' : *c;
        }
        assert_false(mongoc_cursor_next(cursor, &doc));
    }
    mongoc_cursor_destroy(cursor);
    mongoc_collection_destroy(coll);
    return found;
}

static inline const char *unit_find(mm_store_t *store, const char *collection, const char *id, apr_pool_t *pool)
{
    bson_t filter = BSON_INITIALIZER;
    const char *found;

    BSON_APPEND_UTF8(&filter, "_id", id);
    found = unit_find_bson(store, collection, &filter, pool);
    bson_destroy(&filter);
    return found;
}

/* A socket on a port of 127.0.0.1 at which nobody answers: refused when backlog is 0, silent otherwise. */
static inline int unit_deaf_port(int backlog, int *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    if (backlog) {
        assert_int_equal(listen(fd, backlog), 0);
    }
    *port = ntohs(address.sin_port);
    return fd;
}

#endif
