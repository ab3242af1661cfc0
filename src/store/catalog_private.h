/* What the files of the catalogue share. Not for other rooms. */
#ifndef MM_CATALOG_PRIVATE_H
#define MM_CATALOG_PRIVATE_H

#include <stdbool.h>
#include <bson/bson.h>
#include "store/catalog.h"
#include "store/value.h"

/* MongoDB allows documents 100 levels deep; nobody's ids lie deeper than this. */
#define MM_CATALOG_PATH_DEPTH 16
#define MM_CATALOG_PATH_MAX   255
#define MM_CATALOG_RULES_MAX  16
/* Ids in one query. */
#define MM_CATALOG_QUERY_MAX 500
/* The same where the ids are looked for in lists, such as a dataset's files: some servers compare each element of a
 * list with each id. Where lists are long on average, fewer queries bring them fewer times, and that weighs more. */
#define MM_CATALOG_HOLDERS_MAX 64
#define MM_CATALOG_LONG_LIST   1000
/* What one look-up may cost: pairs of a resource and a parent that a document says something of (500 rows with 1000
 * parents each are 500,000, found and handed on), and time. */
#define MM_CATALOG_PAIRS_MAX (INT64_C(2) * 1000 * 1000)
#define MM_CATALOG_TIME_US   (INT64_C(10) * 1000 * 1000)
/* Look-ups of one report that time may run out for: a minute that it waits for cells that stay empty. */
#define MM_CATALOG_LATE_MAX 6
/* Values that are looked at for one that can be shown as a name. */
#define MM_CATALOG_NAMES_MAX 100
/* Distinct parents that one look-up remembers; at MM_CATALOG_NAME_MAX each this is 80 MB, at the usual 60 bytes 3 MB.
 */
#define MM_CATALOG_DISTINCT_MAX 20000

/* --- catalog_ids.c: a set of ids that documents are asked for, and which of them an answer is about ----------------
 */

typedef struct mm_idset mm_idset_t;

/* ids must outlive the set; the same id may stand in it several times. */
mm_idset_t *mm_idset_make(const char *const *ids, size_t n, apr_pool_t *pool);
/* Calls fn with the position of each id that this text is one of the forms of. */
void mm_idset_find(const mm_idset_t *set, const char *text, void (*fn)(void *baton, size_t at), void *baton);

/* --- catalog.c: what may be written as a path or a collection; word is repeated in err -----------------------------
 */

apr_status_t mm_catalog_check_path(const char *path, const char *word, mm_err_t *err);
apr_status_t mm_catalog_check_collection(const char *name, mm_err_t *err);

/* --- catalog_query.c: documents of the application, by ids ----------------------------------------------------------
 */

#define MM_CATALOG_PATHS_MAX (MM_CATALOG_RULES_MAX + 7) /* the rules, and the fields of a document */

typedef struct mm_catalog_query {
    const char *collection;
    const char *path; /* where the ids are */
    const char *const *ids;
    size_t n;
    const char *wanted[MM_CATALOG_PATHS_MAX]; /* what is read besides path */
    size_t n_wanted;
    mm_forms_t *forms; /* what is known of path; NULL: ids are asked for in all forms */
    bool unlimited;    /* all documents that there are; else no more than a hostile catalogue may have of them */
    bool *too_slow;    /* set where the server says that it ran out of the time it may take; may be NULL */
    bool (*on_document)(void *baton, const bson_t *doc); /* false: no more */
    void *baton;
} mm_catalog_query_t;

/* Adds a path to what is read; NULL is left out. */
void mm_catalog_want(mm_catalog_query_t *query, const char *path);
/* Calls on_document for each document that holds one of the ids, in no order, until it returns false. */
apr_status_t mm_catalog_query(mm_store_t *store, const mm_catalog_query_t *query, apr_pool_t *scratch, mm_err_t *err);
/* The projection for n paths: each once, none below another (the server refuses both), and nothing else. */
void mm_catalog_project(bson_t *projection, const char *const *paths, size_t n);

/* --- catalog_forms.c: in which forms ids are asked for ---------------------------------------------------------------
 */

/* For whom time ran out, and whether it did so often enough. forms may be NULL, which is never. */
void mm_forms_late(mm_forms_t *forms);
bool mm_forms_is_late(const mm_forms_t *forms);
/* Those of MM_FORM_… that a query for these ids must ask for. May ask the server itself. */
apr_status_t mm_forms_choose(mm_forms_t *forms, mm_store_t *store, const mm_catalog_query_t *query,
                             const char *const *ids, size_t n, unsigned *chosen, mm_err_t *err);

/* --- catalog_parents.c: parents of many resources, each once, bounded, in order ------------------------------------
 */

