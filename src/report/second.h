/* A report's second connection to the catalogue, and what is looked up through it. Part of the room report.
 */
#ifndef MM_SECOND_H
#define MM_SECOND_H

#include "report/report.h"

typedef struct mm_second mm_second_t;

/* Opens nothing yet. The end of pool, which is the report's, closes what is opened. */
mm_second_t *mm_second_make(const mm_report_t *report, apr_pool_t *pool);

/* Answers both questions, which must be the report's own, at the same time. Where there can be no second connection, or
 * it fails, that of the report answers one after the other. The first answer's memory is pool's, the second's lasts
 * until mm_second_clear. */
apr_status_t mm_second_answer_both(mm_second_t *second, const mm_question_t questions[2], apr_pool_t *pool,
                                   mm_err_t *err);

void mm_second_clear(mm_second_t *second);

#endif
