/* Names and parents of a batch of resources.
 *
 * One query reads the resources' own documents (names, and parents that are named there), some for each reverse rule
 * find the documents that hold the resources, and one for each type of parent reads the names of those parents that no
 * document so far was the own one of. Documents are somebody else's: whatever is not as configured gives an empty cell.
 * Only a server that does not answer is an error.
 *
 * Work is bounded too: each document costs a glance at the clock, and each pair of a resource and a parent that it
 * speaks of is counted. When the pairs are used up, no more parents are collected; when the time is, nothing more is
 * read. A report of many batches for which that happens too often has none of them looked up any more: each bounded,
 * they would still be hours.
 *
 * Memory, all of it gone with the pools: MM_CATALOG_NAME_MAX for each resource, MM_CATALOG_DISTINCT_MAX parents with
 * their names, and for each resource at most MM_CATALOG_PARENTS_MAX references to them; that is at most some 100 MB for
 * hostile documents and a few 100 KB for real ones. The server adds one reply of at most 16 MB.
 */
#include "store/catalog_private.h"

#include <string.h>
#include <apr_strings.h>

typedef struct lookup {
    mm_budget_t budget;
    mm_store_t *store;
    const apr_array_header_t *catalogs;
    mm_forms_t *forms;
    const mm_catalog_t *own;
    const char *const *ids;
    size_t n;
    unsigned wants;
    mm_entry_t *entries;
    mm_idset_t *asked; /* the ids from asked_from on that the query under way is about */
    size_t asked_from;
    mm_parents_t *parents; /* list n collects what one document says */
    unsigned troubles;     /* of the document that is being read */
    size_t *seen;          /* the last document that was matched with each resource, so that it counts once */
    size_t document;
    apr_pool_t *pool, *scratch;
} lookup_t;

/* --- what one document says ----------------------------------------------------------------------------------------
 */

static int rank_of(const apr_array_header_t *catalogs, const char *type)
{
    int i;

    for (i = 0; i < catalogs->nelts; i++) {
        if (strcmp(APR_ARRAY_IDX(catalogs, i, const mm_catalog_t *)->type, type) == 0) {
            break;
        }
    }
    return i;
}

typedef struct collecting {
    lookup_t *lookup;
    const char *type;
    int rank;
} collecting_t;

static bool collect_parent(void *baton, const bson_iter_t *value)
{
    collecting_t *collecting = baton;
    lookup_t *lookup = collecting->lookup;
    char id[MM_VALUE_ID_SIZE];

    if (!mm_budget_step(&lookup->budget) || !mm_budget_spend(&lookup->budget, 1)) {
        return false;
    }
    bool is_id = mm_value_id(value, id);

    mm_catalog_must(is_id, value, &lookup->troubles);
    if (is_id) {
        mm_parents_add(lookup->parents, lookup->n, collecting->rank, collecting->type, id);
    }
    return true;
}

static void collect_parents(lookup_t *lookup, const bson_t *doc, const char *type, const char *path)
{
    collecting_t collecting = {lookup, type, rank_of(lookup->catalogs, type)};

    mm_value_walk(doc, path, collect_parent, &collecting);
}

/* --- which resources it says it of ---------------------------------------------------------------------------------
 */

typedef struct match {
    lookup_t *lookup;
    const bson_t *doc;
    bool is_own; /* the document is the resource's own */
    bool is_read;
    mm_entry_t entry; /* what it says, once is_read */
} match_t;

static void give(void *baton, size_t asked)
{
    match_t *match = baton;
    lookup_t *lookup = match->lookup;
    size_t at = lookup->asked_from + asked;

    if (lookup->seen[at] == lookup->document) {
        return;
    }
    lookup->seen[at] = lookup->document;
    if (match->is_own) {
        if (!match->is_read) {
            mm_catalog_read_fields(&match->entry, match->doc, lookup->own, lookup->wants, lookup->pool);
            match->is_read = true;
        }
        mm_catalog_fill(&lookup->entries[at], &match->entry);
        lookup->entries[at].troubles &= ~(1u << MM_TROUBLE_MISSING);
    }
    lookup->entries[at].troubles |= lookup->troubles;
    if (lookup->parents && mm_budget_spend(&lookup->budget, mm_parents_count(lookup->parents, lookup->n))) {
        mm_parents_copy(lookup->parents, lookup->n, at);
    }
}

static bool match_value(void *baton, const bson_iter_t *value)
{
    match_t *match = baton;
    char id[MM_VALUE_ID_SIZE];

    if (mm_value_id(value, id)) {
        mm_idset_find(match->lookup->asked, id, give, match);
    }
    return mm_budget_step(&match->lookup->budget);
}