typedef struct mm_parent_node {
    const char *type, *id;
    int rank;            /* of its type among the catalogues */
    const char *name;    /* "" until somebody finds one */
    unsigned troubles;   /* with that */
    bool kept;           /* is in the answer */
    const char *kept_id; /* for whoever writes the answer: the id in the caller's pool */
} mm_parent_node_t;

typedef struct mm_parents mm_parents_t;

/* For n resources; memory is pool's. */
mm_parents_t *mm_parents_make(size_t n, apr_pool_t *pool);
/* type must outlive the set, id is copied. */
void mm_parents_add(mm_parents_t *parents, size_t resource, int rank, const char *type, const char *id);
/* Orders each resource's parents, leaves out what is beyond MM_CATALOG_PARENTS_MAX, and marks the rest as kept. */
void mm_parents_finish(mm_parents_t *parents);
/* Gives resource `to` all that `from` has. With an index beyond its resources' a caller has a list to collect in, which
 * is put in order once, however often it is copied. */
void mm_parents_copy(mm_parents_t *parents, size_t from, size_t to);
/* Calls fn for each that a resource has, some of them perhaps twice. */
void mm_parents_each(const mm_parents_t *parents, size_t resource, void (*fn)(void *baton, mm_parent_node_t *node),
                     void *baton);
/* How many a resource has, some of them perhaps twice. */
size_t mm_parents_count(const mm_parents_t *parents, size_t resource);
/* Whether it has more than are kept. */
bool mm_parents_is_cut(const mm_parents_t *parents, size_t resource);
void mm_parents_clear(mm_parents_t *parents, size_t resource);
/* After mm_parents_finish: the kept ones of one rank, each once, in no order. Returns how many; *nodes is pool's. */
size_t mm_parents_of_rank(const mm_parents_t *parents, int rank, mm_parent_node_t ***nodes, apr_pool_t *pool);
/* After mm_parents_finish: those of one resource. Nodes are shared between resources. */
size_t mm_parents_of(const mm_parents_t *parents, size_t resource, mm_parent_node_t *const **nodes);

/* --- catalog_budget.c: what one look-up may cost ---------------------------------------------------------------------
 */

typedef struct mm_catalog_limits {
    int64_t pairs;
    int64_t time_us;
    int64_t (*clock_us)(void); /* never runs backwards */
} mm_catalog_limits_t;

typedef struct mm_budget {
    mm_catalog_limits_t limits;
    int64_t pairs, until_us;
    unsigned steps;
    bool spent, late; /* no pairs left; no time left */
} mm_budget_t;

void mm_budget_begin(mm_budget_t *budget, const mm_catalog_limits_t *limits);
/* Once for each document: whether there is time left. */
bool mm_budget_glance(mm_budget_t *budget);
/* Once for each value: the same, looking at the clock only every so often. */
bool mm_budget_step(mm_budget_t *budget);
/* Whether so many more pairs of a resource and a parent may be dealt with. */
bool mm_budget_spend(mm_budget_t *budget, size_t pairs);
int64_t mm_budget_clock_us(void);

/* --- catalog_fields.c: what a resource's own document says of it -----------------------------------------------------
 */

/* The first value at path that can be shown, or "". Adds to *troubles what was wrong. */
const char *mm_catalog_text(const bson_t *doc, const char *path, unsigned *troubles, apr_pool_t *pool);
/* Adds the trouble to *troubles where a value is not of its type and not null either. */
void mm_catalog_must(bool is_of_its_type, const bson_iter_t *value, unsigned *troubles);
/* Adds the paths of what is wanted, and of the name. */
void mm_catalog_want_fields(mm_catalog_query_t *query, const mm_catalog_t *catalog, unsigned wants);
/* An entry with nothing in it. */
extern const mm_entry_t mm_catalog_nothing;
/* Reads the same out of a document into an entry that holds nothing. */
void mm_catalog_read_fields(mm_entry_t *entry, const bson_t *doc, const mm_catalog_t *catalog, unsigned wants,
                            apr_pool_t *pool);
/* Fills what is missing in an entry. Several documents may speak of one resource; an owner is whom all of them name.
 * The entry has MM_TROUBLE_MISSING until the first. */
void mm_catalog_fill(mm_entry_t *entry, const mm_entry_t *from);

/* --- catalog_lookup.c ------------------------------------------------------------------------------------------------
 */

/* mm_catalog_answer is this with MM_CATALOG_PAIRS_MAX and MM_CATALOG_TIME_US. */
apr_status_t mm_catalog_answer_within(const mm_catalog_limits_t *limits, const mm_question_t *question,
                                      apr_pool_t *pool, mm_err_t *err);

#endif
