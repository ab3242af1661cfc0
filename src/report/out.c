/* Bytes, numbers and times into the buffer. Numbers and times are written by hand: they are two thirds of a report's
 * cells, and snprintf with apr_time_exp_gmt took more time for them than everything else that a row needs.
 */
#include "report/out.h"

#include <string.h>

/* 0000-01-01T00:00:00Z and 9999-12-31T23:59:59.999Z, in the Gregorian calendar also before 1582. */
#define FIRST_MS INT64_C(-62167219200000)
#define LAST_MS  INT64_C(253402300799999)

#define DAY_S    86400
#define ERA_DAYS 146097 /* 400 years */
#define MARCH    60     /* days before it in the year 0, which is a leap year */

void mm_out_init(mm_out_t *out, mm_sink_fn sink, void *baton)
{
    out->sink = sink;
    out->baton = baton;
    out->status = APR_SUCCESS;
    out->used = 0;
}

apr_status_t mm_out_flush(mm_out_t *out)
{
    if (out->status == APR_SUCCESS) {
        out->status = out->sink(out->baton, out->buffer, out->used);
    }
    out->used = 0;
    return out->status;
}

void mm_out_put(mm_out_t *out, const char *data, size_t len)
{
    while (len > 0) {
        size_t room = sizeof(out->buffer) - out->used;
        size_t part = len < room ? len : room;

        if (part == 0) {
            mm_out_flush(out);
            continue;
        }
        memcpy(out->buffer + out->used, data, part);
        out->used += part;
        data += part;
        len -= part;
    }
}

void mm_out_text(mm_out_t *out, const char *text)
{
    mm_out_put(out, text, strlen(text));
}

void mm_out_int(mm_out_t *out, int64_t number)
{
    char digits[20]; /* 19 of INT64_MIN and its sign */
    size_t at = sizeof(digits);
    uint64_t left = number < 0 ? -(uint64_t)number : (uint64_t)number;

    do {
        digits[--at] = (char)('0' + left % 10);
        left /= 10;
    } while (left > 0);
    if (number < 0) {
        digits[--at] = '-';
    }
    mm_out_put(out, digits + at, sizeof(digits) - at);
}

void mm_out_percent(mm_out_t *out, char byte)
{
    static const char hex[] = "0123456789ABCDEF";
    unsigned char value = (unsigned char)byte;
    const char escape[3] = {'%', hex[value >> 4], hex[value & 15]};

    mm_out_put(out, escape, sizeof(escape));
}

static char *two_digits(char *at, int number)
{
    *at++ = (char)('0' + number / 10);
    *at++ = (char)('0' + number % 10);
    return at;
}

/* The date of a day counted from 400 years before 0000-03-01: with the leap day at a year's end, months begin at
 * (153 m + 2) / 5, and no day in question is negative. */
static char *write_date(char *at, int64_t day)
{
    int64_t era = day / ERA_DAYS;
    int of_era = (int)(day % ERA_DAYS);
    int year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int of_year = of_era - (365 * year + year / 4 - year / 100);
    int month = (5 * of_year + 2) / 153;

    year += (int)era * 400 - 400 + (month >= 10);
    at = two_digits(two_digits(at, year / 100), year % 100);
    *at++ = '-';
    at = two_digits(at, month < 10 ? month + 3 : month - 9);
    *at++ = '-';
    return two_digits(at, of_year - (153 * month + 2) / 5 + 1);
}

bool mm_time_text(char text[MM_TIME_TEXT], int64_t ms, char between)
{
    char *at = text;

    if (ms < FIRST_MS || ms > LAST_MS) {
        return false;
    }
    int64_t seconds = (ms - FIRST_MS) / 1000;
    int of_day = (int)(seconds % DAY_S);

    at = write_date(at, seconds / DAY_S - MARCH + ERA_DAYS);
    *at++ = between;
    at = two_digits(at, of_day / 3600);
    *at++ = ':';
    at = two_digits(at, of_day / 60 % 60);
    *at++ = ':';
    two_digits(at, of_day % 60);
    return true;
}