static void begin_document(lookup_t *lookup)
{
    lookup->document++;
    lookup->troubles = 0;
    if (lookup->parents) {
        mm_parents_clear(lookup->parents, lookup->n);
    }
}

static bool on_own_document(void *baton, const bson_t *doc)
{
    lookup_t *lookup = baton;
    match_t match = {lookup, doc, true, false, mm_catalog_nothing};
    int i;

    begin_document(lookup);
    for (i = 0; lookup->parents && i < lookup->own->parents->nelts; i++) {
        const mm_parent_rule_t *rule = &APR_ARRAY_IDX(lookup->own->parents, i, mm_parent_rule_t);

        if (!rule->collection) {
            collect_parents(lookup, doc, rule->type, rule->path);
        }
    }
    mm_value_walk(doc, lookup->own->id_path, match_value, &match);
    return mm_budget_glance(&lookup->budget); /* when only the pairs are spent, there are still names to be had */
}

typedef struct reverse {
    lookup_t *lookup;
    const mm_parent_rule_t *rule;
    const mm_catalog_t *own; /* the parents' catalogue, where the documents of the rule are their own; else NULL */
    const bson_t *doc;
} reverse_t;

static const char *parent_path_of(const mm_parent_rule_t *rule)
{
    return rule->parent_path ? rule->parent_path : "_id";
}

static void name_holder(void *baton, mm_parent_node_t *node)
{
    const reverse_t *reverse = baton;

    if (!*node->name) {
        node->name = mm_catalog_text(reverse->doc, reverse->own->name_path, &node->troubles, reverse->lookup->pool);
    }
}

static bool on_holder(void *baton, const bson_t *doc)
{
    reverse_t *reverse = baton;
    match_t match = {reverse->lookup, doc, false, false, mm_catalog_nothing};

    begin_document(reverse->lookup);
    collect_parents(reverse->lookup, doc, reverse->rule->type, parent_path_of(reverse->rule));
    if (reverse->own) {
        reverse->doc = doc;
        mm_parents_each(reverse->lookup->parents, reverse->lookup->n, name_holder, reverse);
    }
    mm_value_walk(doc, reverse->rule->path, match_value, &match);
    return mm_budget_glance(&reverse->lookup->budget) && !reverse->lookup->budget.spent;
}

/* --- the queries ---------------------------------------------------------------------------------------------------
 */

static bool has_budget(const lookup_t *lookup)
{
    return !lookup->budget.late && !lookup->budget.spent;
}

/* A server that gives up a query because it takes too long has answered: that is too much work, and no error. */
static apr_status_t ask(lookup_t *lookup, mm_catalog_query_t *query, mm_err_t *err)
{
    bool slow = false;
    apr_status_t status;

    query->too_slow = &slow;
    query->forms = lookup->forms;
    status = mm_catalog_query(lookup->store, query, lookup->scratch, err);
    lookup->budget.late = lookup->budget.late || slow;
    return slow ? APR_SUCCESS : status;
}

static apr_status_t read_own(lookup_t *lookup, mm_err_t *err)
{
    mm_catalog_query_t query = {.collection = lookup->own->collection,
                                .path = lookup->own->id_path,
                                .ids = lookup->ids,
                                .n = lookup->n,
                                .on_document = on_own_document,
                                .baton = lookup};
    int i;

    mm_catalog_want_fields(&query, lookup->own, lookup->wants);
    for (i = 0; lookup->parents && i < lookup->own->parents->nelts; i++) {
        const mm_parent_rule_t *rule = &APR_ARRAY_IDX(lookup->own->parents, i, mm_parent_rule_t);

        mm_catalog_want(&query, rule->collection ? NULL : rule->path);
    }
    if (query.n_wanted == 0) {
        return APR_SUCCESS;
    }
    for (size_t at = 0; at < lookup->n; at++) {
        lookup->entries[at].troubles = 1u << MM_TROUBLE_MISSING; /* until there is one */
    }
    lookup->asked = mm_idset_make(lookup->ids, lookup->n, lookup->scratch);
    return ask(lookup, &query, err);
}

/* Most often the documents that hold a resource are its parents themselves: a dataset lists its files. Then they say
 * their names, too. */
static const mm_catalog_t *catalog_of_holders(const lookup_t *lookup, const mm_parent_rule_t *rule)
{
    int rank = rank_of(lookup->catalogs, rule->type);
    const mm_catalog_t *catalog =
        rank < lookup->catalogs->nelts ? APR_ARRAY_IDX(lookup->catalogs, rank, const mm_catalog_t *) : NULL;

    return catalog && strcmp(catalog->collection, rule->collection) == 0 &&
                   strcmp(catalog->id_path, parent_path_of(rule)) == 0
               ? catalog
               : NULL;
}

