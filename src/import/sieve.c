/* In the order of how often it ends there: most lines of a site match no rule. No state but the parser's. */
#include "import/sieve.h"

#include <string.h>
#include "rules/match_ids.h"

#define FUTURE_US (INT64_C(3600) * 1000000)

static const char *const names[MM_SIFTED_KINDS] = {
    [MM_SIFTED_EVENT] = "event",     [MM_SIFTED_BAD] = "bad line",
    [MM_SIFTED_NO_RULE] = "no rule", [MM_SIFTED_UNTRACKED] = "tracking=false",
    [MM_SIFTED_OUTSIDE] = "time",    [MM_SIFTED_LIVE] = "recorded live",
    [MM_SIFTED_UNFIT] = "unfit",     [MM_SIFTED_KNOWN] = "counted already",
};

const char *mm_sifted_name(mm_sifted_t sifted)
{
    return (unsigned)sifted < MM_SIFTED_KINDS ? names[sifted] : "unknown";
}

/* As capture does: what is too long is left away, an agent cut; and a zero byte is in none of them. */
static mm_bytes_t fit(mm_bytes_t bytes, size_t max, bool cut)
{
    if (bytes.len > max) {
        bytes.len = cut ? max : 0;
    }
    if (bytes.len > 0 && memchr(bytes.data, '\0', bytes.len)) {
        bytes.len = 0;
    }
    return bytes;
}

static void describe(mm_event_t *event, const mm_logline_t *line, const mm_match_t *match, mm_bytes_t id)
{
    *event = (mm_event_t){.action = match->action,
                          .source = MM_SOURCE_IMPORT,
                          .method = line->method,
                          .status = line->status,
                          .flags = line->flags,
                          .time_us = line->time_us,
                          .range_start = line->range_start,
                          .bytes_out = line->bytes_out,
                          .type = mm_bytes_of(match->type),
                          .id = id,
                          .via = mm_bytes_of(match->spec->via),
                          .user = fit(line->user, MM_EVENT_USER_MAX, false),
                          .address = fit(line->address, MM_EVENT_ADDRESS_MAX, false),
                          .agent = fit(line->agent, MM_EVENT_AGENT_MAX, true)};
}

/* A line tells whole seconds, so that of the first second of recording all are left out. */
/* A log may come from a host whose clock is a little ahead. One that is years ahead must not be the last use for ever.
 */
static bool is_future(const mm_sieve_t *sieve, int64_t time_us)
{
    return sieve->now_us > 0 && time_us - sieve->now_us >= FUTURE_US;
}

static bool is_live(const mm_sieve_t *sieve, int64_t time_us)
{
    return sieve->live_us > 0 && time_us / 1000000 >= sieve->live_us / 1000000;
}

mm_sifted_t mm_sieve_line(const mm_sieve_t *sieve, const char *text, size_t len, mm_sifting_t *sifting,
                          mm_event_t *event)
{
    const mm_logline_t *line = &sifting->line;

    sifting->matched = false;
    sifting->wrong = mm_logparser_line(sieve->parser, text, len, &sifting->line);
    if (!sifting->wrong && is_future(sieve, line->time_us)) {
        sifting->wrong = "its time lies in the future";
    }
    if (sifting->wrong) {
        return MM_SIFTED_BAD;
    }
    if (line->path.len == 0 || !mm_rules_match(sieve->rules, line->path.data, line->path.len, &sifting->match)) {
        return MM_SIFTED_NO_RULE;
    }
    sifting->matched = true;
    if (mm_rules_untracked(line->query.data, line->query.len)) {
        return MM_SIFTED_UNTRACKED;
    }
    if (line->time_us < sieve->since_us || (sieve->until_us > 0 && line->time_us >= sieve->until_us)) {
        return MM_SIFTED_OUTSIDE;
    }
    if (is_live(sieve, line->time_us)) {
        return MM_SIFTED_LIVE;
    }
    sifting->n_ids = mm_match_ids(&sifting->ids, &sifting->match, line->query, sieve->pool);
    if (sifting->n_ids == 0) {
        return MM_SIFTED_UNFIT;
    }
    describe(event, line, &sifting->match, sifting->ids[0]);
    return mm_event_check(event, NULL) == APR_SUCCESS ? MM_SIFTED_EVENT : MM_SIFTED_UNFIT;
}
