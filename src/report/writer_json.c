/* JSON: what can be said of the report, its rows, and only behind the last one what closes the document, so that a
 * transfer which broke is never valid. NDJSON: the rows alone, one to a line; what is whole there, only the transfer
 * tells.
 *
 * Written by hand rather than with yajl or libbson: the shape is fixed and every name in it is ours, so that all there
 * is to get right is a string (json.c, with a fuzzer of its own). libbson would write a row as {"$date": ...}, yajl
 * would build it in a buffer of its own and copy it once more.
 */
#include "report/writer.h"

#include <string.h>

#include "report/json.h"

typedef struct json_writer {
    mm_writer_t writer;
    const mm_envelope_t *envelope;
    int lines;
    int has_rows;
    mm_out_t out;
} json_writer_t;

static apr_status_t told(const mm_out_t *out, mm_err_t *err)
{
    return out->status == APR_SUCCESS ? APR_SUCCESS : mm_err_set_os(err, out->status, "the report could not be sent");
}

/* "name": with what must stand before it. The name is ours and needs no escapes. */
static void put_name(mm_out_t *out, const char *before, const char *name)
{
    mm_out_text(out, before);
    mm_out_byte(out, '"');
    mm_out_text(out, name);
    mm_out_put(out, "\":", 2);
}

static void put_int(mm_out_t *out, int64_t number)
{
    if (number == MM_CELL_NONE) {
        mm_out_text(out, "null");
    }
    else {
        mm_out_int(out, number);
    }
}

/* RFC 3339, or null. */
static void put_time(mm_out_t *out, int64_t ms)
{
    char text[MM_TIME_TEXT];

    if (mm_time_text(text, ms, 'T')) {
        mm_out_byte(out, '"');
        mm_out_put(out, text, sizeof(text));
        mm_out_put(out, "Z\"", 2);
    }
    else {
        mm_out_text(out, "null");
    }
}

/* YYYY-MM-DD, or null. */
static void put_day(mm_out_t *out, int64_t ms)
{
    char text[MM_TIME_TEXT];

    if (mm_time_text(text, ms, 'T')) {
        mm_out_byte(out, '"');
        mm_out_put(out, text, MM_DAY_TEXT);
        mm_out_byte(out, '"');
    }
    else {
        mm_out_text(out, "null");
    }
}

static void put_period(mm_out_t *out, const mm_envelope_t *envelope)
{
    if (envelope->since_ms == MM_TIME_NONE && envelope->until_ms == MM_TIME_NONE) {
        return;
    }
    put_name(out, ",\n", "period");
    put_name(out, "{", "since");
    put_time(out, envelope->since_ms);
    put_name(out, ",", "until");
    put_time(out, envelope->until_ms);
    mm_out_byte(out, '}');
}

/* limit and offset always, as numbers; the rest as it was given. */
static void put_parameters(mm_out_t *out, const mm_envelope_t *envelope)
{
    put_name(out, ",\n", "parameters");
    put_name(out, "{", "limit");
    put_int(out, envelope->limit < 0 ? MM_CELL_NONE : envelope->limit);
    put_name(out, ",", "offset");
    put_int(out, envelope->offset);
    for (int i = 0; envelope->given && i < envelope->given->nelts; i++) {
        const mm_given_t *given = &APR_ARRAY_IDX(envelope->given, i, mm_given_t);
        if (strcmp(given->name, "limit") != 0 && strcmp(given->name, "offset") != 0) {
            put_name(out, ",", given->name);
            mm_json_text(out, given->value);
        }
    }
    mm_out_byte(out, '}');
}

/* How many columns from at on are of one group; 1 for a column that is in none. */
static size_t group_size(const mm_envelope_t *envelope, size_t at)
{
    const char *group = envelope->columns[at].group;
    size_t n = 1;

    while (group && at + n < envelope->n_columns && envelope->columns[at + n].group &&
           strcmp(envelope->columns[at + n].group, group) == 0) {
        n++;
    }
    return n;
}

static const char *name_of(const mm_column_t *column)
{
    return column->group ? column->group : column->name;
}

static void put_columns(mm_out_t *out, const mm_envelope_t *envelope)
{
    static const char *const kinds[] = {"text", "integer", "time", "list", "date"};

    put_name(out, ",\n", "columns");
    mm_out_byte(out, '[');
    for (size_t i = 0; i < envelope->n_columns; i += group_size(envelope, i)) {
        put_name(out, i > 0 ? ",{" : "{", "name");
        mm_json_text(out, name_of(&envelope->columns[i]));
        put_name(out, ",", "kind");
        mm_json_text(out, kinds[envelope->columns[i].kind]);
        mm_out_byte(out, '}');
    }
    mm_out_byte(out, ']');
}

