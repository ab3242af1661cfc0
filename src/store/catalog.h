/* The application's own documents: names and parents, read a batch at a time, never written.
 *
 * How to read them comes from MetricsCatalog: the collection, and for each field the path in its documents. Whatever a
 * document holds (missing fields, other types, names of 10 MB, cycles) gives an empty or cut cell, never an error.
 */
#ifndef MM_CATALOG_H
#define MM_CATALOG_H

#include <apr_tables.h>
#include "store/store.h"

/* What people are called where resources have a type. No type of resources has this name. */
#define MM_CATALOG_PEOPLE "users"
/* A longer name is cut here, at a character's border. */
#define MM_CATALOG_NAME_MAX 4096
/* More parents than this are left out (in the order of their ids). */
#define MM_CATALOG_PARENTS_MAX 1000

/* Where the parents of a resource are found. */
typedef struct mm_parent_rule {
    const char *type; /* the parents' type, itself with a catalogue or not */
    const char *
        collection; /* NULL: path is in the resource's own document and holds the parents' ids. Otherwise: the documents
                       of this collection whose `path` holds the resource's id are, or point to, its parents */
    const char *path;
    const char *parent_path; /* with collection: where in its documents the parent's id is */
} mm_parent_rule_t;

/* One MetricsCatalog. Paths are dotted; NULL where not configured. */
typedef struct mm_catalog {
    const char *type;
    const char *collection;
    const char *id_path; /* default "_id" */
    const char *name_path;
    const char *owner_path, *created_path, *size_path, *status_path, *location_path;
    apr_array_header_t *parents; /* of mm_parent_rule_t */
} mm_catalog_t;

/* Reads the words behind `MetricsCatalog`: COLLECTION field=path …, with fields id, name, owner, created, size, status,
 * location, and parents=TYPE:PATH or parents=TYPE:COLLECTION:PATH[:PARENT_PATH], which may stand several times. Needs
 * no database. */
apr_status_t mm_catalog_parse(mm_catalog_t **catalog, const char *type, const char *words, apr_pool_t *pool,
                              mm_err_t *err);

typedef struct mm_parent {
    const char *type, *id, *name; /* name "" where the catalogue knows none */
} mm_parent_t;

/* What a look-up is to find besides names. */
enum {
    MM_CATALOG_PARENTS = 1 << 0, /* the only one that costs queries of its own */
    MM_CATALOG_OWNER = 1 << 1,
    MM_CATALOG_CREATED = 1 << 2,
    MM_CATALOG_SIZE = 1 << 3,
    MM_CATALOG_STATUS = 1 << 4,
    MM_CATALOG_LOCATION = 1 << 5
};

#define MM_CATALOG_NO_SIZE (-1)

/* What was wrong with documents, so that something of a resource is empty or cut. */
typedef enum mm_trouble {
    MM_TROUBLE_MISSING, /* there is no document, of the resource or of a parent */
    MM_TROUBLE_TYPE,    /* a value that cannot be what it is configured to be; null is the same as no value */
    MM_TROUBLE_LONG,    /* a text longer than MM_CATALOG_NAME_MAX */
    MM_TROUBLE_WORK,    /* more work than one look-up may be, for us or for the server */
    MM_TROUBLE_CYCLE,   /* the resource is its own ancestor (report/ancestors.h) */
    MM_TROUBLES
} mm_trouble_t;

typedef struct mm_entry {
    const char *name;                      /* "" where the catalogue knows none */
    const char *owner, *status, *location; /* the same; owner is the id of a person */
    int64_t created_ms;                    /* MM_TIME_NONE where the catalogue knows none */
    int64_t size;                          /* bytes; MM_CATALOG_NO_SIZE */
    const mm_parent_t *parents;
    size_t n_parents;  /* ordered: by the types' order in `catalogs`, then by id; each once */
    unsigned troubles; /* a bit for each mm_trouble_t, its parents' too; with MM_TROUBLE_WORK name and parents may be
                          incomplete */
} mm_entry_t;

/* In which forms the ids of this catalogue are stored, as far as a report has come to know it; for one store, and one
 * thread. What is asked with it is looked for in fewer forms and found all the same, but for an id in a form that the
 * catalogue held none in when it was first asked. And it knows how often time ran out: where that was too often,
 * nothing is looked for any more, and entries are as if it had run out at once. So it is not for permissions. */
typedef struct mm_forms mm_forms_t;
mm_forms_t *mm_forms_make(apr_pool_t *pool);

typedef struct mm_question {
    mm_store_t *store;
    const apr_array_header_t *catalogs; /* the mm_catalog_t * of all types, in their configured order */
    mm_forms_t *forms;                  /* NULL: each id is looked for in all forms */
    const char *type;
    const char *const *ids;
    size_t n;
    unsigned wants;      /* of MM_CATALOG_…; 0 for names alone */
    mm_entry_t *entries; /* entries[i] becomes what is known of ids[i] */
} mm_question_t;

/* Looks up n ids of one type; all memory is pool's. A type without a catalogue gives empty entries. An id is looked for
 * as string, as ObjectId where it is 24 hex digits, and as integer where it is one. Costs one query for the documents,
 * one per reverse rule, one per parent type; and whatever the documents hold, no more than some seconds: then it ends
 * with what it has, and says so in each entry's troubles. */
apr_status_t mm_catalog_answer(const mm_question_t *question, apr_pool_t *pool, mm_err_t *err);

/* The same, in all forms. */
apr_status_t mm_catalog_lookup(mm_store_t *store, const apr_array_header_t *catalogs, const char *type,
                               const char *const *ids, size_t n, unsigned wants, mm_entry_t *entries, apr_pool_t *pool,
                               mm_err_t *err);

/* What is asked for is more than one report can be about; err says what to do instead. */
#define MM_STORE_TOO_MANY (APR_OS_START_USERERR + 104)
/* So many children, and so many bytes of ids of them: the next is MM_STORE_TOO_MANY. */
#define MM_CATALOG_CHILDREN_MAX       50000
#define MM_CATALOG_CHILDREN_BYTES_MAX (8 * 1024 * 1024)
/* So many ids of children are looked at, those that keep leaves out among them: the next is MM_STORE_TOO_MANY. */
#define MM_CATALOG_CHILDREN_LOOKED_MAX 1000000

typedef struct mm_catalog_children_query {
    const char *parent_type, *parent_id;
    const char *type; /* of the children */
    /* Brings those of ids that count to the front and sets *n to how many these are. It is asked where there may be too
     * many, and may use the store. NULL: all count. */
    apr_status_t (*keep)(void *baton, const char **ids, size_t *n, apr_pool_t *scratch, mm_err_t *err);
    void *baton;
} mm_catalog_children_query_t;

/* The ids of all resources of a type that have this parent, by either form of parents=, each once, in no order; all
 * memory is pool's. Some of them may be such as do not count, but whether there are too many does not depend on these.
 * None where no catalogue says so. Costs one query for each rule. */
apr_status_t mm_catalog_children(mm_store_t *store, const apr_array_header_t *catalogs,
                                 const mm_catalog_children_query_t *query, const char *const **ids, size_t *n,
                                 apr_pool_t *pool, mm_err_t *err);

/* The ids of at most max resources of a type that have this owner, each once, in no order; all memory is pool's. *ids
 * is NULL where there are more, or where the database takes too long to say. None where no catalogue names owners. */
apr_status_t mm_catalog_owned(mm_store_t *store, const apr_array_header_t *catalogs, const char *type,
                              const char *owner, size_t max, const char *const **ids, size_t *n, apr_pool_t *pool,
                              mm_err_t *err);

#endif
