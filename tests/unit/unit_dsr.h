/* For the tests of the DSR: a request of a harvester, the writer for it, and rows as a report makes them of uses. */
#ifndef UNIT_DSR_H
#define UNIT_DSR_H

#include "unit_sink.h"

#include "report/columns.h"
#include "report/dsr.h"

typedef struct fixture {
    unit_t *unit;
    kept_t kept;
    mm_sushi_t sushi;
    mm_route_t route;
    mm_columns_t columns;
    mm_envelope_t envelope;
    mm_err_t err;
} fixture_t;

static const mm_dsr_names_t names = {.platform = "P", .publisher = "=U", .created_by = "C"};
static const mm_tail_t tail = {-1};

static inline fixture_t *dsr_make(unit_t *unit, const char *args)
{
    fixture_t *fixture = apr_pcalloc(unit->pool, sizeof(*fixture));

    fixture->unit = unit;
    assert_int_equal(mm_sushi_parse(&fixture->sushi, "/counter/reports/dsr", args, INT64_C(1769860800000), unit->pool),
                     0);
    mm_dsr_route(&fixture->route, &fixture->sushi, "datasets");
    mm_columns_choose(&fixture->columns, &fixture->route);
    fixture->envelope = (mm_envelope_t){
        .generated_ms = INT64_C(1769860801000), .columns = fixture->columns.columns, .n_columns = fixture->columns.n};
    return fixture;
}

static inline mm_writer_t *dsr_begin(fixture_t *fixture, mm_format_t format)
{
    mm_writer_t *writer = mm_dsr_writer(&names, &fixture->sushi, format, keep, &fixture->kept, fixture->unit->pool);

    assert_int_equal(writer->ops->begin(writer, &fixture->envelope, &fixture->err), APR_SUCCESS);
    return writer;
}

static inline apr_status_t dsr_row(fixture_t *fixture, mm_writer_t *writer, const char *name, const mm_use_t *use)
{
    mm_page_row_t of_page = {.use = use, .entry = {.name = name}};
    mm_page_t page = {.type = "datasets", .n = 1, .rows = &of_page};
    mm_cell_t cells[MM_COLUMNS_MAX];

    mm_columns_fill(&fixture->columns, &fixture->route, &page, 0, cells);
    return writer->ops->row(writer, cells, &fixture->err);
}

static const mm_use_t both = {.id = "10.5072/1",
                              .views = 5,
                              .downloads = 3,
                              .machine_views = 1,
                              .machine_downloads = 2,
                              .unique_views = 4,
                              .unique_downloads = 2,
                              .unique_investigations = 4,
                              .machine_unique_views = 1,
                              .machine_unique_downloads = 2,
                              .machine_unique_investigations = 2};
static const mm_use_t machine = {
    .id = "m\xFF", .views = 1, .machine_views = 3, .unique_investigations = 1, .machine_unique_investigations = 1};
static const mm_use_t none = {.id = "n"};

#define MONTH  "begin_date=2024-02&end_date=2024-02"
#define PERIOD "{\"begin-date\":\"2024-02-01\",\"end-date\":\"2024-02-29\"}"

#endif
