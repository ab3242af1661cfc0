/* What metricsctl import shows of its work. */
#ifndef MM_CTL_IMPORT_H
#define MM_CTL_IMPORT_H

#include <stdbool.h>
#include <stdint.h>
#include "import/import.h"

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
