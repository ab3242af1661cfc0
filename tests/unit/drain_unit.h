/* What the tests of src/count and src/drain share: events, a spool to put them into, a log that can be asked, and the
 * database read without src/store.
 */
#ifndef DRAIN_UNIT_H
#define DRAIN_UNIT_H

#include "unit.h"
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <apr_file_info.h>
#include <mongoc/mongoc.h>
#include "base/log.h"
#include "event/event.h"
#include "spool/frame.h"
#include "spool/spool.h"
#include "spool/spool_reader.h"
#include "spool/spool_writer.h"

#define NOON_US (INT64_C(1767268800) * 1000000) /* 2026-01-01T12:00:00Z */
#define NOON_MS (NOON_US / 1000)

static inline mm_bytes_t bytes_of(const char *text)
{
    return (mm_bytes_t){.data = text, .len = text != NULL ? strlen(text) : 0};
}

/* A counted event of type datasets; user may be NULL. */
static inline mm_event_t event_of(mm_action_t action, const char *id, const char *user, int64_t time_us)
{
    return (mm_event_t){.action = action,
                        .source = MM_SOURCE_REQUEST,
                        .method = MM_METHOD_GET,
                        .status = 200,
                        .time_us = time_us,
                        .range_start = MM_RANGE_NONE,
                        .type = bytes_of("datasets"),
                        .id = bytes_of(id),
                        .user = bytes_of(user),
                        .agent = bytes_of("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0")};
}

/* --- the spool --- */

static inline char *spool_make(const unit_t *unit)
{
    char *dir = apr_pstrcat(unit->pool, unit->dir, "/spool", NULL);
    mm_err_t err;

    if (mm_spool_prepare(dir, (uid_t)-1, (gid_t)-1, unit->pool, &err) != APR_SUCCESS) {
        fail_msg("%s", err.text);
    }
    return dir;
}

static inline mm_spool_writer_t *writer_make(const char *dir, int64_t segment_max, apr_pool_t *pool)
{
    mm_spool_writer_t *writer = NULL;
    mm_err_t err;

    if (mm_spool_writer_create(&writer, dir, segment_max, MM_SYNC_NONE, pool, &err) != APR_SUCCESS) {
        fail_msg("%s", err.text);
    }
    return writer;
}

/* Appends n events as one frame. */
static inline void spool_put(mm_spool_writer_t *writer, const mm_event_t *events, size_t n)
{
    size_t len = 0, room = MM_FRAME_HEADER;
    uint8_t *buf;
    mm_err_t err;

    for (size_t i = 0; i < n; i++) {
        assert_int_equal(mm_event_check(&events[i], NULL), APR_SUCCESS);
        room += mm_event_packed_size(&events[i]);
    }
    buf = malloc(room);
    assert_non_null(buf);
    for (size_t i = 0; i < n; i++) {
        len += mm_event_pack(&events[i], buf + MM_FRAME_HEADER + len);
    }
    if (mm_spool_append(writer, buf, len, &err) != APR_SUCCESS) {
        fail_msg("%s", err.text);
    }
    free(buf);
}

static inline void spool_view(mm_spool_writer_t *writer, const char *id, const char *user)
{
    mm_event_t event = event_of(MM_ACTION_VIEW, id, user, NOON_US);

    spool_put(writer, &event, 1);
}

static inline bool has_file(const char *dir, const char *name)
{
    char path[4096];

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    return access(path, F_OK) == 0;
}

/* How many files of dir have names that hold part. */
static inline int count_files(const char *dir, const char *part, apr_pool_t *pool)
{
    apr_dir_t *handle;
    apr_finfo_t info;
    int n = 0;

    assert_int_equal(apr_dir_open(&handle, dir, pool), APR_SUCCESS);
    while (apr_dir_read(&info, APR_FINFO_NAME, handle) == APR_SUCCESS) {
        n += strstr(info.name, part) != NULL;
    }
    apr_dir_close(handle);
    return n;
}

/* Overwrites the file's bytes from offset on (from its end when negative). */
static inline void file_damage(const char *dir, const char *name, off_t offset)
{
    char path[4096];
    struct stat info;
    int fd;

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    fd = open(path, O_WRONLY);
    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &info), 0);
    assert_int_equal(pwrite(fd, "\x55\xaa\x55\xaa", 4, offset < 0 ? info.st_size + offset : offset), 4);
    close(fd);
}

/* --- a log --- */

typedef struct test_log {
    mm_log_t log; /* to be handed out */
    int n;
    char text[16][1200]; /* "tag: text" of the first messages above debug */
} test_log_t;

static inline void test_log_write(void *baton, mm_log_level_t level, const char *tag, const char *text)
{
    test_log_t *log = baton;

    if (level < MM_LOG_DEBUG && log->n < 16) {
        snprintf(log->text[log->n++], sizeof(log->text[0]), "%s: %s", tag, text);
    }
}

static inline void test_log_init(test_log_t *log)
{
    memset(log, 0, sizeof(*log));
    log->log.write = test_log_write;
    log->log.baton = log;
}

static inline int log_count(const test_log_t *log, const char *part)
{
    int n = 0;

    for (int i = 0; i < log->n; i++) {
        n += strstr(log->text[i], part) != NULL;
    }
    return n;
}

/* --- the database --- */

/* The sum of a number over all documents of a collection that a query finds (NULL: all). */
static inline int64_t db_sum(const char *uri, const char *collection, const bson_t *query, const char *field)
{
    mongoc_client_t *client = mongoc_client_new(uri);
    mongoc_uri_t *parsed = mongoc_uri_new(uri);
    mongoc_collection_t *handle;
    mongoc_cursor_t *cursor;
    bson_t all = BSON_INITIALIZER;
    const bson_t *doc;
    bson_error_t error;
    bson_iter_t iter;
    int64_t sum = 0;

    assert_non_null(client);
    handle = mongoc_client_get_collection(client, mongoc_uri_get_database(parsed), collection);
    cursor = mongoc_collection_find_with_opts(handle, query != NULL ? query : &all, NULL, NULL);
    while (mongoc_cursor_next(cursor, &doc)) {
        if (bson_iter_init_find(&iter, doc, field)) {
            sum += BSON_ITER_HOLDS_DATE_TIME(&iter) ? bson_iter_date_time(&iter) : bson_iter_as_int64(&iter);
        }
    }
    if (mongoc_cursor_error(cursor, &error)) {
        fail_msg("%s", error.message);
    }
    mongoc_cursor_destroy(cursor);
    mongoc_collection_destroy(handle);
    mongoc_uri_destroy(parsed);
    mongoc_client_destroy(client);
    bson_destroy(&all);
    return sum;
}

/* The same of the one document with this id. */
static inline int64_t db_get(const char *uri, const char *collection, const char *id, const char *field)
{
    bson_t *query = BCON_NEW("_id", BCON_UTF8(id));
    int64_t value = db_sum(uri, collection, query, field);

    bson_destroy(query);
    return value;
}

#endif
