/* Mentions are put in order, so that what is of one kind and type stands together and what is the same, side by side.
 */
#include "report/gate.h"

#include <stdlib.h>
#include <string.h>
#include <apr_lib.h>
#include <apr_strings.h>

#define GRANTED       1
#define OBJECT_ID_LEN 24

typedef struct question {
    const char *names[MM_REPORT_BATCH];
    const char *of[MM_REPORT_BATCH]; /* of people */
    unsigned char verdicts[MM_REPORT_BATCH];
} question_t;

static int by_kind(const mm_mention_t *a, const mm_mention_t *b)
{
    int order = (a->of != NULL) - (b->of != NULL);

    return order ? order : strcmp(a->type, b->type);
}

/* Of two of one kind. */
static int by_name(const mm_mention_t *a, const mm_mention_t *b)
{
    int order = strcmp(a->name, b->name);

    return order || !a->of ? order : strcmp(a->of, b->of);
}

static int in_order(const void *left, const void *right)
{
    int order = by_kind(left, right);

    return order ? order : by_name(left, right);
}

static apr_status_t put(const mm_gate_t *gate, const mm_mention_t *first, question_t *question, size_t n, mm_err_t *err)
{
    memset(question->verdicts, 0, n);
    if (first->of) {
        return gate->see_users ? gate->see_users(gate->baton, first->type, question->of, question->names, n,
                                                 question->verdicts, err)
                               : mm_err_set(err, APR_EINVAL, "nobody says which people may be seen");
    }
    return gate->see_resources
               ? gate->see_resources(gate->baton, first->type, question->names, n, question->verdicts, err)
               : mm_err_set(err, APR_EINVAL, "nobody says which resources may be seen");
}

/* Asks about the mentions at the front: as many as are of one kind and fit one question. *done is how many mentions
 * that settled. */
static apr_status_t ask_some(const mm_gate_t *gate, const mm_mention_t *mentions, size_t n, question_t *question,
                             size_t *done, mm_err_t *err)
{
    size_t names = 0, end = 0, name = 0;

    while (end < n && by_kind(&mentions[0], &mentions[end]) == 0) {
        if (end == 0 || by_name(&mentions[end], &mentions[end - 1]) != 0) {
            if (names == MM_REPORT_BATCH) {
                break;
            }
            question->of[names] = mentions[end].of;
            question->names[names++] = mentions[end].name;
        }
        end++;
    }
    apr_status_t rv = put(gate, &mentions[0], question, names, err);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    for (size_t i = 0; i < end; i++) {
        if (i > 0 && by_name(&mentions[i], &mentions[i - 1]) != 0) {
            name++;
        }
        *mentions[i].seen = question->verdicts[name] == GRANTED;
    }
    *done = end;
    return APR_SUCCESS;
}

apr_status_t mm_gate_ask(const mm_gate_t *gate, mm_mention_t *mentions, size_t n, apr_pool_t *pool, mm_err_t *err)
{
    question_t *question = n ? apr_palloc(pool, sizeof(*question)) : NULL;
    apr_status_t rv = APR_SUCCESS;
    size_t done = 0;

    for (size_t i = 0; i < n; i++) {
        *mentions[i].seen = 0;
    }
    if (n > 1) {
        qsort(mentions, n, sizeof(*mentions), in_order);
    }
    for (size_t at = 0; at < n && rv == APR_SUCCESS; at += done) {
        rv = ask_some(gate, mentions + at, n - at, question, &done, err);
    }
    return rv;
}

const char *mm_gate_usual_spelling(const char *id, apr_pool_t *pool)
{
    static const char digits[] = "0123456789abcdefABCDEF";
    size_t len = strspn(id, digits);

    if (len != OBJECT_ID_LEN || id[len] || !strpbrk(id, "ABCDEF")) {
        return NULL;
    }
    char *usual = apr_pstrdup(pool, id);
    for (char *c = usual; *c; c++) {
        *c = (char)apr_tolower(*c);
    }
    return usual;
}

apr_status_t mm_gate_ask_parents(const mm_gate_t *gate, mm_mention_t *mentions, size_t n, apr_pool_t *pool,
                                 mm_err_t *err)
{
    apr_status_t rv = mm_gate_ask(gate, mentions, n, pool, err);
    mm_mention_t *others = apr_palloc(pool, (n + 1) * sizeof(*others));
    size_t n_others = 0;

    for (size_t i = 0; i < n && rv == APR_SUCCESS; i++) {
        const char *usual = *mentions[i].seen ? mm_gate_usual_spelling(mentions[i].name, pool) : NULL;

        if (usual) {
            others[n_others++] = (mm_mention_t){NULL, mentions[i].type, usual, mentions[i].seen};
        }
    }
    return rv == APR_SUCCESS ? mm_gate_ask(gate, others, n_others, pool, err) : rv;
}
