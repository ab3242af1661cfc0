/* One walk over the list of families, three ways to write what is met. Names, labels and help are ours and hold nothing
 * that any of the formats would have to escape.
 *
 * Pure functions of the view. Values of one family stand together, as OpenMetrics wants it.
 */
#include "status/status_show.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <apr_strings.h>
#include <apr_time.h>

#include "base/version.h"
#include "count/rule.h"

#define SECOND_US  INT64_C(1000000)
#define NUMBER_MAX 80
/* Some 100 lines of at most 150 bytes. */
#define DOCUMENT_MAX (32 * 1024)

typedef enum kind {
    COUNTER,
    GAUGE,
    SECONDS, /* held in microseconds */
    TIME,    /* since 1970, held in microseconds; 0: never */
    SWITCH   /* 0, 1, or -1: not known */
} kind_t;

typedef enum family_id {
#define FAMILY_ID(name, kind, unit, help) FAMILY_##name,
    MM_STATUS_FAMILIES(FAMILY_ID)
#undef FAMILY_ID
        FAMILIES
} family_id_t;

typedef struct family {
    const char *name;
    kind_t kind;
    const char *unit, *help;
} family_t;

static const family_t families[FAMILIES] = {
#define FAMILY(name, kind, unit, help) {#name, kind, unit, help},
    MM_STATUS_FAMILIES(FAMILY)
#undef FAMILY
};

typedef struct place {
    family_id_t family;
    const char *label, *label_value;
} place_t;

static const place_t places[MM_STATUS_LISTED] = {
#define PLACE(symbol, family, label, label_value) {FAMILY_##family, label, label_value},
    MM_STATUS_VALUES(PLACE)
#undef PLACE
};

typedef struct sample {
    const char *label, *label_value; /* NULL: the family's only one */
    int64_t value;
} sample_t;

#define SAMPLES_MAX (MM_STATUS_LISTED + MM_VERDICTS)

_Static_assert((int)MM_VERDICTS <= MM_STATUS_VERDICTS_MAX, "there is room in the page for every verdict");

/* --- collecting --------------------------------------------------------------------------------------------------- */

/* Everything appended before the spool was last seen to be empty is counted, so nothing that waits is older. */
static int64_t oldest_us(const mm_status_view_t *view)
{
    int64_t emptied_us = mm_status_get(&view->page, MM_STATUS_EMPTIED_US);
    int64_t since_us = emptied_us > 0 ? emptied_us : view->page.made_us;

    since_us = since_us > 0 ? since_us : 0;
    return mm_status_get(&view->page, MM_STATUS_SPOOL_BYTES) > 0 && view->now_us > since_us ? view->now_us - since_us
                                                                                            : 0;
}

/* Each event that is seen is counted once more, by what became of it; so a request need not be counted twice. */
static int64_t seen(const mm_status_view_t *view)
{
    static const mm_status_value_t fates[] = {
        MM_STATUS_RECORDED_REQUEST, MM_STATUS_RECORDED_REPORTED, MM_STATUS_LEFT_OUT,       MM_STATUS_DROPPED_FULL,
        MM_STATUS_DROPPED_NO_ROOM,  MM_STATUS_DROPPED_ERROR,     MM_STATUS_DROPPED_INVALID};
    uint64_t sum = 0;

    for (size_t i = 0; i < sizeof(fates) / sizeof(fates[0]); i++) {
        sum += (uint64_t)mm_status_get(&view->page, fates[i]);
    }
    return (int64_t)sum;
}

/* What is shown and is no value of the page, or not of its list. */
static size_t collect_others(sample_t *samples, const mm_status_view_t *view, family_id_t family)
{
    size_t n = 0;

    switch (family) {
    case FAMILY_events_seen:
        samples[n++] = (sample_t){.value = seen(view)};
        break;
    case FAMILY_events_counted:
        samples[n++] = (sample_t){.value = mm_status_get_verdict(&view->page, MM_COUNTED)};
        break;
    case FAMILY_events_ignored:
        for (unsigned i = MM_COUNTED + 1; i < MM_VERDICTS; i++) {
            samples[n++] =
                (sample_t){"reason", mm_verdict_name((mm_verdict_t)i), mm_status_get_verdict(&view->page, i)};
        }
        break;
    case FAMILY_drainer_running:
        samples[n++] = (sample_t){.value = view->running};
        break;
    case FAMILY_spool_oldest_seconds:
        samples[n++] = (sample_t){.value = oldest_us(view)};
        break;
    case FAMILY_counters_since_timestamp_seconds:
        samples[n++] = (sample_t){.value = view->page.made_us};
        break;
    default:
        break;
    }
    return n;
}

static size_t collect(sample_t *samples, const mm_status_view_t *view, family_id_t family)
{
    size_t n = 0;

    for (unsigned i = 0; i < MM_STATUS_LISTED; i++) {
        if (places[i].family == family) {
            samples[n++] =
                (sample_t){places[i].label, places[i].label_value, mm_status_get(&view->page, (mm_status_value_t)i)};
        }
    }
    n += collect_others(samples + n, view, family);
    /* The drainer may set the size of the spool right before a child has said what it appended. */
    for (size_t i = 0; i < n && family != FAMILY_drainer_running; i++) {
        samples[i].value = samples[i].value > 0 ? samples[i].value : 0;
    }
    return n;
}

/* --- writing ------------------------------------------------------------------------------------------------------ */

typedef struct document {
    char *text;
    size_t len;
} document_t;

