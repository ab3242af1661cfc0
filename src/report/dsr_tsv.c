/* The DSR in its tabular form: ten rows of a name and a value, an empty one, and a table with a row for each dataset,
 * access method and metric. A title that a spreadsheet would run as a formula gets its guard, as in other reports.
 */
#include "report/dsr_private.h"

#include <string.h>
#include <apr_strings.h>

#include "report/csv.h"

#define BETWEEN "; "

typedef struct tsv_form {
    mm_dsr_form_t form;
    mm_csv_t csv;
    apr_pool_t *pool;
} tsv_form_t;

static void put_row(mm_csv_t *csv, const char *name, const char *value)
{
    mm_csv_text(csv, name);
    mm_csv_text(csv, value);
    mm_csv_end_row(csv);
}

static const char *join(apr_pool_t *pool, const char *before, const char *more)
{
    return apr_pstrcat(pool, before, *before ? BETWEEN : "", more, NULL);
}

static const char *metrics_of(const mm_sushi_t *sushi, apr_pool_t *pool)
{
    const char *names = "";

    for (size_t i = 0; i < MM_SUSHI_N_METRICS; i++) {
        if (sushi->metrics & 1u << i) {
            names = join(pool, names, mm_sushi_metric_name(i));
        }
    }
    return names;
}

static const char *given(const apr_array_header_t *pairs, apr_pool_t *pool)
{
    const char *text = "";

    for (int i = 0; i < pairs->nelts; i++) {
        const mm_given_t *one = &APR_ARRAY_IDX(pairs, i, mm_given_t);
        text = join(pool, text, apr_pstrcat(pool, one->name, "=", one->value, NULL));
    }
    return text;
}

static const char *exceptions_of(const mm_sushi_t *sushi, apr_pool_t *pool)
{
    const char *text = "";

    for (int i = 0; i < sushi->exceptions->nelts; i++) {
        const mm_sushi_exception_t *one = &APR_ARRAY_IDX(sushi->exceptions, i, mm_sushi_exception_t);
        text = join(pool, text, apr_psprintf(pool, "%d: %s", one->code, one->message));
    }
    return text;
}

/* Jan-2026 */
static const char *month_of(const mm_dsr_report_t *report, apr_pool_t *pool)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    int month = (report->begin[5] - '0') * 10 + report->begin[6] - '0';

    return apr_psprintf(pool, "%.3s-%.4s", months + 3 * ((size_t)month - 1), report->begin);
}

static void put_head(mm_dsr_form_t *form, const mm_dsr_report_t *report)
{
    static const char *const columns[] = {"Dataset_Title", "Publisher",   "Publisher_ID",
                                          "DOI",           "Other_ID",    "URI",
                                          "Access_Method", "Metric_Type", "Reporting_Period_Total"};
    tsv_form_t *self = (tsv_form_t *)form;
    mm_csv_t *csv = &self->csv;

    put_row(csv, "Report_Name", "Dataset Master Report");
    put_row(csv, "Report_ID", "DSR");
    put_row(csv, "Release", "RD1");
    put_row(csv, "Metric_Types", metrics_of(report->sushi, self->pool));
    put_row(csv, "Report_Filters", given(report->sushi->filters, self->pool));
    put_row(csv, "Report_Attributes", given(report->sushi->attributes, self->pool));
    put_row(csv, "Exceptions", exceptions_of(report->sushi, self->pool));
    put_row(csv, "Reporting_Period",
            apr_psprintf(self->pool, "%.*s to %.*s", MM_DSR_DATE, report->begin, MM_DSR_DATE, report->end));
    put_row(csv, "Created", apr_pstrmemdup(self->pool, report->created, MM_DSR_DATE));
    put_row(csv, "Created_By", report->names->created_by);
    mm_csv_end_row(csv);
    for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
        mm_csv_text(csv, columns[i]);
    }
    mm_csv_text(csv, month_of(report, self->pool));
    mm_csv_end_row(csv);
}

static void put_count(mm_csv_t *csv, const mm_dsr_names_t *names, const mm_dsr_item_t *item, size_t method,
                      size_t metric)
{
    const char *const publisher_id[] = {names->publisher_id_type, names->publisher_id};
    int64_t count = item->counts[method][metric];

    mm_csv_text(csv, item->title);
    mm_csv_text(csv, names->publisher);
    mm_csv_join(csv, publisher_id, names->publisher_id ? 2 : 0, ":");
    mm_csv_text(csv, item->id_kind == MM_DATASET_DOI ? item->id : NULL);
    mm_csv_text(csv, item->id_kind == MM_DATASET_OTHER ? item->id : NULL);
    mm_csv_text(csv, item->id_kind == MM_DATASET_URI ? item->id : NULL);
    mm_csv_text(csv, mm_sushi_method_name(method));
    mm_csv_text(csv, mm_sushi_metric_name(metric));
    mm_csv_int(csv, count);
    mm_csv_int(csv, count); /* the month, which is the whole period */
    mm_csv_end_row(csv);
}

static void put_item(mm_dsr_form_t *form, const mm_dsr_report_t *report, const mm_dsr_item_t *item)
{
    for (size_t method = 0; method < MM_SUSHI_N_METHODS; method++) {
        for (size_t metric = 0; metric < MM_SUSHI_N_METRICS; metric++) {
            if (item->counts[method][metric] > 0) {
                put_count(&((tsv_form_t *)form)->csv, report->names, item, method, metric);
            }
        }
    }
}

static void put_tail(mm_dsr_form_t *form)
{
    (void)form;
}

mm_dsr_form_t *mm_dsr_tsv(mm_sink_fn sink, void *baton, apr_pool_t *pool)
{
    tsv_form_t *self = apr_pcalloc(pool, sizeof(*self));

    self->pool = pool;
    self->form = (mm_dsr_form_t){put_head, put_item, put_tail, &self->csv.out};
    mm_csv_init(&self->csv, sink, baton, '\t', 0);
    return &self->form;
}
