/* From rows that may be seen to all that stands in them.
 *
 * The order is the rule: nothing is looked up in the catalogue but for rows that the gate has let pass, and no parent
 * and no owner is written that the gate has not let pass. Of two pages each step is taken for both before the next one,
 * so that what the database is asked for can be asked at the same time; the gate is always asked on this thread.
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

/* --- what is looked up, of one page or of two ----------------------------------------------------------------------
 */

typedef struct job {
    const mm_report_t *report;
    mm_second_t *second; /* NULL: one after the other */
    mm_page_t *pages;
    size_t n;
    apr_pool_t *pool;
} job_t;

static bool has_catalogue(const mm_question_t *question)
{
    for (int i = 0; question->n > 0 && i < question->catalogs->nelts; i++) {
        if (strcmp(APR_ARRAY_IDX(question->catalogs, i, const mm_catalog_t *)->type, question->type) == 0) {
            return true;
        }
    }
    return false;
}

/* One question for each page. */
static apr_status_t answer(const job_t *job, const mm_question_t *questions, mm_err_t *err)
{
    apr_status_t rv = APR_SUCCESS;

    if (job->second && job->n == 2 && has_catalogue(&questions[0]) && has_catalogue(&questions[1])) {
        return mm_second_answer_both(job->second, questions, job->pool, err);
    }
    for (size_t i = 0; i < job->n && rv == APR_SUCCESS; i++) {
        rv = mm_catalog_answer(&questions[i], job->pool, err);
    }
    return rv;
}

static mm_question_t question_of(const mm_report_t *report, const apr_array_header_t *catalogs, const char *type,
                                 size_t max, apr_pool_t *pool)
{
    return (mm_question_t){.store = report->catalog_store,
                           .catalogs = catalogs,
                           .forms = report->forms,
                           .type = type,
                           .entries = apr_palloc(pool, (max + 1) * sizeof(mm_entry_t))};
}

