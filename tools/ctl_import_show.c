/* A line that is written over and over while it works, and a table at the end. */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>
#include <apr_time.h>
#include "ctl.h"
#include "ctl_import.h"

#define SHOW_US   INT64_C(200000)
#define BAR       24
#define NUMBER    32
#define SHOWN_MAX 200

/* 1234567 as 1,234,567, into to[NUMBER]. */
static const char *with_commas(char *to, int64_t number)
{
    char digits[NUMBER];
    int len = snprintf(digits, sizeof(digits), "%" PRId64, number), at = 0;

    for (int i = 0; i < len && at < NUMBER - 2; i++) {
        if (i > 0 && (len - i) % 3 == 0) {
            to[at++] = ',';
        }
        to[at++] = digits[i];
    }
    to[at] = '\0';
    return to;
}

/* --- while it works ------------------------------------------------------------------------------------------------
 */

void ctl_progress_begin(ctl_progress_t *progress, bool wanted)
{
    progress->on = wanted && isatty(STDERR_FILENO);
    progress->began_us = apr_time_now();
}

void ctl_progress_clear(const ctl_progress_t *progress)
{
    if (progress->on) {
        fputs("\r\033[K", stderr);
    }
}

static void show_bar(double part)
{
    int full = (int)(part * BAR);

    fputs("  [", stderr);
    for (int i = 0; i < BAR; i++) {
        fputc(i < full ? '#' : '.', stderr);
    }
    fprintf(stderr, "] %3d%%", (int)(part * 100));
}

static void show_left(double left_s)
{
    int64_t s = (int64_t)left_s;

    if (s >= 3600) {
        fprintf(stderr, "  %" PRId64 ":%02d:%02d left", s / 3600, (int)(s / 60 % 60), (int)(s % 60));
    }
    else {
        fprintf(stderr, "  %d:%02d left", (int)(s / 60), (int)(s % 60));
    }
}

void ctl_progress_show(void *baton, const mm_import_t *import)
{
    ctl_progress_t *progress = baton;
    const mm_import_tally_t *tally = mm_import_tally(import);
    const mm_logfile_t *file = mm_import_current(import);
    int64_t now_us = apr_time_now(), done = progress->done + (file ? mm_logfile_read(file) : 0);
    double took_s = (double)(now_us - progress->began_us) / 1e6;
    char name[SHOWN_MAX], lines[NUMBER], rate[NUMBER];

    if (!progress->on || now_us - progress->shown_us < SHOW_US) {
        return;
    }
    progress->shown_us = now_us;
    ctl_escape(name, sizeof(name), file ? mm_logfile_name(file) : "");
    fprintf(stderr, "\r\033[K%.30s", name);
    if (progress->size > 0) {
        double part = done < progress->size ? (double)done / (double)progress->size : 1;

        show_bar(part);
        if (part > 0) {
            show_left(took_s * (1 - part) / part);
        }
    }
    fprintf(stderr, "  %s lines, %s/s", with_commas(lines, tally->lines),
            with_commas(rate, took_s > 0 ? (int64_t)((double)tally->lines / took_s) : 0));
}

void ctl_progress_bad(void *baton, const char *log, int64_t number, const char *wrong)
{
    ctl_progress_t *progress = baton;
    char name[SHOWN_MAX];

    if (progress->bad++ >= CTL_BAD_SHOWN) {
        return;
    }
    ctl_progress_clear(progress);
    ctl_escape(name, sizeof(name), log);
    fprintf(stderr, "%s:%" PRId64 ": %s%s\n", name, number, wrong,
            progress->bad == CTL_BAD_SHOWN ? " (no more of these are shown)" : "");
}

/* --- at the end ----------------------------------------------------------------------------------------------------
 */

static void show_time(int64_t us)
{
    time_t seconds = (time_t)(us / 1000000);
    struct tm tm;
    char text[32];

    gmtime_r(&seconds, &tm);
    strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm);
    fputs(text, stdout);
}

static void show_row(const char *name, int64_t n)
{
    char number[NUMBER];

    if (n > 0) {
        printf("    %-20s %15s\n", name, with_commas(number, n));
    }
}

/* Not what is left of the lines: a line can stand for several uses. */
static int64_t left_out(const mm_import_tally_t *tally)
{
    int64_t sum = 0;

    for (int i = MM_SIFTED_EVENT + 1; i < MM_SIFTED_KINDS; i++) {
        sum += tally->sifted[i];
    }
    for (int i = MM_COUNTED + 1; i < MM_VERDICTS; i++) {
        sum += tally->verdicts[i];
    }
    return sum;
}

