/* A query string is split at &, each piece decoded and handed to its line of the table. The table is also where the
 * answer to an unknown name and to a bad value comes from, so that they cannot disagree with what is accepted.
 */
#include "route/params.h"

#include <string.h>
#include <apr_strings.h>

#include "route/when.h"

#define BAD_REQUEST 400

typedef struct target {
    mm_route_t *route;
    const char **format;
    apr_array_header_t *given;
    apr_pool_t *pool;
} target_t;

typedef struct param {
    const char *name;
    unsigned of;                                             /* MM_PARAMS_… that take it */
    bool (*take)(const target_t *target, const char *value); /* false: no such value */
    const char *values;                                      /* which there are, for a sentence */
} param_t;

const char *mm_route_quote(char buf[MM_QUOTE_MAX], const char *text)
{
    static const char cut[] = "...";
    size_t len = strnlen(text, MM_QUOTE_MAX);
    bool whole = len < MM_QUOTE_MAX;
    size_t keep = whole ? len : MM_QUOTE_MAX - sizeof(cut);

    for (size_t i = 0; i < keep; i++) {
        buf[i] = text[i] >= 0x20 && text[i] < 0x7F && text[i] != '"' ? text[i] : '?';
    }
    memcpy(buf + keep, whole ? "" : cut, whole ? 1 : sizeof(cut));
    return buf;
}

static bool take_number(int64_t *number, const char *value)
{
    int64_t n = 0;

    if (!*value) {
        return false;
    }
    for (; *value; value++) {
        if (*value < '0' || *value > '9') {
            return false;
        }
        n = n * 10 + (*value - '0');
        if (n > MM_ROUTE_NUMBER_MAX) {
            return false;
        }
    }
    *number = n;
    return true;
}

static bool take_switch(int *on, const char *value)
{
    if ((value[0] != '0' && value[0] != '1') || value[1]) {
        return false;
    }
    *on = value[0] == '1';
    return true;
}

static bool take_limit(const target_t *target, const char *value)
{
    return take_number(&target->route->limit, value);
}

static bool take_offset(const target_t *target, const char *value)
{
    return take_number(&target->route->offset, value);
}

static bool take_raw(const target_t *target, const char *value)
{
    return take_switch(&target->route->raw, value);
}

static bool take_bom(const target_t *target, const char *value)
{
    return take_switch(&target->route->bom, value);
}

static bool take_others(const target_t *target, const char *value)
{
    return take_switch(&target->route->others, value);
}

/* A word, and the number that it stands for. */
typedef struct word {
    const char *name;
    int number;
} word_t;

/* words ends with a NULL name; value has len bytes. */
static bool find_word(const word_t *words, const char *value, size_t len, int *number)
{
    for (; words->name; words++) {
        if (strlen(words->name) == len && memcmp(words->name, value, len) == 0) {
            *number = words->number;
            return true;
        }
    }
    return false;
}

