/* Texts and times as cells of a spreadsheet. */
#include "report/xlsx.h"

#include <string.h>
#include <apr_strings.h>

#include "base/text.h"

/* A unit of UTF-16 is at most three bytes of UTF-8; room for the last character and the end. */
#define ROOM (MM_XLSX_TEXT_MAX * 3 + 8)

#define DAY_MS INT64_C(86400000)
/* 1970-01-01 in days; the first of March 1900, before which spreadsheets count a day that never was; the end. */
#define EPOCH    25569
#define FIRST_MS (INT64_C(-25508) * DAY_MS)
#define LAST_MS  INT64_C(253402300799999)

void mm_xlsx_text_init(mm_xlsx_text_t *cell, apr_pool_t *pool)
{
    cell->text = apr_palloc(pool, ROOM);
    mm_xlsx_text_reset(cell);
}

void mm_xlsx_text_reset(mm_xlsx_text_t *cell)
{
    cell->len = cell->units = 0;
    cell->text[0] = '\0';
}

static void put(mm_xlsx_text_t *cell, const char *bytes, size_t len, size_t units)
{
    if (cell->units + units > MM_XLSX_TEXT_MAX) {
        cell->units = MM_XLSX_TEXT_MAX; /* nothing behind what was left out */
        return;
    }
    memcpy(cell->text + cell->len, bytes, len);
    cell->len += len;
    cell->units += units;
    cell->text[cell->len] = '\0';
}

static void put_percent(mm_xlsx_text_t *cell, char byte)
{
    static const char hex[] = "0123456789ABCDEF";
    unsigned char value = (unsigned char)byte;
    const char escape[3] = {'%', hex[value >> 4], hex[value & 15]};

    put(cell, escape, 3, 3);
}

void mm_xlsx_text_add(mm_xlsx_text_t *cell, const char *text)
{
    while (text && *text && cell->units < MM_XLSX_TEXT_MAX) {
        size_t len = mm_text_character(text);

        if (len == 0 || (len == 3 && memcmp(text, "\xEF\xBF", 2) == 0 && (unsigned char)text[2] >= 0xBE)) {
            put_percent(cell, *text++);
            continue;
        }
        put(cell, text, len, len == 4 ? 2 : 1);
        text += len;
    }
}

bool mm_xlsx_date(double *date, int64_t ms)
{
    if (ms < FIRST_MS || ms > LAST_MS) {
        return false;
    }
    *date = (double)(ms - (ms % 1000 + 1000) % 1000) / (double)DAY_MS + EPOCH;
    return true;
}
