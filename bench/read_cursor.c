/* The bare loop that bench/reports.py measures reports against:
 *
 *     read_cursor URI COLLECTION [WORD…]
 *
 * reads the documents of a collection with libmongoc, walks over their fields, and prints how many there were, the
 * seconds to the first one, and to the last one. A WORD is the name of a field to ask for, or
 *
 *     where=FIELD:TEXT                           those whose FIELD is this
 *     sort=FIELD:1,FIELD:-1…                     in this order
 *     limit=N                                    so many at most
 *     COLLECTION:PATH:AT_ONCE:FIELD[,FIELD…]     for each 500 documents, the documents of COLLECTION whose PATH holds
 *                                                one of their ids, AT_ONCE ids in one query
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <mongoc/mongoc.h>

#define BATCH       500 /* as the module's */
#define FIELDS_MAX  16
#define LOOKUPS_MAX 4
#define ID_MAX      64

typedef struct look_up {
    mongoc_collection_t *collection;
    const char *path;
    int at_once;
    char *fields[FIELDS_MAX];
    int n_fields;
} look_up_t;

typedef struct job {
    mongoc_client_t *client;
    const char *database;
    char *fields[FIELDS_MAX];
    int n_fields;
    char *where[2]; /* a field and its text; NULL: all documents */
    char *order[FIELDS_MAX];
    int n_order;
    long limit;
    look_up_t look_ups[LOOKUPS_MAX];
    int n_look_ups;
    char ids[BATCH][ID_MAX];
    int n_ids;
    long n_walked; /* fields */
} job_t;

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void give_up(const char *why)
{
    fprintf(stderr, "read_cursor: %s\n", why);
    exit(1);
}

static void walk(job_t *job, const bson_t *document)
{
    bson_iter_t iter;

    for (bson_iter_init(&iter, document); bson_iter_next(&iter);) {
        job->n_walked++;
    }
}

static void end(mongoc_cursor_t *cursor)
{
    bson_error_t error;

    if (mongoc_cursor_error(cursor, &error)) {
        give_up(error.message);
    }
    mongoc_cursor_destroy(cursor);
}

static void add_options(bson_t *options, char **fields, int n)
{
    bson_t part;

    BSON_APPEND_INT32(options, "batchSize", BATCH);
    BSON_APPEND_DOCUMENT_BEGIN(options, "projection", &part);
    for (int i = 0; i < n; i++) {
        BSON_APPEND_INT32(&part, fields[i], 1);
    }
    bson_append_document_end(options, &part);
}

static int split(char *text, const char *by, char **pieces, int max)
{
    char *state = NULL;
    int n = 0;

    for (char *piece = strtok_r(text, by, &state); piece && n < max; piece = strtok_r(NULL, by, &state)) {
        pieces[n++] = piece;
    }
    return n;
}

static void add_order(bson_t *options, char **order, int n)
{
    bson_t part;

    BSON_APPEND_DOCUMENT_BEGIN(options, "sort", &part);
    for (int i = 0; i < n; i++) {
        char *pieces[2];

        if (split(order[i], ":", pieces, 2) != 2) {
            give_up("an order is FIELD:1 or FIELD:-1");
        }
        BSON_APPEND_INT32(&part, pieces[0], (int)strtol(pieces[1], NULL, 10));
    }
    bson_append_document_end(options, &part);
}

static int in_order(const void *left, const void *right)
{
    return strcmp(left, right);
}

static void ask(job_t *job, const look_up_t *look_up, int from, int to)
{
    bson_t filter = BSON_INITIALIZER, options = BSON_INITIALIZER, condition, values;
    const bson_t *document;

    BSON_APPEND_DOCUMENT_BEGIN(&filter, look_up->path, &condition);
    BSON_APPEND_ARRAY_BEGIN(&condition, "$in", &values);
    for (int i = from; i < to; i++) {
        char buf[16];
        const char *key;

        bson_uint32_to_string((uint32_t)(i - from), &key, buf, sizeof(buf));
        BSON_APPEND_UTF8(&values, key, job->ids[i]);
    }
    bson_append_array_end(&condition, &values);
    bson_append_document_end(&filter, &condition);
    add_options(&options, (char **)look_up->fields, look_up->n_fields);
    mongoc_cursor_t *cursor = mongoc_collection_find_with_opts(look_up->collection, &filter, &options, NULL);
    while (mongoc_cursor_next(cursor, &document)) {
        walk(job, document);
    }
    end(cursor);
    bson_destroy(&options);
    bson_destroy(&filter);
}

