/* From rows that may be seen to all that stands in them.
 *
 * The order is the rule: nothing is looked up in the catalogue but for rows that the gate has let pass, and no parent
 * and no owner is written that the gate has not let pass.
 */
#include "report/page.h"

#include <string.h>
#include <apr_hash.h>

#include "report/gate.h"

/* What stands where a person's name does in the row for the rest of a resource. Their column user_id is empty, which it
 * is in no other row. */
#define NAME_OF_OTHERS "others"
/* An id cannot be empty. */
#define NOBODYS_ID ""

static void open_window(mm_page_t *page, const mm_batch_t *batch, mm_window_t *window, apr_pool_t *pool)
{
    page->rows = apr_pcalloc(pool, (batch->n + 1) * sizeof(*page->rows));
    for (size_t i = 0; i < batch->n && window->left != 0; i++) {
        if (window->skip > 0) {
            window->skip--;
            continue;
        }
        page->rows[page->n++].use = &batch->rows[i];
        window->left -= window->left > 0 ? 1 : 0;
    }
}

static unsigned wants_of(const mm_route_t *route)
{
    static const unsigned of_extra[MM_EXTRAS] = {
        [MM_EXTRA_OWNER] = MM_CATALOG_OWNER,   [MM_EXTRA_OWNER_NAME] = MM_CATALOG_OWNER,
        [MM_EXTRA_SIZE] = MM_CATALOG_SIZE,     [MM_EXTRA_CREATED] = MM_CATALOG_CREATED,
        [MM_EXTRA_STATUS] = MM_CATALOG_STATUS, [MM_EXTRA_LOCATION] = MM_CATALOG_LOCATION};
    unsigned wants = route->parents != MM_PARENTS_NONE || route->n_ancestors > 0 ? MM_CATALOG_PARENTS : 0;

    for (size_t i = 0; i < route->n_extras; i++) {
        wants |= of_extra[route->extras[i]];
    }
    return wants;
}

/* The resources of the rows, each once: a report of users names one as often as it has users. Row i is about
 * ids[at[i]].
 */
static size_t distinct_ids(const mm_page_t *page, const char **ids, size_t *at, apr_pool_t *pool)
{
    apr_hash_t *known = apr_hash_make(pool);
    size_t n = 0;

    for (size_t i = 0; i < page->n; i++) {
        const char *id = page->rows[i].use->id;
        const char **same = apr_hash_get(known, id, APR_HASH_KEY_STRING);

        if (!same) {
            same = &ids[n++];
            *same = id;
            apr_hash_set(known, id, APR_HASH_KEY_STRING, same);
        }
        at[i] = (size_t)(same - ids);
    }
    return n;
}

/* The catalogue finds an ObjectId in either case of letters. Whoever may see one spelling need not see what is known of
 * the resource: where the usual spelling may not be seen, nothing is looked up. */
static apr_status_t keep_visible_spellings(const char *type, const mm_report_t *report, const char **ids, size_t n,
                                           apr_pool_t *pool, mm_err_t *err)
{
    mm_mention_t *mentions = apr_palloc(pool, n * sizeof(*mentions));
    unsigned char *seen = apr_palloc(pool, n);
    size_t asked = 0;

    memset(seen, 1, n);
    for (size_t i = 0; i < n; i++) {
        const char *usual = mm_gate_usual_spelling(ids[i], pool);

        if (usual) {
            mentions[asked++] = (mm_mention_t){NULL, type, usual, &seen[i]};
        }
    }
    apr_status_t rv = mm_gate_ask(&report->gate, mentions, asked, pool, err);
    for (size_t i = 0; i < n; i++) {
        ids[i] = seen[i] ? ids[i] : NOBODYS_ID;
    }
    return rv;
}

static apr_status_t look_up(mm_page_t *page, const mm_report_t *report, unsigned wants, apr_pool_t *pool, mm_err_t *err)
{
    const char **ids = apr_palloc(pool, page->n * sizeof(*ids));
    size_t *at = apr_palloc(pool, page->n * sizeof(*at));
    size_t n = distinct_ids(page, ids, at, pool);
    mm_entry_t *entries = apr_palloc(pool, n * sizeof(*entries));
    apr_status_t rv = keep_visible_spellings(page->type, report, ids, n, pool, err);

    if (rv == APR_SUCCESS) {
        const mm_question_t question = {
            report->catalog_store, report->catalogs, report->forms, page->type, ids, n, wants, entries};
        rv = mm_catalog_answer(&question, pool, err);
    }
    for (size_t i = 0; i < page->n && rv == APR_SUCCESS; i++) {
        page->rows[i].entry = entries[at[i]];
    }
    return rv;
}

/* seen has one byte for each parent of each row, in that order. */
static void drop_unseen(mm_page_t *page, const unsigned char *seen, apr_pool_t *pool)
{
    for (size_t i = 0; i < page->n; i++) {
        mm_entry_t *entry = &page->rows[i].entry;
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
        n += page->rows[i].entry.n_parents;
    }
    if (n == 0) {
        return APR_SUCCESS;
    }
    mm_mention_t *mentions = apr_palloc(pool, n * sizeof(*mentions));
    unsigned char *seen = apr_pcalloc(pool, n);
    for (size_t i = 0; i < page->n; i++) {
        const mm_entry_t *entry = &page->rows[i].entry;

        for (size_t p = 0; p < entry->n_parents; p++, at++) {
            mentions[at] = (mm_mention_t){NULL, entry->parents[p].type, entry->parents[p].id, &seen[at]};
        }
    }
    apr_status_t rv = mm_gate_ask_parents(&report->gate, mentions, n, pool, err);
    if (rv == APR_SUCCESS) {
        drop_unseen(page, seen, pool);
    }
    return rv;
}