static document_t begin(apr_pool_t *pool)
{
    return (document_t){.text = apr_pcalloc(pool, DOCUMENT_MAX)};
}

__attribute__((format(printf, 2, 3))) static void put(document_t *document, const char *format, ...)
{
    size_t room = DOCUMENT_MAX - document->len;
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(document->text + document->len, room, format, args);
    va_end(args);
    document->len += n > 0 && (size_t)n < room ? (size_t)n : 0;
}

/* Whether there is a value at all. */
static bool is_known(kind_t kind, int64_t value)
{
    return kind == TIME ? value != 0 : value >= 0;
}

static const char *number(char text[NUMBER_MAX], kind_t kind, int64_t value)
{
    if (kind == SECONDS || kind == TIME) {
        snprintf(text, NUMBER_MAX, "%" PRId64 ".%06" PRId64, value / SECOND_US, value % SECOND_US);
    }
    else {
        snprintf(text, NUMBER_MAX, "%" PRId64, value);
    }
    return text;
}

/* --- OpenMetrics -------------------------------------------------------------------------------------------------- */

static void put_openmetrics(document_t *document, const family_t *family, const sample_t *samples, size_t n)
{
    const char *suffix = family->kind == COUNTER ? "_total" : "";
    char text[NUMBER_MAX];

    put(document, "# TYPE mod_metrics_%s %s\n", family->name, family->kind == COUNTER ? "counter" : "gauge");
    if (family->unit != NULL) {
        put(document, "# UNIT mod_metrics_%s %s\n", family->name, family->unit);
    }
    put(document, "# HELP mod_metrics_%s %s\n", family->name, family->help);
    for (size_t i = 0; i < n; i++) {
        if (!is_known(family->kind, samples[i].value)) {
            continue;
        }
        put(document, "mod_metrics_%s%s", family->name, suffix);
        if (samples[i].label != NULL) {
            put(document, "{%s=\"%s\"}", samples[i].label, samples[i].label_value);
        }
        put(document, " %s\n", number(text, family->kind, samples[i].value));
    }
}

const char *mm_status_openmetrics(const mm_status_view_t *view, apr_pool_t *pool)
{
    document_t document = begin(pool);
    sample_t samples[SAMPLES_MAX];

    put(&document, "# TYPE mod_metrics_build info\n# HELP mod_metrics_build The version of the module.\n"
                   "mod_metrics_build_info{version=\"" MM_VERSION "\"} 1\n");
    for (unsigned i = 0; i < FAMILIES; i++) {
        put_openmetrics(&document, &families[i], samples, collect(samples, view, (family_id_t)i));
    }
    put(&document, "# EOF\n");
    return document.text;
}

/* --- JSON --------------------------------------------------------------------------------------------------------- */

static const char *json_value(char text[NUMBER_MAX], kind_t kind, int64_t value)
{
    if (!is_known(kind, value)) {
        return "null";
    }
    return kind != SWITCH ? number(text, kind, value) : value ? "true" : "false";
}

static void put_json(document_t *document, const family_t *family, const sample_t *samples, size_t n)
{
    char text[NUMBER_MAX];

    put(document, ",\n  \"%s\": ", family->name);
    if (samples[0].label == NULL) {
        put(document, "%s", json_value(text, family->kind, samples[0].value));
        return;
    }
    for (size_t i = 0; i < n; i++) {
        put(document, "%s\"%s\": %s", i == 0 ? "{" : ", ", samples[i].label_value,
            json_value(text, family->kind, samples[i].value));
    }
    put(document, "}");
}

const char *mm_status_json(const mm_status_view_t *view, apr_pool_t *pool)
{
    document_t document = begin(pool);
    sample_t samples[SAMPLES_MAX];

    put(&document, "{\n  \"version\": \"" MM_VERSION "\",\n  \"covers\": \"%s\"", view->whole ? "spool" : "httpd");
    for (unsigned i = 0; i < FAMILIES; i++) {
        put_json(&document, &families[i], samples, collect(samples, view, (family_id_t)i));
    }
    put(&document, "\n}\n");
    return document.text;
}

/* --- for people --------------------------------------------------------------------------------------------------- */

static const char *words(char text[NUMBER_MAX], kind_t kind, int64_t value)
{
    apr_time_exp_t when;

    if (!is_known(kind, value)) {
        return kind == TIME ? "never" : "not known";
    }
    if (kind == TIME) {
        apr_time_exp_gmt(&when, value);
        snprintf(text, NUMBER_MAX, "%04d-%02d-%02d %02d:%02d:%02d UTC", when.tm_year + 1900, when.tm_mon + 1,
                 when.tm_mday, when.tm_hour, when.tm_min, when.tm_sec);
        return text;
    }
    return kind == SWITCH ? (value ? "yes" : "no") : number(text, kind, value);
}

const char *mm_status_text(const mm_status_view_t *view, apr_pool_t *pool)
{
    document_t document = begin(pool);
    sample_t samples[SAMPLES_MAX];
    char text[NUMBER_MAX];

    put(&document, "%-44s %s\n", "version", MM_VERSION);
    for (unsigned i = 0; i < FAMILIES; i++) {
        size_t n = collect(samples, view, (family_id_t)i);

        for (size_t j = 0; j < n; j++) {
            const char *of = samples[j].label != NULL ? samples[j].label_value : "";

            put(&document, "%-32s %-11s %s\n", families[i].name, of, words(text, families[i].kind, samples[j].value));
        }
    }
    return document.text;
}
