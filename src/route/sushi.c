/* A path, then a query string: each piece of it is handed to its line of a table, and what has no line is a warning.
 *
 * A value that is wrong ends the request, though, where the Code of Practice would also allow to go on without it:
 * whoever asked for regular uses and wrote it wrongly must not get those of machines among them.
 */
#include "route/sushi.h"

#include <string.h>
#include <apr_strings.h>

#include "base/query.h"
#include "route/dataset_id.h"
#include "route/format.h"
#include "route/params.h"
#include "route/sushi_period.h"

enum { BAD_REQUEST = 400, UNAUTHORIZED = 401, FORBIDDEN = 403, NOT_FOUND = 404, NOT_ACCEPTABLE = 406, TOO_MANY = 429 };

/* What is not known is named up to here. */
#define UNKNOWN_MAX 8

typedef struct request {
    mm_sushi_t *sushi;
    const char *begin, *end; /* as they were given */
    int seen;                /* bits of params */
    apr_pool_t *pool;
} request_t;

/* --- exceptions ----------------------------------------------------------------------------------------------------
 */

static const mm_sushi_exception_t known[] = {
    {MM_SUSHI_NOT_AVAILABLE, "fatal", "Service Not Available", NULL},
    {MM_SUSHI_BUSY, "fatal", "Service Busy", NULL},
    {MM_SUSHI_NOT_AUTHORIZED, "error", "Requestor Not Authorized to Access Service", NULL},
    {MM_SUSHI_NO_SUCH_REPORT, "error", "Report Not Supported", NULL},
    {MM_SUSHI_BAD_DATES, "error", "Invalid Date Arguments", NULL},
    {MM_SUSHI_NO_USAGE, "error", "No Usage Available for Requested Dates", NULL},
    {MM_SUSHI_NOT_READY, "error", "Usage Not Ready for Requested Dates", NULL},
    {MM_SUSHI_PARTIAL, "warning", "Partial Data Returned", NULL},
    {MM_SUSHI_UNKNOWN_PARAMETER, "warning", "Parameter Not Recognized in this Context", NULL},
    {MM_SUSHI_BAD_FILTER, "error", "Invalid ReportFilter Value", NULL},
    {MM_SUSHI_BAD_ATTRIBUTE, "error", "Invalid ReportAttribute Value", NULL},
    {MM_SUSHI_FILTER_MISSING, "error", "Required ReportFilter Missing", NULL},
};

void mm_sushi_add(apr_array_header_t *exceptions, mm_sushi_code_t code, const char *data)
{
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (known[i].code == (int)code) {
            mm_sushi_exception_t *added = apr_array_push(exceptions);
            *added = known[i];
            added->data = data;
        }
    }
}

mm_sushi_code_t mm_sushi_code_of(int status)
{
    switch (status) {
    case NOT_FOUND:
        return MM_SUSHI_NO_SUCH_REPORT;
    case TOO_MANY:
        return MM_SUSHI_BUSY;
    default:
        return status == UNAUTHORIZED || status == FORBIDDEN ? MM_SUSHI_NOT_AUTHORIZED : MM_SUSHI_NOT_AVAILABLE;
    }
}

static int refuse(const request_t *request, int status, mm_sushi_code_t code, const char *data)
{
    mm_sushi_add(request->sushi->exceptions, code, data);
    return status;
}

/* --- parameters ----------------------------------------------------------------------------------------------------
 */

static const char *const methods[MM_SUSHI_N_METHODS] = {"Regular", "Machine"};
static const char *const metrics[MM_SUSHI_N_METRICS] = {"Total_Dataset_Investigations", "Total_Dataset_Requests",
                                                        "Unique_Dataset_Investigations", "Unique_Dataset_Requests"};

const char *mm_sushi_method_name(size_t i)
{
    return methods[i];
}

const char *mm_sushi_metric_name(size_t i)
{
    return metrics[i];
}

static char plain(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 'a' - 'A') : c == '_' ? '-' : c;
}

/* Without regard to case, - and _ being the same: the tabular form and JSON write names differently. */
static bool same_word(const char *name, const char *text, size_t len)
{
    size_t i = 0;

    while (i < len && name[i] && plain(name[i]) == plain(text[i])) {
        i++;
    }
    return i == len && !name[i];
}