static apr_status_t look_up(const job_t *job, unsigned wants, mm_err_t *err)
{
    mm_question_t questions[MM_PAGES_MAX];
    size_t *at[MM_PAGES_MAX];
    apr_status_t rv = APR_SUCCESS;

    for (size_t i = 0; i < job->n && rv == APR_SUCCESS; i++) {
        const mm_page_t *page = &job->pages[i];
        const char **ids = apr_palloc(job->pool, (page->n + 1) * sizeof(*ids));

        at[i] = apr_palloc(job->pool, (page->n + 1) * sizeof(*at[i]));
        questions[i] = question_of(job->report, job->report->catalogs, page->type, page->n, job->pool);
        questions[i].ids = ids;
        questions[i].n = distinct_ids(page, ids, at[i], job->pool);
        questions[i].wants = wants;
        rv = keep_visible_spellings(page->type, job->report, ids, questions[i].n, job->pool, err);
    }
    rv = rv == APR_SUCCESS ? answer(job, questions, err) : rv;
    for (size_t i = 0; i < job->n && rv == APR_SUCCESS; i++) {
        for (size_t row = 0; row < job->pages[i].n; row++) {
            job->pages[i].rows[row].entry = questions[i].entries[at[i][row]];
        }
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

/* --- people ---------------------------------------------------------------------------------------------------------
 */

static const char *user_of(const mm_page_row_t *row)
{
    return row->use->user;
}

static const char *owner_of(const mm_page_row_t *row)
{
    return row->entry.owner;
}

static void set_user_name(mm_page_row_t *row, const char *name)
{
    row->user_name = row->use->user ? name : NAME_OF_OTHERS;
}

static void set_owner_name(mm_page_row_t *row, const char *name)
{
    row->owner_name = name;
}

static bool is_somebody(const char *person)
{
    return person && *person;
}

/* Their names where those are known, "" otherwise. They are people who may be seen. */
static apr_status_t name_people(const job_t *job, const char *(*person_of)(const mm_page_row_t *row),
                                void (*set_name)(mm_page_row_t *row, const char *name), mm_err_t *err)
{
    mm_question_t questions[MM_PAGES_MAX];

    for (size_t i = 0; i < job->n; i++) {
        const mm_page_t *page = &job->pages[i];
        const char **known = apr_palloc(job->pool, (page->n + 1) * sizeof(*known));

        questions[i] = question_of(job->report, job->report->people, MM_CATALOG_PEOPLE, page->n, job->pool);
        questions[i].ids = known;
        for (size_t row = 0; row < page->n; row++) {
            if (is_somebody(person_of(&page->rows[row]))) {
                known[questions[i].n++] = person_of(&page->rows[row]);
            }
        }
    }
    apr_status_t rv = job->report->people ? answer(job, questions, err) : APR_SUCCESS;
    for (size_t i = 0; i < job->n && rv == APR_SUCCESS; i++) {
        const mm_entry_t *entry = questions[i].entries;

        for (size_t row = 0; row < job->pages[i].n; row++) {
            mm_page_row_t *named = &job->pages[i].rows[row];
            bool is_known = job->report->people && is_somebody(person_of(named));

            set_name(named, is_known ? entry++->name : "");
        }
    }
    return rv;
}

/* --- pages ----------------------------------------------------------------------------------------------------------
 */

static apr_status_t read_rows(mm_page_t *page, const char *type, mm_rows_t *rows, mm_window_t *window, apr_pool_t *pool,
                              mm_err_t *err)
{
    mm_batch_t batch;

    memset(page, 0, sizeof(*page));
    page->type = type;
    apr_status_t rv = mm_rows_next(rows, &batch, pool, err);
    if (rv == APR_SUCCESS) {
        page->ended = batch.ended;
        open_window(page, &batch, window, pool);
    }
    return rv;
}

static apr_status_t keep_visible(const job_t *job, unsigned wants, mm_err_t *err)
{
    apr_status_t rv = APR_SUCCESS;

    for (size_t i = 0; i < job->n && rv == APR_SUCCESS; i++) {
        if (wants & MM_CATALOG_PARENTS) {
            rv = keep_visible_parents(&job->pages[i], job->report, job->pool, err);
        }
        if (rv == APR_SUCCESS && wants & MM_CATALOG_OWNER) {
            rv = keep_visible_owners(&job->pages[i], job->report, job->pool, err);
        }
    }
    return rv;
}

static apr_status_t complete(const job_t *job, mm_err_t *err)
{
    const unsigned wants = wants_of(job->report->route);
    apr_status_t rv = look_up(job, wants, err);

    rv = rv == APR_SUCCESS ? keep_visible(job, wants, err) : rv;
    if (rv == APR_SUCCESS && wants & MM_CATALOG_OWNER) {
        rv = name_people(job, owner_of, set_owner_name, err);
    }
    if (rv == APR_SUCCESS && mm_route_is_per_user(job->report->route)) {
        rv = name_people(job, user_of, set_user_name, err);
    }
    return rv;
}

apr_status_t mm_page_fetch(mm_page_t *page, const mm_report_t *report, const char *type, mm_rows_t *rows,
                           mm_window_t *window, apr_pool_t *pool, mm_err_t *err)
{
    const job_t job = {report, NULL, page, 1, pool};
    apr_status_t rv = read_rows(page, type, rows, window, pool, err);

    return rv == APR_SUCCESS && page->n > 0 ? complete(&job, err) : rv;
}

apr_status_t mm_page_fetch_two(mm_page_t pages[MM_PAGES_MAX], size_t *n, const mm_report_t *report, mm_second_t *second,
                               const char *type, mm_rows_t *rows, mm_window_t *window, apr_pool_t *pool, mm_err_t *err)
{
    job_t job = {report, second, pages, 1, pool};
    apr_status_t rv = read_rows(&pages[0], type, rows, window, pool, err);

    if (rv == APR_SUCCESS && !pages[0].ended && window->left != 0) {
        rv = read_rows(&pages[1], type, rows, window, pool, err);
        job.n += pages[1].ended ? 0 : 1;
    }
    *n = job.n;
    return rv == APR_SUCCESS && !pages[0].ended ? complete(&job, err) : rv;
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
