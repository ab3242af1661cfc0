/* How the lines of a log are to be read: its first lines, tried in each format. One of them alone would not do: it may
 * be anything that a robot sent.
 *
 * A log most of whose lines cannot be read was given the wrong format. Nothing of it may be read then, or the ledger
 * would take it for counted.
 */
#include "import/import_private.h"

#include <string.h>

#define LINES_MAX 1000

typedef struct sample {
    const char *at, *end;
    size_t n; /* lines that were taken */
} sample_t;

static bool take_line(sample_t *sample, const char **line, size_t *len)
{
    const char *stop;

    if (sample->at >= sample->end || sample->n == LINES_MAX) {
        return false;
    }
    stop = memchr(sample->at, '\n', (size_t)(sample->end - sample->at));
    *line = sample->at;
    *len = (size_t)((stop ? stop : sample->end) - sample->at);
    *len -= *len > 0 && sample->at[*len - 1] == '\r' ? 1 : 0;
    sample->at = stop ? stop + 1 : sample->end;
    sample->n++;
    return true;
}

/* How many can be read; *n becomes how many there are. */
static size_t count_fitting(mm_logparser_t *parser, sample_t sample, size_t *n)
{
    mm_logline_t parsed;
    const char *line;
    size_t len, fitting = 0;

    while (take_line(&sample, &line, &len)) {
        fitting += !mm_logparser_line(parser, line, len, &parsed);
    }
    *n = sample.n;
    return fitting;
}

static apr_status_t tell_unfit(const mm_import_t *import, size_t fitting, size_t n, mm_err_t *err)
{
    const char *name = mm_logfile_name(import->file);

    if (import->options.format) {
        return mm_err_set(
            err, APR_EINVAL,
            "of the first %d lines of %s only %d can be read in this --format, so nothing of it was counted", (int)n,
            name, (int)fitting);
    }
    return mm_err_set(
        err, APR_EINVAL,
        "most of the first %d lines of %s are none of common, combined or vhost_combined, so nothing of it "
        "was counted; say --format with the LogFormat that httpd writes it in",
        (int)n, name);
}

apr_status_t mm_import_choose_format(mm_import_t *import, mm_err_t *err)
{
    const char *const given[] = {import->options.format, NULL};
    sample_t sample = {.n = 0};
    size_t len, n = 0, most = 0;
    apr_status_t rv = mm_logfile_sample(import->file, &sample.at, &len, err);

    sample.end = sample.at + len;
    for (const char *const *name = given[0] ? given : mm_logformat_names; rv == APR_SUCCESS && *name; name++) {
        mm_logformat_t *format;
        mm_logparser_t *parser;
        size_t fitting;

        rv = mm_logformat_compile(&format, *name, import->log_pool, err);
        if (rv != APR_SUCCESS) {
            return rv;
        }
        parser = mm_logparser_create(format, import->options.slashes, import->log_pool);
        fitting = count_fitting(parser, sample, &n);
        if (fitting > most) {
            most = fitting;
            import->sieve.parser = parser;
            import->format = *name;
        }
    }
    return rv == APR_SUCCESS && (most == 0 || 2 * most < n) ? tell_unfit(import, most, n, err) : rv;
}

/* The first line that can be read. */
static int64_t first_us(mm_import_t *import)
{
    sample_t sample = {.n = 0};
    mm_logline_t parsed;
    const char *line;
    size_t len;

    if (mm_import_choose_format(import, NULL) != APR_SUCCESS ||
        mm_logfile_sample(import->file, &sample.at, &len, NULL) != APR_SUCCESS) {
        return INT64_MAX;
    }
    sample.end = sample.at + len;
    while (take_line(&sample, &line, &len)) {
        if (!mm_logparser_line(import->sieve.parser, line, len, &parsed)) {
            return parsed.time_us;
        }
    }
    return INT64_MAX;
}

int64_t mm_import_first_us(mm_import_t *import, mm_logfile_t *file)
{
    int64_t time_us;

    apr_pool_clear(import->log_pool);
    if (!mm_logfile_rewind(file)) {
        return INT64_MAX;
    }
    import->file = file;
    time_us = first_us(import);
    import->file = NULL;
    mm_logfile_rewind(file);
    return time_us;
}
