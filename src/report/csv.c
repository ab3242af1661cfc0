/* Writes cells into a buffer and full buffers into the sink.
 *
 * A cell is looked at twice: once to learn whether it needs quotes or the guard, once to write it. Whatever bytes come
 * in, what goes out is UTF-8 and reads back as one cell.
 */
#include "report/csv.h"

#include <stdbool.h>
#include <string.h>

#include "base/text.h"

void mm_csv_init(mm_csv_t *csv, mm_sink_fn sink, void *baton, char separator, int raw)
{
    mm_out_init(&csv->out, sink, baton);
    csv->separator = separator;
    csv->raw = raw;
    csv->cells = 0;
    csv->row_is_blank = 1;
    csv->split = 0;
}

apr_status_t mm_csv_flush(mm_csv_t *csv)
{
    return mm_out_flush(&csv->out);
}

void mm_csv_bom(mm_csv_t *csv)
{
    mm_out_put(&csv->out, "\xEF\xBB\xBF", 3);
}

static bool is_plain(char byte)
{
    return byte != '\0' && (unsigned char)byte < 0x80 && byte != '"';
}

/* Where a spreadsheet may begin another cell within ours: with other settings (in much of Europe a CSV is split at
 * semicolons) our quotes stand in the midst of a cell, and mean nothing. */
static bool may_split(const mm_csv_t *csv, char byte)
{
    return byte != csv->separator && (byte == ';' || byte == '\t' || byte == '\r' || byte == '\n');
}

static size_t plain_run(const mm_csv_t *csv, const char *text)
{
    size_t len = 0;

    while (is_plain(text[len])) {
        if (may_split(csv, text[len++])) {
            break;
        }
    }
    return len;
}

static void put_escaped(mm_csv_t *csv, const char *text)
{
    while (*text) {
        size_t len = plain_run(csv, text);

        len = len > 0 ? len : mm_text_character(text);
        if (csv->split && !csv->raw && strchr("=+-@", *text)) {
            mm_out_byte(&csv->out, '\'');
        }
        if (*text != '"') { /* quotes before a formula would vanish */
            csv->split = len > 0 && may_split(csv, text[len - 1]);
        }
        if (len == 0) {
            mm_out_percent(&csv->out, *text++);
            continue;
        }
        if (*text == '"') {
            mm_out_byte(&csv->out, '"');
        }
        mm_out_put(&csv->out, text, len);
        text += len;
    }
}

static void begin_cell(mm_csv_t *csv)
{
    if (csv->cells > 0) {
        mm_out_byte(&csv->out, csv->separator);
    }
    csv->cells++;
    csv->split = 0;
}

static const char *text_or_empty(const char *text)
{
    return text ? text : "";
}

static bool needs_quotes(const mm_csv_t *csv, const char *text)
{
    for (; *text; text++) {
        if (*text == csv->separator || *text == '"' || *text == '\r' || *text == '\n') {
            return true;
        }
    }
    return false;
}

static bool starts_formula(char first)
{
    return first != '\0' && strchr("=+-@\t\r", first) != NULL;
}

void mm_csv_join(mm_csv_t *csv, const char *const *pieces, size_t n, const char *separator)
{
    bool quoted = n > 1 && needs_quotes(csv, separator);
    char first = '\0';

    for (size_t i = 0; i < n; i++) {
        const char *piece = text_or_empty(pieces[i]);
        quoted = quoted || needs_quotes(csv, piece);
        if (first == '\0') {
            first = i > 0 && *separator ? *separator : *piece;
        }
    }
    begin_cell(csv);
    csv->row_is_blank = csv->row_is_blank && csv->cells == 1 && first == '\0';
    if (quoted) {
        mm_out_byte(&csv->out, '"');
    }
    if (!csv->raw && starts_formula(first)) {
        mm_out_byte(&csv->out, '\'');
    }
    for (size_t i = 0; i < n; i++) {
        if (i > 0) {
            put_escaped(csv, separator);
        }
        put_escaped(csv, text_or_empty(pieces[i]));
    }
    if (quoted) {
        mm_out_byte(&csv->out, '"');
    }
}

void mm_csv_text(mm_csv_t *csv, const char *text)
{
    mm_csv_join(csv, &text, 1, "");
}

void mm_csv_int(mm_csv_t *csv, int64_t number)
{
    begin_cell(csv);
    mm_out_int(&csv->out, number);
    csv->row_is_blank = 0;
}

static void put_time(mm_csv_t *csv, int64_t ms, size_t len)
{
    char text[MM_TIME_TEXT];

    begin_cell(csv);
    if (mm_time_text(text, ms, ' ')) {
        mm_out_put(&csv->out, text, len);
        csv->row_is_blank = 0;
    }
}

void mm_csv_time(mm_csv_t *csv, int64_t ms)
{
    put_time(csv, ms, MM_TIME_TEXT);
}

void mm_csv_day(mm_csv_t *csv, int64_t ms)
{
    put_time(csv, ms, MM_DAY_TEXT);
}

void mm_csv_end_row(mm_csv_t *csv)
{
    if (csv->cells == 1 && csv->row_is_blank) {
        mm_out_put(&csv->out, "\"\"", 2);
    }
    mm_out_put(&csv->out, "\r\n", 2);
    csv->cells = 0;
    csv->row_is_blank = 1;
}
