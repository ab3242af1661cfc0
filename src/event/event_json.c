/* Lines of NDJSON, from whoever may record: libbson reads the JSON, this file decides what it may say.
 *
 * Invariant: a line is taken whole or refused with a sentence. libbson is more generous than we are (it takes an array
 * for an object, reads {…},{…} as one object, takes members that come twice), and its strings cannot hold a zero byte;
 * these are looked for here. Extended JSON ({"$oid":…}) never becomes anything: only strings are taken.
 * No state; any thread.
 */
#include "event/event_json.h"

#include <string.h>

#include <apr_strings.h>
#include <bson/bson.h>

#include "base/text.h"

/* How much of an unknown member's name is repeated to the sender. */
#define NAME_SHOWN 64

typedef enum member {
    MEMBER_TYPE,
    MEMBER_ID,
    MEMBER_ACTION,
    MEMBER_TIME,
    MEMBER_USER,
    MEMBER_SESSION,
    MEMBER_ADDRESS,
    MEMBER_AGENT,
    MEMBER_CLASS,
    MEMBERS
} member_t;

static const char *const names[MEMBERS] = {"type",    "id",      "action", "time", "user",
                                           "session", "address", "agent",  "class"};
static const char known[] = "type, id, action, time, user, session, address, agent and class";

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The longest beginning of text of at most max bytes that does not end inside a character. */
static size_t cut(const char *text, size_t len, size_t max)
{
    if (len <= max) {
        return len;
    }
    while (max > 0 && ((unsigned char)text[max] & 0xC0) == 0x80) {
        max--;
    }
    return max;
}

/* A zero byte would end a BSON string early and so hide what is behind it; in JSON it can only come as \u0000, and a
 * backslash only within a string. */
static bool has_zero(const char *line, size_t len)
{
    size_t i;

    for (i = 0; i < len; i++) {
        if (line[i] == '\0') {
            return true;
        }
        if (line[i] == '\\') {
            if (len - i >= 6 && memcmp(line + i + 1, "u0000", 5) == 0) {
                return true;
            }
            i++;
        }
    }
    return false;
}

/* How many bytes the object or array that begins the line takes, if it is well-formed; libbson judges that. */
static size_t first_value(const char *line, size_t len)
{
    bool in_string = false;
    size_t depth = 0, i;

    for (i = 0; i < len; i++) {
        char c = line[i];

        if (in_string) {
            in_string = c != '"';
            i += c == '\\' ? 1 : 0;
        }
        else if (c == '"') {
            in_string = true;
        }
        else if (c == '{' || c == '[') {
            depth++;
        }
        else if ((c == '}' || c == ']') && --depth == 0) {
            return i + 1;
        }
    }
    return len;
}

static apr_status_t check_line(const char *line, size_t len, mm_err_t *err)
{
    while (len > 0 && is_space(line[0])) {
        line++;
        len--;
    }
    while (len > 0 && is_space(line[len - 1])) {
        len--;
    }
    if (!mm_text_is_utf8(line, len)) {
        return mm_err_set(err, APR_EINVAL, "not valid UTF-8");
    }
    if (has_zero(line, len)) {
        return mm_err_set(err, APR_EINVAL, "holds a zero byte, which no member may");
    }
    if (len < 2 || line[0] != '{' || line[len - 1] != '}') {
        return mm_err_set(err, APR_EINVAL, "not a JSON object: it must begin with { and end with }");
    }
    if (first_value(line, len) < len) {
        return mm_err_set(err, APR_EINVAL, "more than a JSON object: a line holds one and nothing else");
    }
    return APR_SUCCESS;
}

/* Reads the object into doc. */
static apr_status_t parse(bson_t *doc, const char *line, size_t len, mm_err_t *err)
{
    bson_error_t why;
    bool showable;

    memset(&why, 0, sizeof(why));
    if (bson_init_from_json(doc, line, (ssize_t)len, &why)) {
        return APR_SUCCESS;
    }
    bson_init(doc);
    /* libbson quotes the byte it stumbled over, which may be half a character. */
    showable = why.message[0] != '\0' && mm_text_is_utf8(why.message, strlen(why.message));
    return mm_err_set(err, APR_EINVAL, "not a JSON object: %s", showable ? why.message : "malformed");
}

