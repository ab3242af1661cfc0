/* What the files of mm_dsr share. Not for other rooms. */
#ifndef MM_DSR_PRIVATE_H
#define MM_DSR_PRIVATE_H

#include "report/dsr.h"
#include "route/dataset_id.h"

/* One dataset. */
typedef struct mm_dsr_item {
    const char *title; /* "" where it has none */
    mm_dataset_id_kind_t id_kind;
    const char *id;                                         /* as reports have it */
    int64_t counts[MM_SUSHI_N_METHODS][MM_SUSHI_N_METRICS]; /* 0 where not asked for */
} mm_dsr_item_t;

typedef struct mm_dsr_report {
    const mm_dsr_names_t *names;
    const mm_sushi_t *sushi;
    char begin[MM_TIME_TEXT], end[MM_TIME_TEXT]; /* the first and the last day: the first 10 bytes of each */
    char created[MM_TIME_TEXT];
} mm_dsr_report_t;

#define MM_DSR_DATE 10

/* How the two forms look. All of them write into a buffer, whose status tells of a failure. */
typedef struct mm_dsr_form mm_dsr_form_t;
struct mm_dsr_form {
    void (*head)(mm_dsr_form_t *form, const mm_dsr_report_t *report);
    void (*item)(mm_dsr_form_t *form, const mm_dsr_report_t *report, const mm_dsr_item_t *item);
    void (*tail)(mm_dsr_form_t *form);
    mm_out_t *out;
};

mm_dsr_form_t *mm_dsr_json(mm_sink_fn sink, void *baton, apr_pool_t *pool);
mm_dsr_form_t *mm_dsr_tsv(mm_sink_fn sink, void *baton, apr_pool_t *pool);

#endif