#define TAKE_WORD(function, field, type)                                                                               \
    static bool function(const target_t *target, const char *value)                                                    \
    {                                                                                                                  \
        int number = 0;                                                                                                \
        bool found = find_word(field##_words, value, strlen(value), &number);                                          \
                                                                                                                       \
        target->route->field = (type)number;                                                                           \
        return found;                                                                                                  \
    }

static const word_t parents_words[] = {
    {"joined", MM_PARENTS_JOINED}, {"rows", MM_PARENTS_ROWS}, {"none", MM_PARENTS_NONE}, {NULL, 0}};
static const word_t direction_words[] = {{"asc", MM_DIRECTION_ASC}, {"desc", MM_DIRECTION_DESC}, {NULL, 0}};
static const word_t agent_words[] = {
    {"all", MM_AGENT_ALL}, {"regular", MM_AGENT_REGULAR}, {"machine", MM_AGENT_MACHINE}, {NULL, 0}};
static const word_t never_used_words[] = {
    {"0", MM_NEVER_USED_NONE}, {"1", MM_NEVER_USED_TOO}, {"only", MM_NEVER_USED_ONLY}, {NULL, 0}};
static const word_t sort_words[] = {{"views", MM_SORT_VIEWS},
                                    {"downloads", MM_SORT_DOWNLOADS},
                                    {"last_viewed", MM_SORT_LAST_VIEWED},
                                    {"last_downloaded", MM_SORT_LAST_DOWNLOADED},
                                    {"resource_id", MM_SORT_RESOURCE},
                                    {"user_id", MM_SORT_USER},
                                    {NULL, 0}};

static const word_t per_words[] = {{"day", MM_PER_DAY}, {"month", MM_PER_MONTH}, {NULL, 0}};

TAKE_WORD(take_parents, parents, mm_parents_style_t)
TAKE_WORD(take_order, direction, mm_direction_t)
TAKE_WORD(take_agent, agent, mm_agent_t)
TAKE_WORD(take_sort, sort, mm_sort_t)
TAKE_WORD(take_never_used_word, never_used, mm_never_used_t)
TAKE_WORD(take_per, per, mm_per_t)

/* Each column once, however often it stands there: what is wanted is that it is there. */
static void add_extra(mm_route_t *route, mm_extra_t extra)
{
    for (size_t i = 0; i < route->n_extras; i++) {
        if (route->extras[i] == extra) {
            return;
        }
    }
    route->extras[route->n_extras++] = extra;
}

static const word_t extra_words[] = {{"owner", MM_EXTRA_OWNER},
                                     {"owner_name", MM_EXTRA_OWNER_NAME},
                                     {"size_bytes", MM_EXTRA_SIZE},
                                     {"created", MM_EXTRA_CREATED},
                                     {"status", MM_EXTRA_STATUS},
                                     {"location", MM_EXTRA_LOCATION},
                                     {"regular_views", MM_EXTRA_REGULAR_VIEWS},
                                     {"regular_downloads", MM_EXTRA_REGULAR_DOWNLOADS},
                                     {"machine_views", MM_EXTRA_MACHINE_VIEWS},
                                     {"machine_downloads", MM_EXTRA_MACHINE_DOWNLOADS},
                                     {"unique_views", MM_EXTRA_UNIQUE_VIEWS},
                                     {"unique_downloads", MM_EXTRA_UNIQUE_DOWNLOADS},
                                     {"unique_investigations", MM_EXTRA_UNIQUE_INVESTIGATIONS},
                                     {NULL, 0}};

/* Whether there is such a type is for the path's parser, which knows of types. */
static bool add_ancestors(const target_t *target, const char *word, size_t len)
{
    static const char prefix[] = MM_ANCESTORS_PREFIX;
    mm_route_t *route = target->route;
    const char *name;

    if (len < sizeof(prefix) || memcmp(word, prefix, sizeof(prefix) - 1) != 0) {
        return false;
    }
    name = apr_pstrmemdup(target->pool, word, len);
    for (size_t i = 0; i < route->n_ancestors; i++) {
        if (strcmp(route->ancestors[i].name, name) == 0) {
            return true;
        }
    }
    if (route->n_ancestors == MM_ROUTE_ANCESTORS_MAX) {
        return false;
    }
    route->ancestors[route->n_ancestors++] = (mm_ancestor_column_t){.name = name};
    return true;
}

static bool take_columns(const target_t *target, const char *value)
{
    for (;;) {
        size_t len = strcspn(value, ",");
        int extra;

        if (find_word(extra_words, value, len, &extra)) {
            add_extra(target->route, (mm_extra_t)extra);
        }
        else if (!add_ancestors(target, value, len)) {
            return false;
        }
        if (!value[len]) {
            return true;
        }
        value += len + 1;
    }
}

/* Of a day there are counts, and nothing that is a resource's own. */
static bool take_counts(const target_t *target, const char *value)
{
    const mm_route_t *route = target->route;

    if (!take_columns(target, value)) {
        return false;
    }
    for (size_t i = 0; i < route->n_extras; i++) {
        if (route->extras[i] < MM_EXTRA_REGULAR_VIEWS) {
            return false;
        }
    }
    return route->n_ancestors == 0;
}

static bool take_day_sort(const target_t *target, const char *value)
{
    target->route->sort = MM_SORT_DAY;
    return strcmp(value, "day") == 0;
}

/* Days are the finest that is kept: a period begins with the day that since lies in, and ends behind that of until's
 * last moment. What it is then stands in the report. */
#define DAY_MS        INT64_C(86400000)
#define YEAR_10000_MS INT64_C(253402300800000) /* what has no written form */

static int64_t day_of(int64_t ms)
{
    int64_t within = ms % DAY_MS;

    return ms - (within < 0 ? within + DAY_MS : within);
}

static bool take_since(const target_t *target, const char *value)
{
    int64_t ms;

    if (!mm_when_parse(&ms, value)) {
        return false;
    }
    target->route->has_since = 1;
    target->route->since_ms = day_of(ms);
    return true;
}

static bool take_until(const target_t *target, const char *value)
{
    int64_t ms;

    if (!mm_when_parse(&ms, value)) {
        return false;
    }
    target->route->has_until = 1;
    target->route->until_ms = day_of(ms + DAY_MS - 1);
    return target->route->until_ms < YEAR_10000_MS;
}

/* What somebody wants to archive has a size and a place. */
static bool take_unused_since(const target_t *target, const char *value)
{
    add_extra(target->route, MM_EXTRA_SIZE);
    add_extra(target->route, MM_EXTRA_LOCATION);
    target->route->has_unused_since = 1;
    return mm_when_parse(&target->route->unused_since_ms, value);
}

/* What tells apart what nobody used from what nobody could use yet. */
static bool take_never_used(const target_t *target, const char *value)
{
    bool taken = take_never_used_word(target, value);

    if (target->route->never_used != MM_NEVER_USED_NONE) {
        add_extra(target->route, MM_EXTRA_CREATED);
    }
    return taken;
}

/* Whether there is such a type is for the path's parser, which knows of types. */
static bool take_parent(const target_t *target, const char *value)
{
    const char *colon = strchr(value, ':');

    if (!colon || colon == value || !colon[1] || strlen(colon + 1) > MM_EVENT_ID_MAX) {
        return false;
    }
    target->route->parent_type = apr_pstrmemdup(target->pool, value, (size_t)(colon - value));
    target->route->parent_id = colon + 1;
    return true;
}

static bool take_user(const target_t *target, const char *value)
{
    target->route->user = value;
    return *value && strlen(value) <= MM_EVENT_USER_MAX;
}

/* Whether there is such a format is for the path's parser, which knows of the suffix too. */
static bool take_format(const target_t *target, const char *value)
{
    *target->format = value;
    return *value != '\0';
}

static bool take_id(const target_t *target, const char *value)
{
    target->route->id = value;
    return *value && strlen(value) <= MM_EVENT_ID_MAX;
}

#define TEXT_OF(number)  TEXT_OF_(number)
#define TEXT_OF_(number) #number

#define WHEN "a date such as 2026-01-31 or a date-time such as 2026-01-31T12:00:00Z (a + in it is written %2B)"

static const param_t params[] = {
    {"limit", MM_PARAMS_REPORT, take_limit, "a whole number from 0 to 9007199254740992"},
    {"offset", MM_PARAMS_REPORT, take_offset, "a whole number from 0 to 9007199254740992"},
    {"sort", MM_PARAMS_ROWS, take_sort, "one of views, downloads, last_viewed, last_downloaded, resource_id, user_id"},
    {"order", MM_PARAMS_REPORT, take_order, "asc or desc"},
    {"agent", MM_PARAMS_REPORT, take_agent, "all, regular or machine"},
    {"columns", MM_PARAMS_ROWS, take_columns,
     "some of owner, owner_name, size_bytes, created, status, location, regular_views, regular_downloads, "
     "machine_views, machine_downloads, unique_views, unique_downloads, unique_investigations, and parent_TYPE and "
     "parent_TYPE_ids of 16 at most, with commas between them"},
    {"parent", MM_PARAMS_PARENT, take_parent, "TYPE:ID, such as collections:52f1"},
    {"since", MM_PARAMS_REPORT, take_since, WHEN},
    {"until", MM_PARAMS_REPORT, take_until, WHEN},
    {"user", MM_PARAMS_USERS, take_user, "a user of 1 to " TEXT_OF(MM_EVENT_USER_MAX) " bytes"},
    {"others", MM_PARAMS_USERS, take_others, "0 or 1"},
    {"not_accessed_since", MM_PARAMS_TOTALS, take_unused_since, WHEN},
    {"never_used", MM_PARAMS_TOTALS, take_never_used, "0, 1 or only"},
    {"parents", MM_PARAMS_ROWS, take_parents, "joined, rows or none"},
    {"per", MM_PARAMS_DAYS, take_per, "day or month"},
    {"sort", MM_PARAMS_DAYS, take_day_sort, "day"},
    {"columns", MM_PARAMS_DAYS, take_counts,
     "some of regular_views, regular_downloads, machine_views, machine_downloads, unique_views, unique_downloads, "
     "unique_investigations, with commas between them"},
    {"raw", MM_PARAMS_REPORT, take_raw, "0 or 1"},
    {"bom", MM_PARAMS_REPORT, take_bom, "0 or 1"},
    {"format", MM_PARAMS_REPORT, take_format, "csv, json, ndjson, tsv or xlsx"},
    {"format", MM_PARAMS_STATUS, take_format, "json or openmetrics"},
    {"id", MM_PARAMS_RECORD | MM_PARAMS_ID, take_id, "an id of 1 to " TEXT_OF(MM_EVENT_ID_MAX) " bytes"},
};
#define N_PARAMS (sizeof(params) / sizeof(params[0]))

static int hex_value(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* Decodes len bytes as a form does: + is a space, %XX a byte. NULL for a malformed escape and for a zero byte. */
static const char *decode(const char *text, size_t len, apr_pool_t *pool)
{
    char *decoded = apr_palloc(pool, len + 1);
    size_t n = 0;

    for (size_t i = 0; i < len; i++) {
        char byte = text[i];
        if (byte == '+') {
            byte = ' ';
        }
        else if (byte == '%') {
            int high = i + 2 < len ? hex_value(text[i + 1]) : -1;
            int low = i + 2 < len ? hex_value(text[i + 2]) : -1;
            if (high < 0 || low < 0 || (high == 0 && low == 0)) {
                return NULL;
            }
            byte = (char)(high << 4 | low);
            i += 2;
        }
        decoded[n++] = byte;
    }
    decoded[n] = '\0';
    return decoded;
}

static int refuse_unknown(const char *name, unsigned takes, apr_pool_t *pool, mm_err_t *err)
{
    char quoted[MM_QUOTE_MAX];
    const char *names = "";

    for (size_t i = 0; i < N_PARAMS; i++) {
        if (params[i].of & takes) {
            names = apr_pstrcat(pool, names, *names ? ", " : "", params[i].name, NULL);
        }
    }
    if (*names) {
        mm_err_set(err, APR_EINVAL, "There is no parameter \"%s\" here; there are: %s.", mm_route_quote(quoted, name),
                   names);
    }
    else {
        mm_err_set(err, APR_EINVAL, "There is no parameter \"%s\" here; this takes none.",
                   mm_route_quote(quoted, name));
    }
    return BAD_REQUEST;
}

static int take_one(const target_t *target, const char *name, const char *value, unsigned takes, unsigned *seen,
                    apr_pool_t *pool, mm_err_t *err)
{
    char quoted[MM_QUOTE_MAX];

    for (size_t i = 0; i < N_PARAMS; i++) {
        const param_t *param = &params[i];

        if (!(param->of & takes) || strcmp(name, param->name) != 0) {
            continue;
        }
        if (*seen & 1u << i) {
            mm_err_set(err, APR_EINVAL, "The parameter \"%s\" stands more than once; once is enough.", param->name);
            return BAD_REQUEST;
        }
        *seen |= 1u << i;
        if (!param->take(target, value)) {
            mm_err_set(err, APR_EINVAL, "The parameter \"%s\" is %s, not \"%s\".", param->name, param->values,
                       mm_route_quote(quoted, value));
            return BAD_REQUEST;
        }
        APR_ARRAY_PUSH(target->given, mm_given_t) = (mm_given_t){param->name, value};
        return 0;
    }
    return refuse_unknown(name, takes, pool, err);
}

int mm_params_parse(mm_route_t *route, const char **format, const char *args, unsigned takes, apr_pool_t *pool,
                    mm_err_t *err)
{
    const target_t target = {route, format, apr_array_make(pool, 4, sizeof(mm_given_t)), pool};
    unsigned seen = 0;

    *format = NULL;
    route->given = target.given;
    while (args && *args) {
        size_t len = strcspn(args, "&");
        const char *equals = memchr(args, '=', len);
        size_t name_len = equals ? (size_t)(equals - args) : len;
        const char *name = decode(args, name_len, pool);
        const char *value = equals ? decode(equals + 1, len - name_len - 1, pool) : "";

        if (!name || !value) {
            char quoted[MM_QUOTE_MAX];
            mm_err_set(err, APR_EINVAL,
                       "In the query string, \"%s\" has a %% that is not followed by two hexadecimal "
                       "digits other than 00.",
                       mm_route_quote(quoted, apr_pstrmemdup(pool, args, len)));
            return BAD_REQUEST;
        }
        /* && and a & at the end are what scripts that glue strings together leave behind. */
        int refused = len > 0 ? take_one(&target, name, value, takes, &seen, pool, err) : 0;
        if (refused) {
            return refused;
        }
        args += len + (args[len] == '&' ? 1 : 0);
    }
    return 0;
}