static apr_status_t keep_visible_owners(mm_page_t *page, const mm_report_t *report, apr_pool_t *pool, mm_err_t *err)
{
    mm_mention_t *mentions = apr_palloc(pool, page->n * sizeof(*mentions));
    unsigned char *seen = apr_pcalloc(pool, page->n);
    size_t n = 0;

    for (size_t i = 0; i < page->n; i++) {
        if (*page->rows[i].entry.owner) {
            mentions[n++] = (mm_mention_t){page->rows[i].use->id, page->type, page->rows[i].entry.owner, &seen[i]};
        }
    }
    apr_status_t rv = mm_gate_ask(&report->gate, mentions, n, pool, err);
    for (size_t i = 0; i < page->n; i++) {
        if (rv != APR_SUCCESS || !seen[i]) {
            page->rows[i].entry.owner = "";
        }
    }
    return rv;
}

/* The names of people who may be seen; "" for "". */
static apr_status_t name_people(const mm_report_t *report, const char *const *people, size_t n, mm_entry_t **entries,
                                apr_pool_t *pool, mm_err_t *err)
{
    const char **known = apr_palloc(pool, n * sizeof(*known));
    mm_entry_t *found = apr_palloc(pool, n * sizeof(*found));
    size_t n_known = 0, at = 0;

    *entries = apr_pcalloc(pool, n * sizeof(**entries));
    for (size_t i = 0; i < n; i++) {
        (*entries)[i].name = "";
        if (people[i] && *people[i]) {
            known[n_known++] = people[i];
        }
    }
    if (!report->people || n_known == 0) {
        return APR_SUCCESS;
    }
    const mm_question_t question = {
        report->catalog_store, report->people, report->forms, MM_CATALOG_PEOPLE, known, n_known, 0, found};
    apr_status_t rv = mm_catalog_answer(&question, pool, err);
    for (size_t i = 0; i < n && rv == APR_SUCCESS; i++) {
        if (people[i] && *people[i]) {
            (*entries)[i].name = found[at++].name;
        }
    }
    return rv;
}

static apr_status_t name_users(mm_page_t *page, const mm_report_t *report, apr_pool_t *pool, mm_err_t *err)
{
    const char **users = apr_palloc(pool, page->n * sizeof(*users));
    mm_entry_t *entries;

    for (size_t i = 0; i < page->n; i++) {
        users[i] = page->rows[i].use->user;
    }
    apr_status_t rv = name_people(report, users, page->n, &entries, pool, err);
    for (size_t i = 0; i < page->n && rv == APR_SUCCESS; i++) {
        page->rows[i].user_name = users[i] ? entries[i].name : NAME_OF_OTHERS;
    }
    return rv;
}

static apr_status_t name_owners(mm_page_t *page, const mm_report_t *report, apr_pool_t *pool, mm_err_t *err)
{
    const char **owners = apr_palloc(pool, page->n * sizeof(*owners));
    mm_entry_t *entries;

    for (size_t i = 0; i < page->n; i++) {
        owners[i] = page->rows[i].entry.owner;
    }
    apr_status_t rv = name_people(report, owners, page->n, &entries, pool, err);
    for (size_t i = 0; i < page->n && rv == APR_SUCCESS; i++) {
        page->rows[i].owner_name = entries[i].name;
    }
    return rv;
}

apr_status_t mm_page_fetch(mm_page_t *page, const mm_report_t *report, const char *type, mm_rows_t *rows,
                           mm_window_t *window, apr_pool_t *pool, mm_err_t *err)
{
    const unsigned wants = wants_of(report->route);
    mm_batch_t batch;

    memset(page, 0, sizeof(*page));
    page->type = type;
    apr_status_t rv = mm_rows_next(rows, &batch, pool, err);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    page->ended = batch.ended;
    open_window(page, &batch, window, pool);
    if (page->n == 0) {
        return APR_SUCCESS;
    }
    rv = look_up(page, report, wants, pool, err);
    if (rv == APR_SUCCESS && wants & MM_CATALOG_PARENTS) {
        rv = keep_visible_parents(page, report, pool, err);
    }
    if (rv == APR_SUCCESS && wants & MM_CATALOG_OWNER) {
        rv = keep_visible_owners(page, report, pool, err);
        rv = rv == APR_SUCCESS ? name_owners(page, report, pool, err) : rv;
    }
    if (rv == APR_SUCCESS && mm_route_is_per_user(report->route)) {
        rv = name_users(page, report, pool, err);
    }
    return rv;
}

apr_status_t mm_page_fetch_days(mm_page_t *page, mm_days_t *days, mm_window_t *window, apr_pool_t *pool, mm_err_t *err)
{
    mm_day_t *rows;
    size_t n = 0;

    memset(page, 0, sizeof(*page));
    apr_status_t rv = mm_days_next(days, &rows, &n, &page->ended, pool, err);
    page->rows = apr_pcalloc(pool, (n + 1) * sizeof(*page->rows));
    for (size_t i = 0; i < n && window->left != 0; i++) {
        if (window->skip > 0) {
            window->skip--;
            continue;
        }
        page->rows[page->n++] = (mm_page_row_t){.use = &rows[i].use, .type = rows[i].type, .month = rows[i].month};
        window->left -= window->left > 0 ? 1 : 0;
    }
    return rv;
}
