/* By hand, since strptime(3) knows no zone in its result, goes by the locale, and takes longer than all the rest of a
 * line. No state; any thread.
 */
#include "accesslog/logtime.h"

#include <stddef.h>
#include <string.h>
#include <time.h>

#define DAY_S INT64_C(86400)
/* 9999-12-31T23:59:59Z */
#define LAST_S INT64_C(253402300799)

static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

void mm_logtime_init(mm_logtime_t *time)
{
    *time = (mm_logtime_t){.since_1970_us = -1};
}

/* --- pieces: each returns what is behind it, or NULL ---------------------------------------------------------------
 */

/* A number of min to max digits. */
static const char *read_digits(int64_t *number, const char *at, const char *end, int min, int max)
{
    const char *from = at;

    for (*number = 0; at < end && at - from < max && *at >= '0' && *at <= '9'; at++) {
        *number = *number * 10 + (*at - '0');
    }
    return at - from >= min ? at : NULL;
}

static const char *read_int(int *value, const char *at, const char *end, int min, int max)
{
    int64_t number;

    at = read_digits(&number, at, end, min, max);
    *value = (int)number;
    return at;
}

static const char *read_char(const char *at, const char *end, char c)
{
    return at && at < end && *at == c ? at + 1 : NULL;
}

static const char *read_month(int *month, const char *at, const char *end)
{
    if (end - at < 3) {
        return NULL;
    }
    for (int i = 0; i < 12; i++) {
        if (memcmp(at, months + (ptrdiff_t)3 * i, 3) == 0) {
            *month = i + 1;
            return at + 3;
        }
    }
    return NULL;
}

static const char *read_offset(mm_logtime_t *time, const char *at, const char *end)
{
    int64_t number;
    bool west;

    if (at == end || (*at != '+' && *at != '-')) {
        return NULL;
    }
    west = *at == '-';
    at = read_digits(&number, at + 1, end, 4, 4);
    if (!at || number % 100 > 59 || number > 2400) {
        return NULL;
    }
    time->offset_s = (int)(number / 100 * 3600 + number % 100 * 60) * (west ? -1 : 1);
    time->has_offset = true;
    return at;
}

static const char *read_word(const char *at, const char *end)
{
    const char *from = at;

    while (at < end && ((*at >= 'A' && *at <= 'Z') || (*at >= 'a' && *at <= 'z'))) {
        at++;
    }
    return at > from ? at : NULL;
}

static const char *read_clock(mm_logtime_t *time, const char *at, const char *end, bool seconds)
{
    at = read_int(&time->hour, at, end, 2, 2);
    at = read_char(at, end, ':');
    at = at ? read_int(&time->minute, at, end, 2, 2) : NULL;
    if (seconds) {
        at = read_char(at, end, ':');
        at = at ? read_int(&time->second, at, end, 2, 2) : NULL;
    }
    return at;
}

const char *mm_logtime_clf(mm_logtime_t *time, const char *at, const char *end)
{
    at = read_int(&time->day, at, end, 2, 2);
    at = read_char(at, end, '/');
    at = at ? read_month(&time->month, at, end) : NULL;
    at = read_char(at, end, '/');
    at = at ? read_int(&time->year, at, end, 4, 4) : NULL;
    at = read_char(at, end, ':');
    at = at ? read_clock(time, at, end, true) : NULL;
    at = read_char(at, end, ' ');
    return at ? read_offset(time, at, end) : NULL;
}

/* --- patterns ------------------------------------------------------------------------------------------------------
 */

static const char *read_year_of_century(mm_logtime_t *time, const char *at, const char *end)
{
    at = read_int(&time->year, at, end, 2, 2);
    time->year += time->year < 69 ? 2000 : 1900; /* as POSIX has it */
    return at;
}

static const char *read_number_since_1970(mm_logtime_t *time, const char *at, const char *end, int64_t unit_us)
{
    int64_t number;

    at = read_digits(&number, at, end, 1, unit_us == 1 ? 18 : 15);
    if (at && number > INT64_MAX / unit_us) {
        return NULL;
    }
    time->since_1970_us = number * unit_us;
    return at;
}

static const char *read_conversion(mm_logtime_t *time, char conversion, const char *at, const char *end)
{
    switch (conversion) {
    case 'Y':
        return read_int(&time->year, at, end, 4, 4);
    case 'y':
        return read_year_of_century(time, at, end);
    case 'm':
        return read_int(&time->month, at, end, 2, 2);
    case 'd':
        return read_int(&time->day, at, end, 2, 2);
    case 'e':
        return read_int(&time->day, at < end && *at == ' ' ? at + 1 : at, end, 1, 2);
    case 'b':
    case 'h':
        return read_month(&time->month, at, end);
    case 'H':
        return read_int(&time->hour, at, end, 2, 2);
    case 'M':
        return read_int(&time->minute, at, end, 2, 2);
    case 'S':
        return read_int(&time->second, at, end, 2, 2);
    case 'T':
    case 'R':
        return read_clock(time, at, end, conversion == 'T');
    case 'z':
        return read_offset(time, at, end);
    case 's':
        return read_number_since_1970(time, at, end, 1000000);
    case 'a':
    case 'A':
    case 'Z':
        return read_word(at, end);
    default:
        return read_char(at, end, '%');
    }
}

