/* One report is about one month, from its first day on: so a later one of the same month always takes its place.
 *
 * Both dates are read strictly, so that their texts can be compared where their months are.
 */
#include "route/sushi_period.h"

#include <string.h>
#include <apr_strings.h>

#include "route/params.h"
#include "route/when.h"

#define DAY_MS    INT64_C(86400000)
#define LEN_MONTH 7  /* 2026-01 */
#define LEN_DAY   10 /* 2026-01-31 */

/* Years that have a next one to end in, and that a report can write. */
static bool is_day(int64_t *ms, const char *text)
{
    return mm_when_parse(ms, text) && strncmp(text, "1970", 4) >= 0 && strncmp(text, "9999", 4) < 0;
}

/* A month is the first of its days that there is. */
static bool find_day(int64_t *ms, const char *text, const char *const *days)
{
    char day[LEN_DAY + 1] = "";

    if (strlen(text) == LEN_DAY) {
        return is_day(ms, text);
    }
    if (strlen(text) != LEN_MONTH) {
        return false;
    }
    memcpy(day, text, LEN_MONTH);
    for (; *days; days++) {
        memcpy(day + LEN_MONTH, *days, LEN_DAY - LEN_MONTH);
        if (is_day(ms, day)) {
            return true;
        }
    }
    return false;
}

static mm_sushi_code_t bad_date(const char **why, const char *name, const char *value, apr_pool_t *pool)
{
    char quoted[MM_QUOTE_MAX];

    *why = apr_psprintf(pool, "%s is a day such as 2026-01-31, or a month such as 2026-01, not \"%s\".", name,
                        mm_route_quote(quoted, value));
    return MM_SUSHI_BAD_DATES;
}

mm_sushi_code_t mm_sushi_period(mm_sushi_t *sushi, const char *begin, const char *end, const char **why,
                                apr_pool_t *pool)
{
    static const char *const first[] = {"-01", NULL}, *const last[] = {"-31", "-30", "-29", "-28", NULL};
    int64_t last_ms;

    if (!begin || !end) {
        *why = begin ? "end_date is missing: the last day of the report, such as 2026-01-31."
                     : "begin_date is missing: the first day of a month, such as 2026-01-01.";
        return MM_SUSHI_FILTER_MISSING;
    }
    if (!find_day(&sushi->begin_ms, begin, first)) {
        return bad_date(why, "begin_date", begin, pool);
    }
    if (!find_day(&last_ms, end, last)) {
        return bad_date(why, "end_date", end, pool);
    }
    sushi->end_ms = last_ms + DAY_MS;
    if (begin[LEN_MONTH] && strcmp(begin + LEN_MONTH, first[0]) != 0) {
        *why = "begin_date is the first day of a month.";
        return MM_SUSHI_BAD_DATES;
    }
    if (strncmp(begin, end, LEN_MONTH) != 0) {
        *why = "end_date is a day of the same month as begin_date: one report is about one month.";
        return MM_SUSHI_BAD_DATES;
    }
    return 0;
}

void mm_sushi_warn_of_time(const mm_sushi_t *sushi, int64_t now_ms)
{
    if (sushi->begin_ms > now_ms) {
        mm_sushi_add(sushi->exceptions, MM_SUSHI_NOT_READY, "The month has not begun (UTC).");
    }
    else if (sushi->end_ms > now_ms) {
        mm_sushi_add(sushi->exceptions, MM_SUSHI_PARTIAL,
                     "The period is not over (UTC): a later report of this month takes the place of this one.");
    }
}
