/* The order is that of preference. Pure functions of their arguments. */
#include "route/format.h"

#include <string.h>
#include <apr_strings.h>

#include "route/accept.h"
#include "route/params.h"

#define XLSX "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

static const mm_format_info_t formats[] = {
    {MM_FORMAT_CSV, "csv", MM_PARAMS_REPORT, "text/csv", "text/csv; charset=utf-8; header=present", 1},
    {MM_FORMAT_JSON, "json", MM_PARAMS_REPORT | MM_PARAMS_STATUS | MM_PARAMS_SUSHI, "application/json",
     "application/json", 0},
    {MM_FORMAT_NDJSON, "ndjson", MM_PARAMS_REPORT, "application/x-ndjson", "application/x-ndjson", 0},
    {MM_FORMAT_TSV, "tsv", MM_PARAMS_REPORT | MM_PARAMS_SUSHI, "text/tab-separated-values",
     "text/tab-separated-values; charset=utf-8", 1},
    {MM_FORMAT_XLSX, "xlsx", MM_PARAMS_REPORT, XLSX, XLSX, 1},
    {MM_FORMAT_OPENMETRICS, "openmetrics", MM_PARAMS_STATUS, "application/openmetrics-text",
     "application/openmetrics-text; version=1.0.0; charset=utf-8", 0},
};
#define N_FORMATS (sizeof(formats) / sizeof(formats[0]))

const mm_format_info_t *mm_format_named(unsigned takes, const char *name)
{
    for (size_t i = 0; i < N_FORMATS; i++) {
        if ((formats[i].of & takes) && strcmp(formats[i].name, name) == 0) {
            return &formats[i];
        }
    }
    return NULL;
}

const mm_format_info_t *mm_format_info(unsigned takes, mm_format_t format)
{
    for (size_t i = 0; i < N_FORMATS; i++) {
        if ((formats[i].of & takes) && formats[i].format == format) {
            return &formats[i];
        }
    }
    return NULL;
}

const mm_format_info_t *mm_format_accepted(unsigned takes, const char *accept)
{
    const mm_format_info_t *best = NULL;
    mm_accept_t most = {0, -1};

    for (size_t i = 0; i < N_FORMATS; i++) {
        if (!(formats[i].of & takes)) {
            continue;
        }
        mm_accept_t wanted = mm_accept_look(accept, formats[i].media);
        if (wanted.quality > most.quality ||
            (wanted.quality == most.quality && wanted.quality > 0 && wanted.named > most.named)) {
            best = &formats[i];
            most = wanted;
        }
    }
    return best;
}

static const char *list(unsigned takes, int media, apr_pool_t *pool)
{
    const char *names = "";

    for (size_t i = 0; i < N_FORMATS; i++) {
        if (formats[i].of & takes) {
            names = apr_pstrcat(pool, names, *names ? ", " : "", media ? formats[i].media : formats[i].name, NULL);
        }
    }
    return names;
}

const char *mm_format_names(unsigned takes, apr_pool_t *pool)
{
    return list(takes, 0, pool);
}

const char *mm_format_media(unsigned takes, apr_pool_t *pool)
{
    return list(takes, 1, pool);
}