/* The look-ups of the ids that were collected. */
static void look_up_all(job_t *job)
{
    qsort(job->ids, (size_t)job->n_ids, sizeof(job->ids[0]), in_order);
    for (int i = 0; i < job->n_look_ups; i++) {
        int at_once = job->look_ups[i].at_once;

        for (int from = 0; from < job->n_ids; from += at_once) {
            ask(job, &job->look_ups[i], from, from + at_once < job->n_ids ? from + at_once : job->n_ids);
        }
    }
    job->n_ids = 0;
}

static void collect_id(job_t *job, const bson_t *document)
{
    bson_iter_t iter;

    if (bson_iter_init_find(&iter, document, "_id") && BSON_ITER_HOLDS_UTF8(&iter)) {
        snprintf(job->ids[job->n_ids++], ID_MAX, "%s", bson_iter_utf8(&iter, NULL));
    }
    if (job->n_ids == BATCH) {
        look_up_all(job);
    }
}

static void read_word(job_t *job, char *word)
{
    char *pieces[4];

    if (strncmp(word, "where=", 6) == 0 && split(word + 6, ":", job->where, 2) == 2) {
        return;
    }
    if (strncmp(word, "sort=", 5) == 0) {
        job->n_order = split(word + 5, ",", job->order, FIELDS_MAX);
    }
    else if (strncmp(word, "limit=", 6) == 0) {
        job->limit = atol(word + 6);
    }
    else if (!strchr(word, ':') && job->n_fields < FIELDS_MAX) {
        job->fields[job->n_fields++] = word;
    }
    else if (job->n_look_ups < LOOKUPS_MAX && split(word, ":", pieces, 4) == 4 && strtol(pieces[2], NULL, 10) > 0) {
        look_up_t *look_up = &job->look_ups[job->n_look_ups++];

        look_up->collection = mongoc_client_get_collection(job->client, job->database, pieces[0]);
        look_up->path = pieces[1];
        look_up->at_once = (int)strtol(pieces[2], NULL, 10);
        look_up->n_fields = split(pieces[3], ",", look_up->fields, FIELDS_MAX);
    }
    else {
        give_up("a word is a field, where=FIELD:TEXT, sort=FIELD:1, limit=N or COLLECTION:PATH:AT_ONCE:FIELD[,FIELD...]");
    }
}

static void run(job_t *job, const char *name)
{
    mongoc_collection_t *collection = mongoc_client_get_collection(job->client, job->database, name);
    bson_t filter = BSON_INITIALIZER, options = BSON_INITIALIZER;
    const bson_t *document;
    long documents = 0;

    add_options(&options, job->fields, job->n_fields);
    BSON_APPEND_INT64(&options, "limit", job->limit);
    if (job->where[0]) {
        BSON_APPEND_UTF8(&filter, job->where[0], job->where[1]);
    }
    if (job->n_order > 0) {
        add_order(&options, job->order, job->n_order);
    }
    double first = 0, began = now();
    mongoc_cursor_t *cursor = mongoc_collection_find_with_opts(collection, &filter, &options, NULL);
    while (mongoc_cursor_next(cursor, &document)) {
        first = documents++ == 0 ? now() - began : first;
        walk(job, document);
        if (job->n_look_ups > 0) {
            collect_id(job, document);
        }
    }
    look_up_all(job);
    end(cursor);
    printf("%ld %.6f %.6f\n", documents, first, now() - began);
}

int main(int argc, char **argv)
{
    static job_t job;

    if (argc < 3) {
        give_up("URI COLLECTION [WORD...]");
    }
    mongoc_init();
    mongoc_uri_t *uri = mongoc_uri_new(argv[1]);
    job.client = uri ? mongoc_client_new_from_uri(uri) : NULL;
    if (!job.client) {
        give_up("that is no URI");
    }
    job.database = mongoc_uri_get_database(uri);
    for (int i = 3; i < argc; i++) {
        read_word(&job, argv[i]);
    }
    run(&job, argv[2]);
    return job.n_walked > 0 ? 0 : 1;
}
