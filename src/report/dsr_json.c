/* The DSR as JSON. Names of members are in lower case with hyphens, as the Research Data SUSHI API has them. What is
 * not known is left out, or empty where the API demands it.
 */
#include "report/dsr_private.h"

#include <string.h>

#include "report/json.h"

typedef struct json_form {
    mm_dsr_form_t form;
    mm_out_t out;
    bool has_items;
} json_form_t;

/* A name of ours and, where that is text, its value; between stands before them. */
static void put_name(mm_out_t *out, const char *between, const char *name)
{
    mm_out_text(out, between);
    mm_out_byte(out, '"');
    mm_out_text(out, name);
    mm_out_text(out, "\":");
}

static void put_text(mm_out_t *out, const char *between, const char *name, const char *value)
{
    put_name(out, between, name);
    mm_json_text(out, value);
}

static void put_date(mm_out_t *out, const char *between, const char *name, const char *date)
{
    put_name(out, between, name);
    mm_out_byte(out, '"');
    mm_out_put(out, date, MM_DSR_DATE);
    mm_out_byte(out, '"');
}

static void put_period(mm_out_t *out, const mm_dsr_report_t *report)
{
    put_date(out, "{", "begin-date", report->begin);
    put_date(out, ",", "end-date", report->end);
    mm_out_byte(out, '}');
}

/* metric_type as it is in the tabular form: total-dataset-requests of Total_Dataset_Requests. */
static void put_word(mm_out_t *out, const char *between, const char *name, const char *word)
{
    put_name(out, between, name);
    mm_out_byte(out, '"');
    for (; *word; word++) {
        mm_out_byte(out, *word == '_' ? '-' : *word >= 'A' && *word <= 'Z' ? (char)(*word + 'a' - 'A') : *word);
    }
    mm_out_byte(out, '"');
}

void mm_dsr_put_exceptions(mm_out_t *out, const apr_array_header_t *exceptions, const char *help)
{
    mm_out_byte(out, '[');
    for (int i = 0; i < exceptions->nelts; i++) {
        const mm_sushi_exception_t *exception = &APR_ARRAY_IDX(exceptions, i, mm_sushi_exception_t);

        put_name(out, i > 0 ? ",{" : "{", "code");
        mm_out_int(out, exception->code);
        put_text(out, ",", "severity", exception->severity);
        put_text(out, ",", "message", exception->message);
        put_text(out, ",", "data", exception->data);
        if (help) {
            put_text(out, ",", "help-url", help);
        }
        mm_out_byte(out, '}');
    }
    mm_out_byte(out, ']');
}

static void put_given(mm_out_t *out, const char *name, const apr_array_header_t *given)
{
    put_name(out, ",\n", name);
    mm_out_byte(out, '[');
    for (int i = 0; i < given->nelts; i++) {
        const mm_given_t *one = &APR_ARRAY_IDX(given, i, mm_given_t);

        put_text(out, i > 0 ? ",{" : "{", "name", one->name);
        put_text(out, ",", "value", one->value);
        mm_out_byte(out, '}');
    }
    mm_out_byte(out, ']');
}

static void put_head(mm_dsr_form_t *form, const mm_dsr_report_t *report)
{
    mm_out_t *out = form->out;

    put_name(out, "{", "report-header");
    put_text(out, "{", "report-name", "dataset report");
    put_text(out, ",", "report-id", "dsr");
    put_text(out, ",", "release", "rd1");
    put_name(out, ",\n", "created");
    mm_out_byte(out, '"');
    mm_out_put(out, report->created, MM_TIME_TEXT);
    mm_out_text(out, "Z\"");
    put_text(out, ",", "created-by", report->names->created_by);
    put_name(out, ",", "reporting-period");
    put_period(out, report);
    put_given(out, "report-filters", report->sushi->filters);
    put_given(out, "report-attributes", report->sushi->attributes);
    put_name(out, ",\n", "exceptions");
    mm_dsr_put_exceptions(out, report->sushi->exceptions, report->names->help);
    put_name(out, "},\n", "report-datasets");
    mm_out_byte(out, '[');
}

static void put_publisher_id(mm_out_t *out, const mm_dsr_names_t *names)
{
    put_name(out, ",", "publisher-id");
    mm_out_byte(out, '[');
    if (names->publisher_id) {
        put_text(out, "{", "type", names->publisher_id_type);
        put_text(out, ",", "value", names->publisher_id);
        mm_out_byte(out, '}');
    }
    mm_out_byte(out, ']');
}

static void put_instances(mm_out_t *out, const mm_dsr_item_t *item)
{
    const char *between = "[{";

    for (size_t method = 0; method < MM_SUSHI_N_METHODS; method++) {
        for (size_t metric = 0; metric < MM_SUSHI_N_METRICS; metric++) {
            if (item->counts[method][metric] > 0) {
                put_word(out, between, "metric-type", mm_sushi_metric_name(metric));
                put_word(out, ",", "access-method", mm_sushi_method_name(method));
                put_name(out, ",", "count");
                mm_out_int(out, item->counts[method][metric]);
                mm_out_byte(out, '}');
                between = ",{";
            }
        }
    }
    mm_out_byte(out, ']');
}

static void put_item(mm_dsr_form_t *form, const mm_dsr_report_t *report, const mm_dsr_item_t *item)
{
    json_form_t *self = (json_form_t *)form;
    mm_out_t *out = form->out;

    put_text(out, self->has_items ? ",\n{" : "\n{", "dataset-title", item->title);
    self->has_items = true;
    put_text(out, ",\"dataset-id\":[{", "type", mm_dataset_id_kind_name(item->id_kind));
    put_text(out, ",", "value", item->id);
    put_text(out, "}],", "platform", report->names->platform);
    put_text(out, ",", "publisher", report->names->publisher);
    put_publisher_id(out, report->names);
    put_text(out, ",", "data-type", "dataset");
    put_name(out, ",\"performance\":[{", "period");
    put_period(out, report);
    put_name(out, ",", "instance");
    put_instances(out, item);
    mm_out_text(out, "}]}");
}

static void put_tail(mm_dsr_form_t *form)
{
    mm_out_text(form->out, ((json_form_t *)form)->has_items ? "\n]}\n" : "]}\n");
}

mm_dsr_form_t *mm_dsr_json(mm_sink_fn sink, void *baton, apr_pool_t *pool)
{
    json_form_t *self = apr_pcalloc(pool, sizeof(*self));

    self->form = (mm_dsr_form_t){put_head, put_item, put_tail, &self->out};
    mm_out_init(&self->out, sink, baton);
    return &self->form;
}