/* What stands for several conversions. */
static const char *long_form(char conversion)
{
    return conversion == 'F' ? "%Y-%m-%d" : conversion == 'D' ? "%m/%d/%y" : NULL;
}

static const char *read_strftime(mm_logtime_t *time, const char *pattern, const char *at, const char *end)
{
    for (; *pattern && at; pattern++) {
        if (*pattern != '%') {
            at = read_char(at, end, *pattern);
            continue;
        }
        pattern++;
        if (long_form(*pattern)) {
            at = read_strftime(time, long_form(*pattern), at, end);
        }
        else {
            at = read_conversion(time, *pattern, at, end);
        }
    }
    return at;
}

/* What httpd has besides strftime: name, unit in microseconds, digits of a fraction. */
static const struct {
    const char *name;
    int64_t unit_us;
    int digits;
} numbers[] = {{"sec", 1000000, 0}, {"msec", 1000, 0}, {"usec", 1, 0}, {"msec_frac", 1000, 3}, {"usec_frac", 1, 6}};

static int number_of(const char *pattern)
{
    for (int i = 0; i < (int)(sizeof(numbers) / sizeof(numbers[0])); i++) {
        if (strcmp(pattern, numbers[i].name) == 0) {
            return i;
        }
    }
    return -1;
}

bool mm_logtime_knows(const char *pattern)
{
    if (number_of(pattern) >= 0) {
        return true;
    }
    for (; *pattern; pattern++) {
        if (*pattern == '%' && (!*++pattern || !strchr("YmdebhyHMSTRDFzsaAZ%", *pattern))) {
            return false;
        }
    }
    return true;
}

const char *mm_logtime_read(mm_logtime_t *time, const char *pattern, const char *at, const char *end)
{
    int number = number_of(pattern);
    int64_t fraction;

    if (number < 0) {
        return read_strftime(time, pattern, at, end);
    }
    if (numbers[number].digits == 0) {
        return read_number_since_1970(time, at, end, numbers[number].unit_us);
    }
    at = read_digits(&fraction, at, end, numbers[number].digits, numbers[number].digits);
    time->fraction_us = (int)(fraction * numbers[number].unit_us);
    return at;
}

/* --- sums ----------------------------------------------------------------------------------------------------------
 */

/* Days from 1970-01-01 to a date of the Gregorian calendar, counted in years that begin in March, so that a leap day is
 * the last of its year. */
static int64_t days_since_1970(int year, int month, int day)
{
    int64_t y = month > 2 ? year : year - 1;
    int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

    return y * 365 + y / 4 - y / 100 + y / 400 + day_of_year - 719468;
}

static bool is_date(const mm_logtime_t *time)
{
    static const int lengths[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = time->year % 4 == 0 && (time->year % 100 != 0 || time->year % 400 == 0);

    return time->year >= 1 && time->month >= 1 && time->month <= 12 && time->day >= 1 &&
           time->day <= lengths[time->month - 1] - (time->month == 2 && !leap ? 1 : 0) && time->hour <= 23 &&
           time->minute <= 59 && time->second <= 60;
}

static int64_t local_seconds(const mm_logtime_t *time)
{
    struct tm tm = {.tm_year = time->year - 1900,
                    .tm_mon = time->month - 1,
                    .tm_mday = time->day,
                    .tm_hour = time->hour,
                    .tm_min = time->minute,
                    .tm_sec = time->second,
                    .tm_isdst = -1};

    return (int64_t)mktime(&tm);
}

bool mm_logtime_us(const mm_logtime_t *time, int64_t *us)
{
    int64_t seconds;

    if (time->since_1970_us >= 0) {
        *us = time->since_1970_us + time->fraction_us;
        return *us / 1000000 <= LAST_S;
    }
    if (!is_date(time)) {
        return false;
    }
    if (time->has_offset) {
        seconds = days_since_1970(time->year, time->month, time->day) * DAY_S + time->hour * 3600 + time->minute * 60 +
                  time->second - time->offset_s;
    }
    else {
        seconds = local_seconds(time);
    }
    *us = seconds * 1000000 + time->fraction_us;
    return seconds >= 0 && seconds <= LAST_S;
}
