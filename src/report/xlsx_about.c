/* What a file says of itself when it has been passed on and nobody remembers where it is from. */
#include "report/xlsx.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/version.h"
#include "report/out.h"

typedef struct about {
    lxw_worksheet *sheet;
    lxw_format *bold;
    lxw_row_t row;
    lxw_error failed;
    mm_xlsx_text_t *text;
} about_t;

static void add(about_t *about, const char *name, const char *value)
{
    about->failed |= worksheet_write_string(about->sheet, about->row, 0, name, about->bold);
    mm_xlsx_text_reset(about->text);
    mm_xlsx_text_add(about->text, value);
    about->failed |= worksheet_write_string(about->sheet, about->row, 1, about->text->text, NULL);
    about->row++;
}

static void add_time(about_t *about, const char *name, int64_t ms)
{
    char text[MM_TIME_TEXT + 5] = "";

    if (mm_time_text(text, ms, ' ')) {
        memcpy(text + MM_TIME_TEXT, " UTC", 5);
        add(about, name, text);
    }
}

static void add_number(about_t *about, const char *name, int64_t number)
{
    char text[24];

    snprintf(text, sizeof(text), "%" PRId64, number);
    add(about, name, text);
}

static void add_parameters(about_t *about, const mm_envelope_t *envelope)
{
    for (int i = 0; envelope->given && i < envelope->given->nelts; i++) {
        const mm_given_t *given = &APR_ARRAY_IDX(envelope->given, i, mm_given_t);
        add(about, given->name, given->value);
    }
}

static void add_rules(about_t *about)
{
    static const char *const rules[] = {
        "A view is a page that was opened, a download one that was begun at its first byte; both were answered.",
        "Clicks of one user on one thing within some seconds (MetricsDoubleClick) are one.",
        "Robots are not counted. What scripts did is counted, and in the machine_ columns as well.",
        "Times are in UTC. A resource that nobody used has no row, but with never_used; one that is gone has no name.",
        "Resources, parents and people that the requester may not see are left out.",
        "More: docs/reports.md and docs/counting.md of mod_metrics."};

    about->row++;
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        add(about, i == 0 ? "How it is counted" : "", rules[i]);
    }
}

bool mm_xlsx_about(lxw_workbook *workbook, const mm_envelope_t *envelope, int64_t rows, lxw_format *bold,
                   mm_xlsx_text_t *text)
{
    about_t about = {.sheet = workbook_add_worksheet(workbook, "About"), .bold = bold, .text = text};

    if (!about.sheet) {
        return false;
    }
    worksheet_set_column(about.sheet, 0, 0, 20, NULL);
    worksheet_set_column(about.sheet, 1, 1, 100, NULL);
    add(&about, "Made by", "mod_metrics " MM_VERSION);
    add_time(&about, "Made", envelope->generated_ms);
    add_time(&about, "From", envelope->since_ms);
    add_time(&about, "Until before", envelope->until_ms);
    add_number(&about, "Rows", rows);
    add_parameters(&about, envelope);
    add_rules(&about);
    return about.failed == LXW_NO_ERROR;
}