static bool has_long_lists(const lookup_t *lookup, size_t documents_before, unsigned values_before)
{
    size_t documents = lookup->document - documents_before;

    return documents > 0 && (lookup->budget.steps - values_before) / documents > MM_CATALOG_LONG_LIST;
}

static apr_status_t read_holders(lookup_t *lookup, const mm_parent_rule_t *rule, mm_err_t *err)
{
    reverse_t reverse = {lookup, rule, catalog_of_holders(lookup, rule), NULL};
    mm_catalog_query_t query = {
        .collection = rule->collection, .path = rule->path, .on_document = on_holder, .baton = &reverse};
    size_t at_once = MM_CATALOG_HOLDERS_MAX;
    apr_status_t status = APR_SUCCESS;

    mm_catalog_want(&query, parent_path_of(rule));
    mm_catalog_want(&query, reverse.own ? reverse.own->name_path : NULL);
    for (size_t from = 0; from < lookup->n && status == APR_SUCCESS && has_budget(lookup); from += query.n) {
        size_t documents = lookup->document, left = lookup->n - from;
        unsigned values = lookup->budget.steps;

        query.ids = lookup->ids + from;
        query.n = left < at_once ? left : at_once;
        lookup->asked = mm_idset_make(query.ids, query.n, lookup->scratch);
        lookup->asked_from = from;
        status = ask(lookup, &query, err);
        at_once = has_long_lists(lookup, documents, values) ? MM_CATALOG_QUERY_MAX : MM_CATALOG_HOLDERS_MAX;
    }
    return status;
}

typedef struct naming {
    lookup_t *lookup;
    const mm_catalog_t *catalog;
    mm_parent_node_t **nodes;
    mm_idset_t *asked;
    const bson_t *doc;
    const char *name; /* of doc; NULL: not read yet */
    unsigned troubles;
    apr_pool_t *pool;
} naming_t;

static void name_parent(void *baton, size_t at)
{
    naming_t *naming = baton;

    mm_parent_node_t *node = naming->nodes[at];

    node->troubles &= ~(1u << MM_TROUBLE_MISSING);
    if (!*node->name) {
        if (!naming->name) {
            naming->name = mm_catalog_text(naming->doc, naming->catalog->name_path, &naming->troubles, naming->pool);
        }
        node->name = naming->name;
        node->troubles |= naming->troubles;
    }
}

static bool match_parent(void *baton, const bson_iter_t *value)
{
    naming_t *naming = baton;
    char id[MM_VALUE_ID_SIZE];

    if (mm_value_id(value, id)) {
        mm_idset_find(naming->asked, id, name_parent, naming);
    }
    return mm_budget_step(&naming->lookup->budget);
}

static bool on_parent(void *baton, const bson_t *doc)
{
    naming_t *naming = baton;

    naming->doc = doc;
    naming->name = NULL;
    naming->troubles = 0;
    mm_value_walk(doc, naming->catalog->id_path, match_parent, naming);
    return mm_budget_glance(&naming->lookup->budget);
}

static apr_status_t name_parents(lookup_t *lookup, int rank, mm_err_t *err)
{
    naming_t naming = {
        .lookup = lookup, .catalog = APR_ARRAY_IDX(lookup->catalogs, rank, const mm_catalog_t *), .pool = lookup->pool};
    mm_catalog_query_t query = {.collection = naming.catalog->collection,
                                .path = naming.catalog->id_path,
                                .on_document = on_parent,
                                .baton = &naming};
    const char **ids;
    size_t i, n;

    n = mm_parents_of_rank(lookup->parents, rank, &naming.nodes, lookup->scratch);
    if (!naming.catalog->name_path) {
        return APR_SUCCESS;
    }
    ids = apr_palloc(lookup->scratch, sizeof(*ids) * (n + 1));
    for (i = 0; i < n; i++) {
        if (!*naming.nodes[i]->name) {
            naming.nodes[i]->troubles |= 1u << MM_TROUBLE_MISSING; /* until there is one */
            ids[query.n] = naming.nodes[i]->id;
            naming.nodes[query.n++] = naming.nodes[i];
        }
    }
    if (query.n == 0) {
        return APR_SUCCESS;
    }
    query.ids = ids;
    naming.asked = mm_idset_make(ids, query.n, lookup->scratch);
    mm_catalog_want(&query, naming.catalog->name_path);
    return ask(lookup, &query, err);
}