/* Words with | between them, as a set of bits. */
static bool take_set(unsigned *set, const char *const *words, size_t n, const char *value)
{
    *set = 0;
    for (;;) {
        size_t len = strcspn(value, "|"), i = 0;

        while (i < n && !same_word(words[i], value, len)) {
            i++;
        }
        if (i == n) {
            return false;
        }
        *set |= 1u << i;
        if (!value[len]) {
            return true;
        }
        value += len + 1;
    }
}

static bool take_begin(request_t *request, const char *value)
{
    request->begin = value;
    return true;
}

static bool take_end(request_t *request, const char *value)
{
    request->end = value;
    return true;
}

static bool take_method(request_t *request, const char *value)
{
    return take_set(&request->sushi->methods, methods, MM_SUSHI_N_METHODS, value);
}

static bool take_metric(request_t *request, const char *value)
{
    return take_set(&request->sushi->metrics, metrics, MM_SUSHI_N_METRICS, value);
}

static bool take_dataset(request_t *request, const char *value)
{
    request->sushi->n_dataset_ids = mm_dataset_id_meant(&request->sushi->dataset_ids, value, request->pool);
    return *value && strlen(value) <= MM_EVENT_ID_MAX;
}

static bool take_granularity(request_t *request, const char *value)
{
    (void)request;
    return same_word("month", value, strlen(value));
}

static bool take_format(request_t *request, const char *value)
{
    const mm_format_info_t *info = mm_format_named(MM_PARAMS_SUSHI, value);

    request->sushi->format = info ? info->format : MM_FORMAT_ANY;
    return info != NULL;
}

typedef enum role { FILTER, ATTRIBUTE, FORM } role_t;

static const struct {
    const char *name;
    role_t role;
    const char *in_report; /* what it is called there */
    bool (*take)(request_t *request, const char *value);
    const char *values; /* which there are, for a sentence */
} params[] = {
    {"begin_date", FILTER, "begin-date", take_begin, NULL},
    {"end_date", FILTER, "end-date", take_end, NULL},
    {"access_method", FILTER, "access-method", take_method, "Regular, Machine or both with | between them"},
    {"metric_type", FILTER, "metric-type", take_metric,
     "some of Total_Dataset_Investigations, Total_Dataset_Requests, Unique_Dataset_Investigations and "
     "Unique_Dataset_Requests with | between them"},
    {"dataset_id", FILTER, "dataset-id", take_dataset, "the id of a dataset, of 1 to 1024 bytes"},
    {"granularity", ATTRIBUTE, "granularity", take_granularity, "month"},
    {"format", FORM, NULL, take_format, "json or tsv"},
};
#define N_PARAMS (sizeof(params) / sizeof(params[0]))

_Static_assert(MM_EVENT_ID_MAX == 1024, "the sentence above");

static int bad_value(const request_t *request, size_t i, const char *why)
{
    const char *data = apr_psprintf(request->pool, "The parameter %s %s.", params[i].name, why);

    return params[i].role == FORM
               ? refuse(request, NOT_ACCEPTABLE, MM_SUSHI_BAD_ATTRIBUTE, data)
               : refuse(request, BAD_REQUEST, params[i].role == FILTER ? MM_SUSHI_BAD_FILTER : MM_SUSHI_BAD_ATTRIBUTE,
                        data);
}

/* value is NULL where it holds a zero byte. */
static int take(request_t *request, size_t i, const char *value)
{
    char quoted[MM_QUOTE_MAX];

    if (request->seen & 1 << i) {
        return bad_value(request, i, "stands more than once");
    }
    request->seen |= 1 << i;
    if (!value) {
        return bad_value(request, i, "holds a zero byte");
    }
    if (!params[i].take(request, value)) {
        return bad_value(
            request, i,
            apr_psprintf(request->pool, "is %s, not \"%s\"", params[i].values, mm_route_quote(quoted, value)));
    }
    if (params[i].role != FORM) {
        apr_array_header_t *given = params[i].role == FILTER ? request->sushi->filters : request->sushi->attributes;
        APR_ARRAY_PUSH(given, mm_given_t) = (mm_given_t){params[i].in_report, value};
    }
    return 0;
}

/* NULL where it holds a zero byte. */
static const char *decode(const char *text, size_t len, apr_pool_t *pool)
{
    char *decoded = apr_palloc(pool, len + 1);
    size_t n = mm_query_decode(decoded, text, len);

    decoded[n] = '\0';
    return strlen(decoded) == n ? decoded : NULL;
}

typedef struct unknown {
    size_t n;
    const char *names;
} unknown_t;

