/* Ids are asked for only in the forms that a path holds at all.
 *
 * An id of 24 hex digits may be stored as a string or as an ObjectId, one of digits as a string or a number, and nobody
 * says which. Asked for in each of them, it is looked for twice, in every batch of a report. So from the second query
 * of a path on, the server is asked once for each form whether the path leads to any value of it.
 *
 * Answers stay what they are with all forms. A comparison in MongoDB is true only of values of the type that it
 * compares with, so that "not less than the smallest string" finds all strings and nothing else; and it looks at the
 * same values as $in does, those that the path leads to, elements of arrays among them. So a document that $in would
 * find by a form is one that this question finds: where it finds none, there is none to be missed. That holds for what
 * was there when it was asked, early in the report. A form that the application writes for the first time while a
 * report is under way is found by the next report.
 *
 * Without an index on the path the question costs what each of the queries costs. It may take a second; where it takes
 * longer, or the server answers anything else, nothing more is asked for the rest of the report, and forms that nothing
 * is known of are looked for. Which is also what happens in the first query, so that small reports ask nothing at all.
 */
#include "store/catalog_private.h"

#include <math.h>
#include <string.h>
#include <apr_strings.h>
#include "store/store_private.h"

#define QUESTION_MS 1000

typedef struct learnt {
    const char *collection, *path;
    unsigned held, absent; /* forms that the path leads to, and those that it does not */
    struct learnt *next;
} learnt_t;

struct mm_forms {
    apr_pool_t *pool;
    learnt_t *first;
    bool given_up;
    unsigned late; /* look-ups that time ran out for */
};

mm_forms_t *mm_forms_make(apr_pool_t *pool)
{
    mm_forms_t *forms = apr_pcalloc(pool, sizeof(*forms));

    forms->pool = pool;
    return forms;
}

void mm_forms_late(mm_forms_t *forms)
{
    if (forms) {
        forms->late++;
    }
}

bool mm_forms_is_late(const mm_forms_t *forms)
{
    return forms && forms->late >= MM_CATALOG_LATE_MAX;
}

/* NULL: this is the first query. */
static learnt_t *find(const mm_forms_t *forms, const mm_catalog_query_t *query)
{
    learnt_t *learnt = forms->first;

    while (learnt && (strcmp(learnt->collection, query->collection) != 0 || strcmp(learnt->path, query->path) != 0)) {
        learnt = learnt->next;
    }
    return learnt;
}

static void add(mm_forms_t *forms, const mm_catalog_query_t *query)
{
    learnt_t *learnt = apr_pcalloc(forms->pool, sizeof(*learnt));

    learnt->collection = apr_pstrdup(forms->pool, query->collection);
    learnt->path = apr_pstrdup(forms->pool, query->path);
    learnt->next = forms->first;
    forms->first = learnt;
}

static void append_smallest(bson_t *condition, unsigned form)
{
    static const bson_oid_t smallest = {{0}};

    if (form == MM_FORM_STRING) {
        BSON_APPEND_UTF8(condition, "$gte", "");
    }
    else if (form == MM_FORM_OBJECT_ID) {
        BSON_APPEND_OID(condition, "$gte", &smallest);
    }
    else {
        BSON_APPEND_DOUBLE(condition, "$gte", -INFINITY);
    }
}

static mongoc_cursor_t *start(mongoc_collection_t *collection, const char *path, unsigned form)
{
    bson_t filter = BSON_INITIALIZER, opts = BSON_INITIALIZER, part;

    BSON_APPEND_DOCUMENT_BEGIN(&filter, path, &part);
    append_smallest(&part, form);
    bson_append_document_end(&filter, &part);
    BSON_APPEND_DOCUMENT_BEGIN(&opts, "projection", &part);
    BSON_APPEND_INT32(&part, "_id", 1);
    bson_append_document_end(&opts, &part);
    BSON_APPEND_INT64(&opts, "limit", 1);
    BSON_APPEND_INT64(&opts, "maxTimeMS", QUESTION_MS);
    mongoc_cursor_t *cursor = mongoc_collection_find_with_opts(collection, &filter, &opts, NULL);
    bson_destroy(&opts);
    bson_destroy(&filter);
    return cursor;
}

/* A server that does not answer is an error; any other that it gives is none. */
static apr_status_t learn(mm_forms_t *forms, learnt_t *learnt, unsigned form, mm_store_t *store, mm_err_t *err)
{
    mongoc_collection_t *collection = mm_store_collection(store, learnt->collection);
    mongoc_cursor_t *cursor = start(collection, learnt->path, form);
    apr_status_t status = APR_SUCCESS;
    bson_error_t error = {0};
    const bson_t *doc;

    if (mongoc_cursor_next(cursor, &doc)) {
        learnt->held |= form;
    }
    else if (!mongoc_cursor_error(cursor, &error)) {
        learnt->absent |= form;
    }
    else if (mm_store_is_away(&error) && !mm_store_is_slow(&error)) {
        status = mm_store_fail(err, &error, apr_psprintf(forms->pool, "Reading the catalogue %s", learnt->collection));
    }
    else {
        forms->given_up = true;
    }
    mongoc_cursor_destroy(cursor);
    mongoc_collection_destroy(collection);
    return status;
}

static bool are_several(unsigned forms)
{
    return (forms & (forms - 1)) != 0;
}

apr_status_t mm_forms_choose(mm_forms_t *forms, mm_store_t *store, const mm_catalog_query_t *query,
                             const char *const *ids, size_t n, unsigned *chosen, mm_err_t *err)
{
    static const unsigned order[] = {MM_FORM_NUMBER, MM_FORM_OBJECT_ID, MM_FORM_STRING};
    const unsigned possible = mm_value_forms(ids, n);
    learnt_t *learnt = forms ? find(forms, query) : NULL;
    apr_status_t status = APR_SUCCESS;

    *chosen = possible;
    if (forms && !learnt) {
        add(forms, query);
    }
    for (size_t i = 0; learnt && i < sizeof(order) / sizeof(order[0]) && status == APR_SUCCESS; i++) {
        *chosen = possible & ~learnt->absent;
        if (are_several(*chosen) && *chosen & order[i] & ~learnt->held && !forms->given_up) {
            status = learn(forms, learnt, order[i], store, err);
            *chosen = possible & ~learnt->absent;
        }
    }
    return status;
}