static void hand_over_parents(lookup_t *lookup)
{
    size_t i, j;

    for (i = 0; i < lookup->n; i++) {
        mm_parent_node_t *const *nodes;
        size_t n = mm_parents_of(lookup->parents, i, &nodes);
        mm_parent_t *parents = n ? apr_palloc(lookup->pool, sizeof(*parents) * n) : NULL;

        for (j = 0; j < n; j++) {
            if (!nodes[j]->kept_id) {
                nodes[j]->kept_id = apr_pstrdup(lookup->pool, nodes[j]->id);
            }
            parents[j] = (mm_parent_t){nodes[j]->type, nodes[j]->kept_id, nodes[j]->name};
            lookup->entries[i].troubles |= nodes[j]->troubles;
        }
        if (mm_parents_is_cut(lookup->parents, i)) {
            lookup->entries[i].troubles |= 1u << MM_TROUBLE_WORK;
        }
        lookup->entries[i].parents = parents;
        lookup->entries[i].n_parents = n;
    }
}

static apr_status_t look_up(lookup_t *lookup, mm_err_t *err)
{
    apr_status_t status = read_own(lookup, err);
    int i;

    if (!lookup->parents) {
        return status;
    }
    for (i = 0; i < lookup->own->parents->nelts && status == APR_SUCCESS && has_budget(lookup); i++) {
        const mm_parent_rule_t *rule = &APR_ARRAY_IDX(lookup->own->parents, i, mm_parent_rule_t);

        status = rule->collection ? read_holders(lookup, rule, err) : APR_SUCCESS;
    }
    mm_parents_clear(lookup->parents, lookup->n);
    mm_parents_finish(lookup->parents);
    for (i = 0; i < lookup->catalogs->nelts && status == APR_SUCCESS && !lookup->budget.late; i++) {
        status = name_parents(lookup, i, err);
    }
    if (status == APR_SUCCESS) {
        hand_over_parents(lookup);
    }
    return status;
}

apr_status_t mm_catalog_answer_within(const mm_catalog_limits_t *limits, const mm_question_t *question,
                                      apr_pool_t *pool, mm_err_t *err)
{
    const size_t n = question->n;
    lookup_t lookup = {.store = question->store,
                       .catalogs = question->catalogs,
                       .forms = question->forms,
                       .ids = question->ids,
                       .n = n,
                       .wants = question->wants,
                       .entries = question->entries,
                       .pool = pool};
    int rank = rank_of(question->catalogs, question->type);
    apr_status_t status;
    size_t i;

    for (i = 0; i < n; i++) {
        lookup.entries[i] = mm_catalog_nothing;
    }
    if (n == 0 || rank == question->catalogs->nelts) {
        return APR_SUCCESS;
    }
    status = apr_pool_create(&lookup.scratch, pool);
    if (status != APR_SUCCESS) {
        return mm_err_set_os(err, status, "Reading the catalogue");
    }
    lookup.own = APR_ARRAY_IDX(question->catalogs, rank, const mm_catalog_t *);
    lookup.seen = apr_pcalloc(lookup.scratch, sizeof(*lookup.seen) * n);
    if ((question->wants & MM_CATALOG_PARENTS) && lookup.own->parents->nelts > 0) {
        lookup.parents = mm_parents_make(n + 1, lookup.scratch);
    }
    mm_budget_begin(&lookup.budget, limits);
    lookup.budget.late = mm_forms_is_late(question->forms);
    status = lookup.budget.late ? APR_SUCCESS : look_up(&lookup, err);
    if (lookup.budget.late) {
        mm_forms_late(question->forms);
    }
    for (i = 0; i < n && !has_budget(&lookup); i++) {
        /* What is missing may just not have been reached. */
        lookup.entries[i].troubles &= ~(1u << MM_TROUBLE_MISSING);
        lookup.entries[i].troubles |= 1u << MM_TROUBLE_WORK;
    }
    apr_pool_destroy(lookup.scratch);
    return status;
}

apr_status_t mm_catalog_answer(const mm_question_t *question, apr_pool_t *pool, mm_err_t *err)
{
    const mm_catalog_limits_t limits = {MM_CATALOG_PAIRS_MAX, MM_CATALOG_TIME_US, mm_budget_clock_us};

    return mm_catalog_answer_within(&limits, question, pool, err);
}

apr_status_t mm_catalog_lookup(mm_store_t *store, const apr_array_header_t *catalogs, const char *type,
                               const char *const *ids, size_t n, unsigned wants, mm_entry_t *entries, apr_pool_t *pool,
                               mm_err_t *err)
{
    const mm_question_t question = {store, catalogs, NULL, type, ids, n, wants, entries};

    return mm_catalog_answer(&question, pool, err);
}