static void note_unknown(unknown_t *unknown, const char *name, apr_pool_t *pool)
{
    char quoted[MM_QUOTE_MAX];

    if (unknown->n++ < UNKNOWN_MAX) {
        unknown->names = apr_pstrcat(pool, unknown->names, *unknown->names ? ", " : "",
                                     mm_route_quote(quoted, name ? name : "?"), NULL);
    }
}

static int take_pair(request_t *request, const char *pair, size_t len, unknown_t *unknown)
{
    const char *equals = memchr(pair, '=', len);
    size_t name_len = equals ? (size_t)(equals - pair) : len;
    const char *name = decode(pair, name_len, request->pool);

    for (size_t i = 0; i < N_PARAMS && name; i++) {
        if (strcmp(params[i].name, name) == 0) {
            const char *value = equals ? equals + 1 : "";
            return take(request, i, decode(value, equals ? len - name_len - 1 : 0, request->pool));
        }
    }
    note_unknown(unknown, name, request->pool);
    return 0;
}

static int take_all(request_t *request, const char *args)
{
    unknown_t unknown = {0, ""};
    int refused = 0;

    for (const char *at = args ? args : ""; *at && !refused;) {
        size_t len = strcspn(at, "&");

        refused = len > 0 ? take_pair(request, at, len, &unknown) : 0;
        at += len + (at[len] == '&' ? 1 : 0);
    }
    if (unknown.n > 0) {
        const char *data = apr_psprintf(request->pool, "%s%s", unknown.names, unknown.n > UNKNOWN_MAX ? ", ..." : "");
        apr_array_header_t *exceptions = request->sushi->exceptions;
        mm_sushi_exception_t last;

        /* What ends the request comes last. */
        if (refused) {
            last = *(mm_sushi_exception_t *)apr_array_pop(exceptions);
        }
        mm_sushi_add(exceptions, MM_SUSHI_UNKNOWN_PARAMETER, data);
        if (refused) {
            APR_ARRAY_PUSH(exceptions, mm_sushi_exception_t) = last;
        }
    }
    return refused;
}

/* --- the whole -----------------------------------------------------------------------------------------------------
 */

#define BASE     "/counter"
#define BASE_LEN (sizeof(BASE) - 1)

bool mm_sushi_is_path(const char *path)
{
    return strncmp(path, BASE, BASE_LEN) == 0 && (path[BASE_LEN] == '\0' || path[BASE_LEN] == '/');
}

static bool find_endpoint(const char *path, mm_sushi_endpoint_t *endpoint)
{
    static const struct {
        const char *path;
        mm_sushi_endpoint_t endpoint;
    } endpoints[] = {{BASE "/status", MM_SUSHI_STATUS},
                     {BASE "/reports", MM_SUSHI_REPORTS},
                     {BASE "/reports/dsr", MM_SUSHI_DSR},
                     {BASE "/reports/DSR", MM_SUSHI_DSR}};

    for (size_t i = 0; i < sizeof(endpoints) / sizeof(endpoints[0]); i++) {
        if (strcmp(path, endpoints[i].path) == 0) {
            *endpoint = endpoints[i].endpoint;
            return true;
        }
    }
    return false;
}

int mm_sushi_parse(mm_sushi_t *sushi, const char *path, const char *args, int64_t now_ms, apr_pool_t *pool)
{
    request_t request = {.sushi = sushi, .pool = pool};

    *sushi = (mm_sushi_t){.methods = MM_SUSHI_METHODS,
                          .metrics = MM_SUSHI_METRICS,
                          .filters = apr_array_make(pool, 4, sizeof(mm_given_t)),
                          .attributes = apr_array_make(pool, 1, sizeof(mm_given_t)),
                          .exceptions = apr_array_make(pool, 2, sizeof(mm_sushi_exception_t))};
    if (!find_endpoint(path, &sushi->endpoint)) {
        return refuse(&request, NOT_FOUND, MM_SUSHI_NO_SUCH_REPORT,
                      "There are /counter/status, /counter/reports and /counter/reports/dsr.");
    }
    if (sushi->endpoint != MM_SUSHI_DSR) {
        return 0; /* harvesters tell everybody who they are: no answer depends on it */
    }
    int refused = take_all(&request, args);
    if (refused) {
        return refused;
    }
    const char *why;
    mm_sushi_code_t wrong = mm_sushi_period(sushi, request.begin, request.end, &why, pool);
    if (wrong) {
        return refuse(&request, BAD_REQUEST, wrong, why);
    }
    mm_sushi_warn_of_time(sushi, now_ms);
    return 0;
}
