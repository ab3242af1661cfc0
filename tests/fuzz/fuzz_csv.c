/* Cell text: whatever the bytes, the output is UTF-8, and a reader of RFC 4180 that knows nothing of the writer gets
 * back exactly what the contract says becomes of each cell.
 *
 * The first byte of the input chooses: bit 0 raw, bit 1 one joined cell per row, the next two bits how many cells a row
 * has (1 to 4). Behind it are cells, each ended by a zero byte.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz_text.h"
#include "report/csv.h"

#define CELLS_MAX 4

/* What a reader must get for this text, without the guard. */
static void expect(text_t *text, const char *cell)
{
    const unsigned char *s = (const unsigned char *)cell;
    size_t left = strlen(cell);

    while (left > 0) {
        size_t n = code_point(s, left);
        if (n == 0) {
            const char escape[3] = {'%', "0123456789ABCDEF"[*s / 16], "0123456789ABCDEF"[*s % 16]};
            add(text, escape, 3);
            n = 1;
        }
        else {
            add(text, (const char *)s, n);
        }
        s += n;
        left -= n;
    }
}

/* Whether what stands at `at` would run in a spreadsheet: at the beginning, or where lines are split elsewhere. */
static bool would_run(const text_t *text, size_t at)
{
    size_t before = at;

    if (at == 0) {
        return memchr("=+-@\t\r", text->data[0], 6) != NULL;
    }
    while (before > 0 && text->data[before - 1] == '"') {
        before--;
    }
    return memchr("=+-@", text->data[at], 4) && before > 0 && memchr(";\t\r\n", text->data[before - 1], 4);
}

static void guard(text_t *guarded, const text_t *text)
{
    for (size_t i = 0; i < text->len; i++) {
        add(guarded, "'", would_run(text, i));
        add(guarded, text->data + i, 1);
    }
}

/* Reads one cell of a CSV at *at into cell; false where it is none. */
static bool read_cell(const text_t *csv, size_t *at, text_t *cell)
{
    bool quoted = *at < csv->len && csv->data[*at] == '"';

    cell->len = 0;
    *at += quoted;
    for (; *at < csv->len; (*at)++) {
        char c = csv->data[*at];
        if (quoted && c == '"') {
            if (*at + 1 < csv->len && csv->data[*at + 1] == '"') {
                (*at)++;
            }
            else {
                (*at)++;
                return true;
            }
        }
        else if (!quoted && (c == ',' || c == '\r')) {
            return true;
        }
        else if (!quoted && (c == '"' || c == '\n')) {
            return false;
        }
        add(cell, &c, 1);
    }
    return false;
}

/* The next cell of the output is what the pieces become, and is followed by end. */
static void check(const text_t *csv, size_t *at, const char *const *pieces, size_t n, bool raw, const char *end)
{
    text_t cell = {0}, text = {0}, expected = {0};

    for (size_t i = 0; i < n; i++) {
        add(&text, "; ", i > 0 ? 2 : 0);
        expect(&text, pieces[i]);
    }
    if (raw) {
        add(&expected, text.data, text.len);
    }
    else {
        guard(&expected, &text);
    }
    HOLDS(read_cell(csv, at, &cell));
    HOLDS(cell.len == expected.len && (cell.len == 0 || memcmp(cell.data, expected.data, cell.len) == 0));
    HOLDS(csv->len - *at >= strlen(end) && memcmp(csv->data + *at, end, strlen(end)) == 0);
    *at += strlen(end);
    free(cell.data);
    free(text.data);
    free(expected.data);
}

/* Splits the input into rows of cells and calls for each of them. */
static bool next_row(const char **data, size_t *len, const char **cells, size_t want)
{
    for (size_t n = 0; n < want; n++) {
        const char *end = *len ? memchr(*data, '\0', *len) : NULL;
        if (!end) {
            return false;
        }
        cells[n] = *data;
        *len -= (size_t)(end + 1 - *data);
        *data = end + 1;
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static mm_csv_t csv;
    text_t out = {0};
    const char *cells[CELLS_MAX];

    if (size == 0) {
        return 0;
    }
    bool raw = data[0] & 1, joined = data[0] & 2;
    size_t want = 1 + (data[0] >> 2) % CELLS_MAX;
    const char *rest = (const char *)data + 1;
    size_t len = size - 1;

    mm_csv_init(&csv, sink, &out, ',', raw);
    while (next_row(&rest, &len, cells, want)) {
        for (size_t i = 0; i < want && !joined; i++) {
            mm_csv_text(&csv, cells[i]);
        }
        if (joined) {
            mm_csv_join(&csv, cells, want, "; ");
        }
        mm_csv_end_row(&csv);
    }
    HOLDS(mm_csv_flush(&csv) == APR_SUCCESS);

    for (size_t at = 0; at < out.len;) {
        size_t n = code_point((const unsigned char *)out.data + at, out.len - at);
        HOLDS(n > 0);
        at += n;
    }
    size_t at = 0;
    rest = (const char *)data + 1;
    len = size - 1;
    while (next_row(&rest, &len, cells, want)) {
        HOLDS(out.data[at] != '\r'); /* no line is empty */
        for (size_t i = 0; i < want && !joined; i++) {
            check(&out, &at, &cells[i], 1, raw, i + 1 < want ? "," : "\r\n");
        }
        if (joined) {
            check(&out, &at, cells, want, raw, "\r\n");
        }
    }
    HOLDS(at == out.len);
    free(out.data);
    return 0;
}