static bool find_member(member_t *member, const char *name)
{
    int i;

    for (i = 0; i < MEMBERS; i++) {
        if (strcmp(names[i], name) == 0) {
            *member = (member_t)i;
            return true;
        }
    }
    return false;
}

/* Points values[] at the strings of doc; absent ones have data NULL. */
static apr_status_t collect(mm_bytes_t *values, const bson_t *doc, mm_err_t *err)
{
    bson_iter_t iter;

    memset(values, 0, sizeof(*values) * MEMBERS);
    if (!bson_iter_init(&iter, doc)) {
        return mm_err_set(err, APR_EINVAL, "not a JSON object");
    }
    while (bson_iter_next(&iter)) {
        const char *name = bson_iter_key(&iter);
        member_t member;
        uint32_t len;

        if (!find_member(&member, name)) {
            return mm_err_set(err, APR_EINVAL, "member \"%.*s\" is not known; those that are: %s",
                              (int)cut(name, strlen(name), NAME_SHOWN), name, known);
        }
        if (!BSON_ITER_HOLDS_UTF8(&iter)) {
            return mm_err_set(err, APR_EINVAL, "member \"%s\" is not a string", name);
        }
        if (values[member].data != NULL) {
            return mm_err_set(err, APR_EINVAL, "member \"%s\" is there twice", name);
        }
        values[member].data = bson_iter_utf8(&iter, &len);
        values[member].len = len;
    }
    return APR_SUCCESS;
}

static apr_status_t take_time(mm_event_t *event, const mm_bytes_t *value, int64_t now_us, mm_err_t *err)
{
    event->time_us = now_us;
    if (value->data == NULL) {
        return APR_SUCCESS;
    }
    if (mm_time_from_rfc3339(&event->time_us, value->data, value->len) != APR_SUCCESS) {
        return mm_err_set(err, APR_EINVAL, "time is not an RFC 3339 date-time such as 2026-01-31T12:00:00Z");
    }
    if (event->time_us > now_us + MM_EVENT_FUTURE_SLACK_US) {
        return mm_err_set(err, APR_EINVAL, "time is in the future");
    }
    return APR_SUCCESS;
}

/* Fills event from the members; strings still point into them. */
static apr_status_t interpret(mm_event_t *event, const mm_bytes_t *values, int64_t now_us, mm_err_t *err)
{
    member_t required;

    for (required = MEMBER_TYPE; required <= MEMBER_ACTION; required++) {
        if (values[required].data == NULL) {
            return mm_err_set(err, APR_EINVAL, "member \"%s\" is missing", names[required]);
        }
    }
    if (!mm_action_parse(&event->action, values[MEMBER_ACTION].data, values[MEMBER_ACTION].len)) {
        return mm_err_set(err, APR_EINVAL, "action is neither \"view\" nor \"download\"");
    }
    event->source = MM_SOURCE_POST;
    event->method = MM_METHOD_GET;
    event->status = 200;
    event->range_start = MM_RANGE_NONE;
    event->type = values[MEMBER_TYPE];
    event->id = values[MEMBER_ID];
    event->user = values[MEMBER_USER];
    event->session = values[MEMBER_SESSION];
    event->address = values[MEMBER_ADDRESS];
    event->agent = values[MEMBER_AGENT];
    event->agent.len = event->agent.len == 0 ? 0 : cut(event->agent.data, event->agent.len, MM_EVENT_AGENT_MAX);
    event->class_mark = values[MEMBER_CLASS];
    return take_time(event, &values[MEMBER_TIME], now_us, err);
}

static void keep(mm_bytes_t *bytes, apr_pool_t *pool)
{
    bytes->data = bytes->len == 0 ? NULL : apr_pstrmemdup(pool, bytes->data, bytes->len);
}

