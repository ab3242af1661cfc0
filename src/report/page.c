/* From rows of the store to rows that may be shown.
 *
 * The order is the rule: nothing is looked up in the catalogue before the gate has let it pass, and no parent is
 * written that the gate has not let pass. The gate sees each id once per question and at most MM_REPORT_BATCH of them,
 * and only the verdict 1 counts as yes: a provider that forgets to answer, or answers something else, shows nothing.
 */
#include "report/page.h"

#include <stdlib.h>
#include <string.h>

#define GRANTED 1

static apr_status_t ask(const mm_gate_t *gate, const char *type, const char *const *ids, size_t n,
                        unsigned char *verdicts, mm_err_t *err)
{
    if (!gate->see_resources) {
        return mm_err_set(err, APR_EINVAL, "nobody says which resources may be seen");
    }
    memset(verdicts, 0, n);
    return gate->see_resources(gate->baton, type, ids, n, verdicts, err);
}

/* Fills page->totals with the rows that may be seen and lie within the window. */
static apr_status_t keep_visible(mm_page_t *page, const mm_report_t *report, const mm_totals_row_t *rows,
                                 mm_window_t *window, apr_pool_t *pool, mm_err_t *err)
{
    const char **ids = apr_palloc(pool, page->fetched * sizeof(*ids));
    unsigned char *verdicts = apr_palloc(pool, page->fetched);

    for (size_t i = 0; i < page->fetched; i++) {
        ids[i] = rows[i].id;
    }
    apr_status_t rv = ask(&report->gate, page->type, ids, page->fetched, verdicts, err);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    page->totals = apr_palloc(pool, page->fetched * sizeof(*page->totals));
    for (size_t i = 0; i < page->fetched && window->left != 0; i++) {
        if (verdicts[i] != GRANTED) {
            continue;
        }
        if (window->skip > 0) {
            window->skip--;
            continue;
        }
        page->totals[page->n++] = &rows[i];
        window->left -= window->left > 0 ? 1 : 0;
    }
    return APR_SUCCESS;
}

static apr_status_t look_up(mm_page_t *page, const mm_report_t *report, apr_pool_t *pool, mm_err_t *err)
{
    const char **ids = apr_palloc(pool, page->n * sizeof(*ids));

    for (size_t i = 0; i < page->n; i++) {
        ids[i] = page->totals[i]->id;
    }
    page->entries = apr_pcalloc(pool, page->n * sizeof(*page->entries));
    return mm_catalog_lookup(report->catalog_store, report->catalogs, page->type, ids, page->n,
                             report->route->parents != MM_PARENTS_NONE, page->entries, pool, err);
}

/* A parent of some row, and where to say that it may be seen. Many rows can have the same one. */
typedef struct mention {
    const mm_parent_t *parent;
    unsigned char *seen;
} mention_t;

static int by_type_and_id(const void *left, const void *right)
{
    const mm_parent_t *a = ((const mention_t *)left)->parent, *b = ((const mention_t *)right)->parent;
    int order = strcmp(a->type, b->type);

    return order ? order : strcmp(a->id, b->id);
}

typedef struct question {
    const char *ids[MM_REPORT_BATCH];
    unsigned char verdicts[MM_REPORT_BATCH];
} question_t;

/* Asks about the parents at the front of the sorted mentions: as many as are of one type and fit one question. *done is
 * how many mentions that settled. */
static apr_status_t ask_some(const mm_report_t *report, const mention_t *mentions, size_t n, question_t *question,
                             size_t *done, mm_err_t *err)
{
    const char *type = mentions[0].parent->type;
    size_t ids = 0, end = 0, id = 0;

    while (end < n && strcmp(mentions[end].parent->type, type) == 0) {
        if (end == 0 || strcmp(mentions[end].parent->id, mentions[end - 1].parent->id) != 0) {
            if (ids == MM_REPORT_BATCH) {
                break;
            }
            question->ids[ids++] = mentions[end].parent->id;
        }
        end++;
    }
    apr_status_t rv = ask(&report->gate, type, question->ids, ids, question->verdicts, err);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    for (size_t i = 0; i < end; i++) {
        if (i > 0 && strcmp(mentions[i].parent->id, mentions[i - 1].parent->id) != 0) {
            id++;
        }
        *mentions[i].seen = question->verdicts[id] == GRANTED;
    }
    *done = end;
    return APR_SUCCESS;
}

/* seen has one byte for each parent of each entry, in that order. */
static void drop_unseen(mm_page_t *page, const unsigned char *seen, apr_pool_t *pool)
{
    for (size_t i = 0; i < page->n; i++) {
        mm_entry_t *entry = &page->entries[i];
        mm_parent_t *kept = entry->n_parents ? apr_palloc(pool, entry->n_parents * sizeof(*kept)) : NULL;
        size_t n = 0;

        for (size_t p = 0; p < entry->n_parents; p++) {
            if (*seen++) {
                kept[n++] = entry->parents[p];
            }
        }
        entry->parents = kept;
        entry->n_parents = n;
        page->most_parents = n > page->most_parents ? n : page->most_parents;
    }
}

static apr_status_t keep_visible_parents(mm_page_t *page, const mm_report_t *report, apr_pool_t *pool, mm_err_t *err)
{
    size_t n = 0, at = 0;

    for (size_t i = 0; i < page->n; i++) {
        n += page->entries[i].n_parents;
    }
    if (n == 0) {
        return APR_SUCCESS;
    }
    mention_t *mentions = apr_palloc(pool, n * sizeof(*mentions));
    unsigned char *seen = apr_pcalloc(pool, n);
    for (size_t i = 0; i < page->n; i++) {
        for (size_t p = 0; p < page->entries[i].n_parents; p++, at++) {
            mentions[at].parent = &page->entries[i].parents[p];
            mentions[at].seen = &seen[at];
        }
    }
    qsort(mentions, n, sizeof(*mentions), by_type_and_id);

    question_t *question = apr_palloc(pool, sizeof(*question));
    size_t done = 0;
    for (at = 0; at < n; at += done) {
        apr_status_t rv = ask_some(report, mentions + at, n - at, question, &done, err);
        if (rv != APR_SUCCESS) {
            return rv;
        }
    }
    drop_unseen(page, seen, pool);
    return APR_SUCCESS;
}

apr_status_t mm_page_fetch(mm_page_t *page, const mm_report_t *report, const char *type, mm_totals_t *cursor,
                           mm_window_t *window, apr_pool_t *pool, mm_err_t *err)
{
    mm_totals_row_t *rows = apr_palloc(pool, MM_REPORT_BATCH * sizeof(*rows));

    memset(page, 0, sizeof(*page));
    page->type = type;
    apr_status_t rv = mm_totals_next(cursor, rows, MM_REPORT_BATCH, &page->fetched, pool, err);
    if (rv != APR_SUCCESS || page->fetched == 0) {
        return rv;
    }
    rv = keep_visible(page, report, rows, window, pool, err);
    if (rv != APR_SUCCESS || page->n == 0) {
        return rv;
    }
    rv = look_up(page, report, pool, err);
    if (rv != APR_SUCCESS || report->route->parents == MM_PARENTS_NONE) {
        return rv;
    }
    return keep_visible_parents(page, report, pool, err);
}
