/* Two look-ups at a time.
 *
 * The second one runs on a thread of its own, for as long as that takes. It has all that it changes for itself: the
 * connection, what was learnt of forms through it, and a pool with an allocator of its own, since pools of one
 * allocator must not be used by two threads. It reads the question, which nobody changes meanwhile, and hands back
 * nothing but entries, a status and an error. The connection is opened when it is needed first, on the request's
 * thread. When it has failed once it is left alone: then the report's own answers, which says what is wrong if that is
 * more than a connection too many.
 */
#include "report/second.h"

#include <apr_allocator.h>

#include "report/both.h"

/* Of what a batch needed, and the next one may not. */
#define BYTES_KEPT (4 * 1024 * 1024)

struct mm_second {
    const mm_report_t *report;
    apr_pool_t *parent;
    apr_pool_t *pool; /* NULL: nothing was opened yet */
    apr_pool_t *answers;
    mm_store_t *store; /* NULL: there is none, or none any more */
    mm_forms_t *forms;
};

mm_second_t *mm_second_make(const mm_report_t *report, apr_pool_t *pool)
{
    mm_second_t *second = apr_pcalloc(pool, sizeof(*second));

    second->report = report;
    second->parent = pool;
    return second;
}

void mm_second_clear(mm_second_t *second)
{
    if (second->answers) {
        apr_pool_clear(second->answers);
    }
}

static bool make_pool(mm_second_t *second)
{
    apr_allocator_t *allocator;

    if (apr_allocator_create(&allocator) != APR_SUCCESS) {
        return false;
    }
    if (apr_pool_create_ex(&second->pool, second->parent, NULL, allocator) != APR_SUCCESS) {
        second->pool = NULL;
        apr_allocator_destroy(allocator);
        return false;
    }
    apr_allocator_owner_set(allocator, second->pool);
    apr_allocator_max_free_set(allocator, BYTES_KEPT);
    return apr_pool_create(&second->answers, second->pool) == APR_SUCCESS;
}

/* Once in a report. */
static void open_connection(mm_second_t *second)
{
    const mm_report_t *report = second->report;
    mm_err_t err;

    if (!second->pool && report->open_second && make_pool(second) &&
        report->open_second(report->second_baton, &second->store, second->pool, &err) == APR_SUCCESS) {
        second->forms = mm_forms_make(second->pool);
    }
}

typedef struct task {
    mm_question_t question;
    apr_pool_t *pool;
    apr_status_t status;
    mm_err_t err;
} task_t;

static void answer(void *data)
{
    task_t *task = data;

    task->status = mm_catalog_answer(&task->question, task->pool, &task->err);
}

static apr_status_t outcome(const task_t *task, mm_err_t *err)
{
    return task->status == APR_SUCCESS ? APR_SUCCESS : mm_err_set(err, task->status, "%s", task->err.text);
}

apr_status_t mm_second_answer_both(mm_second_t *second, const mm_question_t questions[2], apr_pool_t *pool,
                                   mm_err_t *err)
{
    task_t here = {.question = questions[0], .pool = pool}, there = {.question = questions[1]};
    apr_status_t rv;

    open_connection(second);
    if (!second->store) {
        rv = mm_catalog_answer(&questions[0], pool, err);
        return rv == APR_SUCCESS ? mm_catalog_answer(&questions[1], pool, err) : rv;
    }
    there.question.store = second->store;
    there.question.forms = second->forms;
    there.pool = second->answers;
    mm_both(answer, &here, &there);
    if (there.status != APR_SUCCESS) {
        second->store = NULL;
    }
    rv = outcome(&here, err);
    return rv == APR_SUCCESS && there.status != APR_SUCCESS ? mm_catalog_answer(&questions[1], pool, err) : rv;
}
