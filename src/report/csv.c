/* Writes cells into a buffer and full buffers into the sink.
 *
 * A cell is looked at twice: once to learn whether it needs quotes or the guard, once to write it. Whatever bytes come
 * in, what goes out is UTF-8 and reads back as one cell. After the sink has failed all calls do nothing, so that
 * callers need to look at the status only where it suits them. One thread at a time.
 */
#include "report/csv.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <apr_time.h>

#include "base/text.h"

/* 0000-01-01T00:00:00Z and 9999-12-31T23:59:59.999Z, in the Gregorian calendar also before 1582. */
#define FIRST_MS INT64_C(-62167219200000)
#define LAST_MS  INT64_C(253402300799999)

void mm_csv_init(mm_csv_t *csv, mm_sink_fn sink, void *baton, int raw)
{
    csv->sink = sink;
    csv->baton = baton;
    csv->raw = raw;
    csv->status = APR_SUCCESS;
    csv->cells = 0;
    csv->row_is_blank = 1;
    csv->used = 0;
}

apr_status_t mm_csv_flush(mm_csv_t *csv)
{
    if (csv->status == APR_SUCCESS && csv->used > 0) {
        csv->status = csv->sink(csv->baton, csv->buffer, csv->used);
    }
    csv->used = 0;
    return csv->status;
}

static void put_byte(mm_csv_t *csv, char byte)
{
    if (csv->used == sizeof(csv->buffer)) {
        mm_csv_flush(csv);
    }
    csv->buffer[csv->used++] = byte;
    csv->row_is_blank = 0;
}

static void put(mm_csv_t *csv, const char *data, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        put_byte(csv, data[i]);
    }
}

void mm_csv_bom(mm_csv_t *csv)
{
    put(csv, "\xEF\xBB\xBF", 3);
    csv->row_is_blank = 1;
}

/* How many bytes the character at text has; 0 where there is none. */
static size_t character(const char *text)
{
    unsigned char lead = (unsigned char)*text;
    size_t len = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;

    if (len == 1) {
        return 1;
    }
    return strnlen(text, len) == len && mm_text_is_utf8(text, len) ? len : 0;
}

static void put_escaped(mm_csv_t *csv, const char *text)
{
    static const char hex[] = "0123456789ABCDEF";

    for (; *text; text++) {
        size_t len = character(text);

        if (len == 0) {
            unsigned char byte = (unsigned char)*text;
            const char escape[3] = {'%', hex[byte >> 4], hex[byte & 15]};
            put(csv, escape, sizeof(escape));
            continue;
        }
        if (*text == '"') {
            put_byte(csv, '"');
        }
        put(csv, text, len);
        text += len - 1;
    }
}

static void begin_cell(mm_csv_t *csv)
{
    if (csv->cells > 0) {
        put_byte(csv, ',');
    }
    csv->cells++;
}

static const char *text_or_empty(const char *text)
{
    return text ? text : "";
}

static bool needs_quotes(const char *text)
{
    return strpbrk(text, "\",\r\n") != NULL;
}

static bool starts_formula(char first)
{
    return first != '\0' && strchr("=+-@\t\r", first) != NULL;
}

void mm_csv_join(mm_csv_t *csv, const char *const *pieces, size_t n, const char *separator)
{
    bool quoted = n > 1 && needs_quotes(separator);
    char first = '\0';

    for (size_t i = 0; i < n; i++) {
        const char *piece = text_or_empty(pieces[i]);
        quoted = quoted || needs_quotes(piece);
        if (first == '\0') {
            first = i > 0 && *separator ? *separator : *piece;
        }
    }
    begin_cell(csv);
    if (quoted) {
        put_byte(csv, '"');
    }
    if (!csv->raw && starts_formula(first)) {
        put_byte(csv, '\'');
    }
    for (size_t i = 0; i < n; i++) {
        if (i > 0) {
            put_escaped(csv, separator);
        }
        put_escaped(csv, text_or_empty(pieces[i]));
    }
    if (quoted) {
        put_byte(csv, '"');
    }
}

void mm_csv_text(mm_csv_t *csv, const char *text)
{
    mm_csv_join(csv, &text, 1, "");
}

void mm_csv_int(mm_csv_t *csv, int64_t number)
{
    char digits[24]; /* 20 of INT64_MIN with its sign, and the end */
    int len = snprintf(digits, sizeof(digits), "%" PRId64, number);

    begin_cell(csv);
    put(csv, digits, (size_t)len);
}

void mm_csv_time(mm_csv_t *csv, int64_t ms)
{
    apr_time_exp_t t;
    char text[80]; /* what six ints could take; it is 19 within the years that pass */

    begin_cell(csv);
    if (ms < FIRST_MS || ms > LAST_MS) {
        return;
    }
    int64_t seconds = ms / 1000 - (ms % 1000 < 0 ? 1 : 0);
    if (apr_time_exp_gmt(&t, apr_time_from_sec(seconds)) != APR_SUCCESS) {
        return;
    }
    int len = snprintf(text, sizeof(text), "%04d-%02d-%02d %02d:%02d:%02d", t.tm_year + 1900, t.tm_mon + 1, t.tm_mday,
                       t.tm_hour, t.tm_min, t.tm_sec);
    put(csv, text, (size_t)len);
}

void mm_csv_end_row(mm_csv_t *csv)
{
    if (csv->cells == 1 && csv->row_is_blank) {
        put(csv, "\"\"", 2);
    }
    put(csv, "\r\n", 2);
    csv->cells = 0;
    csv->row_is_blank = 1;
}
