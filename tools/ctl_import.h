/* metricsctl import: what it is asked for (ctl_import_args.c), and what it shows of its work (ctl_import_show.c). */
#ifndef MM_CTL_IMPORT_H
#define MM_CTL_IMPORT_H

#include <stdbool.h>
#include <stdint.h>
#include "import/import.h"
#include "settings/settings.h"

/* What was asked for. */
typedef struct ctl_import {
    mm_import_options_t options;
    const char *spool, *settings_file, *uri_file, *catalog_file, *prefix;
    bool dry, json, verbose, overlap;
    mm_settings_t *settings;
    int64_t n_files;
    const char *const *files;
} ctl_import_t;

/* Each returns an exit code. */
int ctl_import_parse(ctl_import_t *arguments, int argc, const char *const *argv, apr_pool_t *pool);
/* What the command line did not say. */
int ctl_import_settings(ctl_import_t *arguments, apr_pool_t *pool);

/* Bad lines that are shown of one log. */
#define CTL_BAD_SHOWN 5

typedef struct ctl_progress {
    bool on;            /* there is somebody to look at it */
    int64_t size, done; /* bytes of all files, and of those that are through; size 0: not known */
    int64_t began_us, shown_us;
    int64_t bad; /* lines of the log in hand */
} ctl_progress_t;

void ctl_progress_begin(ctl_progress_t *progress, bool wanted);
/* For mm_import_options_t; the baton is the ctl_progress_t. */
void ctl_progress_show(void *baton, const mm_import_t *import);
void ctl_progress_bad(void *baton, const char *log, int64_t number, const char *wrong);
/* The line is free for other words. */
void ctl_progress_clear(const ctl_progress_t *progress);

/* What was counted and what was not, and why. */
typedef struct ctl_summary {
    const mm_import_tally_t *tally;
    int64_t logs, known, failed;
    int64_t took_us;
    bool dry;
} ctl_summary_t;

void ctl_summary_text(const ctl_summary_t *summary);
void ctl_summary_json(const ctl_summary_t *summary);

#endif
