/* Questions to the gate: which of the resources and people that a batch speaks of may be seen. Part of the room report;
 * others use report.h.
 */
#ifndef MM_GATE_H
#define MM_GATE_H

#include <stdbool.h>
#include "report/report.h"

/* A resource or a person of some row, and where to say that it may be seen. Many rows can speak of the same one. */
typedef struct mm_mention {
    const char *of;   /* for a person: the id of the resource that they are named with, which may be seen; else NULL */
    const char *type; /* of the resource */
    const char *name; /* the resource's id, or the user */
    unsigned char *seen;
} mm_mention_t;

/* Sets *seen of each mention to 1 or 0. Orders the mentions. Each resource, and each person with a resource, is asked
 * for once per question, and at most MM_REPORT_BATCH of them; only the verdict 1 counts as yes: a provider that forgets
 * to answer, or answers something else, shows nothing. */
apr_status_t mm_gate_ask(const mm_gate_t *gate, mm_mention_t *mentions, size_t n, apr_pool_t *pool, mm_err_t *err);

/* An ObjectId with letters in upper case, as the application's documents have it: in lower case. NULL for all other
 * ids. The catalogue finds it in either. */
const char *mm_gate_usual_spelling(const char *id, apr_pool_t *pool);
/* The same as mm_gate_ask for resources that documents name, whose names are the catalogue's: of one in another
 * spelling the usual one must be seen, too. */
apr_status_t mm_gate_ask_parents(const mm_gate_t *gate, mm_mention_t *mentions, size_t n, apr_pool_t *pool,
                                 mm_err_t *err);

#endif