/* One in ten is no slip: a log whose format changes in its middle, or two that were joined. */
static bool is_much_bad(const mm_import_tally_t *tally)
{
    return tally->sifted[MM_SIFTED_BAD] > tally->lines / 10;
}

static void show_much_bad(const mm_import_tally_t *tally)
{
    if (is_much_bad(tally)) {
        printf(
            "  %.0f %% of the lines are bad, and none of these is counted: has a log changed its format in the middle? "
            "Try the\n"
            "  rest of it with --dry-run and another --format; docs/import.md says how to import it\n",
            100.0 * (double)tally->sifted[MM_SIFTED_BAD] / (double)tally->lines);
    }
}

void ctl_summary_text(const ctl_summary_t *summary)
{
    const mm_import_tally_t *tally = summary->tally;
    int64_t counted = tally->verdicts[MM_COUNTED], logs = summary->logs + summary->failed;
    char number[NUMBER], rate[NUMBER];

    printf("%" PRId64 " log%s", logs, logs == 1 ? "" : "s");
    if (summary->failed > 0) {
        printf(" (%" PRId64 " failed)", summary->failed);
    }
    printf(", %s lines in %.1f s (%s lines/s)", with_commas(number, tally->lines), (double)summary->took_us / 1e6,
           with_commas(rate, summary->took_us > 0 ? tally->lines * 1000000 / summary->took_us : 0));
    if (tally->last_us > 0) {
        fputs(", ", stdout);
        show_time(tally->first_us);
        fputs(" to ", stdout);
        show_time(tally->last_us);
        fputs(" UTC", stdout);
    }
    printf("\n  %-22s %15s\n", summary->dry ? "would be counted" : "counted", with_commas(number, counted));
    printf("  %-22s %15s\n", "left out", with_commas(number, left_out(tally)));
    for (int i = MM_SIFTED_EVENT + 1; i < MM_SIFTED_KINDS; i++) {
        show_row(mm_sifted_name((mm_sifted_t)i), tally->sifted[i]);
    }
    for (int i = MM_COUNTED + 1; i < MM_VERDICTS; i++) {
        show_row(mm_verdict_name((mm_verdict_t)i), tally->verdicts[i]);
    }
    show_much_bad(tally);
    if (tally->windowless > 0) {
        printf(
            "  For want of room on the disk %s batch%s went without what is remembered of clicks: if the last one did, "
            "double\n"
            "  clicks, and uniques, between this import and the next are not seen\n",
            with_commas(number, tally->windowless), tally->windowless == 1 ? "" : "es");
    }
    if (tally->known_bytes > 0) {
        printf("  %s bytes were counted by an earlier import\n", with_commas(number, tally->known_bytes));
    }
    if (tally->overlapping > 0) {
        printf("  Logs were read one behind the other, and %s of them overlap%s with one before in time: double "
               "clicks, and\n"
               "  uniques, between them are not seen (docs/import.md)\n",
               with_commas(number, tally->overlapping), tally->overlapping == 1 ? "s" : "");
    }
    if (summary->dry) {
        puts("  This was a dry run: nothing is changed, and what an earlier import has counted was not asked.");
    }
}

void ctl_summary_json(const ctl_summary_t *summary)
{
    const mm_import_tally_t *tally = summary->tally;
    const char *comma = "";

    printf("{\"logs\":%" PRId64 ",\"known\":%" PRId64 ",\"failed\":%" PRId64 ",\"overlapping\":%" PRId64
           ",\"lines\":%" PRId64 ",\"bytes\":%" PRId64 ",\"known_bytes\":%" PRId64 ",\"counted\":%" PRId64
           ",\"seconds\":%.3f,\"windowless\":%" PRId64 ",\"much_bad\":%s,\"left_out\":{",
           summary->logs, summary->known, summary->failed, tally->overlapping, tally->lines, tally->bytes,
           tally->known_bytes, tally->verdicts[MM_COUNTED], (double)summary->took_us / 1e6, tally->windowless,
           is_much_bad(tally) ? "true" : "false");
    for (int i = MM_SIFTED_EVENT + 1; i < MM_SIFTED_KINDS; i++, comma = ",") {
        printf("%s\"%s\":%" PRId64, comma, mm_sifted_name((mm_sifted_t)i), tally->sifted[i]);
    }
    for (int i = MM_COUNTED + 1; i < MM_VERDICTS; i++) {
        printf(",\"%s\":%" PRId64, mm_verdict_name((mm_verdict_t)i), tally->verdicts[i]);
    }
    puts("}}");
}