apr_status_t mm_event_from_json(mm_event_t *event, const char *line, size_t len, int64_t now_us, apr_pool_t *pool,
                                mm_err_t *err)
{
    bson_t doc = BSON_INITIALIZER;
    mm_bytes_t values[MEMBERS];
    mm_event_t e = {0};
    apr_status_t status = check_line(line, len, err);

    if (status == APR_SUCCESS) {
        status = parse(&doc, line, len, err);
    }
    if (status == APR_SUCCESS) {
        status = collect(values, &doc, err);
    }
    if (status == APR_SUCCESS) {
        status = interpret(&e, values, now_us, err);
    }
    if (status == APR_SUCCESS) {
        status = mm_event_check(&e, err);
    }
    if (status == APR_SUCCESS) {
        keep(&e.type, pool);
        keep(&e.id, pool);
        keep(&e.user, pool);
        keep(&e.session, pool);
        keep(&e.address, pool);
        keep(&e.agent, pool);
        keep(&e.class_mark, pool);
        *event = e;
    }
    bson_destroy(&doc);
    return status;
}

/* --- RFC 3339 ----------------------------------------------------------------------------------------------------- */

/* Longest text looked at: a date-time with 35 digits behind the second. */
#define TIME_TEXT_MAX 64

/* Takes n digits, whose value must be within low and high. */
static bool digits(const char **text, const char *end, int n, int low, int high, int *value)
{
    int v = 0;

    if (end - *text < n) {
        return false;
    }
    for (; n > 0; n--, (*text)++) {
        if (**text < '0' || **text > '9') {
            return false;
        }
        v = v * 10 + (**text - '0');
    }
    *value = v;
    return v >= low && v <= high;
}

static bool one_of(const char **text, const char *end, char a, char b)
{
    if (*text == end || (**text != a && **text != b)) {
        return false;
    }
    (*text)++;
    return true;
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return month == 2 && leap ? 29 : days[month - 1];
}

/* Days since 1970-01-01 in the Gregorian calendar. Years are counted from March, so that the leap day is the last of
 * its year; 146097 days are 400 years, 719468 lie between 0000-03-01 and 1970-01-01. */
static int64_t days_from_date(int year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

/* ".5", ".123456789": microseconds, further digits are dropped. */
static bool fraction(const char **text, const char *end, int *us)
{
    int scale = 100000;
    const char *first;

    *us = 0;
    if (*text == end || **text != '.') {
        return true;
    }
    first = ++*text;
    for (; *text < end && **text >= '0' && **text <= '9'; (*text)++) {
        *us += (**text - '0') * scale;
        scale /= 10;
    }
    return *text > first;
}

/* "Z" or "+01:00": minutes east of UTC. */
static bool offset(const char **text, const char *end, int *minutes)
{
    int sign, hour, minute;

    if (one_of(text, end, 'Z', 'z')) {
        *minutes = 0;
        return true;
    }
    if (*text == end || (**text != '+' && **text != '-')) {
        return false;
    }
    sign = *(*text)++ == '-' ? -1 : 1;
    if (!digits(text, end, 2, 0, 23, &hour) || !one_of(text, end, ':', ':') || !digits(text, end, 2, 0, 59, &minute)) {
        return false;
    }
    *minutes = sign * (hour * 60 + minute);
    return true;
}

apr_status_t mm_time_from_rfc3339(int64_t *time_us, const char *text, size_t len)
{
    const char *end = len > 0 ? text + len : text;
    int year, month, day, hour, minute, second, us, east;
    int64_t minutes;

    if (len == 0 || len > TIME_TEXT_MAX || !digits(&text, end, 4, 0, 9999, &year) || !one_of(&text, end, '-', '-') ||
        !digits(&text, end, 2, 1, 12, &month) || !one_of(&text, end, '-', '-') ||
        !digits(&text, end, 2, 1, days_in_month(year, month), &day) || !one_of(&text, end, 'T', 't') ||
        !digits(&text, end, 2, 0, 23, &hour) || !one_of(&text, end, ':', ':') ||
        !digits(&text, end, 2, 0, 59, &minute) || !one_of(&text, end, ':', ':') ||
        !digits(&text, end, 2, 0, 60, &second) || !fraction(&text, end, &us) || !offset(&text, end, &east) ||
        text != end) {
        return APR_EINVAL;
    }
    minutes = days_from_date(year, month, day) * 1440 + hour * 60 + minute - east;
    if (second == 60) {
        /* Leap seconds come at the end of a UTC day and nowhere else. */
        if ((minutes % 1440 + 1440) % 1440 != 1439) {
            return APR_EINVAL;
        }
        us = 0;
    }
    *time_us = (minutes * 60 + second) * 1000000 + us;
    return APR_SUCCESS;
}