static apr_status_t begin(mm_writer_t *writer, const mm_envelope_t *envelope, mm_err_t *err)
{
    json_writer_t *self = (json_writer_t *)writer;
    mm_out_t *out = &self->out;

    self->envelope = envelope;
    if (!self->lines) {
        put_name(out, "{", "generated");
        put_time(out, envelope->generated_ms);
        put_period(out, envelope);
        put_parameters(out, envelope);
        put_columns(out, envelope);
        put_name(out, ",\n", "rows");
        mm_out_byte(out, '[');
    }
    return told(out, err);
}

/* The things that n columns tell of, as objects. */
static void put_group(mm_out_t *out, const mm_column_t *columns, const mm_cell_t *cells, size_t n)
{
    mm_out_byte(out, '[');
    for (size_t thing = 0; thing < cells[0].pieces.n; thing++) {
        for (size_t i = 0; i < n; i++) {
            put_name(out, i > 0 ? "," : thing > 0 ? ",{" : "{", columns[i].member);
            mm_json_text_or_null(out, cells[i].pieces.texts[thing]);
        }
        mm_out_byte(out, '}');
    }
    mm_out_byte(out, ']');
}

static void put_texts(mm_out_t *out, const mm_cell_t *cell)
{
    mm_out_byte(out, '[');
    for (size_t i = 0; i < cell->pieces.n; i++) {
        mm_out_text(out, i > 0 ? "," : "");
        mm_json_text_or_null(out, cell->pieces.texts[i]);
    }
    mm_out_byte(out, ']');
}

static void put_cell(mm_out_t *out, const mm_column_t *column, const mm_cell_t *cell)
{
    switch (column->kind) {
    case MM_CELL_TEXT:
        mm_json_text_or_null(out, cell->text);
        break;
    case MM_CELL_INT:
        put_int(out, cell->number);
        break;
    case MM_CELL_TIME:
        put_time(out, cell->number);
        break;
    case MM_CELL_DAY:
        put_day(out, cell->number);
        break;
    case MM_CELL_TEXTS:
        put_texts(out, cell);
        break;
    }
}

static apr_status_t row(mm_writer_t *writer, const mm_cell_t *cells, mm_err_t *err)
{
    json_writer_t *self = (json_writer_t *)writer;
    const mm_column_t *columns = self->envelope->columns;
    mm_out_t *out = &self->out;

    if (!self->lines) {
        mm_out_text(out, self->has_rows ? ",\n" : "\n");
    }
    self->has_rows = 1;
    for (size_t i = 0, n; i < self->envelope->n_columns; i += n) {
        n = group_size(self->envelope, i);
        put_name(out, i > 0 ? "," : "{", name_of(&columns[i]));
        if (columns[i].group) {
            put_group(out, columns + i, cells + i, n);
        }
        else {
            put_cell(out, &columns[i], &cells[i]);
        }
    }
    mm_out_text(out, self->lines ? "}\n" : "}");
    return told(out, err);
}

static apr_status_t flush(mm_writer_t *writer, mm_err_t *err)
{
    json_writer_t *self = (json_writer_t *)writer;

    mm_out_flush(&self->out);
    return told(&self->out, err);
}

/* text within a query string. */
static void put_query(mm_out_t *out, const char *text)
{
    for (; *text; text++) {
        if ((*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z') || (*text >= '0' && *text <= '9') ||
            strchr("-._~", *text)) {
            mm_out_byte(out, *text);
        }
        else {
            mm_out_percent(out, *text);
        }
    }
}

/* The next page, relative to the address of this one, so that it is right also behind a proxy that renames paths. */
static void put_next(mm_out_t *out, const mm_envelope_t *envelope, int64_t offset)
{
    put_name(out, ",\n", "next");
    mm_out_text(out, "\"?");
    for (int i = 0; envelope->given && i < envelope->given->nelts; i++) {
        const mm_given_t *given = &APR_ARRAY_IDX(envelope->given, i, mm_given_t);
        if (strcmp(given->name, "offset") != 0) {
            put_query(out, given->name);
            mm_out_byte(out, '=');
            put_query(out, given->value);
            mm_out_byte(out, '&');
        }
    }
    mm_out_text(out, "offset=");
    mm_out_int(out, offset);
    mm_out_byte(out, '"');
}

static apr_status_t end(mm_writer_t *writer, const mm_tail_t *tail, mm_err_t *err)
{
    json_writer_t *self = (json_writer_t *)writer;

    if (!self->lines) {
        mm_out_text(&self->out, self->has_rows ? "\n]" : "]");
        if (tail->next_offset >= 0) {
            put_next(&self->out, self->envelope, tail->next_offset);
        }
        mm_out_text(&self->out, "}\n");
    }
    return flush(writer, err);
}

mm_writer_t *mm_writer_json(mm_sink_fn sink, void *baton, int lines, apr_pool_t *pool)
{
    static const mm_writer_ops_t ops = {begin, row, flush, end};
    json_writer_t *self = apr_pcalloc(pool, sizeof(*self));

    self->writer.ops = &ops;
    self->lines = lines;
    mm_out_init(&self->out, sink, baton);
    return &self->writer;
}
